import { varintLength, writeVarint } from '../protobuf.ts'
import { utf8Length, writeUtf8 } from '../utf8.ts'
import { MessageReader } from './message-reader.ts'
import { decodeTime, timeBytes, writeTime } from './time.ts'
import type { Time } from './time.ts'

/**
 * `LogEntry` (log-archive spec, section 3), by hand: an archive is millions of them. What Go's code does not know it
 * keeps, at each level, and writes it last; so does this.
 */

/** Bytes of fields that are not known, whole with their tags, in the order in which they came. */
export interface WithUnknown {
  unknown?: Uint8Array | undefined
}

/** One line of text, or a part of one. */
export interface TextLine extends WithUnknown {
  /** Any bytes, in whatever encoding. */
  value: Uint8Array
  /** What ended the line: mostly a line feed; empty when the line goes on in the next entry. */
  delimiter: string
}

export interface TextContent extends WithUnknown {
  readonly kind: 'text'
  lines: TextLine[]
}

export interface BinaryContent extends WithUnknown {
  readonly kind: 'binary'
  data: Uint8Array
}

/** Which part of a datagram an entry holds. */
export interface DatagramPart extends WithUnknown {
  /** From 0, a uint32. */
  index: number
  /** Of the whole datagram, in bytes. */
  size: number
  last: boolean
}

export interface DatagramContent extends WithUnknown {
  readonly kind: 'datagram'
  data: Uint8Array
  /** Absent: the datagram is whole. */
  partial?: DatagramPart | undefined
}

export type LogContent = TextContent | BinaryContent | DatagramContent

/**
 * One entry of a stream. Indexes are safe integers from 0. Decoded entries hold views of the bytes that they were
 * decoded from.
 */
export interface LogEntry extends WithUnknown {
  /** Since the stream's timestamp. Absent and zero are different on the wire. */
  timeOffset?: Time | undefined
  prefixIndex: number
  streamIndex: number
  /** Of the first line, byte or datagram in it. */
  sequence: number
  content?: LogContent | undefined
}

const Tag = {
  timeOffset: 10,
  prefixIndex: 16,
  streamIndex: 24,
  sequence: 32,
  text: 82,
  binary: 90,
  datagram: 98,
} as const
const TextTag = { line: 10 } as const
const LineTag = { value: 10, delimiter: 18 } as const
const BinaryTag = { data: 18 } as const
const DatagramTag = { data: 10, partial: 18 } as const
const PartialTag = { index: 8, size: 16, last: 24 } as const

const NO_BYTES = new Uint8Array(0)

/**
 * Decodes the `LogEntry` in `bytes[begin, end)`.
 *
 * @throws RecoveryLogError `CORRUPT` with the place
 */
export function decodeLogEntry(bytes: Uint8Array, begin = 0, end = bytes.length): LogEntry {
  const reader = new MessageReader('LogEntry', bytes, begin, end)
  const entry: LogEntry = {
    timeOffset: undefined,
    prefixIndex: 0,
    streamIndex: 0,
    sequence: 0,
    content: undefined,
    unknown: undefined,
  }
  while (reader.at < end) {
    const fieldBegin = reader.at
    const tag = reader.tag()
    if (tag === Tag.timeOffset) entry.timeOffset = decodeTime(reader, entry.timeOffset)
    else if (tag === Tag.prefixIndex) entry.prefixIndex = reader.uint64()
    else if (tag === Tag.streamIndex) entry.streamIndex = reader.uint64()
    else if (tag === Tag.sequence) entry.sequence = reader.uint64()
    else if (tag === Tag.text) entry.content = decodeText(reader, entry.content)
    else if (tag === Tag.binary) entry.content = decodeBinary(reader, entry.content)
    else if (tag === Tag.datagram) entry.content = decodeDatagram(reader, entry.content)
    else entry.unknown = reader.keepUnknown(tag, fieldBegin, entry.unknown)
  }
  return entry
}

/**
 * The stream index of the `LogEntry` in `bytes[begin, end)`, without a look into its content.
 *
 * @throws RecoveryLogError `CORRUPT` with the place
 */
export function peekStreamIndex(bytes: Uint8Array, begin: number, end: number): number {
  const reader = new MessageReader('LogEntry', bytes, begin, end)
  let streamIndex = 0
  while (reader.at < end) {
    const tag = reader.tag()
    if (tag === Tag.streamIndex) streamIndex = reader.uint64()
    else reader.skip(tag)
  }
  return streamIndex
}

