/**
 * One operation after the other (recovery-log spec, section 4): stamped with the author, the next sequence number and
 * checksum, encoded into the queue, applied to the recorder's own state machine with the last known write head as its
 * first offset (a lower bound) and 0, unknown, as its last. Paths are recorded paths here. Nothing is allocated for an
 * operation.
 */

import { RecoveryLogError, ERROR_KINDS } from '../errors/index.ts'
import type { ErrorCode, ErrorData } from '../errors/index.ts'
import type { FSM, Outcome } from '../fsm/index.ts'
import type { Journal } from '../journal/index.ts'
import {
  crc32c,
  decodeRecordedOp,
  encodeCreate,
  encodeLink,
  encodeProperty,
  encodeUnlink,
  encodeWrite,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  OpKind,
  pathFrameBytesMax,
  propertyFrameBytesMax,
  RecordedOp,
  WRITE_FRAME_BYTES_MAX,
} from '../wire/index.ts'
import type { AppendQueue } from './append-queue.ts'

const CHECKSUM_BYTES = 4

/** Is told of what has been recorded for fnodes. */
export interface FnodeWatcher {
  wrote(fnode: number, offset: number, data: Uint8Array, recordedBytes: number): void
  /** Its last name is gone. */
  ended(fnode: number): void
}

export interface OperationWriterOptions {
  readonly journal: Journal
  readonly fsm: FSM
  readonly author: number
  readonly queue: AppendQueue
  readonly contentChecksums: boolean
}

export class OperationWriter {
  readonly fsm: FSM
  readonly queue: AppendQueue
  watcher: FnodeWatcher | undefined
  readonly #journal: Journal
  readonly #author: number
  /** What `encodeWrite` is handed for field 12: the place of a checksum that is put in later, or none. */
  readonly #contentChecksum: 0 | undefined
  readonly #op = new RecordedOp()
  /** What all writes have in common is set once. The state machine does not ask where in the file they go. */
  readonly #writeOp = new RecordedOp()

  constructor({ journal, fsm, author, queue, contentChecksums }: OperationWriterOptions) {
    this.fsm = fsm
    this.queue = queue
    this.#journal = journal
    this.#author = author | 0
    this.#contentChecksum = contentChecksums ? 0 : undefined
    this.#op.log = journal.name
    this.#writeOp.log = journal.name
    this.#writeOp.author = this.#author
    this.#writeOp.kind = OpKind.write
  }

  /** Answers the new fnode. */
  create(path: string): number {
    const seqNo = this.fsm.nextSeqNo
    this.#recordPath(OpKind.create, 0, path)
    return seqNo
  }

  link(fnode: number, path: string): void {
    this.#recordPath(OpKind.link, fnode, path)
  }

  unlink(fnode: number, path: string): void {
    this.#recordPath(OpKind.unlink, fnode, path)
    if (this.watcher !== undefined && !this.fsm.isLive(fnode)) this.watcher.ended(fnode)
  }

