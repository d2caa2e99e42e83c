/**
 * Writes operations as frames (recovery-log spec, section 2), byte for byte as Go does: straight into a buffer that the
 * caller has made room in, numbers in, nothing allocated. Each function writes its frame at `at`, returns where it ends, and
 * throws RangeError when `out` ends before, or when a number is not a safe integer of at least 0. `checksum` and
 * `author` may be int32 or uint32. The message, which the chain digests, is `out[at + FRAME_HEADER_BYTES, end)`.
 */

import { RecoveryLogError } from '../errors/index.ts'
import type { ErrorCode } from '../errors/index.ts'
import { viewOf } from './byte-view.ts'
import { FRAME_HEADER_BYTES, writeFrameHeader } from './frame.ts'
import { varintLength, writeFixed32, writeVarint } from './protobuf.ts'
import { OpKind } from './recorded-op.ts'
import { utf8Length, writeUtf8 } from './utf8.ts'

/** The most bytes of a varint below 2^53, of a fixed32 and of a length, each with its tag. */
const INT64_BYTES = 1 + 8
const FIXED32_BYTES = 1 + 4
const LENGTH_BYTES = 1 + 5
const STAMP_BYTES = FRAME_HEADER_BYTES + INT64_BYTES + 2 * FIXED32_BYTES

/** No frame of a no-op is longer. */
export const NOOP_FRAME_BYTES_MAX = STAMP_BYTES
/** No frame of a write is longer; its content is not counted. */
export const WRITE_FRAME_BYTES_MAX = STAMP_BYTES + LENGTH_BYTES + 3 * INT64_BYTES + FIXED32_BYTES

/** No frame of a create, link or unlink with a path of that many UTF-16 units (`path.length`) is longer. */
export function pathFrameBytesMax(pathLength: number): number {
  return STAMP_BYTES + LENGTH_BYTES + INT64_BYTES + LENGTH_BYTES + 3 * pathLength
}

/** No frame of a property with a path and a content of that many UTF-16 units is longer. */
export function propertyFrameBytesMax(pathLength: number, contentLength: number): number {
  return STAMP_BYTES + 3 * LENGTH_BYTES + 3 * (pathLength + contentLength)
}

/** The greatest number whose varint has four bytes. */
const SMALL_MAX = 0xfff_ffff

/** Below this many units a path that is ASCII, with everything around it, has lengths of one byte. */
const SHORT_PATH = 110

/** An operation that changes nothing but the sequence. */
export function encodeNoop(
  out: Uint8Array,
  at: number,
  seqNo: number,
  checksum: number,
  author: number,
): number {
  return finish(out, at, writeStamp(out, at, seqNo, checksum, author))
}

/** Throws `PATH_REFUSED` for a path with half a surrogate pair, as do links and unlinks. */
export function encodeCreate(
  out: Uint8Array,
  at: number,
  seqNo: number,
  checksum: number,
  author: number,
  path: string,
): number {
  const body = writeStamp(out, at, seqNo, checksum, author)
  return finish(out, at, writePathBody(out, body, OpKind.create, 0, path))
}

export function encodeLink(
  out: Uint8Array,
  at: number,
  seqNo: number,
  checksum: number,
  author: number,
  fnode: number,
  path: string,
): number {
  const body = writeStamp(out, at, seqNo, checksum, author)
  return finish(out, at, writePathBody(out, body, OpKind.link, fnode, path))
}

export function encodeUnlink(
  out: Uint8Array,
  at: number,
  seqNo: number,
  checksum: number,
  author: number,
  fnode: number,
  path: string,
): number {
  const body = writeStamp(out, at, seqNo, checksum, author)
  return finish(out, at, writePathBody(out, body, OpKind.unlink, fnode, path))
}

/**
 * A write, whose content is for the caller to put behind the frame. With `contentChecksum` (section 9) its crc32c goes
 * along, zero too: a field left out means that nothing is checked.
 */
export function encodeWrite(
  out: Uint8Array,
  at: number,
  seqNo: number,
  checksum: number,
  author: number,
  fnode: number,
  offset: number,
  length: number,
  contentChecksum?: number,
): number {
  if (
    !isSmall(seqNo) ||
    !isSmall(fnode) ||
    !isSmall(length) ||
    (offset & SMALL_MAX) !== offset ||
    checksum === 0 ||
    author === 0 ||
    contentChecksum !== undefined ||
    at + WRITE_FRAME_BYTES_MAX > out.length
  ) {
    return encodeAnyWrite(out, at, seqNo, checksum, author, fnode, offset, length, contentChecksum)
  }
  // Nearly every write that is recorded. Spelled out, because beyond a certain size V8 inlines no more calls.
  const view = viewOf(out)
  out[at + FRAME_HEADER_BYTES] = 0x08
  let end = writeSmallVarint(out, at + FRAME_HEADER_BYTES + 1, seqNo)
  out[end] = 0x15
  view.setInt32(end + 1, checksum, true)
  out[end + 5] = 0x1d
  view.setInt32(end + 6, author, true)
  const body = end + 10
  out[body] = (OpKind.write << 3) | 2
  out[body + 2] = 0x08
  end = writeSmallVarint(out, body + 3, fnode)
  if (offset !== 0) {
    out[end] = 0x10
    end = writeSmallVarint(out, end + 1, offset)
  }
  out[end] = 0x18
  end = writeSmallVarint(out, end + 1, length)
  out[body + 1] = end - body - 2
  writeFrameHeader(out, at, end - at - FRAME_HEADER_BYTES)
  return end
}

