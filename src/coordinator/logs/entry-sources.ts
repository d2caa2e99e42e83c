import { ArchiveReader } from '../../archive/index.ts'
import type { IndexCache } from '../../archive/index.ts'
import type { BlobStore } from '../../blob/index.ts'
import { decodeStored } from '../../storage/index.ts'
import type { IntermediateStorage, StoredEntry, WithSignal } from '../../storage/index.ts'
import type { LogEntry } from '../../wire/logdog/index.ts'
import type { ArchivedFiles, StreamRecord } from '../stream-record.ts'

/** Where the entries of a stream are read from: intermediate storage, or its archive. Both in index order, over gaps. */

export interface EntryParts {
  readonly storage: IntermediateStorage
  readonly blobs: Pick<BlobStore, 'get'>
  readonly indexes: IndexCache
}

/** A stream that has an archive. */
export type ArchivedRecord = StreamRecord & { readonly archive: ArchivedFiles }

/** Whether the archive is there to be read. Before, intermediate storage has everything. */
export function isArchived(record: StreamRecord): record is ArchivedRecord {
  return record.archive !== null
}

/** The last index that belongs to the stream: what was stored behind its end is left out. */
export function endOf({ terminalIndex }: StreamRecord): number {
  return terminalIndex < 0 ? Infinity : terminalIndex
}

/**
 * Entries from intermediate storage; they are views of memory of their own.
 *
 * @throws RecoveryLogError `CORRUPT` with project, path and index for a stored value that is no entry, or another's
 */
export async function* storedEntries(
  { storage }: Pick<EntryParts, 'storage'>,
  record: StreamRecord,
  range: { readonly index: number; readonly limit?: number } & WithSignal,
): AsyncGenerator<LogEntry[], void, undefined> {
  const { index: from, ...rest } = range
  const end = endOf(record)
  for await (const batch of storage.get({ stream: record, from, ...rest })) {
    const entries: LogEntry[] = []
    for (const stored of owned(batch)) {
      if (stored.index > end) break
      try {
        entries.push(decodeStored(record, stored))
      } catch (error) {
        // What is whole before the damage is given first.
        if (entries.length > 0) yield entries
        throw error
      }
    }
    if (entries.length > 0) yield entries
    if (entries.length < batch.length) return
  }
}

/** Entries from the archive. */
export function archivedEntries(
  { blobs, indexes }: Pick<EntryParts, 'blobs' | 'indexes'>,
  { archive }: ArchivedRecord,
  range: { readonly index: number; readonly limit?: number } & WithSignal,
): AsyncGenerator<LogEntry[], void, undefined> {
  return archiveReader({ blobs, indexes }, archive).get(range)
}

export function archiveReader(
  { blobs, indexes }: Pick<EntryParts, 'blobs' | 'indexes'>,
  { entriesUrl, indexUrl }: ArchivedFiles,
): ArchiveReader {
  return new ArchiveReader({ blobs, entries: entriesUrl, index: indexUrl, cache: indexes })
}

/** Copies a batch, which is borrowed until the next, in one piece. */
function owned(batch: readonly StoredEntry[]): StoredEntry[] {
  let size = 0
  for (const { bytes } of batch) size += bytes.length
  const copy = new Uint8Array(size)
  let at = 0
  return batch.map(({ index, bytes }) => {
    copy.set(bytes, at)
    at += bytes.length
    return { index, bytes: copy.subarray(at - bytes.length, at) }
  })
}
