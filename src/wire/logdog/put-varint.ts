import { varintLength, writeVarint } from '../protobuf.ts'

/** Varints as `protobuf.ts` has them, faster for the small numbers that entries and their lengths mostly are. */

/** How many bytes the varint of `value` has, a safe integer from 0. */
export function lengthOfVarint(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  return varintLength(value)
}

/** Writes `value`, a safe integer from 0, at `at` and answers where it ends. */
export function putVarint(target: Uint8Array, at: number, value: number): number {
  if (value < 0x80) {
    target[at] = value
    return at + 1
  }
  target[at] = (value & 0x7f) | 0x80
  if (value < 0x4000) {
    target[at + 1] = value >>> 7
    return at + 2
  }
  target[at + 1] = ((value >>> 7) & 0x7f) | 0x80
  if (value < 0x20_0000) {
    target[at + 2] = value >>> 14
    return at + 3
  }
  if (value >>> 0 !== value) return writeVarint(target, at, value)
  target[at + 2] = ((value >>> 14) & 0x7f) | 0x80
  if (value < 0x1000_0000) {
    target[at + 3] = value >>> 21
    return at + 4
  }
  target[at + 3] = ((value >>> 21) & 0x7f) | 0x80
  target[at + 4] = value >>> 28
  return at + 5
}

/**
 * How many bytes a field of a one-byte tag with a number has: none when it is 0. Throws RangeError for what is no safe
 * integer from 0.
 */
export function numberBytes(value: number): number {
  if (value === 0) return 0
  return value >>> 0 === value ? 1 + lengthOfVarint(value) : largeNumberBytes(value)
}

/** Writes such a field at `at` and answers where it ends. */
export function putNumber(target: Uint8Array, at: number, tag: number, value: number): number {
  if (value === 0) return at
  target[at] = tag
  return putVarint(target, at + 1, value)
}

/** Apart, so that `numberBytes` is short enough to become a part of its callers. */
function largeNumberBytes(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`expected an integer from 0 below 2^53, got ${value}`)
  }
  return 1 + varintLength(value)
}
