import { crc32c } from '../wire/index.ts'
import { HashIndex, NO_ROW } from './hash-index.ts'
import { PathArena } from './path-arena.ts'

/** The owner of a path that is no link but a property. */
export const PROPERTY_OWNER = -1

// What a row of this table holds, as int32.
const HASH = 0
const PLACE = 1
const LENGTH = 2
/** The row of the fnode, or `PROPERTY_OWNER`. */
const OWNER = 3
/** The next path of the same owner, or of the free rows; `NO_ROW` ends the list. */
const NEXT = 4
const STRIDE = 8 // half a cache line, so that a row never lies across two

const ROWS_MIN = 64

/** The hash by which paths are found: one routine serves for this and for the chain. */
export function pathHash(bytes: Uint8Array, begin: number, end: number): number {
  return crc32c(0, bytes, begin, end)
}

/**
 * Every path in use, link or property, with its owner: rows of int32, found by the hash of their bytes and compared byte
 * by byte. The paths of one owner are chained, so that a second link is one more row.
 */
export class PathTable {
  #rows = new Int32Array(ROWS_MIN * STRIDE)
  #free = NO_ROW
  /** Rows from here on have never been used. */
  #end = 0
  #size = 0
  readonly #index = new HashIndex()
  #arena = new PathArena()

  get size(): number {
    return this.#size
  }

  /** The row of a path whose hash is known, or `NO_ROW`. */
  find(hash: number, bytes: Uint8Array, begin: number, end: number): number {
    const index = this.#index
    for (let row = index.first(hash); row !== NO_ROW; row = index.next()) {
      const at = row * STRIDE
      const isSame =
        this.#rows[at + LENGTH] === end - begin &&
        this.#arena.equals(this.#rows[at + PLACE] as number, bytes, begin, end)
      if (isSame) return row
    }
    return NO_ROW
  }

  ownerOf(row: number): number {
    return this.#rows[row * STRIDE + OWNER] as number
  }

  nextOf(row: number): number {
    return this.#rows[row * STRIDE + NEXT] as number
  }

  textOf(row: number): string {
    const at = row * STRIDE
    return this.#arena.text(this.#rows[at + PLACE] as number, this.#rows[at + LENGTH] as number)
  }

  /** Adds a path that is not there yet, before `next` in the list of its owner, and answers its row. */
  add(hash: number, bytes: Uint8Array, begin: number, end: number, owner: number, next: number): number {
    const length = end - begin
    if (!this.#arena.hasRoom(length)) this.#replaceArena(length)
    const row = this.#takeRow()
    const rows = this.#rows
    const at = row * STRIDE
    rows[at + HASH] = hash
    rows[at + PLACE] = this.#arena.put(bytes, begin, end)
    rows[at + LENGTH] = length
    rows[at + OWNER] = owner
    rows[at + NEXT] = next
    this.#index.insert(hash, row)
    this.#size++
    return row
  }

  /** Removes a path, and answers the list of its owner, which began at `first`, without it. */
  remove(row: number, first: number): number {
    const rows = this.#rows
    const at = row * STRIDE
    const next = rows[at + NEXT] as number
    let rest = first
    if (first === row) {
      rest = next
    } else {
      let before = first
      while (this.nextOf(before) !== row) before = this.nextOf(before)
      rows[before * STRIDE + NEXT] = next
    }
    this.#index.remove(rows[at + HASH] as number, row)
    this.#arena.drop(rows[at + LENGTH] as number)
    rows[at + LENGTH] = FREE
    rows[at + NEXT] = this.#free
    this.#free = row
    this.#size--
    return rest
  }

  /** Every row in use, in no order. */
  *rows(): IterableIterator<number> {
    for (let row = 0; row < this.#end; row++) if (this.#rows[row * STRIDE + LENGTH] !== FREE) yield row
  }

  #takeRow(): number {
    const row = this.#free
    if (row !== NO_ROW) {
      this.#free = this.nextOf(row)
      return row
    }
    if ((this.#end + 1) * STRIDE > this.#rows.length) {
      const rows = new Int32Array(2 * this.#rows.length)
      rows.set(this.#rows)
      this.#rows = rows
    }
    return this.#end++
  }

  /** Compacts: a new arena has room for as many bytes again as live, so this costs one copy of each byte at most. */
  #replaceArena(length: number): void {
    const old = this.#arena
    const arena = old.successor(length)
    const rows = this.#rows
    for (const row of this.rows()) {
      const at = row * STRIDE
      rows[at + PLACE] = arena.take(old, rows[at + PLACE] as number, rows[at + LENGTH] as number)
    }
    this.#arena = arena
  }
}

/** The length in a row that is not in use. */
const FREE = -1
