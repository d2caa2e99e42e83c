import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SegmentSet, validateSegment } from '../../src/segments/index.ts'
import type { Segment } from '../../src/segments/index.ts'

interface Run {
  readonly author: number
  readonly log: string
  readonly lengths: readonly number[]
}

/** A history: runs of operations, each by one author in one log, with a length in bytes for each operation. */
const history: fc.Arbitrary<Run[]> = fc.array(
  fc.record({
    author: fc.integer({ min: 1, max: 0xffff_ffff }),
    log: fc.constantFrom('a/log', 'b/log'),
    lengths: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 30 }),
  }),
  { minLength: 1, maxLength: 6 },
)

/** All that can be said of one operation of a history. */
interface Place {
  readonly run: number
  readonly author: number
  readonly log: string
  readonly begin: number
  readonly end: number
}

function placesOf(runs: readonly Run[]): Place[] {
  const heads = new Map<string, number>()
  let run = 0
  return runs.flatMap(({ author, log, lengths }, index) => {
    const before = runs[index - 1]
    if (before?.author !== author || before.log !== log) run++
    return lengths.map((length) => {
      const begin = heads.get(log) ?? 0
      heads.set(log, begin + length)
      return { run, author, log, begin, end: begin + length }
    })
  })
}

/** A piece of a history that lies in one run, from operation `first` on. */
function pieceOf(places: readonly Place[], first: number, length: number): Segment {
  const { run, author, log, begin } = places[first] as Place
  let last = first
  while (last - first < length && places[last + 1]?.run === run) last++
  return {
    author,
    firstSeqNo: first + 1,
    firstOffset: begin,
    firstChecksum: (first * 2654435761) >>> 0,
    lastSeqNo: last + 1,
    lastOffset: (places[last] as Place).end,
    log,
  }
}

const pieces = fc.array(fc.tuple(fc.nat(10_000), fc.nat(12)), { minLength: 1, maxLength: 60 })

test('segments: in any order, the segments of one history give one set, which is what they cover', () => {
  fc.assert(
    fc.property(history, pieces, fc.infiniteStream(fc.nat()), (runs, cuts, numbers) => {
      const places = placesOf(runs)
      const segments = cuts.map(([first, length]) => pieceOf(places, first % places.length, length))
      const set = new SegmentSet(segments)
      const shuffled = [...segments].sort(() => (Number(numbers.next().value) % 3) - 1)
      expect([...new SegmentSet(shuffled)]).toEqual([...set])
      expect([...new SegmentSet([...segments].reverse())]).toEqual([...set])
      expect([...new SegmentSet([...set, ...segments])]).toEqual([...set])

      const covered = new Set<number>()
      for (const { firstSeqNo, lastSeqNo } of segments) {
        for (let n = firstSeqNo; n <= lastSeqNo; n++) covered.add(n)
      }
      const inSet = [...set].flatMap(({ firstSeqNo, lastSeqNo }) =>
        Array.from({ length: lastSeqNo - firstSeqNo + 1 }, (_, i) => firstSeqNo + i),
      )
      expect(inSet).toEqual([...covered].sort((a, b) => a - b))
      for (const segment of set) {
        expect(segment).toEqual(
          pieceOf(places, segment.firstSeqNo - 1, segment.lastSeqNo - segment.firstSeqNo),
        )
      }
    }),
  )
})

