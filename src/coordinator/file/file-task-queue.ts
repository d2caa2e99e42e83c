import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CallGate } from '../../blob/index.ts'
import type { Clock } from '../../parts/index.ts'
import type { WithSignal } from '../../storage/index.ts'
import { SortedBlocks } from '../sorted-blocks.ts'
import { checkCount, lapsedReason, leaseLapsed, releasedUntil, TASK_TRIES_MAX } from '../task-queue.ts'
import type { ArchiveTask, DeadLetter, ReleaseOptions, TaskKey, TaskLease, TaskQueue } from '../task-queue.ts'
import { removeLeftovers } from './leftovers.ts'
import { GroupedSync, checkRefreshMs, guarded, storeError, syncFolder } from './system.ts'
import type { TaskState } from './task-file.ts'
import {
  changeState,
  makeTask,
  newToken,
  readState,
  readTask,
  readWhy,
  removeTask,
  writeWhy,
} from './task-folder.ts'

export interface FileTaskQueueOptions {
  /** Where the queue lies. Made when it is missing. Any number of processes may share it. */
  readonly dir: string
  readonly clock: Pick<Clock, 'now'>
  /** After so many tries a task is a dead letter. Default 10. */
  readonly triesMax?: number
  /** What other processes have put may not be leased for so long. Default 500 ms; 0: it is at once. */
  readonly refreshMs?: number
}

/** A task as it stood when this process looked last. */
interface Seen {
  readonly hash: string
  readonly state: TaskState
}

const DEFAULT_REFRESH_MS = 500

/**
 * Tasks on files, for several processes (adapters spec, Q5). `dir/tasks` holds a folder for each, named by the sha256 of
 * what makes it the same as another; `dir/tmp` what is being made. What is put is on the disk. A lease, and what becomes
 * of it, is one rename that is not synced: after a loss of power there is nobody left who holds one, and what was
 * acknowledged may come once more, which a task must bear anyway.
 */
