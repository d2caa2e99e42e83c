/** What of the logs must be kept, so that a set of hints can be recovered from (durable-directory spec, section 4). */
import type { Fragment } from '../journal/index.ts'
import type { FSMHints, Segment } from '../wire/index.ts'
import type { KeptRange } from './hints-pin.ts'

export interface ReachabilityOptions {
  /**
   * Keeps the gaps between segments too. Needed when a Gazette process may record on from these hints: the hints that
   * it builds next join the segments again. Default false.
   */
  readonly goReadable?: boolean | undefined
}

/**
 * The ranges that `hints` need. In the log of the last segment everything from that segment on; elsewhere whatever
 * meets a segment, where an unknown end reaches to the head. Hints without segments need their whole log.
 */
export function rangesOf(hints: FSMHints, options: ReachabilityOptions = {}): KeptRange[] {
  const segments = segmentsOf(hints)
  const last = segments.at(-1)
  if (last === undefined) return [{ log: hints.log, begin: 0 }]
  const ranges = segments.map(({ log, firstOffset, lastOffset }) => ({
    log,
    begin: firstOffset,
    end: lastOffset === 0 ? undefined : lastOffset,
  }))
  ranges.push({ log: last.log, begin: last.firstOffset, end: undefined })
  if (last.log !== hints.log) ranges.push({ log: hints.log, begin: 0, end: undefined })
  return mergeRanges(ranges, options.goReadable === true)
}

/** All segments of the hints in the order in which they are read, each with its log. */
export function segmentsOf(hints: FSMHints): Segment[] {
  return hints.liveNodes
    .flatMap((node) => node.segments)
    .map((segment) => (segment.log === '' ? { ...segment, log: hints.log } : segment))
    .sort((a, b) => a.firstSeqNo - b.firstSeqNo)
}

/** The same ranges, ordered by log and begin, overlapping and touching ones as one; with `fill`, one for each log. */
export function mergeRanges(ranges: readonly KeptRange[], fill = false): KeptRange[] {
  const sorted = [...ranges].sort((a, b) => compareText(a.log, b.log) || a.begin - b.begin)
  const merged: KeptRange[] = []
  for (const range of sorted) {
    const before = merged.at(-1)
    const end = before?.end ?? Infinity
    if (before?.log === range.log && (fill || range.begin <= end)) {
      const joined = Math.max(end, range.end ?? Infinity)
      merged[merged.length - 1] = { ...before, end: joined === Infinity ? undefined : joined }
    } else {
      merged.push(range)
    }
  }
  return merged
}

/** Whether pruning must leave a fragment of `log` alone. */
export function isKept(log: string, fragment: Fragment, ranges: readonly KeptRange[]): boolean {
  return ranges.some(
    (range) =>
      range.log === log &&
      fragment.end > range.begin &&
      (range.end === undefined || fragment.begin < range.end),
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
