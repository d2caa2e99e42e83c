import { Deferred } from '../async/index.ts'
import type { TaskLease } from '../coordinator/index.ts'

/**
 * Leases tasks for those who wait for one: just so many as wait, all at once, so that no task is leased that nobody works
 * on, and the coordinator is asked once for many.
 */
export class TaskLine {
  readonly #lease: (max: number) => Promise<readonly TaskLease[]>
  readonly #idle: () => Promise<boolean>
  readonly #waiting: Deferred<TaskLease | undefined>[] = []
  #isLeasing = false

  /**
   * @param options.lease leases at most so many tasks
   * @param options.idle is called when there are none, and answers whether to ask again
   */
  constructor(options: {
    readonly lease: (max: number) => Promise<readonly TaskLease[]>
    readonly idle: () => Promise<boolean>
  }) {
    this.#lease = options.lease
    this.#idle = options.idle
  }

  /** The next task, or undefined when there are no more. Rejects with what leasing has rejected with. */
  async next(): Promise<TaskLease | undefined> {
    const turn = new Deferred<TaskLease | undefined>()
    this.#waiting.push(turn)
    if (!this.#isLeasing) void this.#serve()
    return turn.promise
  }

  async #serve(): Promise<void> {
    this.#isLeasing = true
    try {
      while (this.#waiting.length > 0) {
        // Whoever has just become free, in the same moment as others, is asked for with them.
        await Promise.resolve()
        const leases = await this.#lease(this.#waiting.length)
        for (const lease of leases) this.#waiting.shift()?.resolve(lease)
        if (leases.length === 0 && !(await this.#idle())) this.#sendHome()
      }
    } catch (error) {
      for (const turn of this.#waiting.splice(0)) turn.reject(error)
    } finally {
      this.#isLeasing = false
    }
  }

  #sendHome(): void {
    for (const turn of this.#waiting.splice(0)) turn.resolve(undefined)
  }
}
