import assert from 'node:assert/strict'
import { RecoveryLogError } from '../../src/errors/index.ts'
import {
  crc32c,
  decodeRecordedOp,
  FRAME_BYTES_MAX,
  FrameScanner,
  OpKind,
  readFrameHeader,
  RecordedOp,
} from '../../src/wire/index.ts'
import { knownKeys } from './known-keys.ts'
import {
  expectOp,
  framed,
  frameOf,
  fromHex,
  hexOf,
  isMalformed,
  isPlaced,
  plainMessage,
} from './operations.ts'
import type { OpFields } from './operations.ts'
import type { VectorSuite } from './vector-run.ts'

const FILE = 'recovery-log/frames.json'

interface MessageCase {
  readonly name: string
  readonly op: OpFields
  readonly messageHex: string
  readonly frameHex: string
}

interface UnknownFieldsCase {
  readonly name: string
  readonly op: OpFields
  readonly messageHex: string
  readonly prevChecksum: number
  readonly nextChecksum: number
  readonly reencodedHex: string
}

/** What is read of a stream. An empty message has no `messageHex`. */
type Read =
  | { kind: 'frame'; begin: number; end: number; messageHex?: string; op: OpFields }
  | { kind: 'badMessage'; begin: number; end: number; messageHex: string; error: string }
  | { kind: 'error'; begin: number; end: number; error: string }
  | { kind: 'desync' | 'end'; begin: number; end: number }

interface StreamCase {
  readonly name: string
  readonly streamHex: string
  readonly goBufferBytes: number
  readonly reads: readonly Read[]
  readonly note?: string
}

/** Messages and frames as we write and read them, and what is read of whole streams, broken ones too. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run) {
    const { cases, malformed, unknownFields, ...head } = run.json<{
      cases: readonly MessageCase[]
      malformed: readonly StreamCase[]
      unknownFields: readonly UnknownFieldsCase[]
    }>(FILE)
    knownKeys(head, ['about'])
    for (const one of cases) {
      const rule = isMalformed(one.op) ? 'malformed' : 'equal to Go'
      await run.check(FILE, one.name, rule, () => checkMessage(one))
    }
    for (const one of unknownFields) {
      const rule = isMalformed(one.op) ? 'malformed' : 'equal to Go'
      await run.check(FILE, one.name, rule, () => checkUnknownFields(one))
    }
    for (const one of malformed) {
      const isWhole = one.reads.every(({ kind }) => kind !== 'error' && kind !== 'badMessage')
      await run.check(FILE, one.name, isWhole ? 'equal to Go' : 'typed error', () => checkStream(one))
    }
  },
}

function checkMessage(one: MessageCase): void {
  knownKeys(one, ['name', 'op', 'messageHex', 'frameHex'])
  const message = fromHex(one.messageHex)
  assert.equal(hexOf(plainMessage(one.op)), one.messageHex)
  assert.equal(hexOf(framed(message)), one.frameHex)
  const op = checkDecode(message, one.op)
  if (op !== undefined && !isPlaced(one.op)) assert.equal(hexOf(frameOf(op)), one.frameHex)
}

function checkUnknownFields(one: UnknownFieldsCase): void {
  knownKeys(one, ['name', 'op', 'messageHex', 'prevChecksum', 'nextChecksum', 'reencodedHex'])
  const message = fromHex(one.messageHex)
  assert.equal(hexOf(plainMessage(one.op)), one.reencodedHex)
  assert.equal(crc32c(one.prevChecksum, message) >>> 0, one.nextChecksum)
  const op = checkDecode(message, one.op)
  if (op !== undefined && !isPlaced(one.op)) {
    assert.equal(hexOf(frameOf(op)), hexOf(framed(fromHex(one.reencodedHex))))
  }
}

/** Decodes in the midst of other bytes. Answers nothing for what is refused, and has to be. */
function checkDecode(message: Uint8Array, expected: OpFields): RecordedOp | undefined {
  const bytes = Uint8Array.of(0x08, ...message, 0xff)
  const op = new RecordedOp()
  if (isMalformed(expected)) {
    assert.throws(() => decodeRecordedOp(bytes, 1, bytes.length - 1, op), isCorrupt)
    return undefined
  }
  decodeRecordedOp(bytes, 1, bytes.length - 1, op)
  expectOp(op, expected)
  return op
}

function isCorrupt(error: unknown): boolean {
  return RecoveryLogError.is(error, 'CORRUPT')
}

