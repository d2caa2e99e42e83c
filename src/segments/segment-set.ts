import { joinSegments } from './join-segments.ts'
import { SegmentChunks } from './segment-chunks.ts'
import { validateSegment } from './segment.ts'
import type { Segment } from './segment.ts'

/**
 * Segments that can all be true together, joined as far as they can be (recovery-log spec, section 5). Between
 * neighbours: strictly rising sequence numbers that never overlap; within one log, first and last offsets that do not
 * fall, where only the last ones may be unknown (0).
 *
 * ```ts
 * const set = new SegmentSet(hints.liveNodes.flatMap((node) => node.segments))
 * for (const { firstOffset, lastOffset } of set) console.log(firstOffset, lastOffset)
 * ```
 */
export class SegmentSet implements Iterable<Segment> {
  readonly #members = new SegmentChunks()

  /** Adds `segments` one by one. Throws what `add` throws. */
  constructor(segments: Iterable<Segment> = []) {
    for (const segment of segments) this.add(segment)
  }

  /** How many members there are: segments that were joined are one. */
  get size(): number {
    return this.#members.size
  }

  /** The member with the lowest sequence numbers. */
  get first(): Segment | undefined {
    return this.#members.first
  }

  /** The member with the highest sequence numbers. */
  get last(): Segment | undefined {
    return this.#members.last
  }

  /** The members in the order of their sequence numbers. */
  [Symbol.iterator](): IterableIterator<Segment> {
    return this.#members[Symbol.iterator]()
  }

  /**
   * Adds a segment, joined with the one before it and with those after it for as long as two can be joined. O(log n).
   * The set keeps the numbers, not the object.
   *
   * Throws `SEGMENT_INVALID` or `SEGMENT_INCONSISTENT`, with the values; the set is then as it was.
   */
  add(segment: Segment): void {
    validateSegment(segment)
    let place = this.#members.placeOf(segment.firstSeqNo)
    let joined = segment
    let count = 0
    const placeBefore = this.#members.before(place)
    const before = placeBefore && this.#members.after(placeBefore, 0)
    const withBefore = before && joinSegments(before, segment)
    if (placeBefore !== undefined && withBefore !== undefined) {
      place = placeBefore
      joined = withBefore
      count = 1
    }
    for (;;) {
      const after = this.#members.after(place, count)
      const withAfter = after && joinSegments(joined, after)
      if (withAfter === undefined) break
      joined = withAfter
      count++
    }
    this.#members.replace(place, count, joined)
  }

  /**
   * The members that overlap the offsets `[first, last)` of `log`; one of unknown end reaches to infinity. Meant for a
   * set of one log. Throws RangeError when the range is the wrong way round, or when a member that is met on the way is
   * of another log.
   */
  intersect(log: string, first: number, last: number): Segment[] {
    if (!(first <= last)) {
      throw new RangeError(`the range [${String(first)}, ${String(last)}) is the wrong way round`)
    }
    const begin = this.#members.placeWhere((member) => {
      if (member.log === log) return member.lastOffset === 0 || member.lastOffset > first
      throw new RangeError(`a segment of ${member.log} is met where only ${log} was expected`)
    })
    const found: Segment[] = []
    for (;;) {
      const member = this.#members.after(begin, found.length)
      if (member === undefined || member.firstOffset >= last) return found
      found.push(member)
    }
  }
}
