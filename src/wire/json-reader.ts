/**
 * JSON as Go's `encoding/json` reads it into a structure, from bytes: keys in any case, unknown ones passed over, `null`
 * for whatever is to stay as it is, numbers by their text (`JSON.parse` no longer knows `1.0` from `1`). Stricter than Go
 * in that invalid UTF-8 is refused. Everything wrong is `HINTS_INVALID`, with the byte's place and what is there.
 */

import { RecoveryLogError } from '../errors/index.ts'
import { isUtf8 } from './utf8.ts'

const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const LOWER_E = 0x65
const LOWER_U = 0x75
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Go's limit of how deep values may lie in each other. */
const NESTING_MAX = 10_000

/** Numbers of so many digits are exact in a double while they are added up. */
const EXACT_DIGITS = 15

/** How much of the text an error shows. */
const SHOWN_BYTES = 40

const LONE_SURROGATES = /\p{Surrogate}/gu
const ESCAPES = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)))
const LITERALS = ['null', 'true', 'false'].map(bytesOf)
const [NULL] = LITERALS as [Uint8Array]

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** The keys of one kind of object. */
export class JsonKeys {
  /** Each as a writer of compact JSON writes it, with quotes and colon. */
  readonly written: readonly Uint8Array[]
  readonly #indices: ReadonlyMap<string, number>

  constructor(names: readonly string[]) {
    this.written = names.map((name) => bytesOf(`"${name}":`))
    this.#indices = new Map(names.map((name, index) => [name, index]))
  }

  /** The index of a key in any case, folded as in Go: the long s is an s, the sign for kelvin a k. -1: unknown. */
  find(key: string): number {
    return this.#indices.get(key.toLowerCase().replaceAll('\u017f', 's')) ?? -1
  }
}

