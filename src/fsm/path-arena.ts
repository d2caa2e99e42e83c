/**
 * The paths themselves: entries behind one another in one buffer, because a string or an array for each would be
 * garbage. An entry says whose path it is and which path of the same owner comes next, so that a path is found, compared
 * and unlinked within one or two cache lines.
 *
 * An entry is named by its place, counted in units of eight bytes:
 *
 * | bytes   | holds                                                        |
 * | ------- | ------------------------------------------------------------ |
 * | 0 to 7  | the owner, a double: an fnode, or 0                           |
 * | 8 to 11 | the place of the next path of the owner, or of a free entry   |
 * | 12 to 15 | the length of the path in bytes                              |
 * | from 16 | the path, filled up to whole units                            |
 */

import { viewOf } from '../wire/index.ts'
import { NONE } from './fnode-table.ts'

const HEADER_UNITS = 2
const NEXT = 2
const LENGTH = 3
const UNITS_MIN = 1024
/** Free entries up to this size wait to be used again, in a list for each size: a path of up to 496 bytes. */
const REUSED_UNITS_MAX = 64

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class PathArena {
  #bytes: Uint8Array
  #view: DataView
  #int32: Int32Array
  #owners: Float64Array
  #end = 0
  /** How many units belong to entries in use. */
  #live = 0
  readonly #free = new Int32Array(REUSED_UNITS_MAX + 1).fill(NONE)

  constructor(units = UNITS_MIN) {
    const buffer = new ArrayBuffer(8 * units)
    this.#bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
    this.#int32 = new Int32Array(buffer)
    this.#owners = new Float64Array(buffer)
  }

  ownerOf(place: number): number {
    return this.#owners[place] as number
  }

  nextOf(place: number): number {
    return this.#int32[2 * place + NEXT] as number
  }

  setNext(place: number, next: number): void {
    this.#int32[2 * place + NEXT] = next
  }

  lengthOf(place: number): number {
    return this.#int32[2 * place + LENGTH] as number
  }

  textOf(place: number): string {
    const begin = 8 * (place + HEADER_UNITS)
    return utf8.decode(this.#bytes.subarray(begin, begin + this.lengthOf(place)))
  }

  equals(place: number, bytes: Uint8Array, begin: number, end: number): boolean {
    if (this.lengthOf(place) !== end - begin) return false
    const view = viewOf(bytes)
    const own = this.#view
    let at = begin
    let from = 8 * (place + HEADER_UNITS)
    for (; at <= end - 4; at += 4, from += 4) if (own.getInt32(from) !== view.getInt32(at)) return false
    for (; at < end; at++, from++) if (own.getInt8(from) !== view.getInt8(at)) return false
    return true
  }

  /** Makes an entry, and answers its place; `NONE` when there is no room, and most of this buffer is waste. */
  put(owner: number, next: number, bytes: Uint8Array, begin: number, end: number): number {
    const length = end - begin
    const place = this.#take(unitsOf(length))
    if (place === NONE) return NONE
    this.#owners[place] = owner
    const int32 = this.#int32
    int32[2 * place + NEXT] = next
    int32[2 * place + LENGTH] = length
    // A path is short: four bytes at once beat `set(subarray)`, which makes an object.
    const view = viewOf(bytes)
    const own = this.#view
    let to = 8 * (place + HEADER_UNITS)
    let at = begin
    for (; at <= end - 4; at += 4, to += 4) own.setInt32(to, view.getInt32(at))
    for (; at < end; at++, to++) own.setInt8(to, view.getInt8(at))
    return place
  }

  #take(units: number): number {
    this.#live += units
    if (units <= REUSED_UNITS_MAX) {
      const free = this.#free[units] as number
      if (free !== NONE) {
        this.#free[units] = this.nextOf(free)
        return free
      }
    }
    const place = this.#end
    if (place + units > this.#owners.length && !this.#grow(units)) return NONE
    this.#end = place + units
    return place
  }

  /** Frees an entry. */
  drop(place: number): void {
    const units = unitsOf(this.lengthOf(place))
    this.#live -= units
    if (units > REUSED_UNITS_MAX) return
    this.setNext(place, this.#free[units] as number)
    this.#free[units] = place
  }

  /** Makes room in a larger buffer, unless most of this one is waste: then `succeed`. */
  #grow(units: number): boolean {
    if (2 * (this.#live - units) < this.#end) {
      this.#live -= units
      return false
    }
    const old = this.#bytes
    const buffer = new ArrayBuffer(2 * old.length + 8 * units)
    this.#bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
    this.#bytes.set(old)
    this.#int32 = new Int32Array(buffer)
    this.#owners = new Float64Array(buffer)
    return true
  }

  /** An empty arena with room for all entries in use, for a path of `length` bytes more, and for as much again. */
  succeed(length: number): PathArena {
    return new PathArena(Math.max(UNITS_MIN, 2 * (this.#live + unitsOf(length))))
  }

  /**
   * Copies an entry over from the arena that this one succeeds, and answers its place here. The old entry's owner
   * becomes that place, so that whoever knows the old place finds the new one.
   */
  adopt(old: PathArena, place: number): number {
    const begin = 8 * (place + HEADER_UNITS)
    const moved = this.put(
      old.ownerOf(place),
      old.nextOf(place),
      old.#bytes,
      begin,
      begin + old.lengthOf(place),
    )
    old.#owners[place] = moved
    return moved
  }
}

function unitsOf(length: number): number {
  return HEADER_UNITS + ((length + 7) >>> 3)
}
