import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { FSM } from '../../src/fsm/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { AppendRequest, Commit } from '../../src/journal/index.ts'
import { Recorder } from '../../src/recorder/index.ts'
import {
  decodeRecordedOp,
  FRAME_HEADER_BYTES,
  OpKind,
  readFrameHeader,
  RecordedOp,
} from '../../src/wire/index.ts'
import { knownKeys } from './known-keys.ts'
import { SEGMENT_KEYS } from './segments.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

interface Call {
  readonly call: string
  readonly path?: string
  readonly to?: string
  readonly flags?: readonly string[]
  readonly fnode?: number
  readonly offset?: number
  readonly dataHex?: string
  readonly content?: string
  readonly appendedHex?: string
  readonly panic?: string
}

interface Node {
  readonly fnode: number
  readonly links: readonly string[]
  readonly segments: readonly { readonly firstOffset: number }[]
}

interface State {
  readonly nextSeqNo: number
  readonly nextChecksum: number
  readonly lastLog: string
  readonly properties: readonly { path: string; content: string }[]
  readonly links: readonly { path: string; fnode: number }[]
  readonly liveNodes: readonly Node[]
  readonly hintedSegments: readonly unknown[]
  readonly hintedFnodes: readonly unknown[]
}

interface RecorderCase {
  readonly name: string
  readonly dir: string
  readonly author: number
  readonly calls: readonly Call[]
  readonly final?: State
  readonly note?: string
}

const FILE = 'recovery-log/recorder.json'
const CASE_KEYS = ['name', 'dir', 'author', 'calls', 'final', 'note']
const CALL_KEYS = [
  'call',
  'path',
  'to',
  'flags',
  'fnode',
  'offset',
  'dataHex',
  'content',
  'appendedHex',
  'panic',
]
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

/** POSIX's, as far as the recorder looks at them. */
const FLAGS = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_CREATE', 'O_EXCL', 'O_TRUNC', 'O_APPEND']

/** A case that names no folder of its own is in this one. */
const ANY_FOLDER = '/any/folder'

/** Calls of the recorder, and the bytes that each appends. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    const { cases, ...head } = run.json<{ about: string; cases: RecorderCase[] }>(FILE)
    knownKeys(head, ['about'])
    for (const one of cases) await run.check(FILE, one.name, ruleOf(one), () => runCase(one))
  },
}

function ruleOf(one: RecorderCase): Rule {
  const differs = isRoot(one) || one.calls.some((call, index) => isDifferent(one, call, index))
  if (differs) return 'as the spec says'
  return one.calls.some(({ panic }) => panic !== undefined) ? 'typed error' : 'equal to Go'
}

/** Where the spec says in words that Go is wrong. */
function isDifferent(one: RecorderCase, call: Call, index: number): boolean {
  if (call.call === 'new') return false
  if ([call.path, call.to].some((path) => path !== undefined && isOutside(one, path))) return true
  return call.call === 'rename' && isOfOneFile(one, call, index)
}

function isRoot({ dir }: RecorderCase): boolean {
  return dir === '/'
}

/** The directory itself is no path in it. */
function isOutside({ dir }: RecorderCase, path: string): boolean {
  if (!dir.startsWith('/')) return false
  const relative = posix.relative(dir, path)
  return !posix.isAbsolute(path) || relative === '' || relative === '..' || relative.startsWith('../')
}

/** Whether both paths of a rename are names of one file, by the calls before. */
function isOfOneFile(one: RecorderCase, rename: Call, index: number): boolean {
  if (rename.path === rename.to) return one.calls.slice(0, index).some(({ path }) => path === rename.path)
  return one.calls
    .slice(0, index)
    .some(({ call, path, to }) => call === 'link' && path === rename.path && to === rename.to)
}

async function runCase(one: RecorderCase): Promise<void> {
  knownKeys(one, CASE_KEYS)
  for (const call of one.calls) knownKeys(call, CALL_KEYS)
  const first = one.calls[0]
  if (first?.call === 'new') {
    assert.ok(first.panic !== undefined && first.panic !== 'OK', 'a folder that Go refuses')
    assert.equal(first.appendedHex, '')
    await assert.rejects(begin(one), isTyped)
    return
  }
  const { journal, recorder } = await begin(one)
  let isAsInGo = !isRoot(one)
  for (const [index, call] of one.calls.entries()) {
    const appends = journal.appends.length
    const differs = isDifferent(one, call, index)
    assert.notEqual(call.panic, 'OK')
    if (call.panic !== undefined && !differs) {
      assert.throws(() => perform(recorder, one, call), isTyped)
    } else if (differs && call.call !== 'rename') {
      assert.throws(() => perform(recorder, one, call), isRefused)
    } else {
      const fnode = perform(recorder, one, call)
      if (isAsInGo && !differs && call.call !== 'write') assert.equal(fnode, call.fnode)
    }
    expectCreated(call)
    if (recorder.queuedBytes > 0) recorder.flushSync()
    const appended = journal.appends.slice(appends)
    if (differs) assert.deepEqual(appended, [])
    else expectAppended(appended, call, one, isAsInGo)
    isAsInGo &&= !differs
  }
  expectFinal(one, isAsInGo ? recorder.fsm : goMachine(one))
}

async function begin(one: RecorderCase): Promise<{ journal: CountingJournal; recorder: Recorder }> {
  const journal = new CountingJournal({ name: one.final?.lastLog ?? 'vectors/recorder' })
  const fsm = new FSM({ log: journal.name, liveNodes: [], properties: [] })
  const dir = one.dir.startsWith('(') ? ANY_FOLDER : one.dir
  const recorder = await Recorder.open({ journal, fsm, author: one.author, dir })
  journal.appends.length = 0
  return { journal, recorder }
}

