import { RecoveryLogError } from '../../errors/index.ts'
import type { ErrorCode } from '../../errors/index.ts'
import { systemErrorCode } from '../../parts/index.ts'

/** The system's errors that say more than "later it may work". */
const CODES: Readonly<Partial<Record<string, ErrorCode>>> = {
  ENOENT: 'NOT_FOUND',
  ENOTDIR: 'NOT_FOUND',
  EEXIST: 'CONFLICT',
  EACCES: 'DENIED',
  EPERM: 'DENIED',
  EROFS: 'DENIED',
}

/** What a call of the file system threw, as an error of ours. What is none of the system's stays as it is. */
export function blobError(error: unknown, what: string, key: string): unknown {
  const code = systemErrorCode(error)
  if (code === undefined || error instanceof RecoveryLogError) return error
  const ours = CODES[code] ?? 'UNAVAILABLE'
  return new RecoveryLogError(
    ours,
    `cannot ${what} the blob ${key}: ${code}`,
    { key, code },
    { cause: error },
  )
}

/** Answers undefined instead of throwing when the file or folder is not there. */
export async function ifThere<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

export function isMissing(error: unknown): boolean {
  const code = systemErrorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}
