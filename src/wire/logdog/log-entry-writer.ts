import { RecoveryLogError } from '../../errors/index.ts'
import { utf8Length, writeUtf8 } from '../utf8.ts'
import type { DatagramPart, LogContent, LogEntry, TextLine } from './log-entry.ts'
import { BinaryTag, DatagramTag, EntryTag, LineTag, PartialTag, TextTag } from './log-entry-tags.ts'
import { lengthOfVarint, numberBytes, putNumber, putVarint } from './put-varint.ts'
import { putTextFrame, TEXT_FRAME_BYTES_MAX } from './text-frame.ts'
import { timeBytes, writeTime } from './time.ts'

const LINE_FEED = 10

/** Where a frame is made whose message is wanted alone. */
const frame = new Uint8Array(TEXT_FRAME_BYTES_MAX)

/**
 * Encodes entries in two steps, so that they go straight to where they are to be: `measure` tells how much room an entry
 * needs, and remembers the lengths within it; `write` writes it. Fields go in the order of their numbers, those that are
 * not known last, as Go writes them.
 */
export class LogEntryWriter {
  /** The entry that was measured last. */
  #entry: LogEntry | undefined
  #timeLength = 0
  #contentLength = 0
  /** Of the lines of text, as far as the text goes. */
  readonly #lineLengths: number[] = []

  /**
   * How many bytes `entry` has when encoded. The entry is borrowed until it is written.
   *
   * @throws RangeError for an index that is no safe integer from 0
   * @throws RecoveryLogError `ENTRY_INVALID` for a delimiter with half a surrogate pair
   */
  measure(entry: LogEntry): number {
    this.#entry = entry
    const { timeOffset, content, unknown } = entry
    let bytes = numberBytes(entry.prefixIndex) + numberBytes(entry.streamIndex) + numberBytes(entry.sequence)
    if (timeOffset !== undefined) {
      this.#timeLength = timeBytes(timeOffset)
      bytes += nestedBytes(this.#timeLength)
    }
    if (content !== undefined) {
      this.#contentLength = measureContent(content, this.#lineLengths)
      bytes += nestedBytes(this.#contentLength)
    }
    return unknown === undefined ? bytes : bytes + unknown.length
  }

  /** Writes the entry that was measured last at `position`, and answers where it ends. There must be room. */
  write(target: Uint8Array, position: number): number {
    const entry = this.#entry as LogEntry
    const { timeOffset, content } = entry
    let at = position
    if (timeOffset !== undefined) {
      target[at] = EntryTag.timeOffset
      at = writeTime(timeOffset, target, putVarint(target, at + 1, this.#timeLength))
    }
    at = putNumber(target, at, EntryTag.prefixIndex, entry.prefixIndex)
    at = putNumber(target, at, EntryTag.streamIndex, entry.streamIndex)
    at = putNumber(target, at, EntryTag.sequence, entry.sequence)
    if (content !== undefined) {
      target[at] = contentTag(content)
      at = writeContent(content, this.#lineLengths, target, putVarint(target, at + 1, this.#contentLength))
    }
    return putUnknown(target, at, entry.unknown)
  }
}

function measureContent(content: LogContent, lineLengths: number[]): number {
  let bytes = content.unknown === undefined ? 0 : content.unknown.length
  if (content.kind === 'text') {
    let count = 0
    for (const line of content.lines) {
      const length = lineBytes(line)
      lineLengths[count++] = length
      bytes += nestedBytes(length)
    }
    return bytes
  }
  if (content.data.length > 0) bytes += nestedBytes(content.data.length)
  if (content.kind === 'datagram' && content.partial !== undefined) {
    bytes += nestedBytes(partialBytes(content.partial))
  }
  return bytes
}

function writeContent(
  content: LogContent,
  lineLengths: readonly number[],
  target: Uint8Array,
  position: number,
): number {
  let at = position
  if (content.kind === 'text') {
    let count = 0
    for (const line of content.lines) {
      target[at] = TextTag.line
      at = writeLine(line, target, putVarint(target, at + 1, lineLengths[count++] as number))
    }
  } else if (content.kind === 'binary') {
    at = putBytes(target, at, BinaryTag.data, content.data)
  } else {
    at = putBytes(target, at, DatagramTag.data, content.data)
    if (content.partial !== undefined) at = writePartial(content.partial, target, at)
  }
  return putUnknown(target, at, content.unknown)
}

function contentTag({ kind }: LogContent): number {
  return kind === 'text' ? EntryTag.text : kind === 'binary' ? EntryTag.binary : EntryTag.datagram
}

/** `entry` in bytes of its own. Throws as `LogEntryWriter.measure` does. */
export function encodeLogEntry(entry: LogEntry): Uint8Array {
  const textBytes = putTextFrame(frame, 0, entry)
  if (textBytes >= 0) return frame.slice(lengthOfVarint(textBytes), lengthOfVarint(textBytes) + textBytes)
  const writer = new LogEntryWriter()
  const bytes = new Uint8Array(writer.measure(entry))
  writer.write(bytes, 0)
  return bytes
}

function lineBytes({ value, delimiter, unknown }: TextLine): number {
  let bytes = unknown === undefined ? 0 : unknown.length
  if (value.length > 0) bytes += nestedBytes(value.length)
  if (delimiter === '\n') return bytes + 3
  return delimiter === '' ? bytes : bytes + nestedBytes(delimiterBytes(delimiter))
}

function writeLine({ value, delimiter, unknown }: TextLine, target: Uint8Array, position: number): number {
  let at = putBytes(target, position, LineTag.value, value)
  if (delimiter !== '') {
    target[at] = LineTag.delimiter
    if (delimiter === '\n') {
      target[at + 1] = 1
      target[at + 2] = LINE_FEED
      return putUnknown(target, at + 3, unknown)
    }
    at = writeUtf8(target, putVarint(target, at + 1, delimiterBytes(delimiter)), delimiter)
  }
  return putUnknown(target, at, unknown)
}

function delimiterBytes(delimiter: string): number {
  const bytes = utf8Length(delimiter)
  if (!Number.isNaN(bytes)) return bytes
  throw new RecoveryLogError('ENTRY_INVALID', 'a delimiter holds half a surrogate pair', { delimiter })
}

function partialBytes({ index, size, last, unknown }: DatagramPart): number {
  if (index > 0xffff_ffff) throw new RangeError(`expected a uint32 for the index of a part, got ${index}`)
  return (
    numberBytes(index) + numberBytes(size) + (last ? 2 : 0) + (unknown === undefined ? 0 : unknown.length)
  )
}

function writePartial(partial: DatagramPart, target: Uint8Array, position: number): number {
  target[position] = DatagramTag.partial
  let at = putVarint(target, position + 1, partialBytes(partial))
  at = putNumber(target, at, PartialTag.index, partial.index)
  at = putNumber(target, at, PartialTag.size, partial.size)
  if (partial.last) {
    target[at++] = PartialTag.last
    target[at++] = 1
  }
  return putUnknown(target, at, partial.unknown)
}

/** A field of a one-byte tag with `length` bytes in it. */
function nestedBytes(length: number): number {
  return 1 + lengthOfVarint(length) + length
}

function putBytes(target: Uint8Array, at: number, tag: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return at
  target[at] = tag
  const begin = putVarint(target, at + 1, bytes.length)
  target.set(bytes, begin)
  return begin + bytes.length
}

function putUnknown(target: Uint8Array, at: number, unknown: Uint8Array | undefined): number {
  if (unknown === undefined) return at
  target.set(unknown, at)
  return at + unknown.length
}
