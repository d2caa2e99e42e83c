import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { RecoveryLogError } from '../../src/errors/index.ts'
import type { ErrorCode } from '../../src/errors/index.ts'
import { FSM } from '../../src/fsm/index.ts'
import type { FSMHints } from '../../src/fsm/index.ts'
import {
  decodeHints,
  decodeRecordedOp,
  FRAME_HEADER_BYTES,
  readFrameHeader,
  RecordedOp,
} from '../../src/wire/index.ts'
import { expectHints, expectState, isCut } from './fsm.ts'
import type { GoHints } from './go-hints.ts'
import { knownKeys } from './known-keys.ts'
import { expectTree, playFolder, readHints, readLogFolder, withTarget } from './log-folder.ts'
import type { LogFolder, Play, Right } from './log-folder.ts'
import { isRefused } from './refused-path.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

const FOLDER = 'recovery-log/logs'

const RIGHT_KEYS = ['outcome', 'tree', 'final', 'builtHints', 'appliedOps', 'skippedOps', 'outcomes']
const PLAY_KEYS = [
  ...['name', 'hints', 'hintsPb', 'properties', 'jumps', 'desyncs', 'noGhosts', 'finishes'],
  ...['seeks', 'rightTree', 'note'], // for reading
]

/** Whole logs, and what a player makes of each from several hints. */
export const suite: VectorSuite = {
  file: FOLDER,
  async run(run: VectorRun) {
    for (const name of run.list(FOLDER)) await runFolder(run, `${FOLDER}/${name}`)
  },
}

interface Judged extends LogFolder {
  readonly play: Play
  readonly goHints: GoHints
  readonly hints: FSMHints
}

async function runFolder(run: VectorRun, path: string): Promise<void> {
  const folder = readLogFolder(run, path)
  const { log, plays } = folder
  for (const play of plays) {
    const judged: Judged = { ...folder, play, ...readHints(run, `${path}/${play.hints}`) }
    await run.check(FOLDER, `${log.name}: ${play.name}`, ruleOf(judged), async () => {
      knownKeys(play, [...PLAY_KEYS, ...RIGHT_KEYS])
      const listed = log.hints.find(({ json }) => json === play.hints)
      assert.deepEqual([listed?.name, listed?.pb], [play.name, play.hintsPb])
      for (const stored of [play.hints, play.hintsPb]) {
        assert.deepEqual(decodeHints(run.bytes(`${path}/${stored}`)), judged.hints, stored)
      }
      await withTarget((dir) => runPlay(judged, dir))
    })
  }
}

function ruleOf(judged: Judged): Rule {
  const { play, goHints } = judged
  if (play.noGhosts !== undefined) return 'no ghosts'
  if (play.outcome === 'HANGS') return 'as the spec says'
  if (isRefused(livePaths(judged))) return 'confinement'
  if (play.outcome !== 'OK') return 'typed error'
  return isCut(goHints) ? 'cut hints' : 'equal to Go'
}

/** What Go's errors are with us, where they are not refused paths. */
const CODES: readonly { readonly when: RegExp; readonly code: ErrorCode }[] = [
  { when: /possible data loss$/, code: 'DATA_LOSS' },
  { when: /^(refused: )?NewFSM: /, code: 'HINTS_INVALID' },
  { when: /: decodeOperation: /, code: 'CORRUPT' },
  { when: /: offset jump$/, code: 'CORRUPT' },
  { when: /^PANIC: unexpected AdjustedOffset$/, code: 'CORRUPT' },
]

async function runPlay(judged: Judged, dir: string): Promise<void> {
  const { play } = judged
  switch (ruleOf(judged)) {
    case 'confinement':
      expectGoConfined(judged)
      await expectError(judged, dir, 'PATH_REFUSED')
      break
    case 'typed error':
      await expectError(judged, dir, CODES.find(({ when }) => when.test(play.outcome))?.code)
      assert.deepEqual([play.tree, play.properties, play.jumps, play.desyncs], [[], [], [], []])
      break
    case 'as the spec says':
      await expectFinish(judged, dir)
      break
    default:
      await expectRight(judged, dir)
  }
}

/** A typed error, and nothing left behind: neither in the target nor beside it. */
async function expectError(judged: Judged, dir: string, code: ErrorCode | undefined): Promise<void> {
  assert.ok(code, `an outcome that the runner does not know: ${judged.play.outcome}`)
  await assert.rejects(playFolder(judged, judged.hints, dir), (error) => {
    assert.ok(error instanceof RecoveryLogError, String(error))
    assert.equal(error.code, code)
    return true
  })
  assert.deepEqual(readdirSync(dirname(dir)), [])
}

