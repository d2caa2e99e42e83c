/** What a durable directory is made of (durable-directory spec, section 1): parts that are handed in, and settings. */
import type { Clock, Random } from '../parts/index.ts'
import type { RecordedFileSystemDisk } from '../recorder/fs/index.ts'
import type { PlayerFileSystem } from '../player/index.ts'
import type { OnDirectoryEvent } from './directory-event.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { OnProgress } from './progress.ts'
import type { RecoverySource } from './recovery.ts'

/** The file system of a durable directory: node:fs, memfs, or anything of their shape. */
export type DirectoryFileSystem = PlayerFileSystem & RecordedFileSystemDisk

/** Parts that `recoverylog/node` fills in. */
export interface DirectoryParts {
  readonly fs: DirectoryFileSystem
  readonly clock: Clock
  readonly random: Random
  /** Tells whether the holder of the lock still runs. Without it nobody is ever found dead. */
  readonly identity?: ProcessIdentity | undefined
}

export interface Closable {
  close(): Promise<void>
}

/** What `recover`, `verify` and `plan` are asked for. */
export interface CopyOptions extends RecoverySource, DirectoryParts {
  readonly onEvent?: OnDirectoryEvent | undefined
  readonly onProgress?: OnProgress | undefined
  /** How long what is read is kept from being pruned after the last sign of life. Default 15 minutes. */
  readonly pinMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a standby is asked for. */
export interface FollowOptions extends CopyOptions {
  /** An absolute, normalised path. Its parent exists; itself is missing, empty, or was a durable directory before. */
  readonly dir: string
  /** Takes the lock of `dir` from a holder that is alive or cannot be judged. The fence still protects the log. */
  readonly takeLock?: boolean | undefined
  /** No progress for this long while the head moves on is a `STALLED` event. Default 30 s. */
  readonly stallMs?: number | undefined
  /** Default 5 minutes, as in Gazette. */
  readonly hintsIntervalMs?: number | undefined
  /** New hints when a recovery would read more than this past the newest ones. Default 16 MiB. */
  readonly hintsGrowthBytes?: number | undefined
  /**
   * Whether a Gazette process may record on to this log: gaps between segments are then never pruned. To be said to
   * `prune` too. Default false.
   */
  readonly goReadable?: boolean | undefined
  /**
   * How many bytes of the log between two operations of one file are worth a cut of its hints, so that what lies between
   * need not be read, nor kept. Default 64 MiB.
   */
  readonly segmentGapBytesMin?: number | undefined
  /** How many recorded bytes may wait for the journal. Default 64 MiB. */
  readonly queueBytesMax?: number | undefined
  /**
   * Records a file anew once its history in the log outweighs it, so that a database that is updated in place for ever
   * does not keep its whole history alive. Looked at whenever hints are due. Default true.
   */
  readonly boundHistory?: boolean | undefined
  /** What was made for this directory alone, such as its journal: closed with it, in this order. Default: nothing. */
  readonly closeWith?: readonly Closable[] | undefined
  /** Whether writes carry a checksum of their content. Default false: it costs time, and Go has none. */
  readonly contentChecksums?: boolean | undefined
}

/** What an owner is asked for. */
export interface OpenOptions extends FollowOptions {
  /** Takes a directory of files that was none of ours, for an empty log. Default false: it is refused, and left alone. */
  readonly adopt?: boolean | undefined
}
