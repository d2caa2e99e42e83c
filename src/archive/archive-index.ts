import { RecoveryLogError } from '../errors/index.ts'
import { splitRecords } from '../wire/index.ts'
import { scanLogIndex } from '../wire/logdog/index.ts'
import type { IndexTotals } from '../wire/logdog/index.ts'

/**
 * The index of an archive, ready for finding (log-archive spec, section 5): where which stream index lies, as two
 * columns of numbers. Both layouts are taken: *bare*, the message alone, and *framed*, in RecordIO behind a descriptor.
 */

/** Where to read. */
export interface ReadPlan {
  /** Where the first frame begins: 0 is the beginning of the file, where its descriptor lies. */
  readonly begin: number
  /** Where the range ends; Infinity when the index knows no end. */
  readonly end: number
}

/** The tag of a `LogIndex`'s descriptor, with which a bare index begins. */
const DESCRIPTOR_TAG = 0x0a
/** An index entry has about so many bytes: a first guess at how many rows there will be. */
const ENTRY_BYTES_GUESS = 16
const ROWS_MIN = 16
/** What an index takes beside its columns. */
const OVERHEAD_BYTES = 512

export class ArchiveIndex {
  /** The stream's descriptor, encoded. */
  readonly descriptor: Uint8Array | undefined
  readonly totals: IndexTotals
  /** How many entries are indexed. */
  readonly rows: number
  readonly #offsets: Float64Array
  readonly #streamIndexes: Float64Array

  /**
   * Reads an index file of either layout.
   *
   * @throws RecoveryLogError `CORRUPT` with the place
   */
  static parse(file: Uint8Array): ArchiveIndex {
    const frames = framesIn(file)
    const message = frames === undefined ? file : (frames[1] as Uint8Array)
    let columns = new Columns(Math.max(ROWS_MIN, Math.floor(message.length / ENTRY_BYTES_GUESS)))
    const scanned = scanLogIndex(message, ({ offset, streamIndex }) => {
      if (columns.isFull) columns = columns.grown()
      columns.add(offset, streamIndex)
    })
    return new ArchiveIndex(scanned, frames?.[0] ?? scanned.descriptor, columns)
  }

  private constructor(totals: IndexTotals, descriptor: Uint8Array | undefined, columns: Columns) {
    this.totals = totals
    // A copy: a view would keep the whole file.
    this.descriptor = descriptor === undefined ? undefined : new Uint8Array(descriptor)
    this.rows = columns.rows
    this.#offsets = columns.offsets
    this.#streamIndexes = columns.streamIndexes
  }

  /** How much memory it takes, about. */
  get bytes(): number {
    return this.#offsets.byteLength + this.#streamIndexes.byteLength + OVERHEAD_BYTES
  }

  /** The stream index of the archive's last entry, 0 when it is not known. */
  get lastStreamIndex(): number {
    return this.totals.lastStreamIndex
  }

  /** Where the frame of the last indexed entry begins; undefined when there is none. */
  get lastOffset(): number | undefined {
    return this.rows === 0 ? undefined : this.#offsets[this.rows - 1]
  }

  /**
   * The range that holds the first `limit` entries at or after `index`, when there are no gaps: from the indexed entry at
   * or before `index` to the first one at or after `index + limit`. Undefined when the archive ends before `index`.
   */
  plan(index: number, limit: number): ReadPlan | undefined {
    if (this.lastStreamIndex > 0 && index > this.lastStreamIndex) return undefined
    const first = this.#firstRow((row) => (this.#streamIndexes[row] as number) > index) - 1
    const behind = this.#firstRow((row) => (this.#streamIndexes[row] as number) >= index + limit)
    const begin = first < 0 ? 0 : (this.#offsets[first] as number)
    const end = behind === this.rows ? Infinity : (this.#offsets[behind] as number)
    // Indexes that do not rise, of a damaged index, would put the end before the beginning.
    return { begin, end: end > begin ? end : Infinity }
  }

  /** Where the first indexed entry behind `offset` begins; undefined when there is none. */
  offsetBehind(offset: number): number | undefined {
    const row = this.#firstRow((at) => (this.#offsets[at] as number) > offset)
    return row === this.rows ? undefined : this.#offsets[row]
  }

  /** The indexed entries, in order. */
  *entries(): Generator<{ readonly offset: number; readonly streamIndex: number }, void, undefined> {
    for (let row = 0; row < this.rows; row++) {
      yield { offset: this.#offsets[row] as number, streamIndex: this.#streamIndexes[row] as number }
    }
  }

  /** The first row that `isBehind`, of which all after it are too; the number of rows when there is none. */
  #firstRow(isBehind: (row: number) => boolean): number {
    let low = 0
    let high = this.rows
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBehind(middle)) high = middle
      else low = middle + 1
    }
    return low
  }
}

class Columns {
  readonly offsets: Float64Array
  readonly streamIndexes: Float64Array
  rows = 0

  constructor(capacity: number) {
    this.offsets = new Float64Array(capacity)
    this.streamIndexes = new Float64Array(capacity)
  }

  get isFull(): boolean {
    return this.rows === this.offsets.length
  }

  add(offset: number, streamIndex: number): void {
    this.offsets[this.rows] = offset
    this.streamIndexes[this.rows] = streamIndex
    this.rows++
  }

  /** The same rows, with room for as many again. */
  grown(): Columns {
    const twice = new Columns(2 * this.rows)
    twice.offsets.set(this.offsets)
    twice.streamIndexes.set(this.streamIndexes)
    twice.rows = this.rows
    return twice
  }
}

/**
 * The frames of a framed index: its descriptor and its message. A bare one begins with the tag of its descriptor; a
 * framed one would only if its descriptor had 10 bytes, and a valid one has at least 11. One without descriptor is bare
 * unless frames fill the file exactly.
 */
function framesIn(file: Uint8Array): Uint8Array[] | undefined {
  if (file.length === 0 || file[0] === DESCRIPTOR_TAG) return undefined
  try {
    const frames = splitRecords(file)
    return frames.length === 2 ? frames : undefined
  } catch (error) {
    if (error instanceof RecoveryLogError) return undefined
    throw error
  }
}
