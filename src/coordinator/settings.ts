import { DEFAULT_ARCHIVE_SETTINGS } from '../archive/index.ts'
import type { ArchiveBases, ArchiveSettings } from '../archive/index.ts'
import { RecoveryLogError } from '../errors/index.ts'

/** What a service says, and each project may say otherwise (log-archive spec, section 8). A change counts for the next task. */
export interface CoordinatorSettings extends ArchiveSettings, ArchiveBases {
  /** A terminated stream is archived when nothing has changed for so long. Default 5 min. */
  readonly archiveDelayMs: number
  /** A stream that was never terminated is archived, as far as it goes, after so long. Default 48 h. */
  readonly archiveMaxDelayMs: number
  /** A task older than this makes do with what is there. Default null: as `archiveMaxDelayMs`. */
  readonly archiveSettleDelayMs: number | null
  /** Entries leave intermediate storage so long after archival; 0: in the archival's own task. Default 10 min. */
  readonly storageCleanupDelayMs: number
  /**
   * How long streams may be registered under a prefix: the shortest of what the service, the project and who registers
   * it say. Default 24 h; 0: not set.
   */
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

type Rule = readonly [expected: string, holds: (value: unknown) => boolean]

const integer: Rule = ['an integer', (value) => Number.isSafeInteger(value)]
const count: Rule = ['an integer from 0', (value) => Number.isSafeInteger(value) && (value as number) >= 0]
const flag: Rule = ['true or false', (value) => typeof value === 'boolean']
/** A scheme may stand before the bucket, and is none. */
const folder: Rule = [
  'the name of a folder',
  (value) => typeof value === 'string' && /[^/]/.test(value.replace(/^gs:\/\//, '')),
]

const RULES: Readonly<Record<keyof CoordinatorSettings, Rule>> = {
  byteRange: integer,
  streamIndexRange: integer,
  prefixIndexRange: integer,
  sizeLimitBytes: count,
  renderData: flag,
  base: folder,
  staging: folder,
  archiveDelayMs: count,
  archiveMaxDelayMs: count,
  archiveSettleDelayMs: ['an integer from 0, or null', (value) => value === null || count[1](value)],
  storageCleanupDelayMs: count,
  prefixExpirationMs: count,
  purgeTruncated: flag,
}

/**
 * Judges settings; those that are not there are not judged.
 *
 * @throws RecoveryLogError `INVALID` with `setting` and `value`
 */
export function checkSettings(settings: Partial<CoordinatorSettings>): void {
  for (const [setting, value] of Object.entries(settings)) {
    const rule = Object.hasOwn(RULES, setting) ? RULES[setting as keyof CoordinatorSettings] : undefined
    if (rule?.[1](value) === true) continue
    const what = rule === undefined ? 'there is no such setting' : `expected ${rule[0]}`
    const message = `${setting}: ${what}, got ${JSON.stringify(value)}`
    throw new RecoveryLogError('INVALID', message, { setting, value })
  }
}
