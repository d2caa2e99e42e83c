import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import type { RecoveryLogError } from '../../src/errors/index.ts'
import { JOIN_RULES, joinRule, joinSegments } from '../../src/segments/index.ts'
import type { JoinOutcome, Segment } from '../../src/segments/index.ts'

/** Every combination of what the table looks at, in small numbers. */
function* combinations(): Generator<[Segment, Segment]> {
  const spans = [
    [1, 2],
    [1, 4],
    [2, 2],
    [2, 4],
    [3, 3],
    [3, 5],
    [4, 4],
    [5, 6],
  ] as const
  const offsets = [
    [10, 0],
    [10, 20],
    [10, 30],
    [12, 0],
    [12, 20],
    [12, 30],
  ] as const
  const all: Segment[] = []
  for (const [firstSeqNo, lastSeqNo] of spans) {
    for (const [firstOffset, lastOffset] of offsets) {
      for (const author of [1, 2]) {
        for (const log of ['a/log', 'b/log']) {
          for (const firstChecksum of [5, 6]) {
            all.push({ author, firstSeqNo, firstOffset, firstChecksum, lastSeqNo, lastOffset, log })
          }
        }
      }
    }
  }
  for (const a of all) for (const b of all) yield [a, b]
}

function isInOrder(a: Segment, b: Segment): boolean {
  return a.firstSeqNo < b.firstSeqNo || (a.firstSeqNo === b.firstSeqNo && a.lastSeqNo >= b.lastSeqNo)
}

/** The spec's table once more, as one reads it aloud. */
function expected(a: Segment, b: Segment): JoinOutcome {
  const before = a.firstSeqNo < b.firstSeqNo
  const sameLog = a.log === b.log
  const later = a.lastSeqNo >= b.lastSeqNo ? [a, b] : [b, a]
  const [late, early] = later as [Segment, Segment]
  const gap = b.firstSeqNo - a.lastSeqNo
  if (before && sameLog && a.firstOffset > b.firstOffset) return 'inconsistent'
  if (before && a.lastOffset === 0 && b.lastOffset !== 0) return 'inconsistent'
  if (a.lastOffset === 0 && !sameLog) return 'inconsistent'
  if (sameLog && late.lastOffset !== 0 && late.lastOffset < early.lastOffset) return 'inconsistent'
  if (
    sameLog &&
    late.lastSeqNo === early.lastSeqNo &&
    early.lastOffset !== 0 &&
    early.lastOffset < late.lastOffset
  ) {
    return 'inconsistent'
  }
  if (a.firstSeqNo === b.firstSeqNo && a.firstChecksum !== b.firstChecksum) return 'inconsistent'
  if (gap > 1) return 'apart'
  const isSame = a.author === b.author && sameLog
  if (gap === 1 && !isSame) return 'apart'
  return isSame ? 'joined' : 'inconsistent'
}

test('joining: every combination has the outcome of the spec, and each rule of the table decides some', () => {
  const decided = new Map<string, number>()
  for (const [a, b] of combinations()) {
    if (!isInOrder(a, b)) continue
    const rule = joinRule(a, b)
    decided.set(rule.label, (decided.get(rule.label) ?? 0) + 1)
    if (rule.outcome !== expected(a, b)) expect([a, b, rule]).toEqual([a, b, expected(a, b)])
  }
  expect([...decided.keys()].sort()).toEqual(JOIN_RULES.map(({ label }) => label).sort())
})

test('joining: what is joined covers both, and the order of the two does not matter', () => {
  for (const [a, b] of combinations()) {
    if (!isInOrder(a, b)) continue
    const joined = outcomeOf(a, b)
    if (!isDeepStrictEqual(outcomeOf(b, a), joined)) expect(outcomeOf(b, a)).toEqual(joined)
    if (!isDeepStrictEqual(joined, whole(a, b))) expect([a, b, joined]).toEqual([a, b, whole(a, b)])
  }
})

/** The joined segment, undefined for two that stay apart, or the code of the error. */
function outcomeOf(a: Segment, b: Segment): Segment | string | undefined {
  try {
    return joinSegments(a, b)
  } catch (error) {
    return (error as RecoveryLogError).code
  }
}

function whole(a: Segment, b: Segment): Segment | string | undefined {
  const { outcome } = joinRule(a, b)
  if (outcome !== 'joined') return outcome === 'apart' ? undefined : 'SEGMENT_INCONSISTENT'
  const together = a.firstSeqNo === b.firstSeqNo
  return {
    author: a.author,
    log: a.log,
    firstSeqNo: a.firstSeqNo,
    firstChecksum: a.firstChecksum,
    firstOffset: together ? Math.max(a.firstOffset, b.firstOffset) : a.firstOffset,
    lastSeqNo: Math.max(a.lastSeqNo, b.lastSeqNo),
    lastOffset:
      a.lastSeqNo === b.lastSeqNo
        ? Math.max(a.lastOffset, b.lastOffset)
        : (a.lastSeqNo > b.lastSeqNo ? a : b).lastOffset,
  }
}
