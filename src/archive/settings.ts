/** How an archive is written (log-archive spec, section 5): plain data, set per service and project. */
export interface ArchiveSettings {
  /** An index entry at least every so many bytes of entries; 0 or less: bytes do not count. Default 64 KiB. */
  readonly byteRange: number
  /** An index entry at least every so many stream indexes; 0 or less: they do not count. Default 1,000. */
  readonly streamIndexRange: number
  /** An index entry at least every so many prefix indexes; 0 or less, as by default: they do not count. */
  readonly prefixIndexRange: number
  /** The archive ends after the entry with which the entries' messages pass so many bytes. Default 5 GiB. */
  readonly sizeLimitBytes: number
  /** Writes the data file too. Default false. */
  readonly renderData: boolean
}

export const DEFAULT_ARCHIVE_SETTINGS: ArchiveSettings = {
  byteRange: 64 * 1024,
  streamIndexRange: 1000,
  prefixIndexRange: 0,
  sizeLimitBytes: 5 * 1024 * 1024 * 1024,
  renderData: false,
}

/** Fills in the defaults. Throws RangeError for a number that is no safe integer, and a size limit below 0. */
export function archiveSettings(settings: Partial<ArchiveSettings> = {}): ArchiveSettings {
  const all = { ...DEFAULT_ARCHIVE_SETTINGS, ...settings }
  for (const name of ['byteRange', 'streamIndexRange', 'prefixIndexRange', 'sizeLimitBytes'] as const) {
    if (!Number.isSafeInteger(all[name])) {
      throw new RangeError(`expected an integer for ${name}, got ${all[name]}`)
    }
  }
  if (all.sizeLimitBytes < 0) {
    throw new RangeError(`expected sizeLimitBytes from 0, got ${all.sizeLimitBytes}`)
  }
  return all
}
