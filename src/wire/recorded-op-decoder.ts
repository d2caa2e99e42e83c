/**
 * Reads `RecordedOp` messages (recovery-log spec, section 2) into a reused object, allocating nothing. What Go writes
 * is read in one pass over its only order; anything else that protobuf allows takes the complete way.
 */

import type { RecoveryLogError } from '../errors/index.ts'
import { decodeCanonicalOp } from './canonical-op-decoder.ts'
import { ProtobufReader, WireType } from './protobuf.ts'
import { OpKind } from './recorded-op.ts'
import type { RecordedOp } from './recorded-op.ts'
import { setPath } from './path-hash.ts'
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
  if (!decodeCanonicalOp(bytes, begin, end, op)) decodeAny(bytes, begin, end, op)
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

function clearKind(op: RecordedOp, bytes: Uint8Array): void {
  op.kind = OpKind.none
  op.fnode = 0
  op.offset = 0
  op.length = 0
  op.bytes = bytes
  op.pathBegin = 0
  op.pathEnd = 0
  op.pathHash = 0
  op.contentBegin = 0
  op.contentEnd = 0
  op.contentChecksum = 0
  op.hasContentChecksum = false
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
    readContent(reader, op)
  } else {
    reader.skip()
  }
}

function readPath(reader: ProtobufReader, name: string, op: RecordedOp): void {
  const end = reader.delimited(name)
  if (!setPath(op, reader.bytes, reader.at, end)) throw notUtf8(reader, name, end)
  reader.at = end
}

function readContent(reader: ProtobufReader, op: RecordedOp): void {
  const name = 'property.content'
  const end = reader.delimited(name)
  if (!isUtf8(reader.bytes, reader.at, end)) throw notUtf8(reader, name, end)
  op.contentBegin = reader.at
  op.contentEnd = reader.at = end
}

function notUtf8(reader: ProtobufReader, name: string, end: number): RecoveryLogError {
  return reader.invalid(`${name} is not valid UTF-8`, reader.at, reader.bytes.slice(reader.at, end))
}
