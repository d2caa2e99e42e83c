import assert from 'node:assert/strict'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { FSM } from '../../src/fsm/index.ts'
import type { FSMHints } from '../../src/fsm/index.ts'
import type { Segment } from '../../src/segments/index.ts'
import {
  decodeRecordedOp,
  hintsFromProto,
  hintsToJson,
  hintsToProto,
  RecordedOp,
} from '../../src/wire/index.ts'
import { fromGoHints, joinCuts } from './go-hints.ts'
import type { GoHints } from './go-hints.ts'
import { knownKeys } from './known-keys.ts'
import { isMalformedOp } from './malformed-op.ts'
import { SEGMENT_KEYS } from './segments.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

interface Step {
  readonly messageHex: string
  readonly firstOffset: number
  readonly lastOffset: number
  readonly log: string
  readonly outcome: string
  readonly nextSeqNo: number
  readonly nextChecksum: number
}

export interface State {
  readonly nextSeqNo: number
  readonly nextChecksum: number
  readonly lastLog: string
  readonly properties: readonly { path: string; content: string }[]
  readonly links: readonly { path: string; fnode: number }[]
  readonly liveNodes: readonly { fnode: number; links: readonly string[]; segments: readonly Segment[] }[]
  readonly hintedSegments: readonly Segment[]
  readonly hintedFnodes: readonly number[]
}

export interface BuiltHints {
  readonly log: string
  readonly json: string
  readonly protoHex: string
}

interface FsmCase {
  readonly name: string
  readonly hints: GoHints
  readonly newFsm: string
  readonly steps: readonly Step[]
  readonly final?: State
  readonly builtHints?: BuiltHints
  readonly noGhosts?: {
    readonly outcomes: readonly string[]
    readonly final: State
    readonly builtHints?: BuiltHints
  }
}

/** The state machine, step by step, and the hints that it builds. */
export const suite: VectorSuite = fsmSuite('recovery-log/fsm.json')
export const randomSuite: VectorSuite = fsmSuite('recovery-log/fsm-random.json')

function fsmSuite(file: string): VectorSuite {
  return {
    file,
    async run(run: VectorRun) {
      const { cases, ...head } = run.json<{ about: string; cases: FsmCase[] }>(file)
      knownKeys(head, ['about'])
      for (const one of cases) await run.check(file, one.name, ruleOf(one), () => runCase(one))
    },
  }
}

function ruleOf(one: FsmCase): Rule {
  if (one.newFsm !== 'OK') return 'typed error'
  if (one.steps.some(({ messageHex }) => isMalformedOp(Buffer.from(messageHex, 'hex')))) return 'malformed'
  if (one.noGhosts !== undefined) return 'no ghosts'
  return isCut(one.hints) ? 'cut hints' : 'equal to Go'
}

export function isCut(hints: GoHints): boolean {
  return fromGoHints(hints).liveNodes.some(({ segments }) => joinCuts(segments).length < segments.length)
}

function runCase(one: FsmCase): void {
  knownKeys(one, ['name', 'hints', 'newFsm', 'steps', 'final', 'builtHints', 'noGhosts'])
  const hints = fromGoHints(one.hints)
  if (one.newFsm !== 'OK') {
    assert.throws(() => new FSM(hints), isError('HINTS_INVALID'))
    assert.deepEqual(
      [one.steps, one.final, one.builtHints, one.noGhosts],
      [[], undefined, undefined, undefined],
    )
    return
  }
  const fsm = new FSM(hints)
  const right = one.noGhosts
  if (right !== undefined) {
    knownKeys(right, ['outcomes', 'final', 'builtHints'])
    assert.equal(right.outcomes.length, one.steps.length)
  }
  let isAsInGo = true
  for (const [index, step] of one.steps.entries()) {
    knownKeys(step, STEP_KEYS)
    const at = `step ${String(index)}`
    const message = Buffer.from(step.messageHex, 'hex')
    if (isMalformedOp(message)) {
      assert.throws(() => decoded(step, message), isError('CORRUPT'), at)
      if (ADVANCING.includes(step.outcome)) return // Go takes it, so what comes after has another history
      continue
    }
    const outcome = right?.outcomes[index] ?? step.outcome
    assert.equal(fsm.apply(decoded(step, message), message, 0, message.length), outcome, at)
    isAsInGo &&= outcome === step.outcome
    if (isAsInGo) assert.deepEqual([fsm.nextSeqNo, fsm.nextChecksum], [step.nextSeqNo, step.nextChecksum], at)
  }
  assert.ok(one.final, 'no final state')
  expectState(fsm, right?.final ?? one.final, isCut(one.hints))
  const built = right === undefined ? one.builtHints : right.builtHints
  if (right === undefined) assert.ok(built, 'no built hints')
  if (built !== undefined) expectHints(fsm, built, isCut(one.hints))
}

