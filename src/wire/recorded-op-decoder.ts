/**
 * Reads `RecordedOp` messages (recovery-log spec, section 2) into a reused object, allocating nothing. What Go writes
 * is read in one pass over its only order; anything else that protobuf allows takes the complete way.
 */

import { ProtobufReader, WireType } from './protobuf.ts'
import { OpKind } from './recorded-op.ts'
import type { RecordedOp } from './recorded-op.ts'
import { isUtf8 } from './utf8.ts'

/**
 * Decodes the message `bytes[begin, end)` into `op`, replacing all of it but `firstOffset`, `lastOffset` and `log`.
 * `op` borrows `bytes`: its path and content are ranges of them.
 *
 * Throws `CORRUPT`, with the place in the message and the value there, for what is no such message, for more than one
 * of the kinds in it, a number that is negative or not below 2^53, and a path or content that is not UTF-8. `op` is
 * then worth nothing.
 */
export function decodeRecordedOp(bytes: Uint8Array, begin: number, end: number, op: RecordedOp): void {
  if (!decodeCanonical(bytes, begin, end, op)) decodeAny(bytes, begin, end, op)
}

// The tags of the fields, `field << 3 | wire type`.
const SEQ_NO = 0x08
const CHECKSUM = 0x15
const AUTHOR = 0x1d
const CREATE = 0x22
const LINK = 0x2a
const UNLINK = 0x32
const WRITE = 0x3a
const CONTENT_CHECKSUM = 0x65
const FIRST_INT64 = 0x08
const SECOND_INT64 = 0x10
const THIRD_INT64 = 0x18
const FIRST_STRING = 0x0a
const SECOND_STRING = 0x12

/** Where the varint ends that `varint` read last. A variable of the module: a pair would be an object for each. */
let next = 0

/**
 * A varint of up to eight bytes and below 2^53, else -1. It may be read past the end of the message: whoever asks then
 * finds himself past it.
 */
function varint(bytes: Uint8Array, at: number): number {
  let byte = bytes[at] as number
  if (byte < 0x80) {
    next = at + 1
    return byte
  }
  let value = byte & 0x7f
  byte = bytes[at + 1] as number
  value |= (byte & 0x7f) << 7
  if (byte < 0x80) {
    next = at + 2
    return value
  }
  byte = bytes[at + 2] as number
  value |= (byte & 0x7f) << 14
  if (byte < 0x80) {
    next = at + 3
    return value
  }
  byte = bytes[at + 3] as number
  value |= (byte & 0x7f) << 21
  if (byte < 0x80) {
    next = at + 4
    return value
  }
  return longVarint(bytes, at + 4, value)
}

function longVarint(bytes: Uint8Array, begin: number, low: number): number {
  let value = low
  let scale = 0x1000_0000
  for (let at = begin; at < begin + 4; at++) {
    const byte = bytes[at] as number
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      next = at + 1
      return value <= Number.MAX_SAFE_INTEGER ? value : -1
    }
    scale *= 0x80
  }
  return -1
}

function fixed32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

/** Decodes what is written in ascending order, each field once. Answers false for everything else, errors too. */
function decodeCanonical(bytes: Uint8Array, begin: number, end: number, op: RecordedOp): boolean {
  let at = begin
  op.seqNo = 0
  if (at < end && bytes[at] === SEQ_NO) {
    const seqNo = varint(bytes, at + 1)
    if (seqNo < 0) return false
    op.seqNo = seqNo
    at = next
  }
  op.checksum = 0
  if (at + 5 <= end && bytes[at] === CHECKSUM) {
    op.checksum = fixed32(bytes, at + 1)
    at += 5
  }
  op.author = 0
  if (at + 5 <= end && bytes[at] === AUTHOR) {
    op.author = fixed32(bytes, at + 1)
    at += 5
  }
  clearKind(op, bytes)
  if (at < end) {
    const tag = bytes[at] as number
    if (tag !== CONTENT_CHECKSUM) {
      const length = varint(bytes, at + 1)
      const bodyEnd = next + length
      if (length < 0 || bodyEnd > end) return false
      if (!decodeKind(tag, bytes, next, bodyEnd, op)) return false
      at = bodyEnd
    }
    if (at + 5 === end && bytes[at] === CONTENT_CHECKSUM) {
      op.contentChecksum = fixed32(bytes, at + 1)
      op.hasContentChecksum = true
      at = end
    }
  }
  return at === end
}

function clearKind(op: RecordedOp, bytes: Uint8Array): void {
  op.kind = OpKind.none
  op.fnode = 0
  op.offset = 0
  op.length = 0
  op.bytes = bytes
  op.pathBegin = 0
  op.pathEnd = 0
  op.contentBegin = 0
  op.contentEnd = 0
  op.contentChecksum = 0
  op.hasContentChecksum = false
}

function decodeKind(tag: number, bytes: Uint8Array, at: number, end: number, op: RecordedOp): boolean {
  switch (tag) {
    case WRITE:
      op.kind = OpKind.write
      return decodeWrite(bytes, at, end, op)
    case CREATE:
      op.kind = OpKind.create
      return decodePath(FIRST_STRING, bytes, at, end, op)
    case LINK:
    case UNLINK:
      op.kind = tag === LINK ? OpKind.link : OpKind.unlink
      if (at < end && bytes[at] === FIRST_INT64) {
        const fnode = varint(bytes, at + 1)
        if (fnode < 0) return false
        op.fnode = fnode
        at = next
      }
      return decodePath(SECOND_STRING, bytes, at, end, op)
    default:
      return false // properties are rare: the complete way is good enough for them
  }
}

