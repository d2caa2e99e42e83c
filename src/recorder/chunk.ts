import type { Deferred } from '../async/index.ts'

/** Buffers that are kept for further use: one under way, one being filled, and some that wait. */
const POOLED_BUFFERS = 4

const FIRST_BUFFER_BYTES = 64 * 1024

/** Recorded bytes that will be, or are being, one append. */
export class Chunk {
  readonly bytes: Uint8Array
  readonly fill: number
  /** The position behind its last byte. */
  readonly position: number
  /** Answers where its append ended. Made for the first who waits for it, and shared by all who do. */
  committed: Deferred<number> | undefined

  constructor(bytes: Uint8Array, fill: number, position: number, committed?: Deferred<number>) {
    this.bytes = bytes
    this.fill = fill
    this.position = position
    this.committed = committed
  }

  get content(): Uint8Array {
    return this.bytes.subarray(0, this.fill)
  }
}

/**
 * Buffers for chunks. Those of the usual size are used again, for new memory costs more than filling it. The usual size
 * is what was needed so far: a process may have a thousand recorders that record little.
 */
export class BufferPool {
  readonly #bytesMax: number
  #bytes: number
  #free: Uint8Array[] = []

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#bytes = Math.min(bytesMax, FIRST_BUFFER_BYTES)
  }

  /** A buffer of the usual size, or of `bytes` when that is more. What is in it is arbitrary. */
  take(bytes = 0): Uint8Array {
    if (bytes > this.#bytes) return new Uint8Array(bytes)
    return this.#free.pop() ?? new Uint8Array(this.#bytes)
  }

  /** Nobody else may use `buffer` any more. */
  give(buffer: Uint8Array): void {
    if (buffer.length === this.#bytes && this.#free.length < POOLED_BUFFERS) this.#free.push(buffer)
  }

  /** A buffer was filled before its append could begin: the next ones are larger. */
  grow(): void {
    if (this.#bytes === this.#bytesMax) return
    this.#bytes = Math.min(this.#bytesMax, 2 * this.#bytes)
    this.#free = []
  }
}
