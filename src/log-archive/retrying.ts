import { RecoveryLogError } from '../errors/index.ts'
import type { Clock } from '../parts/index.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 10_000

/**
 * Does what may go well later until it does, or until `retryMs` are over. An error of a foreign part is taken for one that
 * may.
 *
 * @throws RecoveryLogError the last error, and at once one that is not `isTransient`
 */
export async function retrying<T>(
  { clock, retryMs }: { readonly clock: Clock; readonly retryMs: number },
  body: () => Promise<T>,
  isTransient: (error: RecoveryLogError) => boolean = isUnavailable,
): Promise<T> {
  const untilMs = clock.now() + retryMs
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      return await body()
    } catch (caught) {
      const error = RecoveryLogError.from(caught)
      if (!isTransient(error) || clock.now() + waitMs > untilMs) throw error
    }
    await clock.sleep(waitMs)
  }
}

export function isUnavailable({ kind }: RecoveryLogError): boolean {
  return kind === 'unavailable'
}
