import type { Random } from '../parts/index.ts'

/** The first wait: long enough for a hiccup to be over. */
const FIRST_MS = 5_000
/** The longest: that of the queue (log-archive spec, section 7). */
export const BACK_OFF_MAX_MS = 7 * 24 * 60 * 60 * 1000

/** How long a task waits that was released `releases` times before, in milliseconds: doubled each time, by half at random. */
export function backOffMs(releases: number, random: Random): number {
  const fullMs = Math.min(FIRST_MS * 2 ** Math.min(releases, 30), BACK_OFF_MAX_MS)
  return Math.ceil((fullMs * (1 + (random(1)[0] as number) / 255)) / 2)
}
