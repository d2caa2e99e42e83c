/** Stream indexes as ranges `[first, last]`: a bounded list of them, and how many there are in all. */

/** From here on ranges are only counted: enough to look into, little enough to keep. */
export const RANGES_LISTED_MAX = 10_000

export type IndexRange = readonly [first: number, last: number]

export class IndexRanges {
  readonly #listed: [number, number][] = []
  #ranges = 0
  #indexes = 0
  #last = -1

  /** The first ranges, at most 10,000, each behind the one before it. */
  get listed(): readonly IndexRange[] {
    return this.#listed
  }

  /** How many ranges there are, listed or not. */
  get ranges(): number {
    return this.#ranges
  }

  /** How many indexes lie in them. */
  get indexes(): number {
    return this.#indexes
  }

  /** Adds `[first, last]`, which goes on the range before it when it begins right behind it. */
  add(first: number, last = first): void {
    this.#indexes += last - first + 1
    const isNext = this.#ranges > 0 && first === this.#last + 1
    this.#last = last
    if (!isNext) {
      this.#ranges++
      if (this.#ranges <= RANGES_LISTED_MAX) this.#listed.push([first, last])
    } else if (this.#ranges <= RANGES_LISTED_MAX) {
      ;(this.#listed.at(-1) as [number, number])[1] = last
    }
  }
}

/** Whether one of `ranges`, which are in order, holds `index`. */
export function rangesHold(ranges: readonly IndexRange[], index: number): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle] as IndexRange)[1] < index) low = middle + 1
    else high = middle
  }
  const range = ranges[low]
  return range !== undefined && range[0] <= index
}
