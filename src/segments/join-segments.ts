import { RecoveryLogError } from '../errors/index.ts'
import type { Segment } from './segment.ts'

/** What becomes of two segments: they stay two, become one, or cannot both be true. */
export type JoinOutcome = 'apart' | 'joined' | 'inconsistent'

export interface JoinRule {
  readonly label: string
  readonly holds: (a: Segment, b: Segment) => boolean
  readonly outcome: JoinOutcome
}

/**
 * The decision, as the table of the recovery-log spec, section 5, has it: the first rule that holds. `a` begins first,
 * or both begin together and `a` ends last.
 */
export const JOIN_RULES: readonly JoinRule[] = [
  {
    label: 'a begins before b in the same log, at a greater offset',
    holds: (a, b) => beginsBefore(a, b) && a.log === b.log && a.firstOffset > b.firstOffset,
    outcome: 'inconsistent',
  },
  {
    label: 'a begins before b, its end is unknown and that of b known',
    holds: (a, b) => beginsBefore(a, b) && a.lastOffset === 0 && b.lastOffset !== 0,
    outcome: 'inconsistent',
  },
  {
    label: 'the end of a is unknown, and b is in another log',
    holds: (a, b) => a.lastOffset === 0 && a.log !== b.log,
    outcome: 'inconsistent',
  },
  {
    label: 'in the same log, the one that ends later has a known, smaller last offset',
    holds: (a, b) => a.log === b.log && (endsTooEarly(a, b) || endsTooEarly(b, a)),
    outcome: 'inconsistent',
  },
  {
    label: 'both begin together with different checksums',
    holds: (a, b) => a.firstSeqNo === b.firstSeqNo && a.firstChecksum !== b.firstChecksum,
    outcome: 'inconsistent',
  },
  {
    label: 'a ends more than one before b begins',
    holds: (a, b) => a.lastSeqNo + 1 < b.firstSeqNo,
    outcome: 'apart',
  },
  {
    label: 'adjacent, of another author or in another log',
    holds: (a, b) => a.lastSeqNo + 1 === b.firstSeqNo && !isOneRun(a, b),
    outcome: 'apart',
  },
  {
    label: 'overlapping, of another author or in another log',
    holds: (a, b) => !isOneRun(a, b),
    outcome: 'inconsistent',
  },
  {
    label: 'adjacent or overlapping, of one author in one log',
    holds: () => true,
    outcome: 'joined',
  },
]

function beginsBefore(a: Segment, b: Segment): boolean {
  return a.firstSeqNo < b.firstSeqNo
}

/** `late` ends with or after `early`, yet at a known place before the end of `early`. */
function endsTooEarly(late: Segment, early: Segment): boolean {
  return late.lastSeqNo >= early.lastSeqNo && late.lastOffset !== 0 && late.lastOffset < early.lastOffset
}

function isOneRun(a: Segment, b: Segment): boolean {
  return a.author === b.author && a.log === b.log
}

/**
 * The one segment that both are parts of, or undefined when they stay two. Their order does not matter. Throws
 * `SEGMENT_INCONSISTENT`, with the rule and both segments, when they cannot both be true.
 */
export function joinSegments(one: Segment, other: Segment): Segment | undefined {
  const inOrder =
    one.firstSeqNo < other.firstSeqNo ||
    (one.firstSeqNo === other.firstSeqNo && one.lastSeqNo >= other.lastSeqNo)
  const a = inOrder ? one : other
  const b = inOrder ? other : one
  const rule = joinRule(a, b)
  if (rule.outcome === 'apart') return undefined
  if (rule.outcome === 'joined') return joined(a, b)
  throw new RecoveryLogError('SEGMENT_INCONSISTENT', `two segments cannot both be true: ${rule.label}`, {
    rule: rule.label,
    a,
    b,
  })
}

/** The first rule that holds for `a` and `b`, which are in order. */
export function joinRule(a: Segment, b: Segment): JoinRule {
  for (const rule of JOIN_RULES) if (rule.holds(a, b)) return rule
  throw new RangeError('the last rule always holds')
}

function joined(a: Segment, b: Segment): Segment {
  const together = a.firstSeqNo === b.firstSeqNo
  const later = a.lastSeqNo > b.lastSeqNo ? a : b
  return {
    author: a.author,
    firstSeqNo: a.firstSeqNo,
    firstOffset: together ? Math.max(a.firstOffset, b.firstOffset) : a.firstOffset,
    firstChecksum: a.firstChecksum,
    lastSeqNo: later.lastSeqNo,
    lastOffset: a.lastSeqNo === b.lastSeqNo ? Math.max(a.lastOffset, b.lastOffset) : later.lastOffset,
    log: a.log,
  }
}
