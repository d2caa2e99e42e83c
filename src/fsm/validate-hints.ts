import { RecoveryLogError } from '../errors/index.ts'
import { SegmentSet, validateSegment } from '../segments/index.ts'
import type { Segment } from '../segments/index.ts'
import type { FSMHints } from './hints.ts'

/**
 * Throws `HINTS_INVALID`, with the fnode and the segment, unless each segment is valid by itself and none repeats the
 * log of the hints (recovery-log spec, section 6). Order and consistency are checked by whoever uses the hints: an `FSM`
 * that is made from them, and `hintedState`.
 */
export function validateHints(hints: FSMHints): void {
  for (const { fnode, segments } of hints.liveNodes) {
    for (const segment of segments) {
      if (segment.log !== '' && segment.log === hints.log) {
        throw invalid('a segment repeats the log of the hints', { fnode, segment })
      }
      asHintsError({ fnode }, () => {
        validateSegment(inLogOf(hints, segment))
      })
    }
  }
}

/** What a state machine begins with. */
export interface HintedState {
  /** The live fnodes, rising. */
  readonly fnodes: number[]
  /** All segments of them together, joined as far as they can be. */
  readonly segments: SegmentSet
}

/**
 * The fnodes and the segments of hints, with the log of each segment filled in (recovery-log spec, section 6).
 *
 * Throws `HINTS_INVALID`, with the values, when the fnodes do not rise, one's first segment does not begin at it, the
 * segments are invalid or inconsistent (the cause says which), or the last one does not lie in the log of the hints.
 */
export function hintedState(hints: FSMHints): HintedState {
  const fnodes: number[] = []
  const set = new SegmentSet()
  let before = 0
  for (const { fnode, segments } of hints.liveNodes) {
    const first = segments[0]
    if (first?.firstSeqNo !== fnode) {
      throw invalid('the first segment of an fnode does not begin at it', { fnode, segment: first })
    }
    if (fnode <= before) throw invalid('fnodes do not rise', { fnode, before })
    asHintsError({ fnode }, () => {
      for (const segment of segments) set.add(inLogOf(hints, segment))
    })
    fnodes.push(fnode)
    before = fnode
  }
  const { last } = set
  if (last !== undefined && last.log !== hints.log) {
    throw invalid('the last segment lies in another log than the hints name', {
      log: hints.log,
      segment: last,
    })
  }
  return { fnodes, segments: set }
}

/** A segment with the log that an omitted one means. */
export function inLogOf(hints: FSMHints, segment: Segment): Segment {
  return segment.log === '' ? { ...segment, log: hints.log } : segment
}

/** Tells a fault of a segment as one of the hints. */
function asHintsError(place: { readonly fnode: number }, body: () => void): void {
  try {
    body()
  } catch (error) {
    if (!RecoveryLogError.is(error)) throw error
    throw invalid('the segments of an fnode are no good', { ...place, ...error.data }, error)
  }
}

/** `HINTS_INVALID` with the place and the values. */
export function invalid(fault: string, data: Record<string, unknown>, cause?: Error): RecoveryLogError {
  const details = cause === undefined ? '' : ` (${cause.message})`
  return new RecoveryLogError('HINTS_INVALID', fault + details, data, { cause })
}
