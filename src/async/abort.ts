import { RecoveryLogError } from '../errors/index.ts'

/** The error with which every call of this package answers an abort. The signal's reason is its cause. */
export function abortedError(signal: AbortSignal): RecoveryLogError {
  return new RecoveryLogError('ABORTED', 'the call was aborted', {}, { cause: signal.reason })
}

/** Throws `ABORTED` when the signal has already fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal)
}

/**
 * Waits for `promise`, but no longer than until the signal fires. The work behind `promise` goes on; no listener is
 * left on the signal.
 */
export function raceAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  if (signal.aborted) {
    promise.catch(ignore) // whoever aborted no longer asks how it ended
    return Promise.reject(abortedError(signal))
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      reject(abortedError(signal))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort)
    })
  })
}

function ignore(): void {
  // deliberately empty: the abort has already been reported in its place
}
