/**
 * The hot loop of playback: takes a log apart into operations, chunk by chunk, applies each to the state machine, and
 * does what it says to the target (recovery-log spec, sections 2 and 7.4).
 *
 * Frames and content may be cut by the borders of chunks at any place. What is cut of a frame is carried over; content
 * goes to the target in the pieces in which it comes.
 */
import { RecoveryLogError } from '../errors/index.ts'
import type { FSM, Outcome } from '../fsm/index.ts'
import {
  crc32c,
  decodeRecordedOp,
  findMagic,
  FRAME_HEADER_BYTES,
  FrameBatch,
  OpKind,
  readFrameHeader,
  RecordedOp,
} from '../wire/index.ts'
import type { LogReader } from './log-reader.ts'
import type { PlayEvent } from './play-event.ts'
import type { LeftOver, Skipped } from './skipped.ts'
import type { Target } from './target.ts'

/** Why the loop stopped. */
export type ScanStop =
  | 'chunk' // the chunk at hand has been played
  | 'limit' // the limit has been reached, between operations
  | 'blocked' // the operation at hand reaches across the limit, to `needed` or further
  | 'hint' // the first hinted segment has been used up
  | 'room' // the target takes no more at the moment

const MAGIC_BYTES = 4
const CARRY_BYTES = 4096

export interface ScannerParts {
  readonly fsm: FSM
  readonly target: Target
  readonly skipped: Skipped
  readonly frameBytesMax: number
  readonly onEvent: (event: PlayEvent) => void
}

export class Scanner {
  /** Through where operations have been played: where the one at hand begins. */
  position = 0
  /** Through where the operation at hand reaches, as far as that is known, when it is blocked. */
  needed = 0
  readonly #fsm: FSM
  readonly #target: Target
  readonly #skipped: Skipped
  readonly #frameBytesMax: number
  readonly #onEvent: (event: PlayEvent) => void
  readonly #ahead = new FrameBatch()
  readonly #ownOp = new RecordedOp()
  /** The operation at hand: our own, or one of those decoded ahead. */
  #op = this.#ownOp
  #log = ''
  /** Where the first hinted segment is used up. */
  #hintedThrough: number
  /** The bytes from `position` to the reader's offset, when a frame is cut there. */
  #carry = new Uint8Array(CARRY_BYTES)
  #carried = 0
  /** What is still to come of the content of `#op`. */
  #contentLeft = 0
  #isApplied = false
  #contentChecksum = 0
  /** Where what is no frame begins, or -1. */
  #desyncBegin = -1
  #applied = 0
  readonly #notApplied = new Map<Outcome, number>()

  constructor(parts: ScannerParts) {
    this.#fsm = parts.fsm
    this.#target = parts.target
    this.#skipped = parts.skipped
    this.#frameBytesMax = parts.frameBytesMax
    this.#onEvent = parts.onEvent
    this.#hintedThrough = this.#endOfHint()
  }

