import fc from 'fast-check'
import type { Segment } from '../wire/index.ts'
import { authors } from './numbers.ts'

/** One run of operations: by one author, in one log. */
interface Run {
  readonly author: number
  readonly isNewLog: boolean
  readonly operations: number
  /** Sequence numbers that nobody has recorded before it. */
  readonly gap: number
}

/**
 * Segments of one history, in the order in which they lie in it: pieces of runs of operations by several authors in
 * several logs, that touch, overlap or leave gaps. All of them together are consistent, in whatever order they are added.
 */
export function segmentsOfOneHistory(): fc.Arbitrary<Segment[]> {
  const run: fc.Arbitrary<Run> = fc.record({
    author: authors(),
    isNewLog: fc.boolean(),
    operations: fc.integer({ min: 1, max: 30 }),
    gap: fc.constantFrom(0, 0, 0, 1, 5),
  })
  const piece = fc.tuple(fc.nat(), fc.nat())
  return fc
    .array(fc.tuple(run, fc.array(piece, { maxLength: 6 })), { minLength: 1, maxLength: 5 })
    .map((runs) => {
      let next = 1
      let log = 0
      return runs.flatMap(([{ author, isNewLog, operations, gap }, pieces]) => {
        const first = next + gap
        next = first + operations
        if (isNewLog) log++
        return pieces
          .map(([a, b]) => [first + (a % operations), first + (b % operations)].sort((x, y) => x - y))
          .map(([from, to]) => segmentOf(author, `a/log-${String(log)}`, from as number, to as number))
          .sort((x, y) => x.firstSeqNo - y.firstSeqNo || x.lastSeqNo - y.lastSeqNo)
      })
    })
}

/** Every operation is 100 bytes long, and its checksum follows from its number. */
function segmentOf(author: number, log: string, firstSeqNo: number, lastSeqNo: number): Segment {
  return {
    author,
    firstSeqNo,
    firstOffset: 100 * firstSeqNo,
    firstChecksum: Math.imul(firstSeqNo, 0x9e37_79b9) >>> 0,
    lastSeqNo,
    lastOffset: 100 * (lastSeqNo + 1),
    log,
  }
}
