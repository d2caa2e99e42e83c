import { RecoveryLogError } from '../../errors/index.ts'
import { systemErrorCode } from '../../parts/index.ts'

/**
 * The one place where errors of the file system become ours: all are `UNAVAILABLE`, for another disk, more room or
 * other rights may make the same call work. What is ours already, and a caller's mistake, passes as it is.
 */
export function mapFileError(error: unknown, journal: string): Error {
  if (error instanceof RecoveryLogError || error instanceof TypeError || error instanceof RangeError) {
    return error
  }
  const code = systemErrorCode(error)
  const message = `the file system failed${code === undefined ? '' : ` with ${code}`}`
  return new RecoveryLogError('UNAVAILABLE', message, { journal, systemCode: code }, { cause: error })
}
