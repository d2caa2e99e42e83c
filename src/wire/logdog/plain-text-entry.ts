import { EntryTag, LineTag, TextTag, TimeTag } from './log-entry-tags.ts'

/**
 * Looks whether an entry is exactly what we and Go write for a text entry of one line, without making anything of it: what
 * nearly all entries are, and all that a collector has to know of them.
 */

const LINE_FEED = 10
const INT32_MAX = 0x7fff_ffff

/** Behind the field that was read last; -1 when it was not as it is written. */
let behind = 0

/** The stream index of such an entry; -1 for every other one, valid or not. */
export function plainTextStreamIndex(bytes: Uint8Array): number {
  const end = bytes.length
  behind = 0
  if (bytes[0] === EntryTag.timeOffset) skipTime(bytes)
  field(bytes, EntryTag.prefixIndex)
  const streamIndex = field(bytes, EntryTag.streamIndex)
  field(bytes, EntryTag.sequence)
  if (behind < 0 || lengthOf(bytes, EntryTag.text) + behind !== end) return -1
  if (lengthOf(bytes, TextTag.line) + behind !== end) return -1
  if (bytes[behind] === LineTag.value && behind < end) {
    const length = lengthOf(bytes, LineTag.value)
    if (length < 1) return -1
    behind += length
  }
  if (behind === end) return streamIndex
  const isLineFeed =
    behind + 3 === end &&
    bytes[behind] === LineTag.delimiter &&
    bytes[behind + 1] === 1 &&
    bytes[behind + 2] === LINE_FEED
  return isLineFeed ? streamIndex : -1
}

/** Goes behind the time offset, which is at the beginning. */
function skipTime(bytes: Uint8Array): void {
  const end = 2 + (bytes[1] as number)
  behind = 2
  // Behind the end the tag of nanos is that of the prefix index.
  if (behind < end) field(bytes, TimeTag.seconds)
  const nanos = behind < end ? field(bytes, TimeTag.nanos) : 0
  if (behind !== end || nanos > INT32_MAX) behind = -1
}

/** The number of the next field if it is the one of `tag`; else 0, which is not written. At most 5 bytes are taken. */
function field(bytes: Uint8Array, tag: number): number {
  if (behind < 0 || bytes[behind] !== tag) return 0
  behind++
  const value = number(bytes)
  if (value === 0) behind = -1
  return value
}

/** The length in the next field, which must be the one of `tag`; -1 when it is not. */
function lengthOf(bytes: Uint8Array, tag: number): number {
  if (bytes[behind] !== tag) return -1
  behind++
  const length = number(bytes)
  return behind < 0 ? -1 : length
}

/** A varint of as few bytes as it needs, at most 5. */
function number(bytes: Uint8Array): number {
  let at = behind
  let byte = bytes[at++] as number
  let value = byte & 0x7f
  for (let scale = 0x80; byte >= 0x80 && scale <= 0x1000_0000; scale *= 0x80) {
    byte = bytes[at++] as number
    value += (byte & 0x7f) * scale
  }
  const isMinimal = byte < 0x80 && (byte > 0 || at === behind + 1)
  behind = isMinimal ? at : -1
  return isMinimal ? value : -1
}