  property(path: string, content: string): void {
    const { fsm, queue } = this
    queue.throwIfEnded()
    const frame = new Uint8Array(propertyFrameBytesMax(path.length, content.length))
    const bytes = encodeProperty(frame, 0, fsm.nextSeqNo, fsm.nextChecksum, this.#author, path, content)
    if (bytes - FRAME_HEADER_BYTES > FRAME_BYTES_MAX) {
      throw new RecoveryLogError('APPEND_TOO_LARGE', 'no reader takes a property that large', { path, bytes })
    }
    const at = queue.fill + bytes > queue.limit ? queue.makeRoom(bytes) : queue.fill
    queue.buffer.set(frame.subarray(0, bytes), at)
    this.#applyDecoded(at, at + bytes, path)
  }

  /** Copies `data` before it returns. A write that no append can hold becomes several. */
  write(fnode: number, offset: number, data: Uint8Array): void {
    const { fsm, queue } = this
    const length = data.length
    if (
      !(data instanceof Uint8Array) ||
      !(offset >= 0) ||
      !Number.isSafeInteger(offset + length) ||
      !fsm.isLive(fnode)
    ) {
      this.#refuseWrite(fnode, offset, data)
    }
    let at = queue.fill
    if (at + WRITE_FRAME_BYTES_MAX + length > queue.limit) {
      const bytes = this.#writeBytes(fnode, offset, length)
      if (bytes > this.#journal.maxAppendBytes) {
        this.#writeSplit(fnode, offset, data)
        return
      }
      if (at + bytes > queue.limit) at = queue.makeRoom(bytes)
    }
    const { buffer } = queue
    const seqNo = fsm.nextSeqNo
    const checksum = fsm.nextChecksum | 0
    const end = encodeWrite(
      buffer,
      at,
      seqNo,
      checksum,
      this.#author,
      fnode,
      offset,
      length,
      this.#contentChecksum,
    )
    if (length !== 0) buffer.set(data, end)
    if (this.#contentChecksum !== undefined) putContentChecksum(buffer, end, length)
    const op = this.#writeOp
    op.seqNo = seqNo
    op.checksum = checksum
    op.fnode = fnode
    op.firstOffset = queue.head
    this.#apply(op, at, end, '')
    queue.fill = end + length
    if (!queue.scheduled) queue.schedule()
    if (this.watcher !== undefined) this.watcher.wrote(fnode, offset, data, end + length - at)
  }

  /** Comes before `fill` moves: an operation that the state machine refuses was never written. */
  #apply(op: RecordedOp, at: number, end: number, path: string): void {
    const outcome = this.fsm.apply(op, this.queue.buffer, at + FRAME_HEADER_BYTES, end)
    if (outcome !== 'OK') throw outcomeError(outcome, { path, fnode: op.fnode, log: this.#journal.name })
  }

  /** What is rare is applied as a reader will see it. */
  #applyDecoded(at: number, end: number, path: string): void {
    const { queue } = this
    decodeRecordedOp(queue.buffer, at + FRAME_HEADER_BYTES, end, this.#op)
    this.#op.firstOffset = queue.head
    this.#apply(this.#op, at, end, path)
    queue.fill = end
    if (!queue.scheduled) queue.schedule()
  }

  #recordPath(
    kind: typeof OpKind.create | typeof OpKind.link | typeof OpKind.unlink,
    fnode: number,
    path: string,
  ): void {
    const { queue } = this
    let at = queue.fill
    if (at + pathFrameBytesMax(path.length) > queue.limit) {
      queue.throwIfEnded()
      const bytes = this.#encodePath(new Uint8Array(pathFrameBytesMax(path.length)), 0, kind, fnode, path)
      if (at + bytes > queue.limit) at = queue.makeRoom(bytes)
    }
    this.#applyDecoded(at, this.#encodePath(queue.buffer, at, kind, fnode, path), path)
  }

  #encodePath(out: Uint8Array, at: number, kind: OpKind, fnode: number, path: string): number {
    const { nextSeqNo, nextChecksum } = this.fsm
    if (kind === OpKind.create) return encodeCreate(out, at, nextSeqNo, nextChecksum, this.#author, path)
    const encode = kind === OpKind.link ? encodeLink : encodeUnlink
    return encode(out, at, nextSeqNo, nextChecksum, this.#author, fnode, path)
  }

  /** The exact size of a write and its content. */
  #writeBytes(fnode: number, offset: number, length: number): number {
    const { nextSeqNo, nextChecksum } = this.fsm
    const checksum = this.#contentChecksum
    const frame = new Uint8Array(WRITE_FRAME_BYTES_MAX)
    return (
      length + encodeWrite(frame, 0, nextSeqNo, nextChecksum, this.#author, fnode, offset, length, checksum)
    )
  }

  #writeSplit(fnode: number, offset: number, data: Uint8Array): void {
    const { maxAppendBytes, name } = this.#journal
    const pieceBytes = maxAppendBytes - WRITE_FRAME_BYTES_MAX
    if (pieceBytes <= 0) {
      throw new RecoveryLogError('APPEND_TOO_LARGE', 'no write fits one append', {
        log: name,
        maxAppendBytes,
      })
    }
    this.queue.begin(data.length + Math.ceil(data.length / pieceBytes) * WRITE_FRAME_BYTES_MAX)
    try {
      for (let at = 0; at < data.length; at += pieceBytes) {
        this.write(fnode, offset + at, data.subarray(at, at + pieceBytes))
      }
    } finally {
      this.queue.end()
    }
  }

  /** Throws `FNODE_NOT_TRACKED` for a file that has no name any more. */
  checkLive(fnode: number): void {
    this.queue.throwIfEnded()
    if (!this.fsm.isLive(fnode)) throw outcomeError('FNODE_NOT_TRACKED', { fnode, log: this.#journal.name })
  }

  #refuseWrite(fnode: number, offset: number, data: unknown): never {
    this.checkLive(fnode)
    if (!(data instanceof Uint8Array)) throw new TypeError('what is written is not a Uint8Array')
    throw new RangeError(`a write begins at an integer from 0 and ends below 2^53: ${String(offset)}`)
  }
}

/** Field 12 is the last one of the message, so its value lies right before the content. */
function putContentChecksum(buffer: Uint8Array, end: number, length: number): void {
  const checksum = crc32c(0, buffer, end, end + length)
  for (let i = 0; i < CHECKSUM_BYTES; i++) buffer[end - CHECKSUM_BYTES + i] = checksum >>> (8 * i)
}

/** Those outcomes that no caller can bring about mean that somebody else has changed the state machine. */
function outcomeError(outcome: Outcome, data: ErrorData): RecoveryLogError {
  const code: ErrorCode = outcome in ERROR_KINDS ? (outcome as ErrorCode) : 'INVALID'
  return new RecoveryLogError(code, `the state machine refuses the operation: ${outcome}`, data)
}
