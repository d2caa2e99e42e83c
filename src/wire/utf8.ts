/**
 * UTF-8, exactly: what is not well-formed is refused in both directions, never replaced by U+FFFD as TextDecoder and
 * TextEncoder do, because two different paths would become one.
 */

import { viewOf } from './byte-view.ts'

/** Whether `bytes[begin, end)` is well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
export function isUtf8(bytes: Uint8Array, begin: number, end: number): boolean {
  return isAscii(bytes, begin, end) || isWellFormed(bytes, begin, end)
}

/** Looks at four bytes at once: paths are short, and nearly all are ASCII. */
function isAscii(bytes: Uint8Array, begin: number, end: number): boolean {
  const view = viewOf(bytes)
  let all = 0
  let at = begin
  for (; at <= end - 4; at += 4) all |= view.getInt32(at, true)
  for (; at < end; at++) all |= bytes[at] as number
  return (all & 0x80808080) === 0
}

/** What `isUtf8` tells, where bytes beyond ASCII are known to be. */
export function isWellFormed(bytes: Uint8Array, begin: number, end: number): boolean {
  let at = begin
  while (at < end) {
    const lead = bytes[at++] as number
    if (lead < 0x80) continue
    if (lead < 0xc2 || lead > 0xf4) return false
    const more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    if (at + more > end) return false
    // Only the second byte is bounded otherwise than 80..bf: it tells overlong forms, surrogates and too great ones.
    const second = bytes[at++] as number
    const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (second < least || second > most) return false
    for (let left = more - 1; left > 0; left--) {
      if (((bytes[at++] as number) & 0xc0) !== 0x80) return false
    }
  }
  return true
}

/** How many bytes `text` has in UTF-8; NaN when there is half a surrogate pair in it, which has none. */
export function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    length += unit < 0x800 ? 1 : 2
    if (unit < 0xd800 || unit > 0xdfff) continue
    const low = text.charCodeAt(i + 1)
    if (unit > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) return NaN
    i++ // two units are four bytes: two that `length` began with, and two for the first unit
  }
  return length
}

/** Writes `text`, which `utf8Length` has measured, at `at` and returns where it ends. */
export function writeUtf8(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    let point = text.charCodeAt(i)
    if (point < 0x80) {
      out[at++] = point
      continue
    }
    if (point < 0x800) {
      out[at++] = 0xc0 | (point >>> 6)
    } else {
      if (point >= 0xd800 && point <= 0xdfff) {
        point = 0x10000 + ((point & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff)
        out[at++] = 0xf0 | (point >>> 18)
        out[at++] = 0x80 | ((point >>> 12) & 0x3f)
      } else {
        out[at++] = 0xe0 | (point >>> 12)
      }
      out[at++] = 0x80 | ((point >>> 6) & 0x3f)
    }
    out[at++] = 0x80 | (point & 0x3f)
  }
  return at
}
