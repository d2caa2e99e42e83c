import { abortedError, raceAbort } from '../async/index.ts'
import type { JournalChunk } from './journal.ts'

/** Where a reader's chunks come from: what a back end has to write for `read`. */
export interface ChunkSource {
  /** The next chunk, or undefined at the end, and also when `close` is called while it waits. */
  next(): Promise<JournalChunk | undefined>
  /** Wakes a waiting `next` and frees everything. Called exactly once. */
  close(): Promise<void>
}

const DONE = { done: true, value: undefined } as const

/**
 * The iterable that `Journal.read` answers, over a source. It has one consumer; leaving the loop, an error, an abort
 * and the end all free the source. An abort rejects with `ABORTED` at once, and leaves no listener on the signal.
 */
export class ChunkIterator implements AsyncIterableIterator<JournalChunk> {
  readonly #source: ChunkSource
  readonly #signal: AbortSignal | undefined
  #isTaken = false
  #ending: Promise<void> | undefined
  /** Calls of `next` wait for each other, as those of an async generator do. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(source: ChunkSource, signal: AbortSignal | undefined) {
    this.#source = source
    this.#signal = signal
  }

  [Symbol.asyncIterator](): this {
    if (this.#isTaken) throw new TypeError('a reader has one consumer: call read() again')
    this.#isTaken = true
    return this
  }

  next(): Promise<IteratorResult<JournalChunk, undefined>> {
    const result = this.#last.then(() => this.#step())
    this.#last = result.catch(() => undefined) // whoever called gets the error; the next call sees the end
    return result
  }

  /** Ends at once, also while `next` waits: that one answers the end. */
  async return(): Promise<IteratorResult<JournalChunk, undefined>> {
    await this.#end()
    return DONE
  }

  async #step(): Promise<IteratorResult<JournalChunk, undefined>> {
    if (this.#ending !== undefined) return DONE
    try {
      if (this.#signal?.aborted === true) throw abortedError(this.#signal)
      const chunk = await raceAbort(this.#source.next(), this.#signal)
      if (chunk !== undefined) return { done: false, value: chunk }
    } catch (error) {
      await this.#end()
      throw error
    }
    await this.#end()
    return DONE
  }

  #end(): Promise<void> {
    this.#ending ??= this.#source.close()
    return this.#ending
  }
}
