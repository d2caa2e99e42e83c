import type { CutEntry, EntryCutter } from './cut-entry.ts'

const LINE_FEED = 10
const CARRIAGE_RETURN = 13

/** Behind a part there are so many bytes at least: a `\r\n` may end there, which is none of the line's own bytes. */
const ENDING_BYTES_MAX = 2

const HELD_BYTES_MIN = 256

/**
 * One line an entry; the sequence counts lines. A line goes on across calls. One that is longer than an entry is cut at
 * multiples of that from its begin, the parts but the last without a delimiter: so the entries are the same however the
 * data is chunked.
 */
export class TextCutter implements EntryCutter {
  sequence: number
  lineBytes: number
  readonly #bytesMax: number
  /** The begin of a line whose end has not come. */
  #held = new Uint8Array(0)
  #heldBytes = 0

  constructor({ sequence, lineBytes }: Pick<EntryCutter, 'sequence' | 'lineBytes'>, bytesMax: number) {
    this.sequence = sequence
    this.lineBytes = lineBytes
    this.#bytesMax = bytesMax
  }

  *cut(data: Uint8Array): Generator<CutEntry, void, undefined> {
    let begin = 0
    while (begin < data.length) {
      const lineFeed = data.indexOf(LINE_FEED, begin)
      const end = lineFeed < 0 ? data.length : lineFeed
      const piece = data.subarray(begin, end)
      begin = end + 1
      if (lineFeed >= 0 && this.#heldBytes === 0 && piece.length <= this.#bytesMax) {
        yield this.#line(piece)
        continue
      }
      yield* this.#hold(piece)
      if (lineFeed >= 0) yield* this.#heldLine()
    }
  }

  *rest(): Generator<CutEntry, void, undefined> {
    if (this.#heldBytes === 0) return
    if (this.#heldBytes > this.#bytesMax) yield this.#part()
    const value = this.#held.subarray(0, this.#heldBytes)
    this.#heldBytes = 0
    yield this.#entry(value, '')
  }

  *#hold(piece: Uint8Array): Generator<CutEntry, void, undefined> {
    const roomBytes = this.#bytesMax + ENDING_BYTES_MAX
    for (let at = 0; at < piece.length;) {
      const taken = piece.subarray(at, at + roomBytes - this.#heldBytes)
      this.#grow(this.#heldBytes + taken.length)
      this.#held.set(taken, this.#heldBytes)
      this.#heldBytes += taken.length
      at += taken.length
      if (this.#heldBytes === roomBytes) yield this.#part()
    }
  }

  *#heldLine(): Generator<CutEntry, void, undefined> {
    const isWithReturn = this.#held[this.#heldBytes - 1] === CARRIAGE_RETURN
    if (this.#heldBytes > this.#bytesMax && !isWithReturn) yield this.#part()
    const line = this.#held.subarray(0, this.#heldBytes)
    this.#heldBytes = 0
    yield this.#line(line)
  }

  /** A line, or its last part, that a line feed has ended. */
  #line(bytes: Uint8Array): CutEntry {
    const isWithReturn = bytes[bytes.length - 1] === CARRIAGE_RETURN
    const entry = isWithReturn ? this.#entry(bytes.subarray(0, -1), '\r\n') : this.#entry(bytes, '\n')
    this.sequence++
    this.lineBytes = 0
    return entry
  }

  /** As much of the held line as an entry takes. */
  #part(): CutEntry {
    const value = this.#held.slice(0, this.#bytesMax)
    this.#held.copyWithin(0, this.#bytesMax, this.#heldBytes)
    this.#heldBytes -= this.#bytesMax
    return this.#entry(value, '')
  }

  #entry(value: Uint8Array, delimiter: string): CutEntry {
    this.lineBytes += value.length
    return { content: { kind: 'text', lines: [{ value, delimiter }] }, sequence: this.sequence }
  }

  #grow(bytes: number): void {
    if (bytes <= this.#held.length) return
    const grown = new Uint8Array(Math.max(bytes, 2 * this.#held.length, HELD_BYTES_MIN))
    grown.set(this.#held.subarray(0, this.#heldBytes))
    this.#held = grown
  }
}
