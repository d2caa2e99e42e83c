import { RecoveryLogError } from '../errors/index.ts'
import type { ErrorCode } from '../errors/index.ts'
import { systemErrorCode } from '../parts/index.ts'

/** What the file system's codes mean here; every other one may go away by itself, as a full disk may. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'DENIED',
  EPERM: 'DENIED',
  EROFS: 'DENIED',
  EEXIST: 'PATH_REFUSED', // names that the file system takes for one, although it was asked
  EILSEQ: 'PATH_REFUSED',
  ENAMETOOLONG: 'PATH_REFUSED',
}

/** The error of a call on the file system, with its code and the path in `data`. */
export function fileError(error: unknown, path: string): RecoveryLogError {
  if (error instanceof RecoveryLogError) return error
  const code = systemErrorCode(error)
  return new RecoveryLogError(
    CODES[code ?? ''] ?? 'UNAVAILABLE',
    `the file system refused ${JSON.stringify(path)}: ${error instanceof Error ? error.message : String(error)}`,
    { path, errno: code },
    { cause: error },
  )
}