function decodeWrite(bytes: Uint8Array, begin: number, end: number, op: RecordedOp): boolean {
  let at = begin
  if (at < end && bytes[at] === FIRST_INT64) {
    const fnode = varint(bytes, at + 1)
    if (fnode < 0) return false
    op.fnode = fnode
    at = next
  }
  if (at < end && bytes[at] === SECOND_INT64) {
    const offset = varint(bytes, at + 1)
    if (offset < 0) return false
    op.offset = offset
    at = next
  }
  if (at < end && bytes[at] === THIRD_INT64) {
    const length = varint(bytes, at + 1)
    if (length < 0) return false
    op.length = length
    at = next
  }
  return at === end
}

/** A path that is all that is left up to `end`, or no path and nothing left. */
function decodePath(tag: number, bytes: Uint8Array, at: number, end: number, op: RecordedOp): boolean {
  if (at === end) return true
  if (at > end || bytes[at] !== tag) return false
  const length = varint(bytes, at + 1)
  if (length < 0 || next + length !== end) return false
  op.pathBegin = next
  op.pathEnd = end
  return isUtf8(bytes, next, end)
}

/** Decodes whatever protobuf allows, and tells what is wrong with the rest. */
function decodeAny(bytes: Uint8Array, begin: number, end: number, op: RecordedOp): void {
  op.seqNo = 0
  op.checksum = 0
  op.author = 0
  clearKind(op, bytes)
  const reader = new ProtobufReader(bytes, begin, end, 'CORRUPT')
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        op.seqNo = reader.int64('seq_no')
        break
      case 2:
        op.checksum = reader.fixed32('checksum')
        break
      case 3:
        op.author = reader.fixed32('author')
        break
      case OpKind.create:
      case OpKind.link:
      case OpKind.unlink:
      case OpKind.write:
      case OpKind.property:
        readKind(reader, reader.field, op)
        break
      case 9:
        reader.int64('first_offset')
        break
      case 10:
        reader.int64('last_offset')
        break
      case 11:
        reader.at = reader.delimited('log')
        break
      case 12:
        readContentChecksum(reader, op)
        break
      default:
        reader.skip()
    }
  }
}

function readContentChecksum(reader: ProtobufReader, op: RecordedOp): void {
  // Go does not know this field, so it takes it in any shape; one that is no fixed32 checks nothing.
  if (reader.wireType !== WireType.fixed32) {
    reader.skip()
    return
  }
  op.contentChecksum = reader.fixed32('content_checksum')
  op.hasContentChecksum = true
}

/** Repeated messages of one kind are merged field by field; two kinds in one message are refused. */
function readKind(reader: ProtobufReader, kind: OpKind, op: RecordedOp): void {
  if (op.kind !== OpKind.none && op.kind !== kind) {
    throw reader.invalid('a message has more than one of the kinds of operations', reader.at, kind)
  }
  op.kind = kind
  const outer = reader.enter(NAMES[kind])
  while (reader.next()) {
    if (kind === OpKind.write) readWriteField(reader, op)
    else if (kind === OpKind.property) readPropertyField(reader, op)
    else if (kind === OpKind.create) readCreateField(reader, op)
    else readLinkField(reader, kind, op)
  }
  reader.leave(outer)
}

const NAMES = { 0: '', 4: 'create', 5: 'link', 6: 'unlink', 7: 'write', 8: 'property' } as const

function readWriteField(reader: ProtobufReader, op: RecordedOp): void {
  if (reader.field === 1) op.fnode = reader.int64('write.fnode')
  else if (reader.field === 2) op.offset = reader.int64('write.offset')
  else if (reader.field === 3) op.length = reader.int64('write.length')
  else reader.skip()
}

function readCreateField(reader: ProtobufReader, op: RecordedOp): void {
  if (reader.field === 1) readPath(reader, 'create.path', op)
  else reader.skip()
}

function readLinkField(reader: ProtobufReader, kind: OpKind, op: RecordedOp): void {
  if (reader.field === 1) op.fnode = reader.int64(`${NAMES[kind]}.fnode`)
  else if (reader.field === 2) readPath(reader, `${NAMES[kind]}.path`, op)
  else reader.skip()
}

function readPropertyField(reader: ProtobufReader, op: RecordedOp): void {
  if (reader.field === 1) {
    readPath(reader, 'property.path', op)
  } else if (reader.field === 2) {
    op.contentEnd = readUtf8(reader, 'property.content')
    op.contentBegin = reader.at
    reader.at = op.contentEnd
  } else {
    reader.skip()
  }
}

function readPath(reader: ProtobufReader, name: string, op: RecordedOp): void {
  op.pathEnd = readUtf8(reader, name)
  op.pathBegin = reader.at
  reader.at = op.pathEnd
}

/** Answers where the string ends whose beginning the reader is at. */
function readUtf8(reader: ProtobufReader, name: string): number {
  const end = reader.delimited(name)
  if (isUtf8(reader.bytes, reader.at, end)) return end
  throw reader.invalid(`${name} is not valid UTF-8`, reader.at, reader.bytes.slice(reader.at, end))
}
