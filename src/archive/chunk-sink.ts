/** The first chunk is smaller than the others: most streams are short, and many are archived side by side. */
const FIRST_CHUNK_BYTES_MAX = 256 * 1024

/** Bytes on their way into a file, gathered in chunks of one size that are used again and again. */
export class ChunkSink {
  readonly #chunkBytes: number
  readonly #free: Uint8Array[] = []
  #full: Uint8Array[] = []
  #fullBytes = 0
  /** Where to write: `bytes` from `at` on, after `reserve`. */
  bytes: Uint8Array
  at = 0
  #written = 0
  #isEnded = false

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes
    this.bytes = new Uint8Array(Math.min(chunkBytes, FIRST_CHUNK_BYTES_MAX))
  }

  /** How many bytes were written in all: where the next byte lies in the file. */
  get position(): number {
    return this.#written + this.at
  }

  /** How many bytes wait to be taken, those of the chunk that is not full left out. */
  get fullBytes(): number {
    return this.#fullBytes
  }

  /** Makes sure that `count` bytes can be written from `at` on. */
  reserve(count: number): void {
    if (count <= this.bytes.length - this.at) return
    this.#close()
    // What is larger than a chunk gets one of its own, which is not kept.
    if (count > this.#chunkBytes) this.bytes = new Uint8Array(count)
    else this.bytes = this.#free.pop() ?? new Uint8Array(this.#chunkBytes)
  }

  write(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  /** Gives away the chunks that are full; with `all`, at the end, the last one too. Each goes back with `recycle`. */
  take(all = false): Uint8Array[] {
    if (all) {
      this.#close()
      this.bytes = new Uint8Array(0)
      this.#free.length = 0
      this.#isEnded = true
    }
    const full = this.#full
    this.#full = []
    this.#fullBytes = 0
    return full
  }

  /** Takes back a chunk that nobody uses any more. */
  recycle(chunk: Uint8Array): void {
    if (!this.#isEnded && chunk.buffer.byteLength === this.#chunkBytes) {
      this.#free.push(new Uint8Array(chunk.buffer))
    }
  }

  #close(): void {
    if (this.at === 0) return
    this.#full.push(this.bytes.subarray(0, this.at))
    this.#fullBytes += this.at
    this.#written += this.at
    this.at = 0
  }
}
