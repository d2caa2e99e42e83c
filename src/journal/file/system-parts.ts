import { abortedError } from '../../async/index.ts'
import type { Clock } from '../../parts/index.ts'

/** The clock of a file journal that was handed none. Its timers keep no process alive. */
export const fileClock: Clock = {
  now: () => Date.now(),

  sleep(ms, signal) {
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
  },
}
