import { utf8Length } from '../wire/index.ts'
import type { DatagramContent, LogEntry } from '../wire/logdog/index.ts'

/**
 * Entries as the content of their stream. *Raw* puts the stream together again, which is the data file of an archive
 * (log-archive spec, section 5); *pretty* is for people: each line ended by a line feed, binary as hex, datagrams as a
 * dump under a heading, those in parts put together first.
 */

export interface RenderOptions {
  /** Puts the stream together again. Default false: pretty. */
  readonly raw?: boolean
  /** A text to put before each line of text. */
  readonly linePrefix?: (entry: LogEntry) => string
}

const encoder = new TextEncoder()
const LINE_FEED = Uint8Array.of(10)
const DUMP_WIDTH = 16

/** The raw content of one entry, in pieces that are views of it. */
export function* rawContent(entry: LogEntry): Generator<Uint8Array, void, undefined> {
  const { content } = entry
  if (content === undefined) return
  if (content.kind !== 'text') {
    yield content.data
    return
  }
  for (const { value, delimiter } of content.lines) {
    yield value
    if (delimiter === '\n') yield LINE_FEED
    else if (delimiter !== '') yield encoder.encode(delimiter)
  }
}

/** How many bytes the raw content of an entry has. */
export function rawContentBytes(entry: LogEntry): number {
  const { content } = entry
  if (content === undefined) return 0
  if (content.kind !== 'text') return content.data.length
  let bytes = 0
  for (const { value, delimiter } of content.lines) {
    bytes += value.length + (delimiter === '\n' ? 1 : utf8Length(delimiter))
  }
  return bytes
}

/**
 * Renders entries, in pieces that are borrowed until the next is asked for. The last part of a datagram that does not
 * come leaves nothing of it in the pretty form.
 */
export function* renderEntries(
  entries: Iterable<LogEntry>,
  options: RenderOptions = {},
): Generator<Uint8Array, void, undefined> {
  const parts: Uint8Array[] = []
  for (const entry of entries) {
    const { content } = entry
    if (content?.kind === 'text') yield* renderText(entry, options)
    else if (options.raw === true) yield* rawContent(entry)
    else if (content?.kind === 'binary') yield encoder.encode(hexOf(content.data))
    else if (content?.kind === 'datagram') yield* renderDatagram(entry, content, parts)
  }
}

function* renderText(
  entry: LogEntry,
  { raw, linePrefix }: RenderOptions,
): Generator<Uint8Array, void, undefined> {
  if (entry.content?.kind !== 'text') return
  const prefix = encoder.encode(linePrefix?.(entry) ?? '')
  for (const { value, delimiter } of entry.content.lines) {
    if (prefix.length > 0) yield prefix
    yield value
    yield raw === true ? encoder.encode(delimiter) : LINE_FEED
  }
}

function* renderDatagram(
  entry: LogEntry,
  content: DatagramContent,
  parts: Uint8Array[],
): Generator<Uint8Array, void, undefined> {
  parts.push(content.data)
  if (content.partial?.last === false) return
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  const data = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    data.set(part, at)
    at += part.length
  }
  parts.length = 0
  yield encoder.encode(`Datagram #${entry.sequence} (${size} ${size === 1 ? 'byte' : 'bytes'})\n`)
  for (let begin = 0; begin < size; begin += DUMP_WIDTH) {
    yield encoder.encode(dumpLine(begin, data.subarray(begin, begin + DUMP_WIDTH)))
  }
  yield LINE_FEED
}

/** As `hexdump -C` does: offset, sixteen bytes in two groups, and what of them is printable. */
function dumpLine(offset: number, bytes: Uint8Array): string {
  let line = `${offset.toString(16).padStart(8, '0')} `
  for (let i = 0; i < DUMP_WIDTH; i++) {
    const byte = bytes[i]
    line += `${i === DUMP_WIDTH / 2 ? ' ' : ''} ${byte === undefined ? '  ' : byte.toString(16).padStart(2, '0')}`
  }
  const text = Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  ).join('')
  return `${line}  |${text}|\n`
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
