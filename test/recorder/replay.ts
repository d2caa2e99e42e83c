/**
 * A player for tests, as plain as can be: it reads a log whole, and knows of nothing but operations that follow each
 * other. What it makes of a log must be what was recorded.
 */
import assert from 'node:assert/strict'
import { FSM } from '../../src/fsm/index.ts'
import type { FSMHints } from '../../src/fsm/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import {
  crc32c,
  decodeRecordedOp,
  findMagic,
  FRAME_HEADER_BYTES,
  OpKind,
  readFrameHeader,
  RecordedOp,
} from '../../src/wire/index.ts'

export interface Operation {
  readonly kind: OpKind
  readonly seqNo: number
  readonly author: number
  readonly fnode: number
  readonly path: string
  readonly offset: number
  readonly content: Uint8Array
  /** Undefined without a payload checksum. */
  readonly isIntact: boolean | undefined
  /** Where it ends in the log. */
  readonly end: number
}

export interface Replay {
  readonly fsm: FSM
  /** Path to content, by what is live; properties too. */
  readonly tree: ReadonlyMap<string, Uint8Array>
  /** Those that were applied. */
  readonly operations: readonly Operation[]
}

/** Replays a log up to `end`, from hints or from its first operation. */
export async function replay(journal: Journal, hints?: FSMHints, end = Infinity): Promise<Replay> {
  const log = await contentOf(journal)
  const fsm = new FSM(hints ?? { log: journal.name, liveNodes: [], properties: [] })
  const files = new Map<number, Uint8Array>()
  const operations: Operation[] = []
  for (const { op, message, content, begin, end: behind } of framesOf(
    log.subarray(0, Math.min(end, log.length)),
  )) {
    op.log = journal.name
    op.firstOffset = begin
    op.lastOffset = behind
    const outcome = fsm.apply(op, message, 0, message.length)
    if (outcome !== 'OK') continue
    operations.push({
      kind: op.kind,
      seqNo: op.seqNo,
      author: op.author >>> 0,
      fnode: op.fnode,
      path: op.path,
      offset: op.offset,
      content,
      isIntact: op.hasContentChecksum ? crc32c(0, content) === op.contentChecksum : undefined,
      end: behind,
    })
    if (op.kind === OpKind.create) files.set(op.seqNo, new Uint8Array(0))
    if (op.kind === OpKind.write) files.set(op.fnode, written(files.get(op.fnode), op.offset, content))
  }
  const tree = new Map<string, Uint8Array>()
  for (const { path, fnode } of fsm.links()) {
    tree.set(path, files.get(fnode) ?? assert.fail(`no file ${fnode}`))
  }
  for (const [path, content] of fsm.properties) tree.set(path, new TextEncoder().encode(content))
  return { fsm, tree, operations }
}

/** The frames and content of an append, or a log, each with its place. Bytes that are no frame are passed over. */
export function* framesOf(log: Uint8Array): Generator<{
  readonly op: RecordedOp
  readonly message: Uint8Array
  readonly content: Uint8Array
  readonly begin: number
  readonly end: number
}> {
  for (let at = findMagic(log, 0, log.length); at + FRAME_HEADER_BYTES <= log.length;) {
    const messageEnd = at + FRAME_HEADER_BYTES + readFrameHeader(log, at)
    const message = log.subarray(at + FRAME_HEADER_BYTES, messageEnd)
    const op = new RecordedOp()
    decodeRecordedOp(message, 0, message.length, op)
    const end = messageEnd + (op.kind === OpKind.write ? op.length : 0)
    if (end > log.length) return
    yield { op, message, content: log.slice(messageEnd, end), begin: at, end }
    at = findMagic(log, end, log.length)
  }
}

/** The kinds of the operations of an append, in words. */
export function kindsOf(append: Uint8Array): string[] {
  return [...framesOf(append)].map(({ op }) => NAMES[op.kind] as string)
}

const NAMES: Record<number, string> = Object.fromEntries(
  Object.entries(OpKind).map(([name, kind]) => [kind, name]),
)

export async function contentOf(journal: Journal): Promise<Uint8Array> {
  const { offset } = await journal.head()
  const log = new Uint8Array(offset)
  for await (const chunk of journal.read({ offset: 0 })) log.set(chunk.bytes, chunk.offset)
  return log
}

export function written(file: Uint8Array | undefined, offset: number, content: Uint8Array): Uint8Array {
  const before = file ?? new Uint8Array(0)
  if (content.length === 0) return before
  const after = new Uint8Array(Math.max(before.length, offset + content.length))
  after.set(before)
  after.set(content, offset)
  return after
}
