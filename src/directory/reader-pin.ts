/** Keeps what a running recovery or standby reads from being pruned (durable-directory spec, section 4). */
import { RecoveryLogError } from '../errors/index.ts'
import type { Clock } from '../parts/index.ts'
import type { KeptRange } from './hints-pin.ts'
import type { HintsStore } from './hints-store.ts'

/**
 * How long a pin counts without being renewed: long enough for a reader that is slow to renew it, short enough that a
 * dead one does not hold the log for a day.
 */
export const PIN_MS_DEFAULT = 15 * 60_000
/** Renewed this many times before it would run out. */
const RENEWALS = 3

export interface ReaderPinOptions {
  readonly hints: HintsStore
  readonly clock: Clock
  readonly id: string
  readonly reader: string
  readonly pinMs?: number | undefined
  /** Told when a renewal fails. The reader goes on: should its bytes be pruned, it finds out by itself. */
  readonly onError: (error: RecoveryLogError) => void
}

export class ReaderPin {
  readonly #options: ReaderPinOptions
  readonly #pinMs: number
  readonly #stop = new AbortController()
  #ranges: readonly KeptRange[] = []
  #renewing: Promise<void> | undefined

  constructor(options: ReaderPinOptions) {
    this.#options = options
    this.#pinMs = options.pinMs ?? PIN_MS_DEFAULT
  }

  /** Pins these ranges in place of those pinned before, and renews the pin until it is released. */
  async hold(ranges: readonly KeptRange[]): Promise<void> {
    this.#ranges = ranges
    await this.#write()
    this.#renewing ??= this.#renew()
  }

  async release(): Promise<void> {
    this.#stop.abort()
    await this.#renewing
    await this.#options.hints.unpin(this.#options.id)
  }

  async #renew(): Promise<void> {
    const { clock, onError } = this.#options
    const { signal } = this.#stop
    for (;;) {
      try {
        await clock.sleep(this.#pinMs / RENEWALS, signal)
        await this.#write()
      } catch (error) {
        if (signal.aborted) return
        onError(RecoveryLogError.from(error))
      }
    }
  }

  #write(): Promise<void> {
    const { hints, clock, id, reader } = this.#options
    return hints.pin({ id, reader, expiresAt: clock.now() + this.#pinMs, ranges: this.#ranges })
  }
}
