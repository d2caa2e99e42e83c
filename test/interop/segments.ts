import assert from 'node:assert/strict'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { SegmentSet, validateSegment } from '../../src/segments/index.ts'
import type { Segment } from '../../src/segments/index.ts'
import { knownKeys } from './known-keys.ts'
import type { VectorSuite } from './vector-run.ts'

type SegmentCase =
  | { name: string; kind: 'add'; steps: { add: Segment; outcome: string; set: Segment[] }[] }
  | { name: string; kind: 'validate'; segment: Segment; outcome: string }
  | {
      name: string
      kind: 'intersect'
      set: Segment[]
      log: string
      first: number
      last: number
      outcome: string
      result: Segment[]
    }

const FILE = 'recovery-log/segments.json'

/** Segments and sets of them, step by step. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run) {
    const { cases, ...head } = run.json<{ about: string; cases: SegmentCase[] }>(FILE)
    knownKeys(head, ['about'])
    for (const one of cases) await run.check(FILE, one.name, 'equal to Go', () => runCase(one))
  },
}

function runCase(one: SegmentCase): void {
  switch (one.kind) {
    case 'add':
      knownKeys(one, ['name', 'kind', 'steps'])
      runAdd(one.steps)
      return
    case 'intersect':
      knownKeys(one, ['name', 'kind', 'set', 'log', 'first', 'last', 'outcome', 'result'])
      runIntersect(one)
      return
    case 'validate':
      knownKeys(one, ['name', 'kind', 'segment', 'outcome'])
      knownKeys(one.segment, SEGMENT_KEYS)
      expectOutcome(one.outcome, ['SEGMENT_INVALID'], () => {
        validateSegment(one.segment)
      })
      return
    default:
      assert.fail(`unknown kind of case: ${JSON.stringify(one)}`)
  }
}

export const SEGMENT_KEYS = [
  'author',
  'firstSeqNo',
  'firstOffset',
  'firstChecksum',
  'lastSeqNo',
  'lastOffset',
  'log',
]

function runAdd(steps: { add: Segment; outcome: string; set: Segment[] }[]): void {
  const set = new SegmentSet()
  for (const step of steps) {
    knownKeys(step, ['add', 'outcome', 'set'])
    for (const segment of [step.add, ...step.set]) knownKeys(segment, SEGMENT_KEYS)
    expectOutcome(step.outcome, ['SEGMENT_INVALID', 'SEGMENT_INCONSISTENT'], () => {
      set.add(step.add)
    })
    assert.deepEqual([...set], step.set)
    assert.equal(set.size, step.set.length)
    assert.deepEqual([set.first, set.last], [step.set[0], step.set.at(-1)])
  }
}

function runIntersect(one: SegmentCase & { kind: 'intersect' }): void {
  const set = new SegmentSet()
  for (const segment of one.set) {
    knownKeys(segment, SEGMENT_KEYS)
    set.add(segment)
  }
  if (one.outcome === 'OK') {
    assert.deepEqual(set.intersect(one.log, one.first, one.last), one.result)
  } else {
    assert.match(one.outcome, /^panic: /)
    assert.throws(() => set.intersect(one.log, one.first, one.last), RangeError)
  }
}

/** Where Go fails, ours fails with one of `codes`. */
function expectOutcome(outcome: string, codes: string[], body: () => void): void {
  if (outcome === 'OK') {
    body()
    return
  }
  assert.throws(body, (error: unknown) => {
    assert.ok(error instanceof RecoveryLogError, String(error))
    assert.ok(codes.includes(error.code), error.code)
    return true
  })
}