const ADVANCING = ['OK', 'FNODE_NOT_TRACKED']
const STEP_KEYS = ['messageHex', 'firstOffset', 'lastOffset', 'log', 'outcome', 'nextSeqNo', 'nextChecksum']

function decoded(step: Step, message: Uint8Array): RecordedOp {
  const op = new RecordedOp()
  decodeRecordedOp(message, 0, message.length, op)
  op.firstOffset = step.firstOffset
  op.lastOffset = step.lastOffset
  op.log = step.log
  return op
}

export function expectState(fsm: FSM, state: State, cut: boolean): void {
  knownKeys(state, STATE_KEYS)
  for (const node of state.liveNodes) knownKeys(node, ['fnode', 'links', 'segments'])
  const segments = [...state.hintedSegments, ...state.liveNodes.flatMap((node) => node.segments)]
  for (const segment of segments) knownKeys(segment, SEGMENT_KEYS)
  const actual: State = {
    nextSeqNo: fsm.nextSeqNo,
    nextChecksum: fsm.nextChecksum,
    lastLog: fsm.lastLog,
    properties: byPath([...fsm.properties].map(([path, content]) => ({ path, content }))),
    links: byPath([...fsm.links()]),
    liveNodes: [...fsm.liveNodes()].map((node) => ({
      fnode: node.fnode,
      links: [...node.links].sort(),
      segments: cut ? joinCuts(node.segments) : node.segments,
    })),
    hintedSegments: fsm.hintedSegments,
    hintedFnodes: fsm.hintedFnodes,
  }
  const expected: State = {
    ...state,
    properties: byPath(state.properties),
    links: byPath(state.links),
    liveNodes: state.liveNodes.map((node) => ({ ...node, links: [...node.links].sort() })),
  }
  assert.deepEqual(actual, expected)
  assert.equal(fsm.liveCount, state.liveNodes.length)
  for (const { path, fnode } of state.links) assert.equal(fsm.fnodeOf(path), fnode)
}

const STATE_KEYS = [
  'nextSeqNo',
  'nextChecksum',
  'lastLog',
  'properties',
  'links',
  'liveNodes',
  'hintedSegments',
  'hintedFnodes',
]

export function expectHints(fsm: FSM, built: BuiltHints, cut: boolean): void {
  knownKeys(built, ['log', 'json', 'protoHex'])
  const { log, liveNodes, properties } = fsm.buildHints(built.log)
  const nodes = liveNodes.map((node) => ({
    ...node,
    segments: cut ? joinCuts(node.segments) : node.segments,
  }))
  const hints: FSMHints = { log, liveNodes: nodes, properties }
  const proto = Buffer.from(built.protoHex, 'hex')
  for (const expected of [fromGoHints(JSON.parse(built.json) as GoHints), hintsFromProto(proto)]) {
    assert.deepEqual(hints, { ...expected, properties: byPath(expected.properties) })
  }
  if (properties.length > 1) return // Go writes them in no order
  assert.equal(Buffer.from(hintsToJson(hints)).toString(), built.json)
  assert.equal(Buffer.from(hintsToProto(hints)).toString('hex'), built.protoHex)
}

function byPath<T extends { readonly path: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function isError(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RecoveryLogError, String(error))
    assert.equal(error.code, code)
    return true
  }
}
