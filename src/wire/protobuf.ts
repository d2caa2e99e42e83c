/**
 * The part of the protobuf encoding that the messages of the recovery log need, read as Go's generated code reads it:
 * fields in any order, varints that are not minimal, unknown fields (groups too) passed over. A known field of another
 * wire type is refused.
 */

import { RecoveryLogError } from '../errors/index.ts'
import type { ErrorCode } from '../errors/index.ts'

export const WireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const

/** The most bytes of a varint that Go reads. Of the tenth only the lowest bit counts. */
const VARINT_BYTES_MAX = 10

/** The high halves of safe integers lie below this. */
const SAFE_HIGH = 0x20_0000

/** Walks over the fields of one message and, with `enter` and `leave`, over those of the messages in it. */
export class ProtobufReader {
  readonly bytes: Uint8Array
  at: number
  end: number
  /** The field at which `next` stopped, and how its value is written. */
  field = 0
  wireType = 0

  readonly #begin: number
  readonly #code: ErrorCode
  #low = 0
  #high = 0

  /** Reads `bytes[begin, end)`. What is wrong is told with `code`, and places are counted from `begin`. */
  constructor(bytes: Uint8Array, begin: number, end: number, code: ErrorCode) {
    this.bytes = bytes
    this.at = begin
    this.end = end
    this.#begin = begin
    this.#code = code
  }

  /** Goes on to the next field. Answers false at the end of the message. */
  next(): boolean {
    if (this.at >= this.end) return false
    const begin = this.at
    const first = this.bytes[begin] as number
    if (first < 0x80) {
      this.at++
      this.field = first >>> 3
      this.wireType = first & 7
    } else {
      this.#varint()
      this.field = (this.#low >>> 3) | (this.#high << 29) // as Go does: the low 32 bits of it, signed
      this.wireType = this.#low & 7
    }
    if (this.field <= 0) throw this.invalid('a field number is not positive', begin, this.field)
    return true
  }

  /** An int64 that is not negative and below 2^53. */
  int64(name: string): number {
    this.#expect(WireType.varint, name)
    const { bytes, end, at: begin } = this
    let short = 0
    for (let at = begin, shift = 0; shift < 28 && at < end; shift += 7) {
      const byte = bytes[at++] as number
      short |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.at = at
        return short
      }
    }
    this.#varint()
    if (this.#high >>> 0 >= SAFE_HIGH) {
      const value = BigInt.asIntN(64, (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0))
      throw this.invalid(`${name} is negative or not below 2^53`, begin, String(value))
    }
    return this.#high * 0x1_0000_0000 + (this.#low >>> 0)
  }

  /** A fixed32, as int32. */
  fixed32(name: string): number {
    this.#expect(WireType.fixed32, name)
    const at = this.at
    if (at + 4 > this.end) throw this.#cut()
    this.at = at + 4
    const bytes = this.bytes
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    )
  }

  /** The bytes of a string or a message: moves to where they begin, and answers where they end. */
  delimited(name: string): number {
    this.#expect(WireType.bytes, name)
    return this.#delimited()
  }

  /** Goes into a message within this one. Answers where this one ends, to be handed to `leave`. */
  enter(name: string): number {
    const outer = this.end
    this.end = this.delimited(name)
    return outer
  }

  /** Goes on behind a message that has been read to its end. */
  leave(outer: number): void {
    this.end = outer
  }

  /** Passes over the value of a field that is not known, a whole group of them if it begins one. */
  skip(): void {
    let depth = 0
    for (;;) {
      if (this.wireType === WireType.varint) this.#varint()
      else if (this.wireType === WireType.fixed64) this.#pass(this.at + 8)
      else if (this.wireType === WireType.bytes) this.at = this.#delimited()
      else if (this.wireType === WireType.startGroup) depth++
      else if (this.wireType === WireType.endGroup) depth--
      else if (this.wireType === WireType.fixed32) this.#pass(this.at + 4)
      else throw this.invalid('a wire type does not exist', this.at, this.wireType)
      if (depth < 0) throw this.invalid('a group ends that has not begun', this.at, this.field)
      if (depth === 0) return
      this.#varint() // the tag of what is in the group: Go looks at its wire type only
      this.wireType = this.#low & 7
    }
  }

  /** The error for what is found at `at`, with its place in the message and its value. */
  invalid(message: string, at: number, value: unknown): RecoveryLogError {
    return new RecoveryLogError(this.#code, message, { at: at - this.#begin, value })
  }

  #expect(wireType: number, name: string): void {
    if (this.wireType !== wireType) {
      throw this.invalid(`${name} is written as another wire type`, this.at, this.wireType)
    }
  }

  #delimited(): number {
    const begin = this.at
    let length = begin < this.end ? (this.bytes[begin] as number) : 0x80
    if (length < 0x80) {
      this.at++
    } else {
      this.#varint()
      length = (this.#high >>> 0) * 0x1_0000_0000 + (this.#low >>> 0)
    }
    if (length > this.end - this.at) throw this.invalid('a length reaches past the end', begin, length)
    return this.at + length
  }

  #pass(to: number): void {
    if (to > this.end) throw this.#cut()
    this.at = to
  }

  #varint(): void {
    const { bytes, end } = this
    const begin = this.at
    let low = 0
    let high = 0
    for (let shift = 0; shift < 7 * VARINT_BYTES_MAX; shift += 7) {
      if (this.at >= end) throw this.#cut()
      const byte = bytes[this.at++] as number
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift > 28) high |= bits << (shift - 32)
      else {
        low |= bits << 28
        high = bits >>> 4
      }
      if (byte < 0x80) {
        this.#low = low
        this.#high = high
        return
      }
    }
    throw this.invalid('a varint has more than ten bytes', begin, bytes[begin])
  }

  #cut(): RecoveryLogError {
    return this.invalid('the message ends within a field', this.end, undefined)
  }
}

/** How many bytes the varint of `value`, a safe integer that is not negative, has. */
export function varintLength(value: number): number {
  if (value < 0x4000) return value < 0x80 ? 1 : 2
  if (value < 0x1000_0000) return value < 0x20_0000 ? 3 : 4
  if (value < 2 ** 42) return value < 2 ** 35 ? 5 : 6
  return value < 2 ** 49 ? 7 : 8
}

/** Writes `value` as a varint at `at` and returns where it ends. Throws RangeError unless it is a safe integer >= 0. */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let rest = value
  if (rest >>> 0 !== rest) {
    if (!Number.isSafeInteger(rest) || rest < 0) {
      throw new RangeError(`expected an integer of at least 0 and below 2^53, got ${String(value)}`)
    }
    // Four groups by division leave at most 25 bits.
    for (let group = 0; group < 4; group++) {
      out[at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
  }
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  out[at++] = rest
  return at
}

/** Writes a fixed32, int32 or uint32 in memory, at `at` and returns where it ends. */
export function writeFixed32(out: Uint8Array, at: number, value: number): number {
  out[at] = value
  out[at + 1] = value >>> 8
  out[at + 2] = value >>> 16
  out[at + 3] = value >>> 24
  return at + 4
}
