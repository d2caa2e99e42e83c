import protobuf from 'protobufjs/minimal.js'
import { RecoveryLogError } from '../../errors/index.ts'
import type { StaticTime, Unknowns } from './static.js'
import type { Time } from './time.ts'

/** What the messages share that protobufjs reads and writes: from its types to ours, and back. */

/** Runs a generated decoder over `bytes`. What it throws, whatever that is, becomes `CORRUPT`. */
export function decodeStatic<T>(
  message: string,
  bytes: Uint8Array,
  decode: (reader: protobuf.Reader) => T,
): T {
  try {
    const reader = protobuf.Reader.create(bytes)
    reader.discardUnknown = false
    return decode(reader)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new RecoveryLogError('CORRUPT', `${message} cannot be read: ${why}`, { message }, { cause })
  }
}

/** The number in a 64-bit field: rounded from 2^53 on, but never to below it. */
export function numberOf(value: number | { toNumber(): number }): number {
  return typeof value === 'number' ? value : value.toNumber()
}

/** The time in a message, absent when it is absent there. */
export function timeOf(time: StaticTime | null): Time | undefined {
  if (time === null) return undefined
  const seconds = numberOf(time.seconds)
  if (!Number.isSafeInteger(seconds)) {
    throw new RecoveryLogError('CORRUPT', `a time of ${seconds} seconds is not below 2^53`, { seconds })
  }
  return { seconds, nanos: time.nanos, unknown: unknownOf(time) }
}

/** Fields that are not known, in one piece. */
export function unknownOf({ $unknowns }: Unknowns): Uint8Array | undefined {
  if ($unknowns === undefined) return undefined
  const all = new Uint8Array($unknowns.reduce((bytes, field) => bytes + field.length, 0))
  let at = 0
  for (const field of $unknowns) {
    all.set(field, at)
    at += field.length
  }
  return all
}

/** Fields that are not known, as the generated encoder takes them. */
export function unknownsFor(unknown: Uint8Array | undefined): Unknowns {
  return unknown === undefined ? {} : { $unknowns: [unknown] }
}

/** A time as the generated encoder takes it. */
export function staticTime(time: Time | undefined): StaticTime | null {
  return time === undefined
    ? null
    : { seconds: time.seconds, nanos: time.nanos, ...unknownsFor(time.unknown) }
}