/** The same for any numbers. */
function encodeAnyWrite(
  out: Uint8Array,
  at: number,
  seqNo: number,
  checksum: number,
  author: number,
  fnode: number,
  offset: number,
  length: number,
  contentChecksum: number | undefined,
): number {
  const body = writeStamp(out, at, seqNo, checksum, author)
  out[body] = (OpKind.write << 3) | 2
  let end = body + 2
  if (fnode !== 0) {
    out[end] = 0x08
    end = writeVarint(out, end + 1, fnode)
  }
  if (offset !== 0) {
    out[end] = 0x10
    end = writeVarint(out, end + 1, offset)
  }
  if (length !== 0) {
    out[end] = 0x18
    end = writeVarint(out, end + 1, length)
  }
  out[body + 1] = end - body - 2 // three varints of eight bytes and their tags: always one byte
  if (contentChecksum !== undefined) {
    out[end] = 0x65
    end = writeFixed32(out, end + 1, contentChecksum)
  }
  return finish(out, at, end)
}

/** Whether a field is there, and its varint has at most four bytes. */
function isSmall(value: number): boolean {
  return (value & SMALL_MAX) === value && value !== 0
}

/** Writes a value up to `SMALL_MAX`. */
function writeSmallVarint(out: Uint8Array, at: number, value: number): number {
  if (value < 0x80) {
    out[at] = value
    return at + 1
  }
  out[at] = value | 0x80
  if (value < 0x4000) {
    out[at + 1] = value >>> 7
    return at + 2
  }
  out[at + 1] = (value >>> 7) | 0x80
  if (value < 0x20_0000) {
    out[at + 2] = value >>> 14
    return at + 3
  }
  out[at + 2] = (value >>> 14) | 0x80
  out[at + 3] = value >>> 21
  return at + 4
}

/** Throws `PATH_REFUSED` or `INVALID` for a path or a content with half a surrogate pair. */
export function encodeProperty(
  out: Uint8Array,
  at: number,
  seqNo: number,
  checksum: number,
  author: number,
  path: string,
  content: string,
): number {
  const pathBytes = textLength(path, 'PATH_REFUSED')
  const contentBytes = textLength(content, 'INVALID')
  const body = writeStamp(out, at, seqNo, checksum, author)
  out[body] = (OpKind.property << 3) | 2
  let end = writeVarint(out, body + 1, stringFieldLength(pathBytes) + stringFieldLength(contentBytes))
  end = writeStringField(out, end, 0x0a, path, pathBytes)
  end = writeStringField(out, end, 0x12, content, contentBytes)
  return finish(out, at, end)
}

/** The fields that every operation begins with. Answers where they end. */
function writeStamp(out: Uint8Array, at: number, seqNo: number, checksum: number, author: number): number {
  let end = at + FRAME_HEADER_BYTES
  if (seqNo !== 0) {
    out[end] = 0x08
    end = writeVarint(out, end + 1, seqNo)
  }
  if (checksum !== 0) {
    out[end] = 0x15
    end = writeFixed32(out, end + 1, checksum)
  }
  if (author !== 0) {
    out[end] = 0x1d
    end = writeFixed32(out, end + 1, author)
  }
  return end
}

/** The length is known last, so the header is written last. */
function finish(out: Uint8Array, at: number, end: number): number {
  if (end > out.length) throw new RangeError(`a frame ends at ${end}, past the buffer's ${out.length} bytes`)
  writeFrameHeader(out, at, end - at - FRAME_HEADER_BYTES)
  return end
}

/** The message of a create (which has no fnode), link or unlink. */
function writePathBody(out: Uint8Array, at: number, kind: OpKind, fnode: number, path: string): number {
  out[at] = (kind << 3) | 2
  const tag = kind === OpKind.create ? 0x0a : 0x12
  const end = path.length < SHORT_PATH ? writeShortAscii(out, at + 1, tag, fnode, path) : 0
  if (end !== 0) return end
  const pathBytes = textLength(path, 'PATH_REFUSED')
  const fnodeBytes = fnode === 0 ? 0 : 1 + varintLength(fnode)
  const body = writeVarint(out, at + 1, fnodeBytes + stringFieldLength(pathBytes))
  return writeStringField(out, writeFnode(out, body, fnode), tag, path, pathBytes)
}

/** Writes and tests the path in one loop. Answers 0 when it is not ASCII: what was written is to be written over. */
function writeShortAscii(out: Uint8Array, at: number, tag: number, fnode: number, path: string): number {
  let end = writeFnode(out, at + 1, fnode)
  const length = path.length
  if (length !== 0) {
    out[end] = tag
    out[end + 1] = length
    end += 2
    let all = 0
    for (let i = 0; i < length; i++) {
      const unit = path.charCodeAt(i)
      all |= unit
      out[end + i] = unit
    }
    if (all >= 0x80) return 0
    end += length
  }
  out[at] = end - at - 1
  return end
}

function writeFnode(out: Uint8Array, at: number, fnode: number): number {
  if (fnode === 0) return at
  out[at] = 0x08
  return writeVarint(out, at + 1, fnode)
}

/** Half a surrogate pair has no UTF-8: what is not well-formed is refused with `code`. */
function textLength(text: string, code: ErrorCode): number {
  const length = utf8Length(text)
  if (!Number.isNaN(length)) return length
  throw new RecoveryLogError(code, 'half a surrogate pair has no UTF-8', { value: text })
}

function stringFieldLength(bytes: number): number {
  return bytes === 0 ? 0 : 1 + varintLength(bytes) + bytes
}

function writeStringField(out: Uint8Array, at: number, tag: number, text: string, bytes: number): number {
  if (bytes === 0) return at
  out[at] = tag
  return writeUtf8(out, writeVarint(out, at + 1, bytes), text)
}
