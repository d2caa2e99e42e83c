import { abortedError } from '../../async/index.ts'
import type { Clock } from '../../parts/index.ts'

/** Longer sleeps are slept in pieces: a timer of Node ends at once beyond 2^31 - 1 ms. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** The system's clock. Its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),

  async sleep(ms, signal) {
    const until = Date.now() + ms
    for (let left = ms; left > 0; left = until - Date.now()) {
      await sleepOnce(Math.min(left, TIMER_MS_MAX), signal)
    }
  },
}

function sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortedError(signal))
      return
    }
    const onAbort = (): void => {
      clearTimeout(timer)
      if (signal !== undefined) reject(abortedError(signal))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    timer.unref()
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
