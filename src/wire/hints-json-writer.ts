/**
 * Hints as the JSON that Go's `encoding/json` writes (recovery-log spec, section 2): compact, keys in the order of the
 * messages, defaults left out, the three lists always there. Measured first and then written into its place: hints of
 * 200,000 files are 34 MB, and bytes that grow would be copied, and collected, several times.
 */

import { isInt64, isUint32, unwritable } from './writable-hints.ts'
import type { FnodeSegments, FSMHints, Property, Segment } from './hints.ts'
import { utf8Length, writeUtf8 } from './utf8.ts'

/** Writes hints as JSON in UTF-8. Throws `HINTS_INVALID`, with path and value, for what has no bytes. */
export function hintsToJson(hints: FSMHints): Uint8Array {
  const size = hintsSize(hints)
  if (Number.isNaN(size)) throw unwritable(hints)
  const out = new Uint8Array(size)
  let at = writeText(out, 0, '{')
  at = writeString(out, at, LOG, hints.log)
  at = writeList(out, writeText(out, at, LIVE_NODES), hints.liveNodes, writeNode)
  at = writeText(out, at, ',')
  at = writeList(out, writeText(out, at, PROPERTIES), hints.properties, writeProperty)
  writeText(out, at, '}')
  return out
}

const LOG = '"log":'
const LIVE_NODES = '"live_nodes":'
const PROPERTIES = '"properties":'
const FNODE = '"fnode":'
const SEGMENTS = '"segments":'
const AUTHOR = '"author":'
const FIRST_SEQ_NO = '"first_seq_no":'
const FIRST_OFFSET = '"first_offset":'
const FIRST_CHECKSUM = '"first_checksum":'
const LAST_SEQ_NO = '"last_seq_no":'
const LAST_OFFSET = '"last_offset":'
const PATH = '"path":'
const CONTENT = '"content":'

const QUOTE = 0x22
const COMMA = 0x2c
const ZERO = 0x30
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** What Go escapes in a string by its number, and, where that is also named here, by a letter. */
const BY_NUMBER = [...Array(0x20).keys(), 0x3c, 0x3e, 0x26, 0x2028, 0x2029] // < > & and line separators: for HTML
const BY_LETTER = ['\b\\b', '\f\\f', '\n\\n', '\r\\r', '\t\\t', '"\\"', '\\\\\\'] as const
const ESCAPES = new Map(BY_NUMBER.map((unit) => [unit, `\\u${unit.toString(16).padStart(4, '0')}`]))
for (const both of BY_LETTER) ESCAPES.set(both.charCodeAt(0), both.slice(1))

/** Which ASCII characters stand in a string as they are. */
const PLAIN = new Uint8Array(0x80).map((_, unit) => (ESCAPES.has(unit) ? 0 : 1))

/** NaN, as all the sizes that follow, when there is something in it that cannot be written. */
function hintsSize(hints: FSMHints): number {
  const lists = listSize(hints.liveNodes, nodeSize) + 1 + listSize(hints.properties, propertySize)
  return 2 + stringSize(LOG, hints.log) + LIVE_NODES.length + PROPERTIES.length + lists
}

function nodeSize(node: FnodeSegments): number {
  return 2 + int64Size(FNODE, node.fnode) + SEGMENTS.length + listSize(node.segments, segmentSize)
}

function segmentSize(segment: Segment): number {
  return objectSize(
    uint32Size(AUTHOR, segment.author) +
      int64Size(FIRST_SEQ_NO, segment.firstSeqNo) +
      int64Size(FIRST_OFFSET, segment.firstOffset) +
      uint32Size(FIRST_CHECKSUM, segment.firstChecksum) +
      int64Size(LAST_SEQ_NO, segment.lastSeqNo) +
      int64Size(LAST_OFFSET, segment.lastOffset) +
      stringSize(LOG, segment.log),
  )
}

function propertySize(property: Property): number {
  return objectSize(stringSize(PATH, property.path) + stringSize(CONTENT, property.content))
}

/** Each member has a comma behind it; the last one's place is taken by the bracket. */
function listSize<T>(list: readonly T[], size: (member: T) => number): number {
  if (list.length === 0) return 4
  let total = 1
  for (const member of list) total += size(member) + 1
  return total
}

function objectSize(members: number): number {
  return members === 0 ? 2 : members + 1
}

function int64Size(key: string, value: number): number {
  return isInt64(value) ? numberSize(key, value) : NaN
}

