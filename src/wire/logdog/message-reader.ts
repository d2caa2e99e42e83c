import { RecoveryLogError } from '../../errors/index.ts'
import { isUtf8 } from '../utf8.ts'

/**
 * Reads protobuf messages as Go's generated code reads them: fields in any order, varints that are not minimal, and a
 * field that is not known, or known with another wire type, kept as it is (log-archive spec, section 3). Numbers from
 * 2^53 on are refused, where Go takes them.
 */

export const WireType = { varint: 0, fixed64: 1, bytes: 2, groupBegin: 3, groupEnd: 4, fixed32: 5 } as const

/** Groups within groups are followed this deep; LogDog's messages have none at all. */
const GROUP_DEPTH_MAX = 100

/** Of the tenth byte of 64 bits only the lowest bit counts. */
const VARINT_BYTES_MAX = 10

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const LINE_FEED = 10

/** Stands at a place in `bytes` and reads on from there, never past `end`. */
export class MessageReader {
  bytes: Uint8Array
  /** What is read, for the errors. */
  readonly message: string
  at: number
  end: number
  /** The varint read last: bits 0 to 27, 28 to 55, and 56 to 63. */
  #low = 0
  #middle = 0
  #high = 0

  constructor(message: string, bytes: Uint8Array, begin = 0, end = bytes.length) {
    this.message = message
    this.bytes = bytes
    this.at = begin
    this.end = end
  }

  /** Stands at the beginning of another message. */
  reset(bytes: Uint8Array, begin: number, end: number): this {
    this.bytes = bytes
    this.at = begin
    this.end = end
    return this
  }

