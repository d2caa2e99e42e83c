import { DEFAULT_ARCHIVE_SETTINGS } from '../archive/index.ts'
import type { ArchiveBases, ArchiveSettings } from '../archive/index.ts'

/** What a service says, and each project may say otherwise (log-archive spec, section 8). A change counts for the next task. */
export interface CoordinatorSettings extends ArchiveSettings, ArchiveBases {
  /** A terminated stream is archived when nothing has changed for so long. Default 5 min. */
  readonly archiveDelayMs: number
  /** A stream that was never terminated is archived, as far as it goes, after so long. Default 48 h. */
  readonly archiveMaxDelayMs: number
  /** A task older than this makes do with what is there. Default: as `archiveMaxDelayMs`. */
  readonly archiveSettleDelayMs: number | null
  /** Entries leave intermediate storage so long after archival; 0: in the archival's own task. Default 10 min. */
  readonly storageCleanupDelayMs: number
  /** How long streams may be registered under a prefix. Default 24 h; 0: not set. */
  readonly prefixExpirationMs: number
  /** Entries behind the size limit may be purged. Default false. */
  readonly purgeTruncated: boolean
}

export const DEFAULT_COORDINATOR_SETTINGS: CoordinatorSettings = {
  ...DEFAULT_ARCHIVE_SETTINGS,
  base: 'archive',
  staging: 'staging',
  archiveDelayMs: 5 * 60 * 1000,
  archiveMaxDelayMs: 48 * 60 * 60 * 1000,
  archiveSettleDelayMs: null,
  storageCleanupDelayMs: 10 * 60 * 1000,
  prefixExpirationMs: 24 * 60 * 60 * 1000,
  purgeTruncated: false,
}
