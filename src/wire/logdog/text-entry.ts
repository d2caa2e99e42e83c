import type { LogEntry, TextContent } from './log-entry.ts'
import { EntryTag, LineTag, TextTag, TimeTag } from './log-entry-tags.ts'
import type { Time } from './time.ts'

/**
 * The entry that nearly all of text streams are made of, read in one go: time offset, indexes and sequence in their order,
 * then one line that ends with a line feed, or not at all. `decodeLogEntry` reads all the others.
 */

const LINE_FEED = 10
const INT32_MAX = 0x7fff_ffff

/** Where the number that was read last ends. */
let behind = 0

/** What was read last, and its memory: to ask an array for that takes as long as half of an entry. */
let read: Uint8Array = new Uint8Array(0)
let buffer = read.buffer

/** Decodes `bytes[begin, end)` if it is such an entry; undefined when it is anything else, or damaged. */
export function decodeTextEntry(bytes: Uint8Array, begin: number, end: number): LogEntry | undefined {
  behind = begin
  const timeOffset = bytes[begin] === EntryTag.timeOffset ? smallTime(bytes, begin + 1) : undefined
  if (timeOffset === null) return undefined
  const prefixIndex = smallField(bytes, behind, EntryTag.prefixIndex)
  const streamIndex = smallField(bytes, behind, EntryTag.streamIndex)
  const sequence = smallField(bytes, behind, EntryTag.sequence)
  if (prefixIndex < 0 || streamIndex < 0 || sequence < 0) return undefined
  // What is within another must end where that ends: so there is nothing else in it, and nothing was read behind the end.
  if (bytes[behind] !== EntryTag.text || smallField(bytes, behind, EntryTag.text) + behind !== end) {
    return undefined
  }
  if (bytes[behind] !== TextTag.line || smallField(bytes, behind, TextTag.line) + behind !== end) {
    return undefined
  }
  const valueBytes = smallField(bytes, behind, LineTag.value)
  const valueBegin = behind
  const valueEnd = valueBegin + valueBytes
  if (valueBytes < 0) return undefined
  let delimiter = ''
  if (valueEnd !== end) {
    if (valueEnd + 3 !== end || bytes[valueEnd] !== LineTag.delimiter) return undefined
    if (bytes[valueEnd + 1] !== 1 || bytes[valueEnd + 2] !== LINE_FEED) return undefined
    delimiter = '\n'
  }
  if (bytes !== read) {
    read = bytes
    buffer = bytes.buffer
  }
  const value = new Uint8Array(buffer, bytes.byteOffset + valueBegin, valueBytes)
  const lines = [{ value, delimiter, unknown: undefined }]
  const content: TextContent = { kind: 'text', lines, unknown: undefined }
  return { timeOffset, prefixIndex, streamIndex, sequence, content, unknown: undefined }
}

/**
 * The stream index of the entry in `bytes[begin, end)` if it is laid out as Go writes them; negative when it is not. Its
 * content is not looked into.
 */
export function peekPlainStreamIndex(bytes: Uint8Array, begin: number, end: number): number {
  behind = begin
  if (bytes[begin] === EntryTag.timeOffset) {
    const length = bytes[begin + 1] as number
    if (length >= 0x80) return -1
    behind = begin + 2 + length
  }
  const prefixIndex = smallField(bytes, behind, EntryTag.prefixIndex)
  const streamIndex = smallField(bytes, behind, EntryTag.streamIndex)
  const sequence = smallField(bytes, behind, EntryTag.sequence)
  const tag = bytes[behind]
  if (tag !== EntryTag.text && tag !== EntryTag.binary && tag !== EntryTag.datagram) return -1
  const contentBytes = smallField(bytes, behind, tag)
  if (prefixIndex < 0 || sequence < 0 || contentBytes < 0 || behind + contentBytes !== end) return -1
  return streamIndex
}

/** A time whose length lies at `at`; null when it is not a plain one. */
function smallTime(bytes: Uint8Array, at: number): Time | null {
  const end = at + 1 + (bytes[at] as number)
  behind = at + 1
  const seconds = behind < end ? smallField(bytes, behind, TimeTag.seconds) : 0
  const nanos = behind < end ? smallField(bytes, behind, TimeTag.nanos) : 0
  if (behind !== end || seconds < 0 || nanos < 0 || nanos > INT32_MAX) return null
  return { seconds, nanos, unknown: undefined }
}

/**
 * The number of the field at `at` if its tag is `tag`, else 0; negative when it has more than five bytes. Its first part
 * is short enough to become a part of its callers.
 */
function smallField(bytes: Uint8Array, at: number, tag: number): number {
  if (bytes[at] !== tag) {
    behind = at
    return 0
  }
  const first = bytes[at + 1] as number
  if (first >= 0x80) return longerNumber(bytes, at + 2, first & 0x7f)
  behind = at + 2
  return first
}

/** A number whose first seven bits are `one`, and whose second byte lies at `at`. */
function longerNumber(bytes: Uint8Array, at: number, one: number): number {
  const second = bytes[at] as number
  const two = one | ((second & 0x7f) << 7)
  if (second < 0x80) {
    behind = at + 1
    return two
  }
  const third = bytes[at + 1] as number
  const three = two | ((third & 0x7f) << 14)
  if (third < 0x80) {
    behind = at + 2
    return three
  }
  const fourth = bytes[at + 2] as number
  const four = three | ((fourth & 0x7f) << 21)
  if (fourth < 0x80) {
    behind = at + 3
    return four
  }
  const fifth = bytes[at + 3] as number
  behind = at + 4
  return fifth < 0x80 ? four + fifth * 0x1000_0000 : -1
}
