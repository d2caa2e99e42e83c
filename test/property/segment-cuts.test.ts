import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FSM } from '../../src/fsm/index.ts'
import type { FSMHints } from '../../src/fsm/index.ts'
import { SegmentSet } from '../../src/segments/index.ts'
import { NaiveFsm } from '../support/naive-fsm.ts'
import { asRecordedOp, logOp, randomFrom } from '../support/op-log.ts'
import type { Change, LoggedOp } from '../support/op-log.ts'

const LOG = 'cuts/log'
const EMPTY: FSMHints = { log: LOG, liveNodes: [], properties: [] }

/** What is on the disk in the end. */
interface Tree {
  readonly links: Record<string, number>
  readonly properties: Record<string, string>
}

function treeOf(fsm: NaiveFsm): Tree {
  return { links: Object.fromEntries(fsm.links), properties: Object.fromEntries(fsm.properties) }
}

function treeOfRows(fsm: FSM): Tree {
  return {
    links: Object.fromEntries([...fsm.links()].map(({ path, fnode }) => [path, fnode])),
    properties: Object.fromEntries(fsm.properties),
  }
}

interface Settings {
  readonly seed: number
  readonly segmentGapBytesMin: number
  readonly segmentsPerFnodeMax: number
  /** How many operations of a hundred create or end a file: many make ghosts likely. */
  readonly churn: number
  /** A recorder does not know where its operations end, a player does. */
  readonly knowsEnds: boolean
  readonly goReadable: boolean
  /** Settings of properties, of a hundred operations. */
  readonly properties: number
}

const settings: fc.Arbitrary<Settings> = fc.record({
  seed: fc.integer(),
  segmentGapBytesMin: fc.constantFrom(60, 150, 400, 1000),
  segmentsPerFnodeMax: fc.integer({ min: 2, max: 6 }),
  churn: fc.constantFrom(20, 50, 80),
  knowsEnds: fc.boolean(),
  goReadable: fc.boolean(),
  properties: fc.constantFrom(0, 0, 2, 10),
})

/** Only valid changes: files that are written seldom among many that come and go, and names that are used again. */
function validChange(
  truth: NaiveFsm,
  random: (below: number) => number,
  { churn, properties }: Settings,
): Change {
  const fnodes = [...truth.liveNodes.keys()]
  const free = `/${String(random(12))}`
  if (random(100) < properties) {
    return { kind: 'property', path: `/p${String(random(2))}`, content: String(truth.nextSeqNo) }
  }
  const isNew = !truth.links.has(free)
  if (fnodes.length === 0 || (isNew && random(200) < churn)) {
    return isNew ? { kind: 'create', path: free } : { kind: 'none' }
  }
  // Mostly the newest files: the old ones are idle for long.
  const recent = fnodes.slice(-3)
  const fnode = (random(8) === 0 ? fnodes[random(fnodes.length)] : recent[random(recent.length)]) as number
  if (isNew && random(12) === 0) return { kind: 'link', fnode, path: free }
  if (random(200) < churn) {
    const links = [...(truth.liveNodes.get(fnode)?.links ?? [])]
    return { kind: 'unlink', fnode, path: links[random(links.length)] as string }
  }
  return random(10) === 0 ? { kind: 'none' } : { kind: 'write', fnode, length: random(40) }
}

/** Goes on with a history: the next operation, which `truth` takes. */
function next(
  truth: NaiveFsm,
  random: (below: number) => number,
  of: Settings,
  author: number,
  offset: number,
): LoggedOp {
  const stamp = { seqNo: truth.nextSeqNo, checksum: truth.nextChecksum, author }
  const op = logOp(stamp, validChange(truth, random, of), LOG, offset)
  expect(truth.apply(op)).toBe('OK')
  return op
}

function applyTo(fsm: FSM, op: LoggedOp): string {
  return fsm.apply(asRecordedOp(op), op.message, 0, op.message.length)
}

/** What a recorder knows of where its operation lies: a lower bound of its beginning. */
function asRecorded(op: LoggedOp, random: (below: number) => number): LoggedOp {
  return { ...op, firstOffset: Math.max(0, op.firstOffset - random(2)), lastOffset: 0 }
}

/** The conditions of the recovery-log spec, section 9, that can be read off the hints. */
function expectPlayable(
  hints: FSMHints,
  truth: NaiveFsm,
  ops: readonly LoggedOp[],
  segmentsMax: number,
): void {
  const set = new SegmentSet() // throws where offsets fall, or an unknown end is followed by a known one
  for (const { fnode, segments } of hints.liveNodes) {
    expect(segments.length).toBeLessThanOrEqual(segmentsMax)
    expect(segments[0]?.firstSeqNo).toBe(fnode)
    for (const [index, segment] of segments.entries()) {
      const first = ops[segment.firstSeqNo - 1] as LoggedOp
      expect(first.checksum).toBe(segment.firstChecksum)
      expect(segment.firstOffset).toBeLessThanOrEqual(first.firstOffset)
      if (index > 0) expect(segment.firstSeqNo).toBeGreaterThan((segments[index - 1]?.lastSeqNo ?? 0) + 1)
      if (segment.lastOffset !== 0) expect(segment.lastOffset).toBe(ops[segment.lastSeqNo - 1]?.lastOffset)
      set.add({ ...segment, log: LOG })
    }
  }
  const isCovered = (seqNo: number) => [...set].some((s) => s.firstSeqNo <= seqNo && seqNo <= s.lastSeqNo)
  for (const op of ops) {
    const fnode = op.kind === 'create' ? op.seqNo : 'fnode' in op ? op.fnode : 0
    if (truth.liveNodes.has(fnode)) expect(isCovered(op.seqNo), `operation ${String(op.seqNo)}`).toBe(true)
  }
}

