import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CallGate } from '../../blob/index.ts'
import type { Clock } from '../../parts/index.ts'
import type { WithSignal } from '../../storage/index.ts'
import { checkCount, lapsedReason, leaseLapsed, releasedUntil, TASK_TRIES_MAX } from '../task-queue.ts'
import type { ArchiveTask, DeadLetter, ReleaseOptions, TaskKey, TaskLease, TaskQueue } from '../task-queue.ts'
import { removeLeftovers } from './leftovers.ts'
import { GroupedSync, guarded, storeError, syncFolder } from './system.ts'
import { newToken, TaskLog } from './task-log.ts'
import type { StoredTask, TaskState } from './task-log.ts'

export interface FileTaskQueueOptions {
  /** Where the queue lies. Made when it is missing. Any number of processes may share it. */
  readonly dir: string
  readonly clock: Pick<Clock, 'now'>
  /** After so many tries a task is a dead letter. Default 10. */
  readonly triesMax?: number
}

/**
 * Tasks on files, for several processes (adapters spec, Q5). `dir/tasks` holds the log in which all that becomes of tasks
 * stands; `dir/tmp` what is being made. What is put is on the disk. A lease, and what becomes of it, is not synced: after a
 * loss of power there is nobody left who holds one, and what was acknowledged may come once more, which a task must bear
 * anyway. Memory grows with the number of tasks that are there, about 500 bytes each.
 */
export class FileTaskQueue implements TaskQueue {
  readonly #log: TaskLog
  readonly #sync: GroupedSync
  readonly #clock: Pick<Clock, 'now'>
  readonly #triesMax: number
  readonly #gate = new CallGate('the task queue')

  /**
   * Opens the queue in `dir`. Throws RangeError for `triesMax` below 1.
   *
   * @throws RecoveryLogError `DENIED`, `UNAVAILABLE`, `CORRUPT`
   */
  static async open(options: FileTaskQueueOptions): Promise<FileTaskQueue> {
    checkCount('triesMax', options.triesMax ?? TASK_TRIES_MAX)
    const dir = resolve(options.dir)
    try {
      for (const folder of ['tasks', 'tmp']) mkdirSync(join(dir, folder), { recursive: true })
      await syncFolder(dir)
      removeLeftovers(join(dir, 'tmp'))
      const log = new TaskLog(join(dir, 'tasks'), join(dir, 'tmp'))
      await log.open()
      return new FileTaskQueue(log, options)
    } catch (error) {
      throw storeError(error, `open the task queue ${dir}`)
    }
  }

  private constructor(log: TaskLog, { clock, triesMax = TASK_TRIES_MAX }: FileTaskQueueOptions) {
    this.#log = log
    this.#sync = new GroupedSync(async () => log.sync())
    this.#clock = clock
    this.#triesMax = triesMax
  }

