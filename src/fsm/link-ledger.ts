/**
 * For each create, which operation changed the links of its file last: what is asked about the segments of files that
 * are cut (`SegmentCuts`).
 *
 * Creates come in rising order, so entries lie in an array that is searched by halving. Above it lies a tree of
 * maxima: a change of links is always the newest one, so it is written straight up to the root.
 */

import { lowerBound } from './lower-bound.ts'

const ENTRIES_MIN = 16

export class LinkLedger {
  #size = 0
  /** The creates, rising. */
  #creates = new Float64Array(ENTRIES_MIN)
  /** The operation that changed its links last; 0 when none has since the create. */
  #changes = new Float64Array(ENTRIES_MIN)
  /** Where that operation ends, as `FnodeTable` has it. */
  #extents = new Float64Array(ENTRIES_MIN)
  /** A tree over the entries: node 1 is the root, the leaves begin at the middle; each the entry changed last, or -1. */
  #newest = new Int32Array(2 * ENTRIES_MIN).fill(-1)

  /** Whether the next `create` finds no room: then `retain` what is still needed. */
  get isFull(): boolean {
    return this.#size === this.#creates.length
  }

  /** Notes a create. Its number is above all before. */
  create(seqNo: number): void {
    this.#creates[this.#size] = seqNo
    this.#changes[this.#size] = 0
    this.#size++
  }

  /** Notes that operation `seqNo`, which is above all before, changes the links of what `create` made. */
  change(create: number, seqNo: number, extent: number): void {
    const entry = this.#lowerBound(create)
    if (entry === this.#size || this.#creates[entry] !== create) return // made before the ledger began
    this.#changes[entry] = seqNo
    this.#extents[entry] = extent
    for (let node = this.#creates.length + entry; node > 0; node >>= 1) this.#newest[node] = entry
  }

  /**
   * The newest change of links of anything created in `[first, last]`: an entry for `changeOf` and `extentOf`, or -1.
   */
  newestChange(first: number, last: number): number {
    let newest = -1
    let begin = this.#creates.length + this.#lowerBound(first)
    let end = this.#creates.length + this.#lowerBound(last + 1)
    for (; begin < end; begin >>= 1, end >>= 1) {
      if ((begin & 1) === 1) newest = this.#newer(newest, this.#newest[begin++] as number)
      if ((end & 1) === 1) newest = this.#newer(newest, this.#newest[--end] as number)
    }
    return newest
  }

  #newer(a: number, b: number): number {
    return this.changeOf(a) >= this.changeOf(b) ? a : b
  }

  /** The number of the operation; 0 for the entry -1. */
  changeOf(entry: number): number {
    return entry === -1 ? 0 : (this.#changes[entry] as number)
  }

  extentOf(entry: number): number {
    return this.#extents[entry] as number
  }

  /** From create to last change, of all that were created above `create`. */
  livesAbove(create: number): Lives {
    const lives = new Lives()
    for (let entry = this.#lowerBound(create + 1); entry < this.#size; entry++) {
      const seqNo = this.changeOf(entry)
      if (seqNo > 0) lives.add(this.#creates[entry] as number, seqNo, this.extentOf(entry))
    }
    return lives
  }

  /** Forgets all creates that are not `needed`, and makes room for at least as many more as are left. */
  retain(needed: (create: number) => boolean): void {
    const { length } = this.#creates
    let kept = 0
    for (let entry = 0; entry < this.#size; entry++) {
      if (!needed(this.#creates[entry] as number)) continue
      this.#creates[kept] = this.#creates[entry] as number
      this.#changes[kept] = this.#changes[entry] as number
      this.#extents[kept] = this.#extents[entry] as number
      kept++
    }
    this.#size = kept
    let room = length
    while (room < 2 * kept) room *= 2
    if (room > length) {
      this.#creates = resized(this.#creates, room)
      this.#changes = resized(this.#changes, room)
      this.#extents = resized(this.#extents, room)
    }
    this.#newest = new Int32Array(2 * room).fill(-1)
    for (let entry = 0; entry < kept; entry++) {
      if (this.#changes[entry] !== 0) this.#newest[room + entry] = entry
    }
    for (let node = room - 1; node > 0; node--) {
      this.#newest[node] = this.#newer(this.#newest[2 * node] as number, this.#newest[2 * node + 1] as number)
    }
  }

  /** The first entry whose create is not below `seqNo`. */
  #lowerBound(seqNo: number): number {
    return lowerBound(this.#creates, this.#size, seqNo)
  }
}

/** Spans of sequence numbers, those that overlap as one. */
export class Lives {
  readonly #firsts: number[] = []
  readonly #ends: { seqNo: number; extent: number }[] = []

  /** Adds a span that begins behind the beginnings of all before. */
  add(first: number, last: number, extent: number): void {
    const before = this.#ends.at(-1)
    if (before === undefined || before.seqNo < first) {
      this.#firsts.push(first)
      this.#ends.push({ seqNo: last, extent })
    } else if (before.seqNo < last) {
      this.#ends[this.#ends.length - 1] = { seqNo: last, extent }
    }
  }

  /** The first end at or behind `end` where none is alive. */
  endOf(end: { readonly seqNo: number; readonly extent: number }): { seqNo: number; extent: number } {
    const span = lowerBound(this.#firsts, this.#firsts.length, end.seqNo + 1) - 1
    const found = this.#ends[span]
    return found !== undefined && found.seqNo > end.seqNo ? found : end
  }
}

function resized(values: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length)
  larger.set(values)
  return larger
}
