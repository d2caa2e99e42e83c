/**
 * The one way in which Go and this package write a `RecordedOp` (recovery-log spec, section 2): fields in ascending
 * order, each at most once. The numbers of a write, and all but the path of the others, are read in one pass without an
 * allocation or a call that is not inlined. Measured on the bytes of a log with decoding alone: 27 ns an operation, where
 * a function for each kind took 45, and protobufjs takes 480.
 */

import { viewOf } from './byte-view.ts'
import { OpKind } from './recorded-op.ts'
import type { RecordedOp } from './recorded-op.ts'
import { isUtf8 } from './utf8.ts'

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

/** A field of four bytes with its tag. */
const FIXED32_BYTES = 5

/** Where the varint ends that `varint` read last. A variable of the module: a pair would be an object for each. */
let next = 0

/**
 * Decodes what is written in ascending order, each field once. Answers false for everything else, errors and properties
 * too, which are rare: then `op` is worth nothing, and the complete decoder has the word.
 */
export function decodeCanonicalOp(bytes: Uint8Array, begin: number, end: number, op: RecordedOp): boolean {
  const view = viewOf(bytes)
  let at = begin
  let seqNo = 0
  if (at < end && bytes[at] === SEQ_NO) {
    seqNo = varint(bytes, at + 1)
    at = next
  }
  let checksum = 0
  if (at + FIXED32_BYTES <= end && bytes[at] === CHECKSUM) {
    checksum = view.getInt32(at + 1, true)
    at += FIXED32_BYTES
  }
  let author = 0
  if (at + FIXED32_BYTES <= end && bytes[at] === AUTHOR) {
    author = view.getInt32(at + 1, true)
    at += FIXED32_BYTES
  }
  let kind: OpKind = OpKind.none
  let fnode = 0
  let offset = 0
  let length = 0
  let pathBegin = 0
  let pathEnd = 0
  if (at < end && bytes[at] !== CONTENT_CHECKSUM) {
    kind = kindOf(bytes[at] as number)
    const bodyBytes = varint(bytes, at + 1)
    at = next
    const bodyEnd = at + bodyBytes
    if (kind === OpKind.none || bodyBytes < 0 || bodyEnd > end) return false
    if (kind !== OpKind.create && at < bodyEnd && bytes[at] === FIRST_INT64) {
      fnode = varint(bytes, at + 1)
      at = next
    }
    if (kind === OpKind.write) {
      if (at < bodyEnd && bytes[at] === SECOND_INT64) {
        offset = varint(bytes, at + 1)
        at = next
      }
      if (at < bodyEnd && bytes[at] === THIRD_INT64) {
        length = varint(bytes, at + 1)
        at = next
      }
    } else if (at < bodyEnd) {
      if (bytes[at] !== (kind === OpKind.create ? FIRST_STRING : SECOND_STRING)) return false
      const pathBytes = varint(bytes, at + 1)
      pathBegin = next
      pathEnd = bodyEnd
      at = next + pathBytes
      if (!isUtf8(bytes, pathBegin, pathEnd)) return false
    }
    // A path that does not fill its message ends elsewhere; a number that is refused ends nowhere.
    if (at !== bodyEnd || seqNo < 0 || fnode < 0 || offset < 0 || length < 0) return false
  }
  op.hasContentChecksum = at + FIXED32_BYTES === end && bytes[at] === CONTENT_CHECKSUM
  op.contentChecksum = op.hasContentChecksum ? view.getInt32(at + 1, true) : 0
  op.seqNo = seqNo
  op.checksum = checksum
  op.author = author
  op.kind = kind
  op.fnode = fnode
  op.offset = offset
  op.length = length
  if (op.bytes !== bytes) op.bytes = bytes
  op.pathBegin = pathBegin
  op.pathEnd = pathEnd
  op.contentBegin = 0
  op.contentEnd = 0
  return (op.hasContentChecksum || at === end) && seqNo >= 0
}

/** The kind whose message has that tag; none for a property. */
function kindOf(tag: number): OpKind {
  if (tag === WRITE) return OpKind.write
  if (tag === CREATE) return OpKind.create
  if (tag === UNLINK) return OpKind.unlink
  return tag === LINK ? OpKind.link : OpKind.none
}

/**
 * A varint of up to eight bytes and below 2^53, else -1. It may be read past the end of the message: whoever asks then
 * finds himself past it.
 */
function varint(bytes: Uint8Array, at: number): number {
  const byte0 = bytes[at] as number
  if (byte0 < 0x80) {
    next = at + 1
    return byte0
  }
  const byte1 = bytes[at + 1] as number
  if (byte1 < 0x80) {
    next = at + 2
    return (byte0 & 0x7f) | (byte1 << 7)
  }
  const byte2 = bytes[at + 2] as number
  if (byte2 < 0x80) {
    next = at + 3
    return (byte0 & 0x7f) | ((byte1 & 0x7f) << 7) | (byte2 << 14)
  }
  const byte3 = bytes[at + 3] as number
  const low = (byte0 & 0x7f) | ((byte1 & 0x7f) << 7) | ((byte2 & 0x7f) << 14) | ((byte3 & 0x7f) << 21)
  if (byte3 < 0x80) {
    next = at + 4
    return low
  }
  return longVarint(bytes, at + 4, low)
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
  next = begin + 4
  return -1
}
