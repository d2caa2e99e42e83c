import type { LogEntry } from './log-entry.ts'
import { EntryTag, LineTag, TextTag, TimeTag } from './log-entry-tags.ts'
import { lengthOfVarint, putNumber, putVarint } from './put-varint.ts'

// As constants of this file they are compiled into the code; those of another are looked up each time: 8 ns of 85.
const {
  timeOffset: TIME,
  prefixIndex: PREFIX,
  streamIndex: STREAM,
  sequence: SEQUENCE,
  text: TEXT,
} = EntryTag
const { seconds: SECONDS, nanos: NANOS } = TimeTag
const { value: VALUE, delimiter: DELIMITER } = LineTag
const { line: LINE } = TextTag
const LINE_FEED = 10
/** Of the field with a line feed in it. */
const LINE_FEED_BYTES = 3

/** Longer lines are left to the general way: with these a frame's header has at most two bytes. */
const VALUE_BYTES_MAX = 16_000
/** What else a frame has at most: a header of 2 bytes, 14 of time, 18 of indexes, 12 of tags, lengths and line feed. */
const AROUND_VALUE_BYTES_MAX = 46
/** With so much room every such entry is written. */
export const TEXT_FRAME_BYTES_MAX = VALUE_BYTES_MAX + AROUND_VALUE_BYTES_MAX
/** From 128 bytes on a message has a header of two bytes; before its text it mostly has about 25. */
const LONG_BYTES = 128
const LONG_TEXT_BYTES_GUESS = 100

/**
 * Writes the frame of the entry that nearly all of text streams are made of, the one that `decodeTextEntry` reads: numbers
 * below 2^31, one line that ends with a line feed, or not at all, and nothing that is not known. Its lengths are written
 * once what they count is there, where the general way measures first: 50 ns for a line of 80 bytes, and 130.
 *
 * Answers how many bytes the message has, which lies behind a header of one or two; -1, and nothing is written, when it is
 * any other entry, or when there may not be room for it.
 */
export function putTextFrame(target: Uint8Array, position: number, entry: LogEntry): number {
  const { timeOffset, prefixIndex, streamIndex, sequence, content, unknown } = entry
  if (unknown !== undefined || content?.kind !== 'text' || content.unknown !== undefined) return -1
  if (!isInt31(prefixIndex) || !isInt31(streamIndex) || !isInt31(sequence)) return -1
  const line = content.lines[0]
  if (line === undefined || content.lines.length !== 1 || line.unknown !== undefined) return -1
  const { value, delimiter } = line
  const valueBytes = value.length
  if (valueBytes > VALUE_BYTES_MAX || target.length - position < AROUND_VALUE_BYTES_MAX + valueBytes) {
    return -1
  }
  let lineBytes = valueBytes === 0 ? 0 : 1 + lengthOfVarint(valueBytes) + valueBytes
  if (delimiter === '\n') lineBytes += LINE_FEED_BYTES
  else if (delimiter !== '') return -1
  const textBytes = 1 + lengthOfVarint(lineBytes) + lineBytes

  const headerGuess = textBytes < LONG_TEXT_BYTES_GUESS ? 1 : 2
  const begin = position + headerGuess
  let at = begin
  if (timeOffset !== undefined) {
    const { seconds, nanos } = timeOffset
    if (!isInt31(seconds) || !isInt31(nanos) || timeOffset.unknown !== undefined) return -1
    at = putNumber(target, putNumber(target, begin + 2, SECONDS, seconds), NANOS, nanos)
    target[begin] = TIME
    target[begin + 1] = at - begin - 2
  }
  at = putNumber(target, at, PREFIX, prefixIndex)
  at = putNumber(target, at, STREAM, streamIndex)
  at = putNumber(target, at, SEQUENCE, sequence)
  const bytes = at - begin + 1 + lengthOfVarint(textBytes) + textBytes
  const header = bytes < LONG_BYTES ? 1 : 2
  if (header !== headerGuess) {
    target.copyWithin(position + header, begin, at)
    at += header - headerGuess
  }
  putVarint(target, position, bytes)

  target[at] = TEXT
  at = putVarint(target, at + 1, textBytes)
  target[at] = LINE
  at = putVarint(target, at + 1, lineBytes)
  if (valueBytes > 0) {
    target[at] = VALUE
    at = putVarint(target, at + 1, valueBytes)
    target.set(value, at)
    at += valueBytes
  }
  if (delimiter !== '') {
    target[at] = DELIMITER
    target[at + 1] = 1
    target[at + 2] = LINE_FEED
  }
  return bytes
}

function isInt31(value: number): boolean {
  return (value | 0) === value && value >= 0
}
