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
      this.bytes = chunk.bytes
      this.bytesOffset = chunk.offset
    }
    return Math.max(this.offset, this.bytesOffset)
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
    const request = { offset: this.offset, block: this.#block, signal: this.#ending.signal }
    return this.#journal.read(request)[Symbol.asyncIterator]()
  }
}

function ignore(): void {
  // deliberately empty: what a reader says after it was left is of no interest to anybody
}
