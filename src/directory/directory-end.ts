import type { RecoveryLogError } from '../errors/index.ts'

/** How a directory or a standby has ended. */
export interface DirectoryEnd {
  readonly reason: 'closed' | 'promoted' | 'fenced' | 'failed'
  /** Why, unless it was asked for. */
  readonly error?: RecoveryLogError
}
