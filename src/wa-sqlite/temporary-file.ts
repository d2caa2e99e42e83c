/** A file without a name, of SQLite's own sorting: it lives in memory, and is not worth a byte of the log. */
export class TemporaryFile {
  #bytes = new Uint8Array(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Answers how many bytes there were to read. */
  read(target: Uint8Array, offset: number): number {
    const part = this.#bytes.subarray(
      Math.min(offset, this.#size),
      Math.min(offset + target.length, this.#size),
    )
    target.set(part)
    return part.length
  }

  write(data: Uint8Array, offset: number): void {
    const end = offset + data.length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
      grown.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = grown
    }
    this.#bytes.set(data, offset)
    this.#size = Math.max(this.#size, end)
  }

  truncate(size: number): void {
    this.#bytes.fill(0, size, this.#size) // a later write beyond the end leaves zeros between
    this.#size = Math.min(this.#size, size)
  }
}
