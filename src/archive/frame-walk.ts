import { decodeTextEntry, peekPlainStreamIndex } from '../wire/logdog/index.ts'
import type { LogEntry } from '../wire/logdog/index.ts'

/**
 * Walks fast over the frames of an entries file. Nothing is told of what is odd: the walk ends before it, and whoever goes
 * on from there one by one will find it. Functions and not methods, because V8 forgets the layout of objects that come
 * and go, and with it the code compiled for them.
 */

/** One frame of so many is looked into: of most it is enough to know where they end. */
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

/**
 * Decodes the frames from `begin` on into `entries`, until there are `room` of them. Answers where the walk ends: before
 * the first that is not whole, is not a plain entry of text, or lies before `firstIndex`.
 */
export function decodeTextFrames(
  bytes: Uint8Array,
  begin: number,
  firstIndex: number,
  entries: LogEntry[],
  room: number,
): number {
  let at = begin
  while (at < bytes.length) {
    let data = at + 1
    let length = bytes[at] as number
    if (length >= 0x80) {
      const more = bytes[data++] as number
      if (more >= 0x80) break
      length = (length & 0x7f) | (more << 7)
    }
    const end = data + length
    if (end > bytes.length) break
    const entry = decodeTextEntry(bytes, data, end)
    if (entry === undefined || entry.streamIndex < firstIndex) break
    at = end
    entries[entries.length] = entry // `push` would be a call: 10 ns
    if (entries.length === room) break
  }
  return at
}

/** Where the `count` frames from `begin` on end, or as many of them as are whole. */
export function passFrames(bytes: Uint8Array, begin: number, count: number): number {
  let at = begin
  for (let left = count; left > 0 && at < bytes.length; left--) {
    const data = dataBegin(bytes, at)
    const end = data + dataBytes(bytes, at)
    if (data < 0 || end > bytes.length) return at
    at = end
  }
  return at
}

/** Where the data of the frame at `at` begins: negative when its header has more than two bytes, or is cut. */
function dataBegin(bytes: Uint8Array, at: number): number {
  if ((bytes[at] as number) < 0x80) return at + 1
  return (bytes[at + 1] as number) < 0x80 ? at + 2 : -1
}

/** How long it is, if its header has at most two bytes. */
function dataBytes(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  return first < 0x80 ? first : (first & 0x7f) | ((bytes[at + 1] as number) << 7)
}
