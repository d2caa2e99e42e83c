import { abortedError, Deferred } from '../async/index.ts'

/**
 * The line of calls that wait for room in the queue of appends. First come, first served, also when a later one asks
 * for less: asynchronous calls keep their order.
 */
export class RoomLine {
  readonly #waiters: Waiter[] = []
  readonly #fits: (bytes: number) => boolean
  /** One has been let in and has not recorded yet. */
  #granting = false

  constructor(fits: (bytes: number) => boolean) {
    this.#fits = fits
  }

  /** Resolves when it is the caller's turn and `bytes` fit. The next one is only looked at after the caller has gone on. */
  wait(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(abortedError(signal))
    const waiter: Waiter = new Waiter(bytes, signal, () => {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
      waiter.reject(abortedError(signal as AbortSignal))
      this.grant() // the next one may ask for less
    })
    this.#waiters.push(waiter)
    this.grant()
    return waiter.granted.promise
  }

  /** Lets in whoever is first, if it fits now. */
  grant(): void {
    const first = this.#waiters[0]
    if (this.#granting || first === undefined || !this.#fits(first.bytes)) return
    this.#waiters.shift()
    this.#granting = true
    first.resolve()
    // Two steps, because whoever is let in at once begins to wait only after this.
    void first.granted.promise.then().then(() => {
      this.#granting = false
      this.grant()
    })
  }

  /** Answers how many waited. */
  rejectAll(cause: Error): number {
    const waiters = this.#waiters.splice(0)
    for (const waiter of waiters) waiter.reject(cause)
    return waiters.length
  }
}

class Waiter {
  readonly bytes: number
  readonly granted = new Deferred()
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: () => void

  constructor(bytes: number, signal: AbortSignal | undefined, onAbort: () => void) {
    this.bytes = bytes
    this.#signal = signal
    this.#onAbort = onAbort
    signal?.addEventListener('abort', onAbort)
  }

  resolve(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.granted.resolve()
  }

  reject(cause: Error): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.granted.reject(cause)
  }
}
