/** How far long work has come (durable-directory spec, section 5): for a progress bar. */
import type { Clock } from '../parts/index.ts'

export interface Progress {
  readonly bytesDone: number
  /** undefined while it is not known. */
  readonly bytesTotal: number | undefined
  /** Bytes per second since the work began. */
  readonly bytesPerSecond: number
}

export type OnProgress = (progress: Progress) => void

/** Counts bytes of one piece of work, and tells of them. */
export class ProgressMeter {
  readonly #clock: Clock
  readonly #onProgress: OnProgress | undefined
  readonly #startedAt: number

  constructor(clock: Clock, onProgress: OnProgress | undefined) {
    this.#clock = clock
    this.#onProgress = onProgress
    this.#startedAt = clock.now()
  }

  report(bytesDone: number, bytesTotal: number | undefined): void {
    const seconds = Math.max(this.#clock.now() - this.#startedAt, 1) / 1000
    this.#onProgress?.({ bytesDone, bytesTotal, bytesPerSecond: bytesDone / seconds })
  }
}
