/**
 * Hints as the JSON that Go's `encoding/json` writes (recovery-log spec, section 2): compact, keys in the order of the
 * messages, defaults left out, the three lists always there.
 */

import { checkHints } from './hints-check.ts'
import type { FnodeSegments, FSMHints, Property, Segment } from './hints.ts'
import { writeUtf8 } from './utf8.ts'

/** Writes hints as JSON in UTF-8. Throws `HINTS_INVALID`, with path and value, for what has no bytes. */
export function hintsToJson(hints: FSMHints): Uint8Array {
  checkHints(hints)
  const out = new JsonOutput()
  out.text('{')
  if (hints.log !== '') {
    out.text('"log":')
    out.string(hints.log)
    out.text(',')
  }
  out.text('"live_nodes":')
  writeList(out, hints.liveNodes, writeNode)
  out.text(',"properties":')
  writeList(out, hints.properties, writeProperty)
  out.text('}')
  return out.finish()
}

/** A list without members is null: in Go it is a slice that was never made. */
function writeList<T>(out: JsonOutput, list: readonly T[], write: (out: JsonOutput, member: T) => void): void {
  if (list.length === 0) {
    out.text('null')
    return
  }
  let separator = '['
  for (const member of list) {
    out.text(separator)
    write(out, member)
    separator = ','
  }
  out.text(']')
}

function writeNode(out: JsonOutput, node: FnodeSegments): void {
  out.text('{')
  if (node.fnode !== 0) {
    out.text('"fnode":')
    out.number(node.fnode)
    out.text(',')
  }
  out.text('"segments":')
  writeList(out, node.segments, writeSegment)
  out.text('}')
}

function writeSegment(out: JsonOutput, segment: Segment): void {
  const begin = out.text('{')
  writeNumber(out, '"author":', segment.author)
  writeNumber(out, '"first_seq_no":', segment.firstSeqNo)
  writeNumber(out, '"first_offset":', segment.firstOffset)
  writeNumber(out, '"first_checksum":', segment.firstChecksum)
  writeNumber(out, '"last_seq_no":', segment.lastSeqNo)
  writeNumber(out, '"last_offset":', segment.lastOffset)
  writeString(out, '"log":', segment.log)
  out.close(begin)
}

function writeProperty(out: JsonOutput, property: Property): void {
  const begin = out.text('{')
  writeString(out, '"path":', property.path)
  writeString(out, '"content":', property.content)
  out.close(begin)
}

function writeNumber(out: JsonOutput, key: string, value: number): void {
  if (value === 0) return
  out.text(key)
  out.number(value)
  out.text(',')
}

function writeString(out: JsonOutput, key: string, value: string): void {
  if (value === '') return
  out.text(key)
  out.string(value)
  out.text(',')
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const BRACE = 0x7d
const ZERO = 0x30

/** What Go writes short after a backslash; the other control characters, and `<`, `>`, `&`, are `\u00..`. */
const SHORT_ESCAPES = new Map([
  [QUOTE, QUOTE],
  [BACKSLASH, BACKSLASH],
  [0x08, 0x62],
  [0x0c, 0x66],
  [0x0a, 0x6e],
  [0x0d, 0x72],
  [0x09, 0x74],
])

/** Which ASCII characters may stand in a string as they are. */
const PLAIN = new Uint8Array(128)
PLAIN.fill(1, 0x20)
for (const character of '"\\<>&') PLAIN[character.charCodeAt(0)] = 0

/** Bytes that grow: a string of so many megabytes, made and then encoded, would take twice the time. */
class JsonOutput {
  #bytes = new Uint8Array(4096)
  #at = 0

  /** Writes text that is ASCII and needs no escape. Answers where it ends. */
  text(text: string): number {
    this.#reserve(text.length)
    const bytes = this.#bytes
    let at = this.#at
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
    this.#at = at
    return at
  }

  /** Ends an object whose members, if it has any, all wrote a comma behind them. */
  close(begin: number): void {
    if (this.#at !== begin) this.#at--
    this.#reserve(1)
    this.#bytes[this.#at++] = BRACE
  }

  /** Writes a safe integer that is not negative. */
  number(value: number): void {
    this.#reserve(16)
    const bytes = this.#bytes
    const begin = this.#at
    let at = begin + 1
    for (let bound = 10; value >= bound; bound *= 10) at++
    this.#at = at
    let rest = value
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 10)) bytes[--at] = ZERO + (rest % 10)
    while (at > begin) {
      const tenth = (rest / 10) | 0
      bytes[--at] = ZERO + rest - tenth * 10
      rest = tenth
    }
  }

  /** Writes a well-formed string with its quotes. */
  string(value: string): void {
    this.#reserve(2 + 6 * value.length) // the longest escape of a unit, which is longer than any UTF-8 of it
    const bytes = this.#bytes
    bytes[this.#at++] = QUOTE
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit >= 0x80) {
        i = this.#pastAscii(value, i) - 1
      } else if (PLAIN[unit] === 1) {
        bytes[this.#at++] = unit
      } else {
        this.#escape(unit)
      }
    }
    bytes[this.#at++] = QUOTE
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  /** Writes the run of units that are not ASCII and begins at `begin`. Answers where it ends. */
  #pastAscii(value: string, begin: number): number {
    let end = begin
    while (end < value.length && value.charCodeAt(end) >= 0x80 && !isLineSeparator(value.charCodeAt(end))) end++
    if (end === begin) {
      this.#escape(value.charCodeAt(begin))
      return begin + 1
    }
    this.#at = writeUtf8(this.#bytes, this.#at, value.slice(begin, end))
    return end
  }

  #escape(unit: number): void {
    this.#bytes[this.#at++] = BACKSLASH
    const short = SHORT_ESCAPES.get(unit)
    if (short !== undefined) this.#bytes[this.#at++] = short
    else this.text(`u${unit.toString(16).padStart(4, '0')}`)
  }

  #reserve(count: number): void {
    const least = this.#at + count
    if (least <= this.#bytes.length) return
    const bytes = new Uint8Array(Math.max(least, 2 * this.#bytes.length))
    bytes.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = bytes
  }
}

/** U+2028 and U+2029 end a line in JavaScript of old, so Go escapes them. */
function isLineSeparator(unit: number): boolean {
  return unit === 0x2028 || unit === 0x2029
}