/** What we make of a stream, in the words of the vectors, and the operations in it. */
interface StreamReads {
  readonly reads: { kind: string; begin: number; end: number; messageHex?: string }[]
  readonly ops: RecordedOp[]
}

function checkStream(one: StreamCase): void {
  knownKeys(one, ['name', 'streamHex', 'goBufferBytes', 'reads', 'note'])
  assert.ok(one.goBufferBytes >= 16) // Go's own matter
  const stream = fromHex(one.streamHex)
  const expected = ours(one.reads, stream)
  const expectedOps = one.reads.flatMap((read) => (read.kind === 'frame' ? [read.op] : []))
  for (const chunkBytes of [stream.length, 1, 7, 50]) {
    const { reads, ops } = readStream(stream, chunkBytes)
    assert.deepEqual(reads, expected, `in chunks of ${chunkBytes}`)
    assert.equal(ops.length, expectedOps.length)
    for (const [i, op] of ops.entries()) expectOp(op, expectedOps[i] as OpFields)
  }
}

/**
 * What is right where Go reads so. A skipped range is told as one, with a tail behind it (spec, section 2), and a message
 * that is too long or no message is `CORRUPT`.
 */
function ours(reads: readonly Read[], stream: Uint8Array): StreamReads['reads'] {
  const right: StreamReads['reads'] = []
  for (const read of reads) {
    checkRead(read)
    const { begin, end } = read
    const last = right.at(-1)
    const isTooLong = end - begin >= 8 && readFrameHeader(stream, begin) > FRAME_BYTES_MAX
    if (read.kind === 'frame') {
      right.push({ kind: 'frame', begin, end, messageHex: read.messageHex ?? '' })
    } else if (read.kind === 'badMessage') {
      right.push({ kind: 'CORRUPT', begin, end, messageHex: read.messageHex })
    } else if (read.kind === 'error' && isTooLong) {
      right.push({ kind: 'CORRUPT', begin, end: begin })
    } else if (last?.kind === 'desync' && last.end === begin && read.kind !== 'end') {
      last.end = end
    } else {
      right.push({ kind: read.kind === 'error' ? 'left over' : read.kind, begin, end })
    }
  }
  return right
}

function checkRead(read: Read): void {
  knownKeys(read, ['kind', 'begin', 'end', 'messageHex', 'op', 'error'])
  assert.match(read.kind, /^(frame|desync|end|error|badMessage)$/)
  if ('error' in read) assert.match(read.error, / /, 'Go tells an error in words')
}

/** Reads a stream that comes in chunks, keeping of each what the next call needs. */
function readStream(stream: Uint8Array, chunkBytes: number): StreamReads {
  const scanner = new FrameScanner()
  const result: StreamReads = { reads: [], ops: [] }
  let begin = 0
  let end = 0
  for (;;) {
    try {
      if (!scanner.scan(stream, begin, end, begin)) {
        begin = scanner.frameBegin
        if (end === stream.length) break
        end = Math.min(stream.length, end + chunkBytes)
        continue
      }
    } catch (error) {
      if (!isCorrupt(error)) throw error
      const { offset } = (error as RecoveryLogError).data as { offset: number }
      result.reads.push({ kind: 'CORRUPT', begin: offset, end: offset })
      return result
    }
    begin = takeFrame(stream, scanner, result)
    if (begin < 0) return result
    end = Math.max(begin, end)
    if (begin > stream.length) {
      result.reads.push({ kind: 'left over', begin: stream.length, end: stream.length })
      return result
    }
  }
  const left = scanner.finish(stream, begin, end)
  if (left === 0) result.reads.push({ kind: 'end', begin, end: begin })
  else result.reads.push({ kind: scanner.skipped > 0 ? 'desync' : 'left over', begin: end - left, end })
  return result
}

/** Decodes the frame that was found. Answers where its content ends, or -1 when it is no message. */
function takeFrame(stream: Uint8Array, scanner: FrameScanner, { reads, ops }: StreamReads): number {
  const { frameBegin: begin, messageBegin, messageEnd: end, skipped } = scanner
  const messageHex = hexOf(stream.subarray(messageBegin, end))
  if (skipped > 0) reads.push({ kind: 'desync', begin: begin - skipped, end: begin })
  const op = new RecordedOp()
  try {
    decodeRecordedOp(stream, messageBegin, end, op)
  } catch (error) {
    if (!isCorrupt(error)) throw error
    reads.push({ kind: 'CORRUPT', begin, end, messageHex })
    return -1
  }
  reads.push({ kind: 'frame', begin, end, messageHex })
  ops.push(op)
  return end + (op.kind === OpKind.write ? op.length : 0)
}
