import { abortedError, Deferred } from '../async/index.ts'

interface Waiter {
  readonly amount: number
  readonly granted: Deferred
}

/** So much can be in flight at once. Who finds no room waits: first come, first served. */
export class Room {
  readonly #max: number
  #taken = 0
  #waiters: Waiter[] = []

  constructor(max: number) {
    this.#max = max
  }

  /** Takes `amount`; more than there ever is is as much as there is. Whoever has it gives it back. */
  take(amount: number, signal?: AbortSignal): void | Promise<void> {
    const clipped = Math.min(amount, this.#max)
    if (this.#waiters.length === 0 && this.#fits(clipped)) {
      this.#taken += clipped
      return
    }
    return this.#wait(clipped, signal)
  }

  give(amount: number): void {
    this.#taken -= Math.min(amount, this.#max)
    this.#grant()
  }

  async #wait(amount: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) throw abortedError(signal)
    const waiter = { amount, granted: new Deferred() }
    const onAbort = (): void => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter)
      waiter.granted.reject(abortedError(signal as AbortSignal))
      this.#grant() // the next one may ask for less
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#waiters.push(waiter)
    try {
      await waiter.granted.promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #grant(): void {
    for (;;) {
      const first = this.#waiters[0]
      if (first === undefined || !this.#fits(first.amount)) return
      this.#waiters.shift()
      this.#taken += first.amount
      first.granted.resolve()
    }
  }

  #fits(amount: number): boolean {
    return this.#taken + amount <= this.#max
  }
}
