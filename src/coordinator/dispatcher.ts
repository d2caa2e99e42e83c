import type { WithSignal } from '../storage/index.ts'
import type { StreamId } from './coordinator.ts'
import { firstDueMs, nextDueMs, stepOf } from './life-cycle.ts'
import { STREAM_KIND, streamRecord } from './stream-document.ts'
import type { StreamRecord } from './stream-record.ts'
import type { StreamFacts, StreamChange, StreamTable } from './stream-table.ts'
import type { StreamStore } from './state-store.ts'
import type { TaskQueue, TaskReason } from './task-queue.ts'

export interface DispatcherParts {
  readonly store: StreamStore
  readonly streams: StreamTable
  readonly queue: TaskQueue
  readonly clock: { now(): number }
}

/** So many streams are looked at side by side: each waits for the state store and the queue. */
const SIDE_BY_SIDE = 16

/** The sweep's pass over what is due, and whatever else puts tasks. */
export class Dispatcher {
  readonly #parts: DispatcherParts

  constructor(parts: DispatcherParts) {
    this.#parts = parts
  }

  /** Puts tasks for what is due, up to `max` streams; answers how many were new. */
  async dispatchDue(max: number, options: WithSignal): Promise<number> {
    const { store, clock } = this.#parts
    const due = await store.query({ ...options, kind: STREAM_KIND, dueUntilMs: clock.now(), limit: max })
    let count = 0
    for (let at = 0; at < due.length; at += SIDE_BY_SIDE) {
      const isNew = await Promise.all(
        due.slice(at, at + SIDE_BY_SIDE).map((document) => {
          const { project, id } = streamRecord(document)
          return this.#dispatch({ project, id, ...options })
        }),
      )
      count += isNew.filter(Boolean).length
    }
    return count
  }

  /** Puts a task, also when there is a dead letter of it. */
  async putAnew(stream: StreamId & WithSignal, reason: TaskReason): Promise<void> {
    const { queue, clock } = this.#parts
    const { project, id } = stream
    const nowMs = clock.now()
    const task = { project, id, reason, createdMs: nowMs }
    if (!(await queue.put(task, nowMs, stream))) await queue.revive(task, stream)
  }

  /**
   * The task first, then the state: whoever dies in between leaves a stream that is still due, and a task that is put
   * once however often.
   */
  async #dispatch(stream: StreamId & WithSignal): Promise<boolean> {
    let isNew = false
    await this.#parts.streams.change(stream, async (record, facts) => {
      const step = stepOf(record.phase, 'due')
      // What the query has said may be of yesterday.
      if (facts.dueMs === null || facts.dueMs > facts.nowMs) return undefined
      if (step.kind !== 'moves' && step.kind !== 'stays') return { record, dueMs: null }
      const laterMs = laterDueMs(record, facts)
      if (laterMs !== undefined) return { record, dueMs: laterMs }
      if (await this.#put(stream, step.task as TaskReason, record, facts.dueMs)) isNew = true
      return dispatched(record, step.kind === 'moves', facts.nowMs)
    })
    return isNew
  }

  /** What has been due for longest is leased first. */
  async #put(
    stream: StreamId & WithSignal,
    reason: TaskReason,
    record: StreamRecord,
    dueMs: number,
  ): Promise<boolean> {
    const { project, id } = stream
    const nowMs = this.#parts.clock.now()
    // A task that was lost has kept its age: it may have to settle for what is there.
    const createdMs = record.phase === 'pending' ? (record.dispatchedMs ?? nowMs) : nowMs
    return this.#parts.queue.put({ project, id, reason, createdMs }, dueMs, stream)
  }
}

/** When a stream is due by the settings of now, if those have become longer since its due time was stored. */
function laterDueMs(record: StreamRecord, { settings, nowMs }: StreamFacts): number | undefined {
  const { phase } = record
  if (phase !== 'streaming' && phase !== 'terminated' && phase !== 'archived') return undefined
  const dueMs = firstDueMs(record, settings) as number
  return dueMs > nowMs ? dueMs : undefined
}

function dispatched(record: StreamRecord, isMoved: boolean, nowMs: number): StreamChange {
  if (isMoved) return { record: { ...record, phase: 'pending', dispatchedMs: nowMs } }
  return { record, dueMs: nextDueMs(record, nowMs) }
}