/** Keeps what each append held: one call is one append. */
class CountingJournal extends MemoryJournal {
  readonly appends: string[] = []

  override appendSync(request: AppendRequest): Commit {
    this.appends.push(Buffer.from(request.content).toString('hex'))
    return super.appendSync(request)
  }
}

function perform(recorder: Recorder, { dir }: RecorderCase, call: Call): number | undefined {
  const inFolder = (path = ''): string => (dir.startsWith('(') ? ANY_FOLDER + path : path)
  const path = inFolder(call.path)
  switch (call.call) {
    case 'create':
      return recorder.create(path)
    case 'open': {
      const flags = call.flags ?? []
      assert.deepEqual(
        flags.filter((flag) => !FLAGS.includes(flag)),
        [],
        'unknown flags',
      )
      const [create, exclusive, truncate] = ['O_CREATE', 'O_EXCL', 'O_TRUNC'].map((flag) =>
        flags.includes(flag),
      )
      return recorder.open(path, {
        create: create === true,
        exclusive: exclusive === true,
        truncate: truncate === true,
      })
    }
    case 'write':
      recorder.write(call.fnode ?? 0, call.offset ?? 0, Buffer.from(call.dataHex ?? '', 'hex'))
      return undefined
    case 'link':
      recorder.link(path, inFolder(call.to))
      return undefined
    case 'remove':
      recorder.remove(path)
      return undefined
    case 'rename':
      recorder.rename(path, inFolder(call.to), call.content)
      return undefined
    default:
      return assert.fail(`unknown call ${call.call}`)
  }
}

function expectAppended(
  appended: string[],
  { appendedHex = '' }: Call,
  one: RecorderCase,
  isAsInGo: boolean,
): void {
  assert.ok(appended.length <= 1, 'one call is one append')
  const [hex = ''] = appended
  if (isAsInGo) {
    assert.equal(hex, appendedHex)
    return
  }
  // Of another history, or with other paths: the same operations.
  const path = (recorded: string): string => (isRoot(one) && recorded !== '' ? `/${recorded}` : recorded)
  const expected = operationsOf(appendedHex).map(({ op }) => [op.kind, path(op.path)])
  assert.deepEqual(
    operationsOf(hex).map(({ op }) => [op.kind, op.path]),
    expected,
  )
}

/** Go's own state machine, after the bytes that it appended. */
function goMachine(one: RecorderCase): FSM {
  const fsm = new FSM({ log: one.final?.lastLog ?? 'vectors/recorder', liveNodes: [], properties: [] })
  for (const { appendedHex = '' } of one.calls) {
    for (const { op, message } of operationsOf(appendedHex)) {
      op.log = fsm.lastLog
      assert.equal(fsm.apply(op, message, 0, message.length), 'OK')
    }
  }
  return fsm
}

/** The fnode that Go answered is that of the create that it appended. */
function expectCreated({ fnode, appendedHex = '' }: Call): void {
  const created = operationsOf(appendedHex).findLast(({ op }) => op.kind === OpKind.create)
  if (created !== undefined) assert.equal(created.op.seqNo, fnode)
}

function operationsOf(hex: string): { op: RecordedOp; message: Uint8Array }[] {
  const bytes = Buffer.from(hex, 'hex')
  assert.equal(bytes.toString('hex'), hex)
  const operations = []
  for (let at = 0; at < bytes.length;) {
    const length = readFrameHeader(bytes, at)
    assert.ok(length >= 0, 'no frame')
    const message = bytes.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length)
    const op = new RecordedOp()
    decodeRecordedOp(message, 0, message.length, op)
    operations.push({ op, message })
    at += FRAME_HEADER_BYTES + length + (op.kind === OpKind.write ? op.length : 0)
  }
  return operations
}

function expectFinal({ final, calls }: RecorderCase, fsm: FSM): void {
  if (final === undefined) {
    assert.ok(calls.at(-1)?.panic, 'neither a final state nor a panic')
    return
  }
  knownKeys(final, STATE_KEYS)
  for (const node of final.liveNodes) {
    knownKeys(node, ['fnode', 'links', 'segments'])
    for (const segment of node.segments) knownKeys(segment, SEGMENT_KEYS)
  }
  const actual: State = {
    nextSeqNo: fsm.nextSeqNo,
    nextChecksum: fsm.nextChecksum,
    lastLog: fsm.lastLog,
    properties: [...fsm.properties].map(([path, content]) => ({ path, content })),
    links: byPath([...fsm.links()]),
    // First offsets are lower bounds, and not compared: the vectors have 0.
    liveNodes: [...fsm.liveNodes()].map(({ fnode, links, segments }) => ({
      fnode,
      links: [...links].sort(),
      segments: segments.map((segment) => ({ ...segment, firstOffset: 0 })),
    })),
    hintedSegments: fsm.hintedSegments,
    hintedFnodes: fsm.hintedFnodes,
  }
  assert.deepEqual(actual, {
    ...final,
    links: byPath(final.links),
    liveNodes: final.liveNodes.map((node) => ({ ...node, links: [...node.links].sort() })),
  })
}

function byPath<T extends { readonly path: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function isTyped(error: unknown): boolean {
  assert.ok(error instanceof RecoveryLogError, String(error))
  return true
}

function isRefused(error: unknown): boolean {
  assert.ok(RecoveryLogError.is(error, 'PATH_REFUSED'), String(error))
  return true
}
