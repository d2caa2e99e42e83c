/** Blocks split when they pass this: short enough to be shifted at once, long enough that there are few of them. */
const BLOCK_LENGTH_MAX = 512

/**
 * A set in order, kept in sorted blocks: adding, removing and finding cost a search and the shift of one block, in
 * whatever order the items come.
 */
export class SortedBlocks<T> {
  readonly #compare: (a: T, b: T) => number
  readonly #blocks: T[][] = []

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  /** An item that is equal to one in the set takes its place. */
  add(item: T): void {
    const isBefore = (other: T): boolean => this.#compare(other, item) < 0
    // What is behind all goes into the last block.
    const at = Math.min(this.#blockOf(isBefore), Math.max(this.#blocks.length - 1, 0))
    const block = (this.#blocks[at] ??= [])
    const place = partitionPoint(block, isBefore)
    const there = block[place]
    const isThere = there !== undefined && this.#compare(there, item) === 0
    block.splice(place, isThere ? 1 : 0, item)
    if (block.length > BLOCK_LENGTH_MAX) this.#blocks.splice(at + 1, 0, block.splice(BLOCK_LENGTH_MAX >>> 1))
  }

  /** Removes what is equal to `item`, if it is there. */
  delete(item: T): void {
    const isBefore = (other: T): boolean => this.#compare(other, item) < 0
    const at = this.#blockOf(isBefore)
    const block = this.#blocks[at]
    if (block === undefined) return
    const place = partitionPoint(block, isBefore)
    if (this.#compare(block[place] as T, item) !== 0) return
    block.splice(place, 1)
    if (block.length === 0) this.#blocks.splice(at, 1)
  }

  /** Yields upwards from the first item that is not before. The set must not change meanwhile. */
  *from(isBefore: (item: T) => boolean): Generator<T, void, undefined> {
    const first = this.#blockOf(isBefore)
    for (let at = first; at < this.#blocks.length; at++) {
      const block = this.#blocks[at] as T[]
      const begin = at === first ? partitionPoint(block, isBefore) : 0
      for (let place = begin; place < block.length; place++) yield block[place] as T
    }
  }

  /** The first block that does not end before. */
  #blockOf(isBefore: (item: T) => boolean): number {
    return partitionPoint(this.#blocks, (block) => isBefore(block[block.length - 1] as T))
  }
}

/** The index of the first item for which `isBefore` no longer holds. */
function partitionPoint<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(items[middle] as T)) low = middle + 1
    else high = middle
  }
  return low
}