function uint32Size(key: string, value: number): number {
  return isUint32(value) ? numberSize(key, value) : NaN
}

function numberSize(key: string, value: number): number {
  return value === 0 ? 0 : key.length + digitsOf(value) + 1
}

function stringSize(key: string, value: string): number {
  if (value === '') return 0
  let size = key.length + 3 + utf8Length(value)
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i)
    const escape = PLAIN[unit] === 1 ? undefined : ESCAPES.get(unit)
    if (escape !== undefined) size += escape.length - (unit < 0x80 ? 1 : 3)
  }
  return size
}

function digitsOf(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return digits
}

// All that follows writes at a place and returns where it ends.

function writeNode(out: Uint8Array, begin: number, node: FnodeSegments): number {
  let at = writeText(out, begin, '{')
  at = writeNumber(out, at, FNODE, node.fnode)
  at = writeList(out, writeText(out, at, SEGMENTS), node.segments, writeSegment)
  return writeText(out, at, '}')
}

function writeSegment(out: Uint8Array, begin: number, segment: Segment): number {
  out[begin] = OPEN_OBJECT
  let at = writeNumber(out, begin + 1, AUTHOR, segment.author)
  at = writeNumber(out, at, FIRST_SEQ_NO, segment.firstSeqNo)
  at = writeNumber(out, at, FIRST_OFFSET, segment.firstOffset)
  at = writeNumber(out, at, FIRST_CHECKSUM, segment.firstChecksum)
  at = writeNumber(out, at, LAST_SEQ_NO, segment.lastSeqNo)
  at = writeNumber(out, at, LAST_OFFSET, segment.lastOffset)
  at = writeString(out, at, LOG, segment.log)
  return closeObject(out, begin, at)
}

function writeProperty(out: Uint8Array, begin: number, property: Property): number {
  out[begin] = OPEN_OBJECT
  let at = writeString(out, begin + 1, PATH, property.path)
  at = writeString(out, at, CONTENT, property.content)
  return closeObject(out, begin, at)
}

type Write<T> = (out: Uint8Array, at: number, member: T) => number

/** A list without members is null: in Go, a slice that was never made. */
function writeList<T>(out: Uint8Array, begin: number, list: readonly T[], write: Write<T>): number {
  if (list.length === 0) return writeText(out, begin, 'null')
  let at = writeText(out, begin, '[')
  for (const member of list) at = writeText(out, write(out, at, member), ',')
  return writeText(out, at - 1, ']')
}

/** Ends an object whose members, if it has any, all wrote a comma behind them. */
function closeObject(out: Uint8Array, begin: number, at: number): number {
  const end = at === begin + 1 ? at + 1 : at
  out[end - 1] = CLOSE_OBJECT
  return end
}

/** Text that is ASCII and needs no escape. */
function writeText(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i)
  return at + text.length
}

/** A member and a comma; nothing for the default. */
function writeNumber(out: Uint8Array, begin: number, key: string, value: number): number {
  if (value === 0) return begin
  const first = writeText(out, begin, key)
  const end = first + digitsOf(value)
  let at = end
  let rest = value
  for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 10)) out[--at] = ZERO + (rest % 10)
  while (at > first) {
    const tenth = (rest / 10) | 0
    out[--at] = ZERO + rest - tenth * 10
    rest = tenth
  }
  out[end] = COMMA
  return end + 1
}

/** A member and a comma; nothing for the default. */
function writeString(out: Uint8Array, begin: number, key: string, value: string): number {
  if (value === '') return begin
  let at = writeText(out, begin, key)
  out[at++] = QUOTE
  for (let i = 0; i < value.length;) {
    const unit = value.charCodeAt(i)
    const escape = PLAIN[unit] === 1 ? undefined : ESCAPES.get(unit)
    if (escape !== undefined) {
      at = writeText(out, at, escape)
      i++
    } else {
      const end = pastUnescaped(value, i)
      at = writeUtf8(out, at, value.slice(i, end))
      i = end
    }
  }
  out[at] = QUOTE
  out[at + 1] = COMMA
  return at + 2
}

/** Where the run of units ends that need no escape: no surrogate does, so a pair is never torn. */
function pastUnescaped(value: string, begin: number): number {
  let end = begin + 1
  while (end < value.length && !ESCAPES.has(value.charCodeAt(end))) end++
  return end
}
