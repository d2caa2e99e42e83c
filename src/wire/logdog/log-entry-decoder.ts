import { BinaryTag, DatagramTag, EntryTag, LineTag, PartialTag, TextTag } from './log-entry-tags.ts'
import type {
  BinaryContent,
  DatagramContent,
  DatagramPart,
  LogContent,
  LogEntry,
  TextContent,
  TextLine,
} from './log-entry.ts'
import { MessageReader } from './message-reader.ts'
import { decodeTextEntry, peekPlainStreamIndex } from './text-entry.ts'
import { decodeTime } from './time.ts'
import type { Time } from './time.ts'

/** Decodes `LogEntry` by hand: an archive is millions of them. */

const NO_BYTES: Uint8Array = new Uint8Array(0)

/** One for all entries: making one for each costs as much as reading a field. */
const shared = new MessageReader('LogEntry', NO_BYTES)

/**
 * Decodes the `LogEntry` in `bytes[begin, end)`.
 *
 * @throws RecoveryLogError `CORRUPT` with the place
 */
export function decodeLogEntry(bytes: Uint8Array, begin = 0, end = bytes.length): LogEntry {
  const text = decodeTextEntry(bytes, begin, end)
  if (text !== undefined) return text
  const reader = shared.reset(bytes, begin, end)
  let timeOffset: Time | undefined
  let prefixIndex = 0
  let streamIndex = 0
  let sequence = 0
  let content: LogContent | undefined
  let unknown: Uint8Array | undefined
  while (reader.at < end) {
    const fieldBegin = reader.at
    const tag = reader.tag()
    if (tag === EntryTag.timeOffset) timeOffset = decodeTime(reader, timeOffset)
    else if (tag === EntryTag.prefixIndex) prefixIndex = reader.uint64()
    else if (tag === EntryTag.streamIndex) streamIndex = reader.uint64()
    else if (tag === EntryTag.sequence) sequence = reader.uint64()
    else if (tag === EntryTag.text) content = decodeText(reader, content)
    else if (tag === EntryTag.binary) content = decodeBinary(reader, content)
    else if (tag === EntryTag.datagram) content = decodeDatagram(reader, content)
    else unknown = reader.keepUnknown(tag, fieldBegin, unknown)
  }
  return { timeOffset, prefixIndex, streamIndex, sequence, content, unknown }
}

/**
 * The stream index of the `LogEntry` in `bytes[begin, end)`, without a look into its content.
 *
 * @throws RecoveryLogError `CORRUPT` with the place
 */
export function peekStreamIndex(bytes: Uint8Array, begin: number, end: number): number {
  const plain = peekPlainStreamIndex(bytes, begin, end)
  if (plain >= 0) return plain
  const reader = shared.reset(bytes, begin, end)
  let streamIndex = 0
  while (reader.at < end) {
    const tag = reader.tag()
    if (tag === EntryTag.streamIndex) streamIndex = reader.uint64()
    else reader.skip(tag)
  }
  return streamIndex
}

/** A message that is given more than once is merged, and of a oneof the last member holds: hence `before`. */
function decodeText(reader: MessageReader, before: LogContent | undefined): TextContent {
  const isMore = before?.kind === 'text'
  let lines = isMore ? before.lines : undefined
  let unknown = isMore ? before.unknown : undefined
  const outer = enter(reader)
  while (reader.at < reader.end) {
    const begin = reader.at
    const tag = reader.tag()
    if (tag !== TextTag.line) unknown = reader.keepUnknown(tag, begin, unknown)
    else if (lines !== undefined) lines.push(decodeLine(reader))
    else lines = [decodeLine(reader)] // an array that begins empty makes room for many, and most entries have one line
  }
  reader.end = outer
  return { kind: 'text', lines: lines ?? [], unknown }
}

function decodeLine(reader: MessageReader): TextLine {
  let value = NO_BYTES
  let delimiter = ''
  let unknown: Uint8Array | undefined
  const outer = enter(reader)
  const { end } = reader
  while (reader.at < end) {
    const begin = reader.at
    const tag = reader.tag()
    if (tag === LineTag.value) value = reader.view()
    else if (tag === LineTag.delimiter) delimiter = reader.text()
    else unknown = reader.keepUnknown(tag, begin, unknown)
  }
  reader.end = outer
  return { value, delimiter, unknown }
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
