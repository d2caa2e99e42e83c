import { RecoveryLogError } from '../errors/index.ts'
import type { ErrorKind } from '../errors/index.ts'

/** What a failure means for a message: whether it must come again. */

/** The world is in the way, or this process ends. So is it with every error that is none of ours. */
const TRANSIENT_KINDS: ReadonlySet<ErrorKind> = new Set(['unavailable', 'aborted', 'closed'])

/** A coordinator's failure. */
export function isTransient(error: unknown): boolean {
  return !(error instanceof RecoveryLogError) || TRANSIENT_KINDS.has(error.kind)
}

/**
 * A storage's failure. Only what is said of the entries themselves is for good; a storage that denies us or is damaged can
 * be put right. A stream that is sealed is being archived: the seal goes, or registering it says that it is archived.
 */
export function isTransientInStorage(error: unknown): boolean {
  if (!(error instanceof RecoveryLogError) || error.code === 'SEALED') return true
  return error.kind !== 'invalid' && error.kind !== 'conflict'
}
