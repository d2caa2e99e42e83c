import type { Time } from '../wire/logdog/index.ts'

/** Time offsets as Go compares them: as nanoseconds in an int64, 292 years either way, and no further. */

const BILLION = 1_000_000_000
const MAX: Time = { seconds: 9_223_372_036, nanos: 854_775_807 }
const MIN: Time = { seconds: -9_223_372_037, nanos: 145_224_192 }

/** Whether an offset is from 0 to below the bound, with nanos below 10^9, as nearly all are. */
export function isNormal({ seconds, nanos }: Time): boolean {
  return nanos >= 0 && nanos < BILLION && seconds >= 0 && seconds < MAX.seconds
}

/** The offset with nanos from 0 to 10^9, within the bounds. */
export function normalizedOffset({ seconds, nanos }: Time): Time {
  const carry = Math.floor(nanos / BILLION)
  const time = { seconds: seconds + carry, nanos: nanos - carry * BILLION }
  if (isEarlier(MAX, time)) return MAX
  return isEarlier(time, MIN) ? MIN : time
}

function isEarlier(a: Time, b: Time): boolean {
  return a.seconds < b.seconds || (a.seconds === b.seconds && a.nanos < b.nanos)
}