/** A message that is given more than once is merged, and of a oneof the last member holds: hence `before`. */
function decodeText(reader: MessageReader, before: LogContent | undefined): TextContent {
  const text: TextContent = before?.kind === 'text' ? before : { kind: 'text', lines: [], unknown: undefined }
  const outer = enter(reader)
  while (reader.at < reader.end) {
    const begin = reader.at
    const tag = reader.tag()
    if (tag === TextTag.line) text.lines.push(decodeLine(reader))
    else text.unknown = reader.keepUnknown(tag, begin, text.unknown)
  }
  reader.end = outer
  return text
}

function decodeLine(reader: MessageReader): TextLine {
  const line: TextLine = { value: NO_BYTES, delimiter: '', unknown: undefined }
  const outer = enter(reader)
  while (reader.at < reader.end) {
    const begin = reader.at
    const tag = reader.tag()
    if (tag === LineTag.value) line.value = reader.view()
    else if (tag === LineTag.delimiter) line.delimiter = reader.text()
    else line.unknown = reader.keepUnknown(tag, begin, line.unknown)
  }
  reader.end = outer
  return line
}

function decodeBinary(reader: MessageReader, before: LogContent | undefined): BinaryContent {
  const binary: BinaryContent =
    before?.kind === 'binary' ? before : { kind: 'binary', data: NO_BYTES, unknown: undefined }
  const outer = enter(reader)
  while (reader.at < reader.end) {
    const begin = reader.at
    const tag = reader.tag()
    if (tag === BinaryTag.data) binary.data = reader.view()
    else binary.unknown = reader.keepUnknown(tag, begin, binary.unknown)
  }
  reader.end = outer
  return binary
}

function decodeDatagram(reader: MessageReader, before: LogContent | undefined): DatagramContent {
  const datagram: DatagramContent =
    before?.kind === 'datagram'
      ? before
      : { kind: 'datagram', data: NO_BYTES, partial: undefined, unknown: undefined }
  const outer = enter(reader)
  while (reader.at < reader.end) {
    const begin = reader.at
    const tag = reader.tag()
    if (tag === DatagramTag.data) datagram.data = reader.view()
    else if (tag === DatagramTag.partial) datagram.partial = decodePartial(reader, datagram.partial)
    else datagram.unknown = reader.keepUnknown(tag, begin, datagram.unknown)
  }
  reader.end = outer
  return datagram
}

function decodePartial(reader: MessageReader, before: DatagramPart | undefined): DatagramPart {
  const partial: DatagramPart = before ?? { index: 0, size: 0, last: false, unknown: undefined }
  const outer = enter(reader)
  while (reader.at < reader.end) {
    const begin = reader.at
    const tag = reader.tag()
    if (tag === PartialTag.index) partial.index = reader.uint32()
    else if (tag === PartialTag.size) partial.size = reader.uint64()
    else if (tag === PartialTag.last) partial.last = reader.bool()
    else partial.unknown = reader.keepUnknown(tag, begin, partial.unknown)
  }
  reader.end = outer
  return partial
}

/** Goes into the message that begins here. Answers where the outer one ends, to be set again. */
function enter(reader: MessageReader): number {
  const outer = reader.end
  reader.end = reader.delimited()
  return outer
}

/**
 * How many bytes `entry` has when encoded.
 *
 * @throws RangeError for an index that is no safe integer from 0
 * @throws RecoveryLogError `ENTRY_INVALID` for a delimiter with half a surrogate pair
 */
export function logEntryBytes(entry: LogEntry): number {
  let bytes = entry.unknown === undefined ? 0 : entry.unknown.length
  if (entry.timeOffset !== undefined) bytes += nestedBytes(timeBytes(entry.timeOffset))
  bytes += numberBytes(entry.prefixIndex) + numberBytes(entry.streamIndex) + numberBytes(entry.sequence)
  if (entry.content !== undefined) bytes += nestedBytes(contentBytes(entry.content))
  return bytes
}

/**
 * Writes `entry` into `target` at `position` and answers where it ends. There must be room: `logEntryBytes` tells how
 * much. Fields go in the order of their numbers, as Go writes them.
 */
export function writeLogEntry(entry: LogEntry, target: Uint8Array, position: number): number {
  let at = position
  const { timeOffset, content } = entry
  if (timeOffset !== undefined) {
    target[at++] = Tag.timeOffset
    at = writeVarint(target, at, timeBytes(timeOffset))
    at = writeTime(timeOffset, target, at)
  }
  at = writeNumber(target, at, Tag.prefixIndex, entry.prefixIndex)
  at = writeNumber(target, at, Tag.streamIndex, entry.streamIndex)
  at = writeNumber(target, at, Tag.sequence, entry.sequence)
  if (content !== undefined) at = writeContent(content, target, at)
  return writeUnknown(target, at, entry.unknown)
}