/** Any segments at all, close to each other so that every rule is met. */
const anySegment: fc.Arbitrary<Segment> = fc
  .record({
    author: fc.constantFrom(1, 1, 1, 1, 1, 2),
    firstSeqNo: fc.integer({ min: 1, max: 60 }),
    firstOffset: fc.nat(600),
    firstChecksum: fc.constantFrom(0, 0, 0, 0, 0, 1),
    length: fc.nat(6),
    bytes: fc.constantFrom(0, 1, 30, 30, 30, 30, 30, 60),
    log: fc.constantFrom('a/log', 'a/log', 'a/log', 'a/log', 'a/log', 'b/log'),
    proper: fc.integer({ max: 4, min: 0 }),
  })
  .map(({ length, bytes, proper, firstSeqNo, firstOffset, ...rest }) => {
    // Most lie where one history has them, else nearly every pair would be inconsistent.
    const first = proper > 0 ? firstSeqNo * 10 : firstOffset
    const lastOffset = bytes === 0 ? 0 : proper > 0 ? (firstSeqNo + length) * 10 + 9 : first + bytes
    return { ...rest, firstSeqNo, firstOffset: first, lastSeqNo: firstSeqNo + length, lastOffset }
  })

/** The set as the spec tells it: an array, and the table written out. */
class NaiveSet {
  members: Segment[] = []

  add(added: Segment): void {
    validateSegment(added)
    const index = this.members.findIndex(({ firstSeqNo }) => firstSeqNo >= added.firstSeqNo)
    const place = index === -1 ? this.members.length : index
    let from = place
    let to = place
    let joined = added
    const before = this.members[place - 1]
    const withBefore = before && join(before, added)
    if (withBefore !== undefined) {
      joined = withBefore
      from--
    }
    for (;;) {
      const after = this.members[to]
      const withAfter = after && join(joined, after)
      if (withAfter === undefined) break
      joined = withAfter
      to++
    }
    this.members.splice(from, to - from, joined)
  }
}

function join(one: Segment, other: Segment): Segment | undefined {
  const swap =
    other.firstSeqNo < one.firstSeqNo ||
    (other.firstSeqNo === one.firstSeqNo && other.lastSeqNo > one.lastSeqNo)
  const [a, b] = swap ? [other, one] : [one, other]
  const before = a.firstSeqNo < b.firstSeqNo
  const sameLog = a.log === b.log
  const sameRun = sameLog && a.author === b.author
  const endsWrong = (late: Segment, early: Segment) =>
    late.lastSeqNo >= early.lastSeqNo && late.lastOffset > 0 && late.lastOffset < early.lastOffset
  if (
    (before && sameLog && a.firstOffset > b.firstOffset) ||
    (before && a.lastOffset === 0 && b.lastOffset > 0) ||
    (a.lastOffset === 0 && !sameLog) ||
    (sameLog && (endsWrong(a, b) || endsWrong(b, a))) ||
    (!before && a.firstChecksum !== b.firstChecksum)
  ) {
    throw new Error('inconsistent')
  }
  if (a.lastSeqNo + 1 < b.firstSeqNo) return undefined
  if (!sameRun) {
    if (a.lastSeqNo + 1 === b.firstSeqNo) return undefined
    throw new Error('inconsistent')
  }
  const end = a.lastSeqNo > b.lastSeqNo ? a : b
  return {
    ...a,
    firstOffset: before ? a.firstOffset : Math.max(a.firstOffset, b.firstOffset),
    lastSeqNo: end.lastSeqNo,
    lastOffset: a.lastSeqNo === b.lastSeqNo ? Math.max(a.lastOffset, b.lastOffset) : end.lastOffset,
  }
}

test('segments: add agrees with a naive model, and what is refused changes nothing', () => {
  let added = 0
  let refused = 0
  fc.assert(
    fc.property(fc.array(anySegment, { maxLength: 80 }), (segments) => {
      const set = new SegmentSet()
      const naive = new NaiveSet()
      for (const segment of segments) {
        let fails = false
        try {
          naive.add(segment)
          added++
        } catch {
          fails = true
          refused++
        }
        if (fails) {
          expect(() => {
            set.add(segment)
          }).toThrow(/^SEGMENT_INCONSISTENT/)
        } else {
          set.add(segment)
        }
        expect([...set]).toEqual(naive.members)
      }
    }),
    { numRuns: 300 },
  )
  expect(added).toBeGreaterThan(200)
  expect(refused).toBeGreaterThan(200)
})
