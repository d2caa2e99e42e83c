import { abortedError } from '../async/index.ts'
import type { TaskLease } from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { WithSignal } from '../storage/index.ts'
import { ArchiveTaskRun } from './archive-task.ts'
import type { TaskReport } from './archive-task.ts'
import type { ArchivistParts } from './archivist-parts.ts'
import { TaskLine } from './task-line.ts'

/** Plain data. */
export interface ArchivistSettings {
  /** Tasks at once: while one waits for the disk, the next works. Default 16. */
  readonly concurrency: number
  /** How long a task, and a claim, is this archivist's before another may have it. Default 10 min. */
  readonly leaseMs: number
  /** How long after there was no task it asks again. Default 1 s. */
  readonly pollMs: number
}

export const DEFAULT_ARCHIVIST_SETTINGS: ArchivistSettings = {
  concurrency: 16,
  leaseMs: 10 * 60 * 1000,
  pollMs: 1000,
}

export interface ArchivistOptions extends ArchivistParts, Partial<ArchivistSettings> {
  /** Is told of every task that has ended. Must not throw. */
  readonly onTask?: (report: TaskReport) => void
  /** Is told when tasks could not be leased, or a lease not be made longer: it is tried again. Must not throw. */
  readonly onError?: (error: RecoveryLogError) => void
}

/** Leases are made longer when a third of them is over: two more tries are left. */
const EXTENSIONS_PER_LEASE = 3

/**
 * Turns finished streams into archives, one task of the coordinator's queue after another (log-archive spec, section 7).
 * Any number of them may work side by side: what each does is fenced by the state of its stream.
 */
export class Archivist implements AsyncDisposable {
  readonly #options: ArchivistOptions
  readonly #settings: ArchivistSettings
  readonly #runs = new Set<ArchiveTaskRun>()
  readonly #passes = new Set<Promise<unknown>>()
  /** No more tasks are taken. */
  readonly #stopping = new AbortController()
  /** Those under way are released. */
  readonly #leaving = new AbortController()
  /** Ends the wait for new tasks. */
  #waking = new AbortController()

  /** @throws RangeError for a setting out of range */
  constructor(options: ArchivistOptions) {
    const { concurrency, leaseMs, pollMs } = { ...DEFAULT_ARCHIVIST_SETTINGS, ...options }
    this.#settings = { concurrency, leaseMs, pollMs }
    for (const [name, value] of Object.entries(this.#settings)) {
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new RangeError(`expected an integer from 1 for ${name}, got ${String(value)}`)
      }
    }
    this.#options = options
  }

  /** How many tasks are under way. */
  get running(): number {
    return this.#runs.size
  }

  /**
   * Does tasks as they become due, until `stop`.
   *
   * @throws RecoveryLogError `ABORTED`, once the tasks under way are released; the archivist can run again
   */
  async run(options: WithSignal = {}): Promise<void> {
    await this.#pass(options.signal, async (ending) => this.#wait(ending))
  }

  /**
   * Does the tasks that are due now; answers how many.
   *
   * @throws as `run` does, and what the coordinator throws when tasks are asked for
   */
  async runDue(options: WithSignal = {}): Promise<number> {
    return this.#pass(options.signal, undefined)
  }

  /** Looks for new tasks now, rather than when `pollMs` is over. */
  wake(): void {
    this.#waking.abort()
    this.#waking = new AbortController()
  }

  /**
   * Takes no more tasks, for good, and waits for those under way; those that are not done after `graceMs` milliseconds
   * (default: none is hurried) are released, so that another archivist has them at once. May be called twice.
   */
  async stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    const { graceMs = Infinity } = options
    this.#stopping.abort()
    const done = new AbortController()
    if (graceMs !== Infinity) {
      this.#options.clock.sleep(graceMs, done.signal).then(
        () => this.#leaving.abort(),
        () => undefined,
      )
    }
    await Promise.allSettled(this.#passes)
    done.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #pass(
    signal: AbortSignal | undefined,
    idle: ((ending: AbortSignal) => Promise<boolean>) | undefined,
  ): Promise<number> {
    const pass = this.#work(signal, idle)
    this.#passes.add(pass)
    try {
      return await pass
    } finally {
      this.#passes.delete(pass)
    }
  }

  async #work(
    signal: AbortSignal | undefined,
    idle: ((ending: AbortSignal) => Promise<boolean>) | undefined,
  ): Promise<number> {
    const outer = signal === undefined ? [] : [signal]
    const ending = AbortSignal.any([...outer, this.#stopping.signal])
    const leaving = AbortSignal.any([...outer, this.#leaving.signal])
    const line = new TaskLine({
      lease: async (max) => this.#lease(max, ending, idle !== undefined),
      idle: async () => !ending.aborted && ((await idle?.(ending)) ?? false),
    })
    let count = 0
    const worker = async (): Promise<void> => {
      for (let lease = await line.next(); lease !== undefined; lease = await line.next()) {
        await this.#runTask(lease, leaving)
        count++
      }
    }
    const done = new AbortController()
    const leases = this.#keepLeases(done.signal)
    try {
      const workers = await Promise.allSettled(Array.from({ length: this.#settings.concurrency }, worker))
      const failed = workers.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    } finally {
      done.abort()
      await leases
    }
    if (signal?.aborted === true) throw abortedError(signal)
    return count
  }

  /** `patient`: what goes wrong is told, and there are simply no tasks. */
  async #lease(max: number, ending: AbortSignal, patient: boolean): Promise<readonly TaskLease[]> {
    if (ending.aborted) return []
    try {
      return await this.#options.coordinator.leaseArchiveTasks({ max, leaseMs: this.#settings.leaseMs })
    } catch (error) {
      if (!patient) throw error
      this.#options.onError?.(RecoveryLogError.from(error))
      return []
    }
  }

  async #runTask(lease: TaskLease, signal: AbortSignal): Promise<void> {
    const { leaseMs } = this.#settings
    // A signal of its own: many listeners on one are taken for a leak.
    const run = new ArchiveTaskRun(this.#options, lease, { leaseMs, signal: AbortSignal.any([signal]) })
    this.#runs.add(run)
    const report = await run.run()
    this.#runs.delete(run)
    this.#options.onTask?.(report)
  }

  /** Waits for new tasks. Answers true: they are to be looked for, whatever has ended the wait. */
  async #wait(ending: AbortSignal): Promise<boolean> {
    const signal = AbortSignal.any([ending, this.#waking.signal])
    await this.#options.clock.sleep(this.#settings.pollMs, signal).catch(() => undefined)
    return !ending.aborted
  }

  async #keepLeases(done: AbortSignal): Promise<void> {
    const everyMs = Math.ceil(this.#settings.leaseMs / EXTENSIONS_PER_LEASE)
    while (!done.aborted) {
      try {
        await this.#options.clock.sleep(everyMs, done)
      } catch {
        return // done
      }
      await Promise.all([...this.#runs].map(async (run) => this.#extend(run)))
    }
  }

  async #extend(run: ArchiveTaskRun): Promise<void> {
    try {
      await run.extend()
    } catch (error) {
      this.#options.onError?.(RecoveryLogError.from(error))
    }
  }
}