  /** How many operations have been read, by what came of them. */
  get outcomes(): ReadonlyMap<Outcome, number> {
    const applied = this.#applied === 0 ? [] : [['OK', this.#applied] as const]
    return new Map<Outcome, number>([...applied, ...this.#notApplied])
  }

  /** Goes to an offset of a log. What has been carried over is dropped. */
  begin(log: string, offset: number): void {
    this.#carried = 0
    this.#log = this.#ownOp.log = this.#ahead.log = log
    this.position = offset
  }

  /**
   * Plays the operations of the reader's chunk that end at or before `limit`, an offset of the log.
   * Throws `CORRUPT`, with log and offset and where there is one the sequence number.
   */
  scan(reader: LogReader, limit: number): ScanStop {
    try {
      for (;;) {
        if (this.#fsm.nextSeqNo > this.#hintedThrough && this.#contentLeft === 0) {
          this.#hintedThrough = this.#endOfHint()
          return 'hint'
        }
        let stop: ScanStop | undefined
        if (this.#contentLeft > 0) stop = this.#scanContent(reader)
        else if (this.#carried > 0) stop = this.#scanCarried(reader, limit)
        else if (reader.offset >= limit) stop = 'limit'
        else if (reader.offset >= reader.bytesEnd) stop = 'chunk'
        else stop = this.#scanFrames(reader, limit)
        if (stop !== undefined) return stop
      }
    } catch (error) {
      throw this.#placed(error)
    }
  }

  /** Content of the log was deleted from where reading is up to `end`. Throws `CORRUPT` within an operation. */
  jump(begin: number, end: number): void {
    const magic = findMagic(this.#carry, 0, this.#carried)
    const isFrame = magic + MAGIC_BYTES <= this.#carried || (magic === 0 && this.#desyncBegin < 0)
    if (this.#contentLeft > 0 || (this.#carried > 0 && isFrame)) {
      const what = this.#contentLeft > 0 ? "a write's content" : 'a frame'
      throw this.#corrupt(this.position, `bytes are missing inside of ${what}`, { missing: { begin, end } })
    }
    if (this.#carried > 0) this.#beginDesync(this.position)
    this.#endDesync(begin)
    this.begin(this.#log, end)
    const range = { log: this.#log, begin, end }
    this.#skipped.jump(range)
    this.#onEvent({ type: 'jump', ...range })
  }

  /** What lies between the last whole operation and `limit`, when `scan` has been there. */
  leftOver(limit: number): LeftOver | undefined {
    const begin = this.#desyncBegin < 0 ? this.position : this.#desyncBegin
    if (begin >= limit) return undefined
    const holdsMagic = findMagic(this.#carry, 0, this.#carried) + MAGIC_BYTES <= this.#carried
    return { log: this.#log, begin, end: limit, holdsMagic }
  }

  /** Gives up what is left over before `boundary`, and goes on there. Answers it. */
  leave(boundary: number): LeftOver | undefined {
    const leftOver = this.leftOver(boundary)
    if (leftOver !== undefined) {
      this.#beginDesync(this.position)
      this.#endDesync(boundary)
    }
    if (this.position < boundary) this.begin(this.#log, boundary)
    return leftOver
  }

  /** The frames that lie whole in the chunk, which is nearly all of them. */
  #scanFrames(reader: LogReader, limit: number): ScanStop | undefined {
    const fsm = this.#fsm
    const hintedThrough = this.#hintedThrough
    const ahead = this.#ahead
    const { bytes, bytesOffset } = reader
    const end = Math.min(bytes.length, limit - bytesOffset)
    let cutEnd = end
    // Of the operations ahead, those in [next, count) are still to come.
    let next = 0
    let count = 0
    let at = reader.offset - bytesOffset
    while (at + FRAME_HEADER_BYTES <= end) {
      const length = readFrameHeader(bytes, at)
      if (length < 0) {
        this.#beginDesync(bytesOffset + at)
        at = findMagic(bytes, at + 1, end)
        continue
      }
      if (length > this.#frameBytesMax) throw this.#tooLong(bytesOffset + at, length)
      const frameEnd = at + FRAME_HEADER_BYTES + length
      if (frameEnd > end) break
      if (next === count && fsm.wantsPrefetch) {
        ahead.decode(bytes, at, end, bytesOffset + at)
        fsm.prefetch(ahead.ops, ahead.count)
        count = ahead.count
        next = 0
      }
      if (next < count) this.#op = ahead.ops[next++] as RecordedOp
      else this.#decode(bytes, at, frameEnd, bytesOffset + at)
      const contentBytes = this.#op.length
      if (!this.#play(bytes, at, frameEnd, limit)) {
        cutEnd = frameEnd
        break
      }
      const contentEnd = frameEnd + contentBytes
      if (contentBytes > 0 && (contentEnd > end || !this.#takeContent(bytes, frameEnd, contentEnd))) {
        this.position = bytesOffset + at
        reader.offset = bytesOffset + frameEnd
        this.#contentLeft = contentBytes
        return undefined
      }
      at = contentEnd
      if (fsm.nextSeqNo > hintedThrough) {
        cutEnd = at
        break
      }
    }
    this.position = reader.offset = bytesOffset + at
    if (at < cutEnd) this.#fill(reader, cutEnd - at, limit)
    return undefined
  }

  /** Writes, or skips, content that lies whole in the chunk. False when it is to be taken the long way. */
  #takeContent(bytes: Uint8Array, begin: number, end: number): boolean {
    if (!this.#isApplied) return true
    const op = this.#op
    return !op.hasContentChecksum && this.#target.write(op.fnode, op.offset, bytes, begin, end)
  }

  /** The frame that a chunk's border, or a limit, has cut. */
  #scanCarried(reader: LogReader, limit: number): ScanStop | undefined {
    let frameBytes = FRAME_HEADER_BYTES
    if (!this.#fill(reader, frameBytes, limit)) return this.#cut(reader, frameBytes, limit)
    const length = readFrameHeader(this.#carry, 0)
    if (length < 0) {
      this.#beginDesync(this.position)
      const found = findMagic(this.#carry, 1, this.#carried)
      this.#carry.copyWithin(0, found, this.#carried)
      this.#carried -= found
      this.position += found
      return undefined
    }
    if (length > this.#frameBytesMax) throw this.#tooLong(this.position, length)
    frameBytes += length
    if (!this.#fill(reader, frameBytes, limit)) return this.#cut(reader, frameBytes, limit)
    this.#decode(this.#carry, 0, frameBytes, this.position)
    if (!this.#play(this.#carry, 0, frameBytes, limit)) return 'blocked'
    this.#carried = 0
    this.#contentLeft = this.#op.length
    if (this.#op.length === 0) this.position = reader.offset
    return undefined
  }

  /** Content that comes in pieces, that has a checksum, or that the target did not take at once. */
  #scanContent(reader: LogReader): ScanStop | undefined {
    const op = this.#op
    const begin = reader.offset - reader.bytesOffset
    const end = Math.min(begin + this.#contentLeft, reader.bytes.length)
    if (begin >= end) return 'chunk'
    if (this.#isApplied) {
      const done = op.length - this.#contentLeft
      if (!this.#target.write(op.fnode, op.offset + done, reader.bytes, begin, end)) return 'room'
      if (op.hasContentChecksum) {
        this.#contentChecksum = crc32c(done === 0 ? 0 : this.#contentChecksum, reader.bytes, begin, end)
      }
    }
    reader.offset += end - begin
    this.#contentLeft -= end - begin
    if (this.#contentLeft > 0) return 'chunk'
    if (this.#isApplied && op.hasContentChecksum) this.#verifyContent(this.#contentChecksum)
    this.position = reader.offset
    return undefined
  }

  /** Makes the operation of the frame `bytes[begin, end)`, which lies at `offset` in the log, the one at hand. */
  #decode(bytes: Uint8Array, begin: number, end: number, offset: number): void {
    const op = this.#ownOp
    this.#op = op
    op.firstOffset = offset
    decodeRecordedOp(bytes, begin + FRAME_HEADER_BYTES, end, op)
    op.lastOffset = offset + (end - begin) + op.length
  }

  /** Applies the operation at hand, of which `bytes[begin, end)` is the frame; not when it reaches across the limit. */
  #play(bytes: Uint8Array, begin: number, end: number, limit: number): boolean {
    const op = this.#op
    if (op.lastOffset > limit) {
      this.needed = op.lastOffset
      return false
    }
    if (this.#desyncBegin >= 0) this.#endDesync(op.firstOffset)
    const outcome = this.#fsm.apply(op, bytes, begin + FRAME_HEADER_BYTES, end)
    this.#isApplied = outcome === 'OK'
    if (this.#isApplied) {
      this.#applied++
      if (op.length === 0) this.#reenact(op)
    } else {
      this.#report(op, outcome)
    }
    return true
  }

  /** Does what needs no content. */
  #reenact(op: RecordedOp): void {
    if (op.kind === OpKind.create) this.#target.create(op.seqNo)
    else if (op.kind === OpKind.unlink && !this.#fsm.isLive(op.fnode)) this.#target.remove(op.fnode)
    else if (op.kind === OpKind.write && op.hasContentChecksum) this.#verifyContent(0)
  }

  /** Tells of an operation that changed nothing, unless it is of a dead branch or an old one. */
  #report(op: RecordedOp, outcome: Outcome): void {
    this.#notApplied.set(outcome, (this.#notApplied.get(outcome) ?? 0) + 1)
    if (outcome === 'NOT_HINTED_AUTHOR' || op.seqNo < this.#fsm.nextSeqNo) return // FNODE_NOT_TRACKED is an old one now
    const { log, firstOffset, lastOffset, seqNo } = op
    const author = op.author >>> 0
    this.#skipped.operation(author, this.#fsm.lastAuthor, seqNo, { log, begin: firstOffset, end: lastOffset })
    this.#onEvent({ type: 'not_applied', outcome, log, offset: firstOffset, seqNo, author })
  }

  #verifyContent(actual: number): void {
    const op = this.#op
    if (op.contentChecksum === actual) return
    throw this.#corrupt(op.firstOffset, 'the content of a write does not have its checksum', {
      seqNo: op.seqNo,
      fnode: op.fnode,
      path: this.#fsm.linksOf(op.fnode)[0],
      expected: op.contentChecksum >>> 0,
      actual: actual >>> 0,
    })
  }

  /** Carries bytes over until there are `count`, as far as the chunk and the limit have them. */
  #fill(reader: LogReader, count: number, limit: number): boolean {
    const from = reader.offset - reader.bytesOffset
    const there = Math.min(reader.bytes.length, limit - reader.bytesOffset) - from
    const taken = Math.min(count - this.#carried, there)
    if (taken > 0) {
      const filled = this.#carried + taken
      // Memory is taken for bytes that are there, whatever length the frame declares.
      if (filled > this.#carry.length) {
        const larger = new Uint8Array(Math.max(filled, 2 * this.#carry.length))
        larger.set(this.#carry.subarray(0, this.#carried))
        this.#carry = larger
      }
      this.#carry.set(reader.bytes.subarray(from, from + taken), this.#carried)
      this.#carried = filled
      reader.offset += taken
    }
    return this.#carried >= count
  }

  #cut(reader: LogReader, frameBytes: number, limit: number): ScanStop {
    this.needed = this.position + frameBytes
    return reader.offset >= limit ? 'blocked' : 'chunk'
  }

  #endOfHint(): number {
    return this.#fsm.hintedSegment?.lastSeqNo ?? Infinity
  }

  #beginDesync(offset: number): void {
    if (this.#desyncBegin < 0) this.#desyncBegin = offset
  }

  #endDesync(end: number): void {
    if (this.#desyncBegin < 0) return
    const range = this.#skipped.desync({ log: this.#log, begin: this.#desyncBegin, end })
    this.#desyncBegin = -1
    this.#onEvent({ type: 'desync', ...range })
  }

  #tooLong(offset: number, length: number): RecoveryLogError {
    const frameBytesMax = this.#frameBytesMax
    return this.#corrupt(offset, 'a message is longer than frameBytesMax', { length, frameBytesMax })
  }

  #corrupt(offset: number, fault: string, data: Readonly<Record<string, unknown>>): RecoveryLogError {
    const log = this.#log
    return new RecoveryLogError('CORRUPT', `${fault}, in ${log} at ${offset}`, { log, offset, ...data })
  }

  /** What the decoder says of a message, with its place in the log. */
  #placed(error: unknown): unknown {
    if (!RecoveryLogError.is(error, 'CORRUPT') || 'log' in error.data) return error
    const { log, firstOffset: offset } = this.#op
    return new RecoveryLogError(
      'CORRUPT',
      `a message cannot be decoded, in ${log} at ${offset}`,
      { ...error.data, log, offset },
      { cause: error },
    )
  }
}
