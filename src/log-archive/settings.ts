import { ENTRY_DATA_BYTES_MAX } from '../wire/logdog/index.ts'

/** How streams are written (log-archive spec, section 11): plain data. */
export interface WriterSettings {
  /** A batch is stored when it has so many entries. Default 100. */
  readonly batchEntriesMax: number
  /** A batch is stored when it has so many bytes of entries. Default 256 KiB. */
  readonly batchBytesMax: number
  /** A batch is stored when its first entry has waited so long. Default 100 ms. */
  readonly batchMs: number
  /** A stream's `write` waits while more than so many bytes of entries are not stored. Default 1 MiB. */
  readonly bufferBytesMax: number
  /**
   * One entry has at most so many bytes of data: longer lines and datagrams are split. Default 256 KiB, so that a batch has
   * room for it; at most 10 MiB, the format's own limit.
   */
  readonly entryBytesMax: number
  /** So many prefix indexes are reserved at a time; those that are left when the process ends are never used. Default 10,000. */
  readonly prefixIndexBlock: number
  /** How long a stream is its writer's after a sign of life. Default 30 s. */
  readonly writerLeaseMs: number
  /** What may go well later is tried again for so long, before the stream fails. Default 5 min. */
  readonly retryMs: number
}

export const DEFAULT_WRITER_SETTINGS: WriterSettings = {
  batchEntriesMax: 100,
  batchBytesMax: 256 * 1024,
  batchMs: 100,
  bufferBytesMax: 1024 * 1024,
  entryBytesMax: 256 * 1024,
  prefixIndexBlock: 10_000,
  writerLeaseMs: 30_000,
  retryMs: 5 * 60 * 1000,
}

/** Fills in the defaults. Throws RangeError for what is no integer from 1, and entries longer than the format's. */
export function writerSettings(settings: Partial<WriterSettings> = {}): WriterSettings {
  const all = { ...DEFAULT_WRITER_SETTINGS, ...settings }
  for (const name of Object.keys(DEFAULT_WRITER_SETTINGS) as (keyof WriterSettings)[]) {
    const max = name === 'entryBytesMax' ? ENTRY_DATA_BYTES_MAX : Number.MAX_SAFE_INTEGER
    const value = all[name]
    if (Number.isSafeInteger(value) && value >= 1 && value <= max) continue
    throw new RangeError(`expected an integer from 1 to ${max} for ${name}, got ${String(value)}`)
  }
  return all
}
