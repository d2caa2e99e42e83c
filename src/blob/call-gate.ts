import { Deferred } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'

/** Counts the calls under way in a store, so that closing it can wait for them. */
export class CallGate {
  readonly #what: string
  #open = 0
  #idle: Deferred | undefined
  #isClosed = false

  constructor(what: string) {
    this.#what = what
  }

  /** @throws RecoveryLogError `CLOSED` */
  enter(): void {
    if (this.#isClosed) throw new RecoveryLogError('CLOSED', `${this.#what} is closed`)
    this.#open++
  }

  leave(): void {
    this.#open--
    if (this.#open === 0) this.#idle?.resolve()
  }

  /** Runs `body` as one call. */
  async run<T>(body: () => Promise<T>): Promise<T> {
    this.enter()
    try {
      return await body()
    } finally {
      this.leave()
    }
  }

  /** Lets nobody in any more, and waits until everybody has left. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#open === 0) return
    this.#idle ??= new Deferred()
    await this.#idle.promise
  }
}
