import { TimeTag } from './log-entry-tags.ts'
import type { MessageReader } from './message-reader.ts'
import { lengthOfVarint, putVarint } from './put-varint.ts'

/**
 * `google.protobuf.Duration` and `google.protobuf.Timestamp`: the same bytes. Nothing is normalised: what came is
 * written again.
 */
export interface Time {
  /** A safe integer; of a timestamp, since 1970-01-01 UTC. */
  seconds: number
  /** An int32; normally of the sign of the seconds, and below 10^9. */
  nanos: number
  /** Bytes of fields that are not known. */
  unknown?: Uint8Array | undefined
}

/** A negative number is written as 64 bits: ten bytes. */
const NEGATIVE_BYTES = 10

/** Decodes the message that begins where `reader` stands, merged with `before` when there was one already. */
export function decodeTime(reader: MessageReader, before: Time | undefined): Time {
  let seconds = before === undefined ? 0 : before.seconds
  let nanos = before === undefined ? 0 : before.nanos
  let unknown = before?.unknown
  const outer = reader.end
  const end = reader.delimited()
  reader.end = end
  while (reader.at < end) {
    const begin = reader.at
    const tag = reader.tag()
    if (tag === TimeTag.seconds) seconds = reader.int64()
    else if (tag === TimeTag.nanos) nanos = reader.int32()
    else unknown = reader.keepUnknown(tag, begin, unknown)
  }
  reader.end = outer
  return { seconds, nanos, unknown }
}

/** How many bytes `time` has. Throws RangeError for seconds that are no safe integer, and nanos that are no int32. */
export function timeBytes(time: Time): number {
  const { seconds, nanos } = time
  if (!Number.isSafeInteger(seconds)) {
    throw new RangeError(`expected a safe integer for seconds, got ${seconds}`)
  }
  if ((nanos | 0) !== nanos) throw new RangeError(`expected an int32 for nanos, got ${nanos}`)
  return signedBytes(seconds) + signedBytes(nanos) + (time.unknown === undefined ? 0 : time.unknown.length)
}

/** Writes `time`, which `timeBytes` has measured, at `at` and answers where it ends. */
export function writeTime(time: Time, target: Uint8Array, at: number): number {
  const end = writeSigned(
    target,
    writeSigned(target, at, TimeTag.seconds, time.seconds),
    TimeTag.nanos,
    time.nanos,
  )
  if (time.unknown === undefined) return end
  target.set(time.unknown, end)
  return end + time.unknown.length
}

function signedBytes(value: number): number {
  if (value === 0) return 0
  return 1 + (value < 0 ? NEGATIVE_BYTES : lengthOfVarint(value))
}

function writeSigned(target: Uint8Array, position: number, tag: number, value: number): number {
  if (value === 0) return position
  target[position] = tag
  if (value > 0) return putVarint(target, position + 1, value)
  // The 64 bits of a negative number are those of its distance from 0, less one, inverted.
  let at = position + 1
  let rest = -(value + 1)
  for (let index = 0; index < NEGATIVE_BYTES - 1; index++) {
    target[at++] = 0x80 | (0x7f - (rest % 0x80))
    rest = Math.floor(rest / 0x80)
  }
  target[at++] = 1
  return at
}
