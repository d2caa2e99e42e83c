import { throwIfAborted } from '../../async/index.ts'
import { CallGate } from '../../blob/index.ts'
import type { Clock } from '../../parts/index.ts'
import type { WithSignal } from '../../storage/index.ts'
import { SortedBlocks } from '../sorted-blocks.ts'
import { checkCount, lapsedReason, leaseLapsed, releasedUntil, TASK_TRIES_MAX } from '../task-queue.ts'
import type { ArchiveTask, DeadLetter, ReleaseOptions, TaskKey, TaskLease, TaskQueue } from '../task-queue.ts'

export interface MemoryTaskQueueOptions {
  readonly clock: Pick<Clock, 'now'>
  /** After so many tries a task is a dead letter. Default 10. */
  readonly triesMax?: number
}

/** A task and where it stands. */
interface KeptTask {
  readonly task: ArchiveTask
  readonly key: string
  /** From when it can be leased: when it is due, or when its lease runs out. */
  readonly readyMs: number
  /** Puts those of one time in the order in which they came. */
  readonly order: number
  readonly tries: number
  readonly releases: number
  /** Empty when nobody holds it. */
  readonly lease: string
  /** Why it was released last. */
  readonly reason: string
}

/** The tasks of archivists in one process. */
export class MemoryTaskQueue implements TaskQueue {
  readonly #clock: Pick<Clock, 'now'>
  readonly #triesMax: number
  readonly #tasks = new Map<string, KeptTask>()
  readonly #ready = new SortedBlocks<KeptTask>((a, b) => a.readyMs - b.readyMs || a.order - b.order)
  readonly #dead = new Map<string, DeadLetter>()
  readonly #gate = new CallGate('the task queue')
  /** Numbers leases, and tasks in the order in which they came. */
  #count = 0

  /** Throws RangeError for `triesMax` below 1. */
  constructor(options: MemoryTaskQueueOptions) {
    const { clock, triesMax = TASK_TRIES_MAX } = options
    checkCount('triesMax', triesMax)
    this.#clock = clock
    this.#triesMax = triesMax
  }

  async put(task: ArchiveTask, dueMs: number, options: WithSignal = {}): Promise<boolean> {
    return this.#call(options, () => {
      const key = keyOf(task)
      if (this.#tasks.has(key) || this.#dead.has(key)) return false
      this.#set(this.#fresh(task, dueMs))
      return true
    })
  }

  async lease(
    request: { readonly max: number; readonly leaseMs: number } & WithSignal,
  ): Promise<readonly TaskLease[]> {
    return this.#call(request, () => {
      const { max, leaseMs } = request
      checkCount('max', max)
      checkCount('leaseMs', leaseMs)
      const leases: TaskLease[] = []
      for (;;) {
        const due = this.#due(max - leases.length)
        if (due.length === 0) return leases
        for (const kept of due) leases.push(...this.#lease(kept, this.#clock.now() + leaseMs))
      }
    })
  }

  async extend(lease: TaskLease, leaseMs: number, options: WithSignal = {}): Promise<TaskLease> {
    return this.#call(options, () => {
      checkCount('leaseMs', leaseMs)
      const kept = this.#held(lease)
      const expiresMs = this.#clock.now() + leaseMs
      this.#set({ ...kept, readyMs: expiresMs })
      return { ...lease, expiresMs }
    })
  }

  async acknowledge(lease: TaskLease, options: WithSignal = {}): Promise<void> {
    this.#call(options, () => {
      this.#remove(this.#held(lease))
    })
  }

  async release(lease: TaskLease, options: ReleaseOptions): Promise<void> {
    this.#call(options, () => {
      const { reason, countsAsTry = false } = options
      const readyMs = releasedUntil(this.#clock.now(), options)
      const kept = this.#held(lease)
      const tries = kept.tries + (countsAsTry ? 1 : 0)
      if (tries >= this.#triesMax) this.#bury({ ...kept, tries }, reason)
      else this.#set({ ...kept, readyMs, tries, releases: kept.releases + 1, lease: '', reason })
    })
  }

  async has(task: TaskKey, options: WithSignal = {}): Promise<boolean> {
    return this.#call(options, () => this.#tasks.has(keyOf(task)) || this.#dead.has(keyOf(task)))
  }

  async *deadLetters(options: WithSignal = {}): AsyncGenerator<DeadLetter, void, undefined> {
    const letters = this.#call(options, () => {
      for (const kept of this.#due(this.#tasks.size)) this.#buryLapsed(kept)
      return [...this.#dead.values()]
    })
    yield* letters
  }

  async revive(task: TaskKey, options: WithSignal = {}): Promise<boolean> {
    return this.#call(options, () => {
      const key = keyOf(task)
      const letter = this.#dead.get(key)
      if (letter === undefined) return false
      this.#dead.delete(key)
      this.#set(this.#fresh(letter.task, this.#clock.now()))
      return true
    })
  }

  async close(): Promise<void> {
    await this.#gate.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Runs `body` as a call that waits for nothing. */
  #call<T>({ signal }: WithSignal, body: () => T): T {
    this.#gate.enter()
    try {
      throwIfAborted(signal)
      return body()
    } finally {
      this.#gate.leave()
    }
  }

  #fresh(task: ArchiveTask, readyMs: number): KeptTask {
    const key = keyOf(task)
    return { task, key, readyMs, order: ++this.#count, tries: 0, releases: 0, lease: '', reason: '' }
  }

  #due(max: number): KeptTask[] {
    const due: KeptTask[] = []
    const nowMs = this.#clock.now()
    for (const kept of this.#ready.from(() => false)) {
      if (due.length === max || kept.readyMs > nowMs) break
      due.push(kept)
    }
    return due
  }

  /** Leases a task that is ready; nothing when that was the last of its tries. */
  #lease(kept: KeptTask, expiresMs: number): TaskLease[] {
    if (this.#buryLapsed(kept)) return []
    const { task, releases } = kept
    const tries = triesOf(kept)
    const lease = String(++this.#count)
    this.#set({ ...kept, readyMs: expiresMs, tries, lease })
    return [{ task, lease, tries, releases, expiresMs }]
  }

  /** Makes a task a dead letter when its last lease has run out. */
  #buryLapsed(kept: KeptTask): boolean {
    const tries = triesOf(kept)
    if (tries < this.#triesMax) return false
    this.#bury({ ...kept, tries }, lapsedReason(tries, kept.reason))
    return true
  }

  #bury(kept: KeptTask, reason: string): void {
    this.#remove(kept)
    const { key, task, tries } = kept
    this.#dead.set(key, { task, tries, reason, diedMs: this.#clock.now() })
  }

  #held(lease: TaskLease): KeptTask {
    const kept = this.#tasks.get(keyOf(lease.task))
    if (kept?.lease !== lease.lease || kept.readyMs <= this.#clock.now()) throw leaseLapsed(lease)
    return kept
  }

  #set(kept: KeptTask): void {
    this.#remove(this.#tasks.get(kept.key))
    this.#tasks.set(kept.key, kept)
    this.#ready.add(kept)
  }

  #remove(kept: KeptTask | undefined): void {
    if (kept === undefined) return
    this.#tasks.delete(kept.key)
    this.#ready.delete(kept)
  }
}

/** The tries of a task that is ready: a lease that has run out was one. */
function triesOf({ tries, lease }: KeptTask): number {
  return tries + (lease === '' ? 0 : 1)
}

function keyOf({ project, id, reason }: TaskKey): string {
  return `${reason}\0${project}\0${id}`
}