/** What a player reads when all that the hints leave out before their last segment has been pruned. */
function afterPruning(hints: FSMHints, ops: readonly LoggedOp[]): LoggedOp[] {
  const segments = [
    ...new SegmentSet(hints.liveNodes.flatMap((n) => n.segments.map((s) => ({ ...s, log: LOG })))),
  ]
  const last = segments.at(-1)
  if (last === undefined) return [...ops]
  return ops.filter(
    ({ seqNo }) =>
      seqNo >= last.firstSeqNo || segments.some((s) => s.firstSeqNo <= seqNo && seqNo <= s.lastSeqNo),
  )
}

function playWithRows(hints: FSMHints, ops: readonly LoggedOp[], options = {}): FSM {
  const fsm = new FSM(hints, options)
  for (const op of ops) applyTo(fsm, op)
  return fsm
}

function playLikeGo(hints: FSMHints, ops: readonly LoggedOp[]): NaiveFsm {
  const fsm = new NaiveFsm(hints, { goLike: true })
  for (const op of ops) fsm.apply(op)
  return fsm
}

let cuts = 0
let joinedAgain = 0

test('cuts: hints of any moment give the right tree, in our player and in one like Go, pruned or not (one author)', () => {
  fc.assert(
    fc.property(settings, (of) => {
      const random = randomFrom(of.seed)
      const truth = new NaiveFsm(EMPTY)
      const fsm = new FSM(EMPTY, of)
      const ops: LoggedOp[] = []
      const taken: FSMHints[] = []
      for (let step = 0; step < 300; step++) {
        const op = next(truth, random, of, 7, ops.at(-1)?.lastOffset ?? 0)
        ops.push(op)
        expect(applyTo(fsm, of.knowsEnds ? op : asRecorded(op, random))).toBe('OK')
        if (random(20) !== 0) continue
        const hints = fsm.buildHints(LOG)
        expectPlayable(hints, truth, ops, of.segmentsPerFnodeMax)
        for (const [index, { fnode, segments }] of hints.liveNodes.entries()) {
          cuts += segments.length - 1
          const before = taken.at(-1)?.liveNodes[index]
          if (before?.fnode === fnode && before.segments.length > segments.length) joinedAgain++
        }
        taken.push(hints)
      }
      for (const hints of taken) {
        for (const read of [ops, afterPruning(hints, ops)]) {
          const ours = playWithRows(hints, read)
          expect(treeOfRows(ours)).toEqual(treeOf(truth))
          expect([ours.nextSeqNo, ours.hintedSegments]).toEqual([truth.nextSeqNo, []])
          const isCut = hints.liveNodes.some(({ segments }) => segments.length > 1)
          if (!isCut || (of.knowsEnds && !of.goReadable)) continue
          const go = playLikeGo(hints, read)
          expect(treeOf(go)).toEqual(treeOf(truth))
          expect([go.nextSeqNo, go.hintedSegments]).toEqual([truth.nextSeqNo, []])
        }
      }
    }),
    { numRuns: 120 },
  )
  expect(cuts).toBeGreaterThan(500)
  expect(joinedAgain).toBeGreaterThan(3)
})

test('cuts: through hand-offs the tree is right, and never worse in a player like Go than with hints as Go builds them', () => {
  let compared = 0
  fc.assert(
    fc.property(settings, (given) => {
      const of = { ...given, goReadable: true }
      const random = randomFrom(of.seed)
      const truth = new NaiveFsm(EMPTY)
      const ops: LoggedOp[] = []
      let owner = new FSM(EMPTY, of) // cuts
      let go = new NaiveFsm(EMPTY, { goLike: true }) // does not
      for (let era = 1; era <= 4; era++) {
        for (let step = 0; step < 80; step++) {
          const op = next(truth, random, of, era, ops.at(-1)?.lastOffset ?? 0)
          ops.push(op)
          const recorded = of.knowsEnds ? op : asRecorded(op, random)
          expect(applyTo(owner, recorded)).toBe('OK')
          if (go.nextSeqNo === op.seqNo) go.apply(recorded)
        }
        const hints = owner.buildHints(LOG)
        const goHints = go.buildHints(LOG)
        for (const read of [ops, afterPruning(hints, ops)]) {
          const ours = playWithRows(hints, read, of)
          expect(treeOfRows(ours)).toEqual(treeOf(truth))
          expect([ours.nextSeqNo, ours.hintedSegments]).toEqual([truth.nextSeqNo, []])
        }
        const goTree = JSON.stringify(sorted(treeOf(playLikeGo(goHints, ops))))
        if (goTree === JSON.stringify(sorted(treeOf(truth)))) {
          compared++
          expect(treeOf(playLikeGo(hints, ops))).toEqual(treeOf(truth))
        }
        // A new owner knows what it has played: all of it, exactly.
        owner = playWithRows(hints, ops, of)
        go = playLikeGo(goHints, ops)
        if (JSON.stringify(sorted(treeOf(go))) !== JSON.stringify(sorted(treeOf(truth)))) {
          go = playLikeGo(EMPTY, ops)
        }
      }
    }),
    { numRuns: 80 },
  )
  expect(compared).toBeGreaterThan(30)
})

function sorted(tree: Tree): unknown {
  return [Object.entries(tree.links).sort(), Object.entries(tree.properties).sort()]
}