/** Walks over a document. Each call expects what its name says at the place where the one before has ended. */
export class JsonReader {
  readonly #bytes: Uint8Array
  #at = 0
  /** The index of the key that was read last: writers keep the order of keys, so those behind it are tried first. */
  #lastKey = -1
  /** Whether the string that was read last has escapes. */
  #escaped = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Begins an object. Answers false when it is null or has no member, and so has ended. */
  beginObject(name: string): boolean {
    this.#lastKey = -1
    if (!this.#begin(OPEN_OBJECT, CLOSE_OBJECT, name)) return false
    this.#space()
    return true
  }

  /** Whether another member follows in an object. */
  moreMembers(): boolean {
    if (!this.#more(CLOSE_OBJECT)) return false
    this.#space()
    return true
  }

  /** Begins a list. Answers false when it is null or has no member, and so has ended. */
  beginList(name: string): boolean {
    return this.#begin(OPEN_LIST, CLOSE_LIST, name)
  }

  /** Whether another member follows in a list. */
  moreElements(): boolean {
    return this.#more(CLOSE_LIST)
  }

  /** Reads a key and its colon. Answers its index in `keys`, -1 for one that is not there. */
  key(keys: JsonKeys): number {
    const begin = this.#at
    for (let index = this.#lastKey + 1; index < keys.written.length; index++) {
      const written = keys.written[index] as Uint8Array
      if (!this.#isAt(written, begin)) continue
      this.#at = begin + written.length
      this.#lastKey = index
      return index
    }
    this.#string('a key')
    this.#lastKey = keys.find(this.#decode(begin, this.#at))
    this.#colon()
    return this.#lastKey
  }

  /** An integer from 0 to `max`. Null is `before`, what the default or an earlier member says. */
  integer(name: string, max: number, before: number): number {
    this.#space()
    const bytes = this.#bytes
    const begin = this.#at
    const most = begin + EXACT_DIGITS
    let at = begin
    let value = 0
    for (; at < most; at++) {
      const digit = (bytes[at] as number) - ZERO
      if (!(digit >= 0 && digit <= 9)) break
      value = value * 10 + digit
    }
    const after = bytes[at]
    const plain = (after === COMMA || after === CLOSE_OBJECT) && at > begin
    if (!plain || value > max || (bytes[begin] === ZERO && at > begin + 1)) {
      return this.#oddInteger(name, max, before)
    }
    this.#at = at
    return value
  }

  /** A string. Null is `before`. Half a surrogate pair, as an escape, becomes U+FFFD. */
  string(name: string, before: string): string {
    this.#space()
    if (this.#null()) return before
    const begin = this.#at
    this.#string(name)
    return this.#decode(begin, this.#at)
  }

  /** Passes over a value of any kind. */
  skip(): void {
    const open: number[] = []
    do {
      this.#space()
      const first = this.#bytes[this.#at]
      if (first === OPEN_OBJECT || first === OPEN_LIST) {
        if (open.length === NESTING_MAX) throw this.#invalid('the document is nested too deeply')
        if (this.#begin(first, first + 2, 'a value')) {
          open.push(first + 2) // in both pairs of brackets the closing one is two further
          if (first === OPEN_OBJECT) this.#skipKey()
          continue
        }
      } else if (first === QUOTE) this.#string('a value')
      else this.#scalar()
      this.#closeSkipped(open)
    } while (open.length > 0)
  }

  /** The document must end here. */
  end(): void {
    this.#space()
    if (this.#at < this.#bytes.length) throw this.#invalid('text follows the document')
  }

  /** After a value in what is passed over: closes what ends with it, else goes to the next value. */
  #closeSkipped(open: number[]): void {
    for (let close = open.at(-1); close !== undefined; close = open.at(-1)) {
      if (this.#more(close)) {
        if (close === CLOSE_OBJECT) this.#skipKey()
        return
      }
      open.pop()
    }
  }

  #skipKey(): void {
    this.#space()
    this.#string('a key')
    this.#colon()
  }

  #begin(open: number, close: number, name: string): boolean {
    this.#space()
    if (this.#null()) return false
    if (this.#bytes[this.#at] !== open) throw this.#invalid(`${name} is of another kind`)
    this.#at++
    this.#space()
    if (this.#bytes[this.#at] !== close) return true
    this.#at++
    return false
  }

  #more(close: number): boolean {
    this.#space()
    const byte = this.#bytes[this.#at]
    if (byte !== COMMA && byte !== close) throw this.#invalid('a comma or the end is missing')
    this.#at++
    return byte === COMMA
  }

  #colon(): void {
    this.#space()
    if (this.#bytes[this.#at] !== COLON) throw this.#invalid('a colon is missing')
    this.#at++
  }

  /** A number that is not just digits, or something else than a number. */
  #oddInteger(name: string, max: number, before: number): number {
    if (this.#null()) return before
    const begin = this.#at
    if (!this.#number()) throw this.#invalid(`${name} is not a number`)
    const text = utf8.decode(this.#bytes.subarray(begin, this.#at))
    const value = Number(text)
    // Go reads -0 as an int64, but not as a uint32.
    if (text === '-0' && max === Number.MAX_SAFE_INTEGER) return 0
    if (/^\d+$/.test(text) && value <= max) return value
    const data = { at: begin, value: text }
    throw new RecoveryLogError('HINTS_INVALID', `${name} is not an integer from 0 to ${max}`, data)
  }

  #scalar(): void {
    if (this.#number()) return
    for (const literal of LITERALS) if (this.#literal(literal)) return
    throw this.#invalid('no value begins here')
  }

  #null(): boolean {
    return this.#literal(NULL)
  }

  #literal(literal: Uint8Array): boolean {
    if (!this.#isAt(literal, this.#at)) return false
    this.#at += literal.length
    return true
  }

  /** Passes over a number. Answers false when none begins here. */
  #number(): boolean {
    const bytes = this.#bytes
    const negative = bytes[this.#at] === MINUS
    if (!negative && !isDigit(bytes[this.#at])) return false
    if (negative) this.#at++
    if (bytes[this.#at] === ZERO) this.#at++
    else this.#digits()
    if (bytes[this.#at] === POINT) {
      this.#at++
      this.#digits()
    }
    if (((bytes[this.#at] ?? 0) | 0x20) === LOWER_E) {
      this.#at++
      if (bytes[this.#at] === PLUS || bytes[this.#at] === MINUS) this.#at++
      this.#digits()
    }
    return true
  }

  #digits(): void {
    if (!isDigit(this.#bytes[this.#at])) throw this.#invalid('a digit is missing')
    while (isDigit(this.#bytes[this.#at])) this.#at++
  }

  /** Passes over a string with its quotes, and sees to it that it is one. */
  #string(name: string): void {
    const bytes = this.#bytes
    const begin = this.#at
    if (bytes[begin] !== QUOTE) throw this.#invalid(`${name} is not a string`)
    this.#escaped = false
    let all = 0
    let at = begin + 1
    for (; bytes[at] !== QUOTE; at++) {
      const byte = bytes[at] ?? 0
      if (byte < 0x20) {
        this.#at = at
        throw this.#invalid(`${name} has a control character or no end`)
      }
      all |= byte
      if (byte === BACKSLASH) at = this.#escape(at)
    }
    if (all >= 0x80 && !isUtf8(bytes, begin, at)) throw this.#invalid(`${name} is not valid UTF-8`)
    this.#at = at + 1
  }

  /** Sees to an escape whose backslash lies at `at`. Answers where its last byte lies. */
  #escape(at: number): number {
    this.#escaped = true
    const kind = this.#bytes[at + 1] ?? 0
    if (ESCAPES.has(kind)) return at + 1
    if (kind === LOWER_U && [2, 3, 4, 5].every((place) => isHex(this.#bytes[at + place]))) return at + 5
    this.#at = at
    throw this.#invalid('an escape does not exist')
  }

  /** The string whose quotes lie at `begin` and before `end`. */
  #decode(begin: number, end: number): string {
    if (!this.#escaped) return utf8.decode(this.#bytes.subarray(begin + 1, end - 1))
    const text = JSON.parse(utf8.decode(this.#bytes.subarray(begin, end))) as string
    return text.replaceAll(LONE_SURROGATES, '\ufffd')
  }

  #isAt(expected: Uint8Array, begin: number): boolean {
    const bytes = this.#bytes
    for (let i = 0; i < expected.length; i++) if (bytes[begin + i] !== expected[i]) return false
    return true
  }

  #space(): void {
    let byte = this.#bytes[this.#at]
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = this.#bytes[++this.#at]
  }

  #invalid(message: string): RecoveryLogError {
    const at = this.#at
    const value = new TextDecoder().decode(this.#bytes.subarray(at, at + SHOWN_BYTES))
    return new RecoveryLogError('HINTS_INVALID', message, { at, value })
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function isHex(byte: number | undefined): boolean {
  const letter = (byte ?? 0) | 0x20
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66)
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
