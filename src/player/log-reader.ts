/**
 * Reads the bytes of one log after the other, chunk by chunk, from wherever playback wants them.
 */
import { abortedError, raceAbort, throwIfAborted } from '../async/index.ts'
import type { Journal, JournalChunk } from '../journal/index.ts'

const NO_BYTES = new Uint8Array(0)

/** A gap of up to this many bytes is read and dropped: opening a reader anew costs more, on a remote journal most. */
const GAP_BYTES_MAX = 256 * 1024

/** Why an iterator was ended, when it was `interrupt` that ended it. */
const INTERRUPTED = new Error('interrupted')

export class LogReader {
  /** The chunk at hand. It is ours until the next `fetch`, `wait`, `seek` or `close`. */
  bytes: Uint8Array = NO_BYTES
  /** The offset of the log at which `bytes` begins. */
  bytesOffset = 0
  /** The offset wanted next: within the chunk at hand, or behind it. */
  offset = 0
  readonly #signal: AbortSignal | undefined
  /** Of the chunk at hand, where the journal lets us keep it beyond the next. */
  #release: (() => void) | undefined
  #journal: Journal | undefined
  #block = false
  #iterator: AsyncIterator<JournalChunk> | undefined
  /** Ends the iterator: at once, also while it waits. */
  #ending = new AbortController()
  #isPending = false
  #isInterruptible = false

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  /** The offset behind the chunk at hand. */
  get bytesEnd(): number {
    return this.bytesOffset + this.bytes.length
  }

  /** Goes to `offset` of `journal`. With `block`, `fetch` and `wait` wait at the head for more. */
  async seek(journal: Journal, offset: number, block: boolean): Promise<void> {
    const isNear = offset >= this.bytesOffset && offset <= this.bytesEnd + GAP_BYTES_MAX
    if (this.#iterator === undefined || journal !== this.#journal || block !== this.#block || !isNear) {
      await this.close()
      this.#journal = journal
      this.#block = block
      this.bytesOffset = offset
    }
    this.offset = offset
  }

  /**
   * Gets the chunk that holds the wanted offset, if the one at hand does not. Answers where the bytes that there are
   * begin: at `offset`, or behind it when content was deleted; undefined at the head.
   */
  async fetch(): Promise<number | undefined> {
    while (this.bytesEnd <= this.offset) {
      const chunk = await this.#next()
      if (chunk === undefined) return undefined
      this.#release?.()
      this.#release = chunk.release
      this.bytes = chunk.bytes
      this.bytesOffset = chunk.offset
    }
    return Math.max(this.offset, this.bytesOffset)
  }

  /**
   * Gives the chunk at hand back, of which `free` resolves when nobody else uses it either. Answers what to wait for
   * before the next is fetched: nothing, where the journal lets us keep this one meanwhile.
   */
  letGo(free: Promise<void> | undefined): Promise<void> | undefined {
    const release = this.#release
    if (release === undefined || free === undefined) return free
    this.#release = undefined
    free.then(release, ignore) // who has failed to use it tells of that
    return undefined
  }

  /** As `fetch`; `interrupt` makes it answer undefined. */
  async wait(): Promise<number | undefined> {
    this.#isInterruptible = true
    try {
      return await this.fetch()
    } finally {
      this.#isInterruptible = false
    }
  }

  /** Ends the `wait` under way, if there is one. */
  interrupt(): void {
    if (this.#isInterruptible) this.#ending.abort(INTERRUPTED)
  }

  /** Frees the journal's reader. `seek` opens another one. */
  async close(): Promise<void> {
    const iterator = this.#iterator
    this.#iterator = undefined
    this.bytes = NO_BYTES
    this.#release?.()
    this.#release = undefined
    this.#ending.abort()
    const returned = iterator?.return?.()
    // An iterator that is told to end and waits on all the same must not hold us up.
    if (this.#isPending) returned?.catch(ignore)
    else await returned
    this.#isPending = false
  }

  async #next(): Promise<JournalChunk | undefined> {
    throwIfAborted(this.#signal)
    this.#iterator ??= this.#open()
    const forward = (): void => {
      this.#ending.abort(this.#signal?.reason)
    }
    this.#signal?.addEventListener('abort', forward, { once: true })
    this.#isPending = true
    try {
      const result = await raceAbort(this.#iterator.next(), this.#ending.signal)
      this.#isPending = false
      if (result.done !== true) return result.value
      this.#iterator = undefined // it has ended at the head of that moment: what comes later needs another one
      return undefined
    } catch (error) {
      if (this.#signal?.aborted === true) throw abortedError(this.#signal)
      if (this.#ending.signal.reason !== INTERRUPTED) throw error
      await this.close()
      this.bytesOffset = this.offset
      // An interrupt that came together with a chunk has ended no wait: it must not end this read in its place.
      return this.#isInterruptible ? undefined : await this.#next()
    } finally {
      this.#signal?.removeEventListener('abort', forward)
    }
  }

  #open(): AsyncIterator<JournalChunk> {
    if (this.#journal === undefined) throw new TypeError('nothing has been sought')
    this.#ending = new AbortController()
    const request = { offset: this.offset, block: this.#block, keep: true, signal: this.#ending.signal }
    return this.#journal.read(request)[Symbol.asyncIterator]()
  }
}

function ignore(): void {
  // deliberately empty: what others have been told, or is of no interest to anybody after a reader was left
}