  /** The next tag: field number times 8, and the wire type. Call it only before the end. */
  tag(): number {
    const begin = this.at
    const first = this.bytes[begin] as number
    if (first < 0x80) {
      this.at = begin + 1
      if (first < 8) throw this.corrupt('a field has the number 0', begin)
      return first
    }
    this.#varint()
    if (this.#high !== 0 || this.#middle > 0xf) throw this.corrupt('a field number is beyond 2^29 - 1', begin)
    const tag = this.#middle * 0x1000_0000 + this.#low
    if (tag < 8) throw this.corrupt('a field has the number 0', begin)
    return tag
  }

  /** A uint64 below 2^53. */
  uint64(): number {
    const { bytes, end } = this
    const begin = this.at
    // Three bytes are what nearly all numbers in archives have.
    if (begin + 2 < end) {
      const first = bytes[begin] as number
      if (first < 0x80) {
        this.at = begin + 1
        return first
      }
      const second = bytes[begin + 1] as number
      if (second < 0x80) {
        this.at = begin + 2
        return (second << 7) | (first & 0x7f)
      }
      const third = bytes[begin + 2] as number
      if (third < 0x80) {
        this.at = begin + 3
        return (third << 14) | ((second & 0x7f) << 7) | (first & 0x7f)
      }
    }
    this.#varint()
    if (this.#high !== 0 || this.#middle >= 0x200_0000) throw this.corrupt('a number is 2^53 or more', begin)
    return this.#middle * 0x1000_0000 + this.#low
  }

  /** An int64 between -2^53 and 2^53, both left out. */
  int64(): number {
    const begin = this.at
    this.#varint()
    if (this.#high < 0x80) {
      if (this.#high !== 0 || this.#middle >= 0x200_0000) {
        throw this.corrupt('a number is 2^53 or more', begin)
      }
      return this.#middle * 0x1000_0000 + this.#low
    }
    // Two's complement: the number is -(its inverted bits + 1).
    const middle = 0xfff_ffff - this.#middle
    const inverted = middle * 0x1000_0000 + (0xfff_ffff - this.#low)
    if (this.#high !== 0xff || !Number.isSafeInteger(-inverted - 1)) {
      throw this.corrupt('a number is -2^53 or less', begin)
    }
    return -inverted - 1
  }

  /** An int32: of more bits, as Go does, the low 32 count. */
  int32(): number {
    this.#varint()
    return this.#low | (this.#middle << 28)
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  bool(): boolean {
    this.#varint()
    return this.#low !== 0 || this.#middle !== 0 || this.#high !== 0
  }

  /** Goes to the beginning of a string, bytes or message, and answers where it ends. */
  delimited(): number {
    const begin = this.at
    const length = this.uint64()
    if (length > this.end - this.at) throw this.corrupt('a length reaches past the end', begin)
    return this.at + length
  }

  /** A bytes field: a view. */
  view(): Uint8Array {
    const end = this.delimited()
    const begin = this.at
    this.at = end
    // Made directly, because `subarray` asks the array which class it is to make.
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + begin, end - begin)
  }

  /** A string field: UTF-8, exactly. */
  text(): string {
    const end = this.delimited()
    const begin = this.at
    this.at = end
    // By far the most strings in archives are the delimiters of lines.
    if (end === begin + 1 && this.bytes[begin] === LINE_FEED) return '\n'
    if (end === begin) return ''
    if (!isUtf8(this.bytes, begin, end)) throw this.corrupt('a string is not UTF-8', begin)
    return utf8.decode(this.bytes.subarray(begin, end))
  }

  /**
   * Passes over the field of `tag`, which began at `begin`. Answers what is unknown so far and this behind it: a copy,
   * because to keep a view would keep a whole chunk.
   */
  keepUnknown(tag: number, begin: number, unknown: Uint8Array | undefined): Uint8Array {
    this.skip(tag)
    const before = unknown?.length ?? 0
    const all = new Uint8Array(before + this.at - begin)
    if (unknown !== undefined) all.set(unknown)
    all.set(this.bytes.subarray(begin, this.at), before)
    return all
  }

  /** Passes over the value of a field, a whole group of them if it begins one. */
  skip(tag: number, depth = 0): void {
    const begin = this.at
    const wireType = tag % 8
    if (wireType === WireType.varint) this.#varint()
    else if (wireType === WireType.bytes) this.at = this.delimited()
    else if (wireType === WireType.fixed32) this.#pass(4)
    else if (wireType === WireType.fixed64) this.#pass(8)
    else if (wireType === WireType.groupBegin) this.#skipGroup(tag, depth)
    else if (wireType === WireType.groupEnd) throw this.corrupt('a group ends that has not begun', begin)
    else throw this.corrupt(`there is no wire type ${wireType}`, begin)
  }

  /** The error for what is wrong at `at`. */
  corrupt(what: string, at: number): RecoveryLogError {
    return new RecoveryLogError('CORRUPT', `${this.message} cannot be read at byte ${at}: ${what}`, {
      message: this.message,
      at,
    })
  }

  #skipGroup(tag: number, depth: number): void {
    const begin = this.at
    if (depth === GROUP_DEPTH_MAX) throw this.corrupt('groups are nested too deep', begin)
    const endTag = tag + 1
    for (;;) {
      if (this.at >= this.end) throw this.corrupt('a group does not end', begin)
      const inner = this.tag()
      if (inner === endTag) return
      this.skip(inner, depth + 1)
    }
  }

  #pass(bytes: number): void {
    if (bytes > this.end - this.at) throw this.corrupt('the message ends within a field', this.at)
    this.at += bytes
  }

  #varint(): void {
    const { bytes, end } = this
    const begin = this.at
    const last = Math.min(end, begin + VARINT_BYTES_MAX)
    let at = begin
    let low = 0
    let middle = 0
    let high = 0
    let byte = 0x80
    for (let shift = 0; shift < 28 && byte >= 0x80 && at < last; shift += 7) {
      byte = bytes[at++] as number
      low |= (byte & 0x7f) << shift
    }
    for (let shift = 0; shift < 28 && byte >= 0x80 && at < last; shift += 7) {
      byte = bytes[at++] as number
      middle |= (byte & 0x7f) << shift
    }
    for (let shift = 0; shift < 14 && byte >= 0x80 && at < last; shift += 7) {
      byte = bytes[at++] as number
      high |= (byte & 0x7f) << shift
    }
    if (at - begin === VARINT_BYTES_MAX && byte > 1) throw this.corrupt('a number is beyond 64 bits', begin)
    if (byte >= 0x80) throw this.corrupt('the message ends within a number', begin)
    this.at = at
    this.#low = low
    this.#middle = middle
    this.#high = high
  }
}
