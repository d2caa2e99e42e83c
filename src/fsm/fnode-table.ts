import type { Segment } from '../segments/index.ts'
import { HashIndex, NO_ROW } from './hash-index.ts'
import { Sources } from './sources.ts'

// What a row of this table holds, as doubles: the numbers go up to 2^53. The last segment of an fnode lies in its row.
/** 0 in a row that is not in use. */
const FNODE = 0
const LAST_SEQ_NO = 1
/** Where the last operation ends; when that is unknown, `-1 - x` with a place x at or before its beginning. */
const LAST_EXTENT = 2
/** The source of the last segment, or `~source` when no operation may extend it any more. */
const SOURCE = 3
/** Equal to the fnode exactly when there are no segments before the last one. */
const FIRST_SEQ_NO = 4
const FIRST_OFFSET = 5
const FIRST_CHECKSUM = 6
/** The first row of its paths, or the next row of the free ones. */
const PATHS = 7
const STRIDE = 8 // one cache line

const ROWS_MIN = 64
/** 2^32 divided by the golden ratio: neighbouring fnodes come to lie far apart. */
const GOLDEN = 0x9e3779b1 | 0

function fnodeHash(fnode: number): number {
  return Math.imul(fnode | 0, GOLDEN)
}

/**
 * Every live fnode: a row of doubles each, found by number, with the first of its paths and with its segments. The last
 * segment lies in the row, earlier ones in lists of their own, which most fnodes do not have.
 *
 * Measured with 2,000,000 operations on 200,000 live files: one row in one cache line, against an array for each of the
 * eight fields, is 1.3 times as fast, and against a Map of objects four times.
 */
export class FnodeTable {
  #rows = new Float64Array(ROWS_MIN * STRIDE)
  #free = NO_ROW
  /** Rows from here on have never been used. */
  #end = 0
  #size = 0
  readonly #index = new HashIndex()
  readonly #earlier = new Map<number, Segment[]>()
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  get size(): number {
    return this.#size
  }

  /** The row of a live fnode, or `NO_ROW`. */
  find(fnode: number): number {
    const index = this.#index
    for (let row = index.first(fnodeHash(fnode)); row !== NO_ROW; row = index.next()) {
      if (this.#rows[row * STRIDE + FNODE] === fnode) return row
    }
    return NO_ROW
  }

  fnodeOf(row: number): number {
    return this.#rows[row * STRIDE + FNODE] as number
  }

  pathsOf(row: number): number {
    return this.#rows[row * STRIDE + PATHS] as number
  }

  setPaths(row: number, first: number): void {
    this.#rows[row * STRIDE + PATHS] = first
  }

  /** Adds an fnode that is not there yet, without a path, and answers its row. */
  add(fnode: number, source: number, firstOffset: number, firstChecksum: number, lastOffset: number): number {
    const row = this.#takeRow()
    const at = row * STRIDE
    this.#rows[at + FNODE] = fnode
    this.#rows[at + PATHS] = NO_ROW
    this.#begin(at, source, fnode, firstOffset, firstChecksum, lastOffset)
    this.#index.insert(fnodeHash(fnode), row)
    this.#size++
    return row
  }

  /** Writes an operation into the segments of a row: into the last one when it can go on, else into a new one. */
  extend(
    row: number,
    source: number,
    seqNo: number,
    firstOffset: number,
    firstChecksum: number,
    lastOffset: number,
  ): void {
    const rows = this.#rows
    const at = row * STRIDE
    if (rows[at + SOURCE] === source) {
      rows[at + LAST_SEQ_NO] = seqNo
      rows[at + LAST_EXTENT] = lastOffset === 0 ? -1 - firstOffset : lastOffset
    } else {
      this.#keepEarlier(row)
      this.#begin(at, source, seqNo, firstOffset, firstChecksum, lastOffset)
    }
  }

  #begin(
    at: number,
    source: number,
    seqNo: number,
    firstOffset: number,
    firstChecksum: number,
    lastOffset: number,
  ): void {
    const rows = this.#rows
    rows[at + SOURCE] = source
    rows[at + FIRST_SEQ_NO] = seqNo
    rows[at + FIRST_OFFSET] = firstOffset
    rows[at + FIRST_CHECKSUM] = firstChecksum
    rows[at + LAST_SEQ_NO] = seqNo
    rows[at + LAST_EXTENT] = lastOffset === 0 ? -1 - firstOffset : lastOffset
  }

  /** Cuts: the next operation begins a new segment, though author and log may be the same. */
  cut(row: number): void {
    const at = row * STRIDE + SOURCE
    const source = this.#rows[at] as number
    if (source >= 0) this.#rows[at] = ~source
  }

  remove(row: number): void {
    const rows = this.#rows
    const at = row * STRIDE
    const fnode = rows[at + FNODE] as number
    if (rows[at + FIRST_SEQ_NO] !== fnode) this.#earlier.delete(row)
    this.#index.remove(fnodeHash(fnode), row)
    rows[at + FNODE] = 0
    rows[at + PATHS] = this.#free
    this.#free = row
    this.#size--
  }

  #keepEarlier(row: number): void {
    const earlier = this.#earlier.get(row)
    if (earlier === undefined) this.#earlier.set(row, [this.#lastSegment(row)])
    else earlier.push(this.#lastSegment(row))
  }

  /** The segments of a row, in order. */
  segmentsOf(row: number): Segment[] {
    return [...(this.#earlier.get(row) ?? []), this.#lastSegment(row)]
  }

  #lastSegment(row: number): Segment {
    const rows = this.#rows
    const at = row * STRIDE
    const source = this.#lastSource(row)
    return {
      author: this.#sources.authorOf(source),
      firstSeqNo: rows[at + FIRST_SEQ_NO] as number,
      firstOffset: rows[at + FIRST_OFFSET] as number,
      firstChecksum: (rows[at + FIRST_CHECKSUM] as number) >>> 0,
      lastSeqNo: rows[at + LAST_SEQ_NO] as number,
      lastOffset: Math.max(0, rows[at + LAST_EXTENT] as number),
      log: this.#sources.logOf(source),
    }
  }

  #lastSource(row: number): number {
    const source = this.#rows[row * STRIDE + SOURCE] as number
    return source < 0 ? ~source : source
  }

  /** Whether any fnode has its last segment in `log`. */
  endsIn(log: string): boolean {
    for (const row of this.rows()) if (this.#sources.logOf(this.#lastSource(row)) === log) return true
    return false
  }

  /** Every row in use, in no order. */
  *rows(): IterableIterator<number> {
    for (let row = 0; row < this.#end; row++) if (this.fnodeOf(row) !== 0) yield row
  }

  /** The live fnodes, rising. */
  fnodes(): Float64Array {
    const fnodes = new Float64Array(this.#size)
    let at = 0
    for (const row of this.rows()) fnodes[at++] = this.fnodeOf(row)
    return fnodes.sort()
  }

  #takeRow(): number {
    const row = this.#free
    if (row !== NO_ROW) {
      this.#free = this.pathsOf(row)
      return row
    }
    if ((this.#end + 1) * STRIDE > this.#rows.length) {
      const rows = new Float64Array(2 * this.#rows.length)
      rows.set(this.#rows)
      this.#rows = rows
    }
    return this.#end++
  }
}
