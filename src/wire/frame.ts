/**
 * The frame of an operation (recovery-log spec, section 2): the magic word `66 33 93 36`, the length of the message as
 * a little-endian uint32, the message. The content of a write follows its frame without belonging to it.
 */

import { viewOf } from './byte-view.ts'

/** The magic word and the length. */
export const FRAME_HEADER_BYTES = 8

/** The longest message that a reader takes unless told otherwise: 16 MiB, where Go has no limit and allocates 4 GiB. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024

/** The magic word, as little-endian. */
const MAGIC = 0x36933366
const MAGIC_0 = 0x66
const MAGIC_1 = 0x33
const MAGIC_2 = 0x93
const MAGIC_3 = 0x36
const MAGIC_BYTES = 4

/** Writes the header of a message of `length` bytes at `at`. */
export function writeFrameHeader(out: Uint8Array, at: number, length: number): void {
  const view = viewOf(out)
  view.setInt32(at, MAGIC, true)
  view.setInt32(at + 4, length, true)
}

/**
 * The length of the message whose header begins at `at`, where at least `FRAME_HEADER_BYTES` must be there; -1 when the
 * magic word is wrong. The length is what the header says, up to 2^32 - 1: check it before taking memory for it.
 */
export function readFrameHeader(bytes: Uint8Array, at: number): number {
  const view = viewOf(bytes)
  return view.getInt32(at, true) === MAGIC ? view.getUint32(at + 4, true) : -1
}

/**
 * Where the first magic word begins in `bytes[begin, end)`. Without one: where the last bytes begin, at most three,
 * that may be the beginning of one, or `end`. So `found + 4 <= end` tells a whole one, and nothing before it is lost.
 */
export function findMagic(bytes: Uint8Array, begin: number, end: number): number {
  for (let at = begin; at < end; at++) {
    if (bytes[at] === MAGIC_0 && beginsMagic(bytes, at, end)) return at
  }
  return end
}

function beginsMagic(bytes: Uint8Array, at: number, end: number): boolean {
  return (
    (at + 1 >= end || bytes[at + 1] === MAGIC_1) &&
    (at + 2 >= end || bytes[at + 2] === MAGIC_2) &&
    (at + MAGIC_BYTES > end || bytes[at + 3] === MAGIC_3)
  )
}
