import { describe, expect, test } from 'vitest'
import { SegmentSet } from '../../src/segments/index.ts'
import type { Segment } from '../../src/segments/index.ts'
import { randomFrom } from '../support/op-log.ts'

function segment(firstSeqNo: number, lastSeqNo: number, change: Partial<Segment> = {}): Segment {
  return {
    author: 7,
    firstSeqNo,
    firstOffset: firstSeqNo * 10,
    firstChecksum: firstSeqNo,
    lastSeqNo,
    lastOffset: lastSeqNo * 10 + 9,
    log: 'a/log',
    ...change,
  }
}

describe('segment set: adding', () => {
  test('keeps segments that are apart in the order of their numbers', () => {
    const set = new SegmentSet([segment(20, 25), segment(1, 5), segment(10, 15)])
    expect([...set].map(({ firstSeqNo }) => firstSeqNo)).toEqual([1, 10, 20])
    expect([set.size, set.first?.firstSeqNo, set.last?.firstSeqNo]).toEqual([3, 1, 20])
  })

  test('joins a segment with the one before and with many after it', () => {
    const set = new SegmentSet([
      segment(1, 4),
      segment(6, 7),
      segment(9, 9),
      segment(12, 14),
      segment(30, 31),
    ])
    set.add(segment(5, 20))
    expect([...set]).toEqual([segment(1, 20), segment(30, 31)])
  })

  test('an empty set has no first and no last', () => {
    const set = new SegmentSet()
    expect([set.size, set.first, set.last, [...set]]).toEqual([0, undefined, undefined, []])
  })

  test('joins across the borders of many chunks (2,000 members become one)', () => {
    const set = new SegmentSet(Array.from({ length: 2000 }, (_, i) => segment(3 * i + 1, 3 * i + 2)))
    expect(set.size).toBe(2000)
    set.add(segment(2, 5999, { firstOffset: 15, lastOffset: 0 + 5999 * 10 + 9 }))
    expect([...set]).toEqual([segment(1, 5999)])
    set.add(segment(7000, 7001))
    expect(set.last).toEqual(segment(7000, 7001))
  })

  test('keeps its order whatever the order of adding (3,000 members, shuffled)', () => {
    const members = Array.from({ length: 3000 }, (_, i) => segment(4 * i + 2, 4 * i + 3))
    const random = randomFrom(20261121)
    const shuffled = members.map((member) => ({ member, key: random(2 ** 31) })).sort((a, b) => a.key - b.key)
    const set = new SegmentSet(shuffled.map(({ member }) => member))
    expect([...set]).toEqual(members)
    expect([set.size, set.first, set.last]).toEqual([3000, members[0], members[2999]])
    const odd = members.filter((_, i) => i % 2 === 1)
    for (const { firstSeqNo, lastSeqNo } of odd) set.add(segment(firstSeqNo - 2, lastSeqNo))
    expect(set.size).toBe(1500)
    expect(set.intersect('a/log', 0, Infinity)).toEqual([...set])
  })

  test('joins with the first of a chunk alone (each place of 1,000 members)', () => {
    const members = Array.from({ length: 1000 }, (_, i) => segment(4 * i + 2, 4 * i + 3))
    const set = new SegmentSet(members)
    for (const { firstSeqNo, lastSeqNo } of members) set.add(segment(firstSeqNo - 1, lastSeqNo - 1))
    expect([...set]).toEqual(members.map(({ firstSeqNo, lastSeqNo }) => segment(firstSeqNo - 1, lastSeqNo)))
    expect(set.size).toBe(1000)
  })

  test('joins out of the middle of one chunk into the middle of another', () => {
    const members = Array.from({ length: 1000 }, (_, i) => segment(3 * i + 1, 3 * i + 2))
    const set = new SegmentSet(members)
    set.add(segment(3 * 100 + 1, 3 * 800 + 2))
    const joined = { ...segment(3 * 100 + 1, 3 * 800 + 2) }
    expect([...set]).toEqual([...members.slice(0, 100), joined, ...members.slice(801)])
    expect(set.size).toBe(300)
  })
})

describe('segment set: a failed add changes nothing', () => {
  const members = [segment(1, 5), segment(10, 15), segment(20, 25)]
  test.each([
    ['an author of zero', segment(3, 4, { author: 0 }), 'SEGMENT_INVALID'],
    ['another author within a member', segment(3, 12, { author: 8 }), 'SEGMENT_INVALID|SEGMENT_INCONSISTENT'],
    [
      'one that joins the first two, but cannot join the third',
      segment(4, 22, { lastOffset: 100 }),
      'SEGMENT_INCONSISTENT',
    ],
    ['an unknown end before known ones', segment(6, 8, { lastOffset: 0 }), 'SEGMENT_INCONSISTENT'],
  ])('%s', (_, added, code) => {
    const set = new SegmentSet(members)
    expect(() => {
      set.add(added)
    }).toThrow(new RegExp(`^(${code})`))
    expect([...set]).toEqual(members)
    expect(set.size).toBe(3)
  })

  test('the error names the rule and both segments', () => {
    const set = new SegmentSet([segment(1, 5)])
    const other = segment(4, 8, { author: 8 })
    expect(() => {
      set.add(other)
    }).toThrow(
      expect.objectContaining({
        code: 'SEGMENT_INCONSISTENT',
        data: { rule: 'overlapping, of another author or in another log', a: segment(1, 5), b: other },
      }),
    )
  })
})

describe('segment set: intersecting', () => {
  const set = new SegmentSet(Array.from({ length: 1000 }, (_, i) => segment(3 * i + 1, 3 * i + 2)))

  test('finds what overlaps, in one chunk and across several', () => {
    const within = (first: number, last: number) =>
      set.intersect('a/log', first, last).map((s) => s.firstSeqNo)
    expect(within(0, 10)).toEqual([])
    expect(within(0, 11)).toEqual([1])
    expect(within(29, 30)).toEqual([])
    expect(within(0, 1e9)).toHaveLength(1000)
    expect(within(5000, 20_000)).toEqual(
      [...set].map((s) => s.firstSeqNo).filter((n) => n * 10 + 19 > 5000 && n < 2000),
    )
  })

  test('refuses a range the wrong way round, and a member of another log', () => {
    expect(() => set.intersect('a/log', 2, 1)).toThrow(RangeError)
    expect(() => set.intersect('a/log', Number.NaN, 1)).toThrow(RangeError)
    expect(() => set.intersect('b/log', 1, 2)).toThrow(/a segment of a\/log is met where only b\/log/)
  })
})
