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
    const waiter = new Waiter(bytes, signal)
    waiter.onAbort = () => {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
      waiter.reject(abortedError(signal as AbortSignal))
      this.grant() // the next one may ask for less
    }
    signal?.addEventListener('abort', waiter.onAbort)
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
    void first.granted.promise.then(() => {
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
  onAbort: () => void = () => undefined
  readonly #signal: AbortSignal | undefined

  constructor(bytes: number, signal: AbortSignal | undefined) {
    this.bytes = bytes
    this.#signal = signal
  }

  resolve(): void {
    this.#signal?.removeEventListener('abort', this.onAbort)
    this.granted.resolve()
  }

  reject(cause: Error): void {
    this.#signal?.removeEventListener('abort', this.onAbort)
    this.granted.reject(cause)
  }
}