/** `entry` in bytes of its own. */
export function encodeLogEntry(entry: LogEntry): Uint8Array {
  const bytes = new Uint8Array(logEntryBytes(entry))
  writeLogEntry(entry, bytes, 0)
  return bytes
}

function contentBytes(content: LogContent): number {
  let bytes = content.unknown === undefined ? 0 : content.unknown.length
  if (content.kind === 'text') {
    for (const line of content.lines) bytes += nestedBytes(lineBytes(line))
    return bytes
  }
  if (content.data.length > 0) bytes += nestedBytes(content.data.length)
  if (content.kind === 'datagram' && content.partial !== undefined) {
    bytes += nestedBytes(partialBytes(content.partial))
  }
  return bytes
}

function lineBytes(line: TextLine): number {
  let bytes = line.unknown === undefined ? 0 : line.unknown.length
  if (line.value.length > 0) bytes += nestedBytes(line.value.length)
  if (line.delimiter.length > 0) bytes += nestedBytes(delimiterBytes(line.delimiter))
  return bytes
}

function delimiterBytes(delimiter: string): number {
  return delimiter === '\n' ? 1 : utf8Length(delimiter, 'ENTRY_INVALID')
}

function partialBytes(partial: DatagramPart): number {
  if (partial.index > 0xffff_ffff) {
    throw new RangeError(`expected a uint32 for the index of a part, got ${partial.index}`)
  }
  const unknownBytes = partial.unknown === undefined ? 0 : partial.unknown.length
  return numberBytes(partial.index) + numberBytes(partial.size) + (partial.last ? 2 : 0) + unknownBytes
}

function writeContent(content: LogContent, target: Uint8Array, position: number): number {
  let at = position
  target[at++] = content.kind === 'text' ? Tag.text : content.kind === 'binary' ? Tag.binary : Tag.datagram
  at = writeVarint(target, at, contentBytes(content))
  if (content.kind === 'text') {
    for (const line of content.lines) at = writeLine(line, target, at)
  } else if (content.kind === 'binary') {
    at = writeBytes(target, at, BinaryTag.data, content.data)
  } else {
    at = writeBytes(target, at, DatagramTag.data, content.data)
    if (content.partial !== undefined) at = writePartial(content.partial, target, at)
  }
  return writeUnknown(target, at, content.unknown)
}

function writeLine(line: TextLine, target: Uint8Array, position: number): number {
  let at = position
  target[at++] = TextTag.line
  at = writeVarint(target, at, lineBytes(line))
  at = writeBytes(target, at, LineTag.value, line.value)
  const { delimiter } = line
  if (delimiter.length > 0) {
    target[at++] = LineTag.delimiter
    at = writeVarint(target, at, delimiterBytes(delimiter))
    at = writeUtf8(target, at, delimiter)
  }
  return writeUnknown(target, at, line.unknown)
}

function writePartial(partial: DatagramPart, target: Uint8Array, position: number): number {
  let at = position
  target[at++] = DatagramTag.partial
  at = writeVarint(target, at, partialBytes(partial))
  at = writeNumber(target, at, PartialTag.index, partial.index)
  at = writeNumber(target, at, PartialTag.size, partial.size)
  if (partial.last) {
    target[at++] = PartialTag.last
    target[at++] = 1
  }
  return writeUnknown(target, at, partial.unknown)
}

/** A field of a one-byte tag with a number: nothing when it is 0. */
function numberBytes(value: number): number {
  return value === 0 ? 0 : 1 + lengthOf(value)
}

/** A field of a one-byte tag with `length` bytes in it. */
function nestedBytes(length: number): number {
  return 1 + lengthOf(length) + length
}

function lengthOf(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : varintLength(value)
}

function writeNumber(target: Uint8Array, at: number, tag: number, value: number): number {
  if (value === 0) return at
  target[at] = tag
  return writeVarint(target, at + 1, value)
}

function writeBytes(target: Uint8Array, at: number, tag: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return at
  target[at] = tag
  const begin = writeVarint(target, at + 1, bytes.length)
  target.set(bytes, begin)
  return begin + bytes.length
}

function writeUnknown(target: Uint8Array, at: number, unknown: Uint8Array | undefined): number {
  if (unknown === undefined) return at
  target.set(unknown, at)
  return at + unknown.length
}
