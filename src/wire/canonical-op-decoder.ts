/**
 * The one way in which Go and this package write a `RecordedOp` (recovery-log spec, section 2): fields in ascending
 * order, each at most once. The numbers of a write, and all but the path of the others, are read in one pass without an
 * allocation or a call that is not inlined. V8 inlines only so much code into one function, so what is read most often is
 * kept short: with a longer `varint`, of which fewer were inlined, decoding alone took 37 ns an operation instead of 31,
 * where protobufjs takes 480.
 */

import { viewOf } from './byte-view.ts'
import type { OpKind, RecordedOp } from './recorded-op.ts'
import { setPath } from './path-hash.ts'

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
/** Checksum, author, and the tag and length of what the operation does. */
const AFTER_SEQ_NO_BYTES_MIN = 2 * FIXED32_BYTES + 2

/** Where the varint ends that `varint` read last. A variable of the module: a pair would be an object for each. */
let next = 0

/**
 * Decodes an operation on a file as Go writes it, with number, checksum and author. Answers false for everything else,
 * errors, properties and the first operation of a history too, which are rare: then `op` is worth nothing, and the
 * complete decoder has the word.
 */
export function decodeCanonicalOp(bytes: Uint8Array, begin: number, end: number, op: RecordedOp): boolean {
  const view = viewOf(bytes)
  if (bytes[begin] !== SEQ_NO) return false
  const seqNo = varint(bytes, begin + 1)
  let at = next
  if (at + AFTER_SEQ_NO_BYTES_MIN > end || bytes[at] !== CHECKSUM || bytes[at + 5] !== AUTHOR) return false
  op.seqNo = seqNo
  op.checksum = view.getInt32(at + 1, true)
  op.author = view.getInt32(at + 6, true)
  const tag = bytes[at + 10] as number
  const bodyBytes = shortVarint(bytes, at + 11)
  at = next
  const bodyEnd = at + bodyBytes
  let fnode = 0
  if (tag !== CREATE) {
    if (bytes[at] !== FIRST_INT64) return false
    fnode = varint(bytes, at + 1)
    at = next
  }
  let offset = 0
  let length = 0
  if (tag === WRITE) {
    op.pathBegin = op.pathEnd = op.pathHash = 0
    if (at < bodyEnd && bytes[at] === SECOND_INT64) {
      offset = varint(bytes, at + 1)
      at = next
    }
    if (at < bodyEnd && bytes[at] === THIRD_INT64) {
      length = shortVarint(bytes, at + 1)
      at = next
    }
  } else {
    if (tag !== CREATE && tag !== UNLINK && tag !== LINK) return false
    if (bytes[at] !== (tag === CREATE ? FIRST_STRING : SECOND_STRING)) return false
    const pathBytes = shortVarint(bytes, at + 1)
    const pathBegin = next
    at = pathBegin + pathBytes
    if (pathBytes < 0 || at > end || !setPath(op, bytes, pathBegin, at)) return false
  }
  op.kind = (tag >>> 3) as OpKind
  op.fnode = fnode
  op.offset = offset
  op.length = length
  if (op.bytes !== bytes) op.bytes = bytes
  op.contentBegin = 0
  op.contentEnd = 0
  op.hasContentChecksum = bodyEnd !== end
  op.contentChecksum = 0
  // What does not fill its message ends elsewhere; a number that is refused ends nowhere.
  if (at !== bodyEnd || seqNo < 0 || fnode < 0 || offset < 0 || length < 0) return false
  return bodyEnd === end || readContentChecksum(view, bytes, bodyEnd, end, op)
}

/** Field 12 (section 9), where it is the last one. */
function readContentChecksum(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  end: number,
  op: RecordedOp,
): boolean {
  if (at + FIXED32_BYTES !== end || bytes[at] !== CONTENT_CHECKSUM) return false
  op.contentChecksum = view.getInt32(at + 1, true)
  return true
}

/** A varint that is mostly one byte. Less of it than of `varint` is inlined. */
function shortVarint(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] as number
  if (byte >= 0x80) return varint(bytes, at)
  next = at + 1
  return byte
}

/**
 * A varint of up to eight bytes and below 2^53, else -1. It may be read past the end of the message: whoever asks then
 * finds himself past it.
 */
function varint(bytes: Uint8Array, at: number): number {
  const byte0 = bytes[at] as number
  next = at + 1
  if (byte0 < 0x80) return byte0
  const byte1 = bytes[at + 1] as number
  const two = (byte0 ^ 0x80) | (byte1 << 7)
  next = at + 2
  if (byte1 < 0x80) return two
  const byte2 = bytes[at + 2] as number
  const three = (two ^ 0x4000) | (byte2 << 14)
  next = at + 3
  return byte2 < 0x80 ? three : longVarint(bytes, at + 3, three ^ 0x20_0000)
}

/** Goes on with the fourth byte. */
function longVarint(bytes: Uint8Array, begin: number, low: number): number {
  let value = low
  let scale = 0x20_0000
  for (let at = begin; at < begin + 5; at++) {
    const byte = bytes[at] as number
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      next = at + 1
      return value <= Number.MAX_SAFE_INTEGER ? value : -1
    }
    scale *= 0x80
  }
  next = begin + 5
  return -1
}
