import { Deferred } from '../async/index.ts'
import { Coordinator } from '../coordinator/index.ts'
import type { TaskLease } from '../coordinator/index.ts'

/** The coordinator of an archivist, which knows how many of the tasks that it was given are not done yet. */
export class TasksInHand extends Coordinator {
  #count = 0
  #idle: Deferred | undefined

  override async leaseArchiveTasks(
    request: Parameters<Coordinator['leaseArchiveTasks']>[0],
  ): Promise<readonly TaskLease[]> {
    this.#count++ // what this call gives may be in hand before it is counted
    try {
      const leases = await super.leaseArchiveTasks(request)
      this.#count += leases.length
      return leases
    } finally {
      this.done()
    }
  }

  /** One task less. */
  done(): void {
    this.#count--
    if (this.#count > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  /** Resolves when none is in hand. */
  async idle(): Promise<void> {
    if (this.#count === 0) return
    this.#idle ??= new Deferred()
    await this.#idle.promise
  }
}