  async put(task: ArchiveTask, dueMs: number, options: WithSignal = {}): Promise<boolean> {
    return this.#call('put a task', options, async () => {
      const { project, id, reason, createdMs } = task
      const isNew =
        this.#log.find(task) === undefined &&
        this.#log.change({ project, id, reason, createdMs }, undefined, fresh(dueMs))
      if (isNew) await this.#sync.sync()
      return isNew
    })
  }

  async lease(
    request: { readonly max: number; readonly leaseMs: number } & WithSignal,
  ): Promise<readonly TaskLease[]> {
    return this.#call('lease tasks', request, async () => {
      checkCount('max', request.max)
      checkCount('leaseMs', request.leaseMs)
      this.#log.catchUp()
      const leases: TaskLease[] = []
      for (;;) {
        const ready = this.#log.readyAt(this.#clock.now(), request.max - leases.length)
        if (ready.length === 0) return leases
        for (const stored of ready) leases.push(...this.#lease(stored, request.leaseMs))
      }
    })
  }

  async extend(lease: TaskLease, leaseMs: number, options: WithSignal = {}): Promise<TaskLease> {
    return this.#call('extend a lease', options, async () => {
      checkCount('leaseMs', leaseMs)
      const held = this.#held(lease)
      const expiresMs = this.#clock.now() + leaseMs
      this.#change(lease, held, { ...held.state, atMs: expiresMs })
      return { ...lease, expiresMs }
    })
  }

  async acknowledge(lease: TaskLease, options: WithSignal = {}): Promise<void> {
    await this.#call('acknowledge a task', options, async () => {
      this.#change(lease, this.#held(lease), null)
    })
  }

  async release(lease: TaskLease, options: ReleaseOptions): Promise<void> {
    await this.#call('release a task', options, async () => {
      const nowMs = this.#clock.now()
      const readyMs = releasedUntil(nowMs, options)
      const held = this.#held(lease)
      const tries = held.state.tries + (options.countsAsTry === true ? 1 : 0)
      const releases = held.state.releases + 1
      const isDead = tries >= this.#triesMax
      const phase = isDead ? 'dead' : 'waiting'
      const atMs = isDead ? nowMs : readyMs
      this.#change(lease, held, { phase, atMs, tries, releases, token: newToken(), why: options.reason })
    })
  }

  async has(task: TaskKey, options: WithSignal = {}): Promise<boolean> {
    return this.#call('look for a task', options, async () => this.#log.find(task) !== undefined)
  }

  async *deadLetters(options: WithSignal = {}): AsyncGenerator<DeadLetter, void, undefined> {
    yield* await this.#call('list dead letters', options, async () => {
      this.#log.catchUp()
      for (const stored of this.#log.readyAt(this.#clock.now(), Infinity)) {
        if (triesOf(stored.state) >= this.#triesMax) this.#bury(stored)
      }
      return [...this.#log.all()].flatMap(letterOf)
    })
  }

  async revive(task: TaskKey, options: WithSignal = {}): Promise<boolean> {
    return this.#call('revive a task', options, async () => {
      const stored = this.#log.find(task)
      return stored?.state.phase === 'dead' && this.#log.change(stored.task, stored, fresh(this.#clock.now()))
    })
  }

  async close(): Promise<void> {
    await this.#gate.close()
    this.#log.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Leases a task that seems to be ready; nothing when it is not, or when that was the last of its tries. */
  #lease(stored: StoredTask, leaseMs: number): TaskLease[] {
    const { task, state } = stored
    const tries = triesOf(state)
    if (tries >= this.#triesMax) {
      this.#bury(stored)
      return []
    }
    const expiresMs = this.#clock.now() + leaseMs
    const lease = newToken()
    const leased: TaskState = { ...state, phase: 'leased', atMs: expiresMs, tries, token: lease }
    if (!this.#log.change(task, stored, leased)) return []
    return [{ task: { ...task }, lease, tries, releases: state.releases, expiresMs }]
  }

  /** A task whose last lease has run out. */
  #bury(stored: StoredTask): void {
    const { task, state } = stored
    const tries = triesOf(state)
    const why = lapsedReason(tries, state.why)
    const dead: TaskState = {
      ...state,
      phase: 'dead',
      atMs: this.#clock.now(),
      tries,
      token: newToken(),
      why,
    }
    this.#log.change(task, stored, dead)
  }

  /** The task that `lease` holds. @throws RecoveryLogError `CONFLICT` */
  #held(lease: TaskLease): StoredTask {
    const stored = this.#log.find(lease.task)
    const isHeld = stored?.state.phase === 'leased' && stored.state.token === lease.lease
    if (!isHeld || stored.state.atMs <= this.#clock.now()) throw leaseLapsed(lease)
    return stored
  }

  /** @throws RecoveryLogError `CONFLICT` when the lease has lapsed meanwhile */
  #change(lease: TaskLease, held: StoredTask, to: TaskState | null): void {
    if (!this.#log.change(held.task, held, to)) throw leaseLapsed(lease)
  }

  async #call<T>(what: string, options: WithSignal, body: () => Promise<T>): Promise<T> {
    return guarded(this.#gate, what, options, body)
  }
}

/** The tries of a task that is ready: a lease that has run out was one. */
function triesOf({ tries, phase }: TaskState): number {
  return tries + (phase === 'leased' ? 1 : 0)
}

function letterOf({ task, state }: StoredTask): DeadLetter[] {
  const { phase, tries, why, atMs } = state
  return phase === 'dead' ? [{ task: { ...task }, tries, reason: why, diedMs: atMs }] : []
}

/** A task that nobody has leased yet. */
function fresh(atMs: number): TaskState {
  return { phase: 'waiting', atMs, tries: 0, releases: 0, token: newToken(), why: '' }
}
