import { viewOf } from './byte-view.ts'
import type { RecordedOp } from './recorded-op.ts'
import { isWellFormed } from './utf8.ts'

const MULTIPLIER = 0x9e3779b1 | 0

/** What was hashed last, all bytes ored: a pair of this and the hash would be an object for each path. */
let seen = 0

/**
 * The hash by which a path is looked up, as int32, mixed best in its upper bits. Not for writing down: it may change
 * with any release. Four bytes are mixed in one step, because a look at each of a path took longer than its checksum.
 */
export function pathHash(bytes: Uint8Array, begin: number, end: number): number {
  const view = viewOf(bytes)
  let hash = end - begin
  let all = 0
  let at = begin
  for (; at <= end - 4; at += 4) {
    const four = view.getInt32(at, true)
    all |= four
    hash = mix(hash, four)
  }
  for (; at < end; at++) {
    const one = bytes[at] as number
    all |= one
    hash = mix(hash, one)
  }
  seen = all
  return hash
}

function mix(hash: number, word: number): number {
  const mixed = hash ^ word
  return Math.imul((mixed << 15) | (mixed >>> 17), MULTIPLIER)
}

/** Gives an operation its path, `bytes[begin, end)`. Answers false, and the path is worth nothing, if that is not UTF-8. */
export function setPath(op: RecordedOp, bytes: Uint8Array, begin: number, end: number): boolean {
  op.pathBegin = begin
  op.pathEnd = end
  op.pathHash = pathHash(bytes, begin, end)
  return (seen & 0x80808080) === 0 || isWellFormed(bytes, begin, end)
}
