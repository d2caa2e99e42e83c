/** What a durable directory tells while it works (durable-directory spec, section 1). */
import type { RecoveryLogError } from '../errors/index.ts'
import type { LogEnd, PlayEvent } from '../player/index.ts'

export type DirectoryEvent =
  /** A stored set of hints is being played; without a key none could be used, and the whole log is read. */
  | { readonly type: 'recovering'; readonly key: string | undefined; readonly log: string }
  /** How far that has come, a few times a second. */
  | { readonly type: 'progress'; readonly bytesDone: number; readonly bytesTotal: number | undefined }
  /** A stored set of hints could not be used, and the next older one is tried. */
  | { readonly type: 'hints_skipped'; readonly key: string; readonly error: RecoveryLogError }
  | { readonly type: 'player'; readonly event: PlayEvent }
  /** The log is ours: `offset` is the place of the hand-off. */
  | { readonly type: 'handed_off'; readonly log: string; readonly offset: number; readonly author: number }
  /** The directory is there. `lossAccepted`: operations in the log were dropped, as `acceptDataLoss` allowed. */
  | { readonly type: 'recovered'; readonly log: string; readonly end: number; readonly lossAccepted: boolean }
  | { readonly type: 'hints_written'; readonly key: string; readonly end: LogEnd }
  /** Saving hints failed; it is tried again. Recording goes on. */
  | { readonly type: 'hints_failed'; readonly error: RecoveryLogError }
  /** A newer owner has taken the log over, or the journal has failed: nothing more is recorded. */
  | { readonly type: 'fenced' | 'failed'; readonly error: RecoveryLogError }
  /** A standby has made no progress for `ms` milliseconds while the head moved on. */
  | { readonly type: 'STALLED'; readonly log: string; readonly offset: number; readonly ms: number }
  /** What a standby needed has been pruned, or its log has been left: it begins again from newer hints. */
  | { readonly type: 'restarted'; readonly error: RecoveryLogError }
  | { readonly type: 'closed' }

export type OnDirectoryEvent = (event: DirectoryEvent) => void