/** Bytes are left over at the head, where Go waits for ever. */
async function expectFinish(judged: Judged, dir: string): Promise<void> {
  const { play } = judged
  assert.equal(play.outcome, 'HANGS')
  assert.ok(play.finishes, 'what is right is not told')
  knownKeys(play.finishes, ['outcome', 'tree', 'nextSeqNo', 'nextChecksum'])
  assert.deepEqual([play.tree, play.properties, play.jumps, play.desyncs], [[], [], [], []])
  const { outcome, tree, nextSeqNo, nextChecksum } = play.finishes
  assert.equal(outcome, 'OK')
  const { fsm, leftOver, head } = await playFolder(judged, judged.hints, dir)
  assert.deepEqual([fsm.nextSeqNo, fsm.nextChecksum], [nextSeqNo, nextChecksum])
  expectTree(dir, tree)
  assert.equal(leftOver?.end, head.offset)
}

async function expectRight(judged: Judged, dir: string): Promise<void> {
  const { play, goHints } = judged
  const right: Right = play.noGhosts ?? play
  if (play.noGhosts !== undefined) knownKeys(play.noGhosts, RIGHT_KEYS)
  assert.equal(right.outcome, 'OK')
  const { fsm, jumps, desyncs, outcomes, leftOver } = await playFolder(judged, judged.hints, dir)
  assert.equal(leftOver, undefined)
  expectTree(dir, right.tree)
  if (right === play) {
    const properties = [...fsm.properties].map(([path, content]) => ({ path, content }))
    assert.deepEqual(
      properties.sort((a, b) => (a.path < b.path ? -1 : 1)),
      play.properties,
    )
  }
  assert.deepEqual([jumps, desyncs], [play.jumps, play.desyncs])
  assert.ok(
    right.final === undefined || right.outcomes !== undefined || right.final.nextSeqNo === 1,
    'no outcomes',
  )
  if (right.final === undefined) return // what is right is told by the tree alone
  expectOutcomes(Object.fromEntries(outcomes), right.outcomes ?? {})
  expectState(fsm, right.final, isCut(goHints))
  assert.ok(right.builtHints, 'no built hints')
  expectHints(fsm, right.builtHints, isCut(goHints))
}

/**
 * How many operations were applied, and why others were not. Of a file that lives and dies between hinted segments Go
 * applies what we do not track, so that no ghost can come of it (recovery-log spec, section 3): the sequence advances.
 */
function expectOutcomes(
  actual: Readonly<Record<string, number>>,
  go: Readonly<Record<string, number>>,
): void {
  const untracked = (go['OK'] ?? 0) - (actual['OK'] ?? 0)
  assert.ok(untracked >= 0, 'more was applied than in Go')
  const expected: Record<string, number> = { ...go }
  if (untracked > 0) {
    expected['OK'] = (go['OK'] ?? 0) - untracked
    expected['FNODE_NOT_TRACKED'] = (go['FNODE_NOT_TRACKED'] ?? 0) + untracked
  }
  assert.deepEqual(actual, expected)
}

/** What Go made of a log with refused paths: it fails where it makes them, or its state is the log's. */
function expectGoConfined(judged: Judged): void {
  const { play, goHints } = judged
  if (play.outcome === 'OK') {
    assert.ok(play.final && play.builtHints)
    const fsm = stateOf(judged)
    expectState(fsm, play.final, isCut(goHints))
    expectHints(fsm, play.builtHints, isCut(goHints))
  } else {
    assert.ok(play.outcome.startsWith('makeLive '), play.outcome)
    assert.deepEqual([play.tree, play.properties, play.jumps, play.desyncs], [[], [], [], []])
  }
}

/** The paths that are live at the end, as recorded. */
function livePaths(judged: Judged): string[] {
  const { play } = judged
  if (play.final !== undefined) return [...play.final.links, ...play.final.properties].map(({ path }) => path)
  if (!play.outcome.startsWith('makeLive ')) return []
  const fsm = stateOf(judged)
  return [...Array.from(fsm.links(), ({ path }) => path), ...fsm.properties.keys()]
}

/** The state machine after a log that lies in one file and has nothing but frames in it. */
function stateOf({ log, bytes, hints }: Judged): FSM {
  const fsm = new FSM(hints)
  const files = log.logs.find(({ journal }) => journal === hints.log)?.files ?? []
  const content = bytes.get(files[0]?.file ?? '') ?? new Uint8Array(0)
  const op = new RecordedOp()
  op.log = hints.log
  for (let at = 0; at < content.length;) {
    const end = at + FRAME_HEADER_BYTES + readFrameHeader(content, at)
    decodeRecordedOp(content, at + FRAME_HEADER_BYTES, end, op)
    op.firstOffset = at
    op.lastOffset = end + op.length
    fsm.apply(op, content, at + FRAME_HEADER_BYTES, end)
    at = op.lastOffset
  }
  return fsm
}
