import { Deferred } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'

/**
 * Chunks from whoever makes them to whoever stores them, one at a time: a stream for `BlobStore.put`, with one producer
 * and one consumer.
 */
export class ChunkPipe implements AsyncIterable<Uint8Array> {
  #chunk: Uint8Array | undefined
  #done: Deferred | undefined
  #arrived: Deferred | undefined
  #isEnded = false
  #failure: { readonly error: unknown } | undefined
  #isClosed = false

  /**
   * Hands a chunk over. Resolves when the consumer is done with it, and rejects when there is none any more.
   */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#isClosed) throw closedPipe()
    this.#chunk = chunk
    this.#done = new Deferred()
    this.#arrived?.resolve()
    await this.#done.promise
  }

  /** No more chunks come. */
  end(): void {
    this.#isEnded = true
    this.#arrived?.resolve()
  }

  /** The consumer's iteration fails with `error`. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.end()
  }

  /** Nobody consumes any more: writing fails. */
  close(): void {
    this.#isClosed = true
    this.#done?.reject(closedPipe())
    this.#done = undefined
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure.error
        const chunk = this.#chunk
        if (chunk !== undefined) {
          yield chunk
          this.#chunk = undefined
          this.#done?.resolve()
          this.#done = undefined
        } else if (this.#isEnded) {
          return
        } else {
          this.#arrived = new Deferred()
          await this.#arrived.promise
          this.#arrived = undefined
        }
      }
    } finally {
      this.close()
    }
  }
}

function closedPipe(): RecoveryLogError {
  return new RecoveryLogError('CLOSED', 'the stream is not read any more')
}
