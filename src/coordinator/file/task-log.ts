import { randomBytes } from 'node:crypto'
import { SortedBlocks } from '../sorted-blocks.ts'
import type { ArchiveTask, TaskKey } from '../task-queue.ts'
import type { JsonValue } from '../state-store.ts'
import { RecordLog } from './record-log.ts'
import type { RecordState } from './record-log.ts'

/**
 * The log of a task queue: each record names the change of the task that it follows, and of those that follow the same one
 * the first counts. All tasks are in memory.
 */

/** Where a task stands. */
export interface TaskState {
  readonly phase: 'waiting' | 'leased' | 'dead'
  /** When it is due, when its lease runs out, or when it died. */
  readonly atMs: number
  readonly tries: number
  readonly releases: number
  /** Names the lease. */
  readonly token: string
  /** Why it was released last, or has died; empty when it never was. */
  readonly why: string
}

export interface StoredTask {
  /** What makes it the same as another. */
  readonly name: string
  readonly task: ArchiveTask
  readonly state: TaskState
  /** Names the change that has made it so. */
  readonly change: string
}

interface ChangeRecord {
  readonly task: ArchiveTask
  /** The change that this one follows; empty for a task that is not there. */
  readonly after: string
  readonly change: string
  /** Null: it is done. */
  readonly state: TaskState | null
}

/** A log of so many records, and of so many times the tasks that are there, goes on with these alone. */
const LONG_RECORDS = 10_000
const MUCH_LESS = 4

/** Names the changes of this process. */
const owner = randomBytes(8).toString('hex')
let changes = 0

/** A name that nothing else has. */
export function newToken(): string {
  return `${owner}-${++changes}`
}

export class TaskLog implements RecordState {
  readonly #log: RecordLog
  readonly #tasks = new Map<string, StoredTask>()
  /** What is not dead, by when it can be leased. */
  #ready = newOrder()
  #records = 0
  /** The last change of this process that has counted. */
  #made = ''

  constructor(folder: string, aside: string) {
    this.#log = new RecordLog(folder, aside, this)
  }

  /** Makes the log unless there is one. */
  async open(): Promise<void> {
    if (!this.#log.catchUp()) await this.#log.create([])
    this.#log.catchUp()
  }

  /** Learns what all processes have done. @throws RecoveryLogError `CORRUPT` */
  catchUp(): void {
    this.#log.catchUp()
  }

  find(key: TaskKey): StoredTask | undefined {
    this.#log.catchUp()
    return this.#tasks.get(nameOf(key))
  }

  all(): Iterable<StoredTask> {
    return this.#tasks.values()
  }

  /** At most so many of those that can be leased at `nowMs`, the longest due first. */
  readyAt(nowMs: number, max: number): StoredTask[] {
    const ready: StoredTask[] = []
    for (const stored of this.#ready.from(() => false)) {
      if (ready.length === max || stored.state.atMs > nowMs) break
      ready.push(stored)
    }
    return ready
  }

  /** Changes a task; answers false when it is not as `before` says any more. Null ends it. */
  change(task: ArchiveTask, before: StoredTask | undefined, state: TaskState | null): boolean {
    const after = before?.change ?? ''
    const change = newToken()
    const record: ChangeRecord = { task, after, change, state }
    for (;;) {
      this.#log.append(record as unknown as JsonValue)
      this.#log.catchUp()
      if (this.#made === change) break
      if ((this.#tasks.get(nameOf(task))?.change ?? '') !== after) return false
      // Behind an end it does not count, and is appended to the next file.
    }
    if (this.#records > LONG_RECORDS + MUCH_LESS * this.#tasks.size) this.#log.rotate()
    return true
  }

  /** Waits until all changes are on the disk. */
  async sync(): Promise<void> {
    await this.#log.sync()
  }

  close(): void {
    this.#log.close()
  }

  begin(): void {
    this.#tasks.clear()
    this.#ready = newOrder()
    this.#records = 0
  }

  apply(json: string): void {
    this.#records++
    const { task, after, change, state } = JSON.parse(json) as ChangeRecord
    const name = nameOf(task)
    const before = this.#tasks.get(name)
    if ((before?.change ?? '') !== after) return
    if (before !== undefined) this.#ready.delete(before)
    this.#tasks.delete(name)
    if (state !== null) {
      const stored = { name, task, state, change }
      this.#tasks.set(name, stored)
      if (state.phase !== 'dead') this.#ready.add(stored)
    }
    if (change.startsWith(owner)) this.#made = change
  }

  snapshot(): readonly JsonValue[] {
    return [...this.#tasks.values()].map(({ task, state, change }): JsonValue => {
      const record: ChangeRecord = { task, after: '', change, state }
      return record as unknown as JsonValue
    })
  }
}

function newOrder(): SortedBlocks<StoredTask> {
  return new SortedBlocks<StoredTask>(
    (a, b) => a.state.atMs - b.state.atMs || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  )
}

function nameOf({ project, id, reason }: TaskKey): string {
  return `${reason}\0${project}\0${id}`
}