export class FileTaskQueue implements TaskQueue {
  readonly #tasks: string
  readonly #aside: string
  readonly #clock: Pick<Clock, 'now'>
  readonly #triesMax: number
  readonly #refreshMs: number
  readonly #sync: GroupedSync
  readonly #seen = new Map<string, Seen>()
  /** What is not dead, by when it can be leased. */
  readonly #ready = new SortedBlocks<Seen>(
    (a, b) => a.state.atMs - b.state.atMs || (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0),
  )
  readonly #gate = new CallGate('the task queue')
  #refreshedMs = -Infinity

  /**
   * Opens the queue in `dir`. Throws RangeError for `triesMax` below 1 and `refreshMs` below 0.
   *
   * @throws RecoveryLogError `DENIED`, `UNAVAILABLE`
   */
  static async open(options: FileTaskQueueOptions): Promise<FileTaskQueue> {
    checkCount('triesMax', options.triesMax ?? TASK_TRIES_MAX)
    checkRefreshMs(options.refreshMs ?? DEFAULT_REFRESH_MS)
    const dir = resolve(options.dir)
    try {
      for (const folder of ['tasks', 'tmp']) mkdirSync(join(dir, folder), { recursive: true })
      await syncFolder(dir)
      removeLeftovers(join(dir, 'tmp'))
      return new FileTaskQueue(dir, options)
    } catch (error) {
      throw storeError(error, `open the task queue ${dir}`)
    }
  }

  private constructor(dir: string, options: FileTaskQueueOptions) {
    const { clock, triesMax = TASK_TRIES_MAX, refreshMs = DEFAULT_REFRESH_MS } = options
    this.#tasks = join(dir, 'tasks')
    this.#aside = join(dir, 'tmp')
    this.#clock = clock
    this.#triesMax = triesMax
    this.#refreshMs = refreshMs
    this.#sync = new GroupedSync(this.#tasks)
  }

  async put(task: ArchiveTask, dueMs: number, options: WithSignal = {}): Promise<boolean> {
    return this.#call('put a task', options, async () => {
      const hash = hashOf(task)
      const folder = this.#folderOf(hash)
      const state: TaskState = { phase: 'waiting', atMs: dueMs, tries: 0, releases: 0, token: newToken() }
      const isNew = readState(folder) === undefined && (await makeTask(folder, this.#aside, task, state))
      if (isNew) {
        await this.#sync.sync()
        this.#keep(hash, state)
      }
      return isNew
    })
  }

  async lease(
    request: { readonly max: number; readonly leaseMs: number } & WithSignal,
  ): Promise<readonly TaskLease[]> {
    return this.#call('lease tasks', request, async () => {
      checkCount('max', request.max)
      checkCount('leaseMs', request.leaseMs)
      this.#refresh()
      const leases: TaskLease[] = []
      for (;;) {
        const ready = this.#readyNow(request.max - leases.length)
        if (ready.length === 0) return leases
        for (const seen of ready) leases.push(...this.#lease(seen, request.leaseMs))
      }
    })
  }

  async extend(lease: TaskLease, leaseMs: number, options: WithSignal = {}): Promise<TaskLease> {
    return this.#call('extend a lease', options, async () => {
      checkCount('leaseMs', leaseMs)
      const held = this.#held(lease)
      const expiresMs = this.#clock.now() + leaseMs
      this.#change(held, { ...held.state, atMs: expiresMs }, lease)
      return { ...lease, expiresMs }
    })
  }

  async acknowledge(lease: TaskLease, options: WithSignal = {}): Promise<void> {
    await this.#call('acknowledge a task', options, async () => {
      const { hash, state } = this.#held(lease)
      if (!removeTask(this.#folderOf(hash), state)) throw leaseLapsed(lease)
      this.#keep(hash, undefined)
    })
  }

  async release(lease: TaskLease, options: ReleaseOptions): Promise<void> {
    await this.#call('release a task', options, async () => {
      const nowMs = this.#clock.now()
      const readyMs = releasedUntil(nowMs, options)
      const held = this.#held(lease)
      const tries = held.state.tries + (options.countsAsTry === true ? 1 : 0)
      const releases = held.state.releases + 1
      writeWhy(this.#folderOf(held.hash), options.reason)
      const isDead = tries >= this.#triesMax
      const phase = isDead ? 'dead' : 'waiting'
      const atMs = isDead ? nowMs : readyMs
      this.#change(held, { phase, atMs, tries, releases, token: newToken() }, lease)
    })
  }

  async has(task: TaskKey, options: WithSignal = {}): Promise<boolean> {
    return this.#call('look for a task', options, async () => {
      return readState(this.#folderOf(hashOf(task))) !== undefined
    })
  }

  async *deadLetters(options: WithSignal = {}): AsyncGenerator<DeadLetter, void, undefined> {
    yield* await this.#call('list dead letters', options, async () => {
      this.#refresh()
      for (const seen of this.#readyNow(this.#seen.size)) {
        if (triesOf(seen.state) >= this.#triesMax) this.#bury(seen)
      }
      return [...this.#seen.values()].flatMap((seen) => this.#letterOf(seen) ?? [])
    })
  }

  async revive(task: TaskKey, options: WithSignal = {}): Promise<boolean> {
    return this.#call('revive a task', options, async () => {
      const hash = hashOf(task)
      const state = readState(this.#folderOf(hash))
      if (state?.phase !== 'dead') return false
      const atMs = this.#clock.now()
      const alive: TaskState = { phase: 'waiting', atMs, tries: 0, releases: 0, token: newToken() }
      return this.#tryChange({ hash, state }, alive)
    })
  }

  async close(): Promise<void> {
    await this.#gate.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Leases a task that seems to be ready; nothing when it is not, or when that was the last of its tries. */
  #lease(seen: Seen, leaseMs: number): TaskLease[] {
    const { hash, state } = seen
    const tries = triesOf(state)
    if (tries >= this.#triesMax) {
      this.#bury(seen)
      return []
    }
    const expiresMs = this.#clock.now() + leaseMs
    const leased: TaskState = { ...state, phase: 'leased', atMs: expiresMs, tries, token: newToken() }
    if (!this.#tryChange(seen, leased)) return []
    const task = readTask(this.#folderOf(hash), leased)
    if (task === undefined) return [] // a lease that has run out already
    return [{ task, lease: leased.token, tries, releases: leased.releases, expiresMs }]
  }

  /** A task whose last lease has run out. */
  #bury(seen: Seen): void {
    const folder = this.#folderOf(seen.hash)
    const tries = triesOf(seen.state)
    const dead: TaskState = {
      ...seen.state,
      phase: 'dead',
      atMs: this.#clock.now(),
      tries,
      token: newToken(),
    }
    const lastReason = readWhy(folder)
    if (this.#tryChange(seen, dead)) writeWhy(folder, lapsedReason(tries, lastReason))
  }

  #letterOf({ hash, state }: Seen): DeadLetter | undefined {
    if (state.phase !== 'dead') return undefined
    const folder = this.#folderOf(hash)
    const task = readTask(folder, state)
    if (task === undefined) return undefined
    return { task, tries: state.tries, reason: readWhy(folder), diedMs: state.atMs }
  }

  #readyNow(max: number): Seen[] {
    const nowMs = this.#clock.now()
    const ready: Seen[] = []
    for (const seen of this.#ready.from(() => false)) {
      if (ready.length === max || seen.state.atMs > nowMs) break
      ready.push(seen)
    }
    return ready
  }

  /** The task that `lease` holds. @throws RecoveryLogError `CONFLICT` */
  #held(lease: TaskLease): Seen {
    const hash = hashOf(lease.task)
    const state = readState(this.#folderOf(hash))
    const isHeld = state?.phase === 'leased' && state.token === lease.lease
    if (!isHeld || state.atMs <= this.#clock.now()) throw leaseLapsed(lease)
    return { hash, state }
  }

  /** @throws RecoveryLogError `CONFLICT` when the lease has lapsed meanwhile */
  #change(held: Seen, to: TaskState, lease: TaskLease): void {
    if (!this.#tryChange(held, to)) throw leaseLapsed(lease)
  }

  #tryChange({ hash, state }: Seen, to: TaskState): boolean {
    const folder = this.#folderOf(hash)
    const isChanged = changeState(folder, state, to)
    this.#keep(hash, isChanged ? to : readState(folder))
    return isChanged
  }

  /** Looks which tasks there are. Those that others may have changed for the sooner are looked at. */
  #refresh(): void {
    const nowMs = this.#clock.now()
    if (nowMs - this.#refreshedMs < this.#refreshMs) return
    const hashes = new Set(readdirSync(this.#tasks))
    for (const hash of this.#seen.keys()) if (!hashes.has(hash)) this.#keep(hash, undefined)
    for (const hash of hashes) {
      // What waits will be no sooner than it says; a lease may end, and a dead letter be revived.
      if (this.#seen.get(hash)?.state.phase !== 'waiting') this.#keep(hash, readState(this.#folderOf(hash)))
    }
    this.#refreshedMs = nowMs
  }

  #keep(hash: string, state: TaskState | undefined): void {
    const before = this.#seen.get(hash)
    if (before !== undefined) this.#ready.delete(before)
    this.#seen.delete(hash)
    if (state === undefined) return
    const seen = { hash, state }
    this.#seen.set(hash, seen)
    if (state.phase !== 'dead') this.#ready.add(seen)
  }

  #folderOf(hash: string): string {
    return join(this.#tasks, hash)
  }

  async #call<T>(what: string, options: WithSignal, body: () => Promise<T>): Promise<T> {
    return guarded(this.#gate, what, options, body)
  }
}

/** The tries of a task that is ready: a lease that has run out was one. */
function triesOf({ tries, phase }: TaskState): number {
  return tries + (phase === 'leased' ? 1 : 0)
}

function hashOf({ project, id, reason }: TaskKey): string {
  return createHash('sha256').update(`${reason}\0${project}\0${id}`).digest('hex')
}
