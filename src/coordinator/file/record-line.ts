import { crc32 } from 'node:zlib'
import { RecoveryLogError } from '../../errors/index.ts'
import type { JsonValue } from '../state-store.ts'

/**
 * The records of a log, each a line of its own: the size of its JSON in bytes and the crc32 of that, and the crc32 of these
 * two, in 8 hex digits each, and the JSON. An empty line goes before each record: whoever dies while appending leaves at
 * most the beginning of a line, which the next one so ends.
 */

const FIELD_CHARACTERS = 8
const HEADER_BYTES = 3 * FIELD_CHARACTERS
const LINE_END = 0x0a
/** What a file system has at the end of a file that it has made longer, but not filled, when the power goes. */
const NEVER_WRITTEN = Buffer.alloc(2)

/** A record as it is appended. */
export function encodeRecord(record: JsonValue): Buffer {
  const json = Buffer.from(JSON.stringify(record))
  const sizes = hexOf(json.length) + hexOf(crc32(json))
  return Buffer.concat([Buffer.from(`\n${sizes}${hexOf(crc32(sizes))}`), json, Buffer.from('\n')])
}

/**
 * Hands the records in `bytes` to `take`, as JSON, until that answers false. Answers how far it has read: a line without an
 * end may still be coming.
 *
 * @param place says where the bytes lie: what an error is told with
 * @throws RecoveryLogError `CORRUPT` for a line that is neither a record nor the beginning of one
 */
export function readRecords(
  bytes: Buffer,
  take: (json: string) => boolean,
  place: { readonly path: string; readonly offset: number },
): number {
  let at = 0
  /** Whether the line before was cut. */
  let isBehindCut = false
  for (;;) {
    const end = bytes.indexOf(LINE_END, at)
    if (end < 0) {
      if (isTooLong(bytes.subarray(at))) throw damaged(place, at)
      return at
    }
    const line = bytes.subarray(at, end)
    const json = jsonOf(line)
    if (json === undefined && line.length > 0) {
      // Behind one that was cut comes a whole beginning: without it, it is that line's rest, and its middle was changed.
      if (!isCut(line) || (isBehindCut && line.length < HEADER_BYTES)) throw damaged(place, at)
      isBehindCut = true
    }
    at = end + 1
    if (json === undefined) continue
    isBehindCut = false
    if (!take(json)) return at
  }
}

function jsonOf(line: Buffer): string | undefined {
  if (!hasHeader(line) || line.length - HEADER_BYTES !== fieldAt(line, 0)) return undefined
  const json = line.subarray(HEADER_BYTES)
  return crc32(json) === fieldAt(line, 1) ? json.toString() : undefined
}

/** Whether it is the beginning of a record, whose end was never written. */
function isCut(line: Buffer): boolean {
  if (line.includes(NEVER_WRITTEN) || line.length < HEADER_BYTES) return true
  return hasHeader(line) && line.length - HEADER_BYTES < fieldAt(line, 0)
}

/** Whether what is there of a line is more than there can be of a record without its end. */
function isTooLong(line: Buffer): boolean {
  return hasHeader(line) && line.length - HEADER_BYTES > fieldAt(line, 0)
}

function hasHeader(line: Buffer): boolean {
  if (line.length < HEADER_BYTES) return false
  const sizes = line.subarray(0, 2 * FIELD_CHARACTERS)
  return hexOf(crc32(sizes)) === line.toString('latin1', sizes.length, HEADER_BYTES)
}

function fieldAt(line: Buffer, index: number): number {
  return Number.parseInt(
    line.toString('latin1', index * FIELD_CHARACTERS, (index + 1) * FIELD_CHARACTERS),
    16,
  )
}

function hexOf(number: number): string {
  return number.toString(16).padStart(FIELD_CHARACTERS, '0')
}

function damaged({ path, offset }: { readonly path: string; readonly offset: number }, at: number): Error {
  const message = `the file ${path} is not as it was written at ${offset + at}`
  return new RecoveryLogError('CORRUPT', message, { path, offset: offset + at })
}
