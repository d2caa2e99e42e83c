/**
 * The plain stack that rows are held against: what one writes first. protobufjs decodes and encodes the messages, a
 * byte-wise table makes the checksum, Maps hold links and nodes, a Set the links and an array the segment objects of each
 * node, Buffers are joined.
 *
 * Messages are what its parts hand on to each other, and whoever needs bytes encodes them: so the checksum of an operation
 * that was read is made over a frame that is encoded again. The goals of the rows were set against such a stack: it does
 * 0.6 million operations of churn-1k a second. One that keeps the bytes it has read does 1.9 million of churn-1k and 0.4
 * of churn-200k.
 */
import protobuf from 'protobufjs'
import { AUTHOR, plainCrc32c } from '../workloads.ts'

/** What protobufjs answers for 64 bits: an object when the package `long` is installed, else a number. */
type Int64 = number | { toNumber(): number }

interface PlainPath {
  fnode: Int64
  path: string
}

interface PlainOp {
  seqNo: Int64
  checksum: number
  author: number
  create?: { path: string } | null
  link?: PlainPath | null
  unlink?: PlainPath | null
  write?: { fnode: Int64; offset: Int64; length: Int64 } | null
}

interface PlainSegment {
  author: number
  firstSeqNo: number
  firstOffset: number
  firstChecksum: number
  lastSeqNo: number
  lastOffset: number
}

const MAGIC = 0x36933366
const HEADER_BYTES = 8

const RecordedOp = protobuf
  .parse(
    `syntax = "proto3";
    message RecordedOp {
      int64 seq_no = 1; fixed32 checksum = 2; fixed32 author = 3;
      Create create = 4; Link link = 5; Link unlink = 6; Write write = 7;
      message Create { string path = 1; }
      message Link { int64 fnode = 1; string path = 2; }
      message Write { int64 fnode = 1; int64 offset = 2; int64 length = 3; }
    }`,
  )
  .root.lookupType('RecordedOp')

export class PlainFsm {
  nextSeqNo = 1
  nextChecksum = 0
  readonly links = new Map<string, number>()
  readonly liveNodes = new Map<number, { links: Set<string>; segments: PlainSegment[] }>()

  /** Throws when the operation does not fit: in a bench that is a mistake of the bench. */
  apply(op: PlainOp, message: Uint8Array, firstOffset: number, lastOffset: number): void {
    if (number(op.seqNo) !== this.nextSeqNo || op.checksum !== this.nextChecksum >>> 0) {
      throw new Error('out of sequence')
    }
    const fnode = this.change(op)
    this.extend(fnode, op, firstOffset, lastOffset)
    this.nextSeqNo++
    this.nextChecksum = plainCrc32c(this.nextChecksum, message)
  }

  private change(op: PlainOp): number {
    const seqNo = this.nextSeqNo
    if (op.create) {
      if (this.links.has(op.create.path)) throw new Error('link exists')
      this.links.set(op.create.path, seqNo)
      this.liveNodes.set(seqNo, { links: new Set([op.create.path]), segments: [] })
      return seqNo
    }
    if (op.link) {
      const fnode = number(op.link.fnode)
      this.links.set(op.link.path, fnode)
      this.liveNodes.get(fnode)?.links.add(op.link.path)
      return fnode
    }
    if (op.unlink) {
      const fnode = number(op.unlink.fnode)
      const links = this.liveNodes.get(fnode)?.links
      if (links?.delete(op.unlink.path) !== true) throw new Error('no such link')
      this.links.delete(op.unlink.path)
      if (links.size === 0) this.liveNodes.delete(fnode)
      return fnode
    }
    return op.write ? number(op.write.fnode) : 0
  }

  private extend(fnode: number, op: PlainOp, firstOffset: number, lastOffset: number): void {
    const node = this.liveNodes.get(fnode)
    if (node === undefined) return
    const last = node.segments.at(-1)
    if (last?.author === op.author) {
      last.lastSeqNo = this.nextSeqNo
      last.lastOffset = lastOffset
      return
    }
    node.segments.push({
      author: op.author,
      firstSeqNo: this.nextSeqNo,
      firstOffset,
      firstChecksum: op.checksum,
      lastSeqNo: this.nextSeqNo,
      lastOffset,
    })
  }
}

/** An operation as the log has it: the header of its frame and its message. */
function encode(op: PlainOp): [header: Buffer, message: Uint8Array] {
  const message = RecordedOp.encode(RecordedOp.create(op)).finish()
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32LE(MAGIC, 0)
  header.writeUInt32LE(message.length, 4)
  return [header, message]
}

/** Decodes, checks and applies a whole log. */
export function plainApplyAll(log: Uint8Array): PlainFsm {
  const fsm = new PlainFsm()
  const view = new DataView(log.buffer, log.byteOffset, log.length)
  let offset = 0
  while (offset < log.length) {
    if (view.getUint32(offset, true) !== MAGIC) throw new Error(`no frame at ${String(offset)}`)
    const end = offset + HEADER_BYTES + view.getUint32(offset + 4, true)
    const op = RecordedOp.decode(log.subarray(offset + HEADER_BYTES, end)) as unknown as PlainOp
    const lastOffset = end + number(op.write?.length ?? 0)
    fsm.apply(op, Buffer.concat(encode(op)).subarray(HEADER_BYTES), offset, lastOffset)
    offset = lastOffset
  }
  return fsm
}

/** Records as `PlainFsm` understands it; `take` answers what has been recorded since, joined. */
export class PlainRecorder {
  readonly fsm = new PlainFsm()
  private pieces: Uint8Array[] = []
  private offset = 0

  create(path: string): number {
    const fnode = this.fsm.nextSeqNo
    this.record({ create: { path } })
    return fnode
  }

  write(fnode: number, offset: number, data: Uint8Array): void {
    this.record({ write: { fnode, offset, length: data.length } }, data)
  }

  take(): Buffer {
    const taken = Buffer.concat(this.pieces)
    this.pieces = []
    return taken
  }

  private record(body: Pick<PlainOp, 'create' | 'write'>, data?: Uint8Array): void {
    const { nextSeqNo: seqNo, nextChecksum } = this.fsm
    const op: PlainOp = { seqNo, checksum: nextChecksum >>> 0, author: AUTHOR, ...body }
    const [header, message] = encode(op)
    const begin = this.offset
    this.offset += HEADER_BYTES + message.length + (data?.length ?? 0)
    this.fsm.apply(op, message, begin, this.offset)
    this.pieces.push(header, message)
    if (data !== undefined) this.pieces.push(data)
  }
}

function number(value: Int64): number {
  return typeof value === 'number' ? value : value.toNumber()
}
