import type { IntermediateStorage, WithSignal } from '../../storage/index.ts'
import type { LogEntry } from '../../wire/logdog/index.ts'
import type { StreamRecord } from '../stream-record.ts'
import { archivedEntries, archiveReader, endOf, storedEntries } from './entry-sources.ts'
import type { ArchivedRecord, EntryParts } from './entry-sources.ts'

export interface TailOptions extends WithSignal {
  /** The end of the unbroken run from index 0, in place of the last entry there is. */
  readonly contiguous: boolean
}

/** The last entry in intermediate storage. Only keys are gone through. */
export async function lastStored(
  parts: Pick<EntryParts, 'storage'>,
  record: StreamRecord,
  options: TailOptions,
): Promise<LogEntry | undefined> {
  const { contiguous, ...rest } = options
  const tail = await parts.storage.tail(record, rest)
  if (tail === undefined) return undefined
  const index =
    contiguous || tail.index > endOf(record) ? await lastKey(parts.storage, record, options) : tail.index
  if (index < 0) return undefined
  for await (const [entry] of storedEntries(parts, record, { index, limit: 1, ...rest })) return entry
  return undefined
}

/** The last entry of the archive. */
export async function lastArchived(
  parts: Pick<EntryParts, 'blobs' | 'indexes'>,
  record: ArchivedRecord,
  { contiguous, ...rest }: TailOptions,
): Promise<LogEntry | undefined> {
  const { entryCount, lastIndex } = record.archive
  const isUnbroken = entryCount === lastIndex + 1
  if (!contiguous || isUnbroken) return archiveReader(parts, record.archive).tail(rest)
  let last: LogEntry | undefined
  for await (const batch of archivedEntries(parts, record, { index: 0, ...rest })) {
    for (const entry of batch) {
      if (entry.streamIndex > (last?.streamIndex ?? -1) + 1) return last
      last = entry
    }
  }
  return last
}

/** The last index before the stream's end, with `contiguous` before the first gap; -1 when there is none. */
async function lastKey(
  storage: IntermediateStorage,
  record: StreamRecord,
  { contiguous, ...rest }: TailOptions,
): Promise<number> {
  const end = endOf(record)
  let last = -1
  for await (const batch of storage.get({ stream: record, keysOnly: true, ...rest })) {
    for (const { index } of batch) {
      if (index > end || (contiguous && index > last + 1)) return last
      last = index
    }
  }
  return last
}
