import { peekPlainStreamIndex } from '../wire/logdog/index.ts'

/**
 * Walks over the frames of an entries file without decoding them. Nothing is told of what is odd: the walk ends before
 * it, and whoever decodes will find it.
 */

/** One frame of so many is looked into. Looking into each would be a third of the cost of a short `get`. */
export const LEAP_FRAMES = 16

/**
 * Passes from the frame at `begin` over frames with entries before `streamIndex`, relying on that indexes rise. Answers
 * where the walk ends: less than `LEAP_FRAMES` frames before the first entry at or after `streamIndex`, if there is one.
 */
export function leapTowards(bytes: Uint8Array, begin: number, streamIndex: number): number {
  for (let at = begin; ;) {
    const last = passFrames(bytes, at, LEAP_FRAMES - 1)
    const end = passFrames(bytes, last, 1)
    if (end === last) return at
    const peeked = peekPlainStreamIndex(bytes, dataBegin(bytes, last), end)
    if (peeked < 0 || peeked >= streamIndex) return at
    at = end
  }
}

/** Where the `count` frames from `begin` on end, or as many of them as are whole. */
export function passFrames(bytes: Uint8Array, begin: number, count: number): number {
  let at = begin
  for (let left = count; left > 0 && at < bytes.length; left--) {
    const data = dataBegin(bytes, at)
    let length = (bytes[at] as number) & 0x7f
    if (data > at + 1) length |= ((bytes[at + 1] as number) & 0x7f) << 7
    if (data > at + 2) length |= ((bytes[at + 2] as number) & 0x7f) << 14
    if (data < 0 || data + length > bytes.length) return at
    at = data + length
  }
  return at
}

/** Where the data of the frame at `at` begins: negative when its header has more than three bytes, or is cut. */
function dataBegin(bytes: Uint8Array, at: number): number {
  for (let end = at; end < at + 3 && end < bytes.length; end++) {
    if ((bytes[end] as number) < 0x80) return end + 1
  }
  return -1
}
