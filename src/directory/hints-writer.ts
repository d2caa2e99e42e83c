/**
 * Writes hints while a directory is recorded: on a timer, by growth, and when asked (durable-directory spec, section 1).
 * A failure is an event and is tried again; it never stops the recording. One write runs at a time.
 */
import { Deferred } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { Clock } from '../parts/index.ts'
import type { OnDirectoryEvent } from './directory-event.ts'
import type { HintsSet } from './hints-set.ts'
import type { HintsStore } from './hints-store.ts'

/** As Gazette's default: a recovery then reads at most what was written in five minutes. */
export const HINTS_INTERVAL_MS_DEFAULT = 5 * 60_000
/** About what is replayed in the blink of an eye, also in small operations. */
export const HINTS_GROWTH_BYTES_DEFAULT = 16 * 1024 * 1024
/** After a failure: soon again, but no busy loop. */
const RETRY_MS = 5_000

export interface HintsWriterOptions {
  readonly store: HintsStore
  readonly clock: Clock
  /** Builds a set inside a barrier: all of it has committed. `position` is that of the log before. */
  readonly build: (signal: AbortSignal | undefined) => Promise<{ set: HintsSet; position: number }>
  /** Done before hints that are due, not before those that are asked for: what makes the log shorter to read. */
  readonly prepare: (signal: AbortSignal) => Promise<void>
  readonly intervalMs: number
  readonly growthBytes: number
  readonly onEvent: OnDirectoryEvent
  /** The store holds hints of a later owner: this one has been fenced. */
  readonly onConflict: (error: RecoveryLogError) => void
}

export class HintsWriter {
  readonly #options: HintsWriterOptions
  readonly #stop = new AbortController()
  /** The set that the directory was recovered from: kept as a backup by the first save. */
  #recoveredFrom: string | undefined
  #saved: HintsSet | undefined
  /** Of the log, when the newest hints were built. */
  #savedPosition = 0
  /** Resolved when the log has grown by enough since then. */
  #grown = new Deferred()
  #writing: Promise<unknown> = Promise.resolve()
  #running: Promise<void> | undefined

  constructor(options: HintsWriterOptions, recoveredFrom: string | undefined) {
    this.#options = options
    this.#recoveredFrom = recoveredFrom
  }

  /** The newest set that this owner has saved. */
  get saved(): HintsSet | undefined {
    return this.#saved
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Tells up to which position of the log all has committed. */
  noteCommitted(position: number): void {
    if (position - this.#savedPosition > this.#options.growthBytes) this.#grown.resolve()
  }

  /**
   * Builds and saves hints now, and answers the key.
   * @throws `FENCED` when the store holds hints of a later owner, and what building and saving throw.
   */
  write(signal?: AbortSignal): Promise<string> {
    const writing = this.#writing.then(() => this.#writeOnce(signal))
    this.#writing = writing.catch(() => undefined) // whoever asked is told; the next write does not depend on it
    return writing
  }

  /** Ends the timer, and waits for a write under way. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#writing
  }

  async #run(): Promise<void> {
    const { intervalMs, onEvent } = this.#options
    const { signal } = this.#stop
    let waitMs = intervalMs
    for (;;) {
      try {
        await this.#waitUntilDue(waitMs)
        await this.#options.prepare(signal)
        await this.write(signal)
        waitMs = intervalMs
      } catch (caught) {
        if (signal.aborted) return
        const error = RecoveryLogError.from(caught)
        onEvent({ type: 'hints_failed', error })
        if (error.kind === 'fenced' || error.kind === 'closed') return
        waitMs = Math.min(RETRY_MS, intervalMs)
      }
    }
  }

  /** Until the time is up, or the log has grown by enough. */
  async #waitUntilDue(ms: number): Promise<void> {
    const over = new AbortController()
    const sleeping = this.#options.clock.sleep(ms, AbortSignal.any([over.signal, this.#stop.signal]))
    try {
      await Promise.race([sleeping, this.#grown.promise])
    } finally {
      over.abort()
      await sleeping.catch(() => undefined) // ended by the line above, or told by the race
      this.#grown = new Deferred()
    }
  }

  async #writeOnce(signal: AbortSignal | undefined): Promise<string> {
    const { store, build, onEvent, onConflict } = this.#options
    const { set, position } = await build(signal)
    try {
      const key = await store.save(set, { recoveredFrom: this.#recoveredFrom, signal })
      this.#recoveredFrom = undefined
      this.#saved = set
      this.#savedPosition = position
      onEvent({ type: 'hints_written', key, end: set.end })
      return key
    } catch (error) {
      if (!RecoveryLogError.is(error, 'HINTS_CONFLICT')) throw error
      const fenced = new RecoveryLogError('FENCED', 'a later owner has saved its hints', error.data, {
        cause: error,
      })
      onConflict(fenced)
      throw fenced
    }
  }
}
