import { accountOf } from '../archive/index.ts'
import type { ArchiveManifest, DamagedEntry, EntrySource } from '../archive/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { decodeStored } from '../storage/index.ts'
import type { IntermediateStorage, StoredEntry, StreamName, WithSignal } from '../storage/index.ts'
import type { LogEntry } from '../wire/logdog/index.ts'

/** What intermediate storage holds of a stream, as an archive's source, and held against a manifest. */

export interface StoredEntriesOptions extends WithSignal {
  /** What cannot be decoded, or has another index than its key, is told of as damaged instead of ending everything. */
  readonly skipDamaged: boolean
}

/**
 * The entries of a stream, decoded.
 *
 * @throws RecoveryLogError `CORRUPT` with project, path and index; what the storage throws
 */
export async function* storedEntries(
  storage: Pick<IntermediateStorage, 'get'>,
  stream: StreamName,
  { skipDamaged, ...options }: StoredEntriesOptions,
): EntrySource {
  for await (const batch of storage.get({ stream, ...options })) {
    const entries: (LogEntry | DamagedEntry)[] = []
    for (const stored of batch) entries.push(entryOf(stored, stream, skipDamaged))
    yield entries
  }
}

function entryOf(stored: StoredEntry, stream: StreamName, skip: boolean): LogEntry | DamagedEntry {
  try {
    return decodeStored(stream, stored)
  } catch (error) {
    if (skip && RecoveryLogError.is(error, 'CORRUPT')) return { damaged: true, streamIndex: stored.index }
    throw error
  }
}

/** What a manifest says of the indexes that intermediate storage holds. */
export interface StoredAccount {
  /** Each is archived, or was left out for a reason. */
  readonly isComplete: boolean
  /** Some were left out because they lie behind the size limit. */
  readonly isTruncated: boolean
}

/**
 * Holds the keys of a sealed stream against a manifest. Where its lists are cut, the number of keys decides: to a sealed
 * stream nothing is added.
 */
export async function accountOfStored(
  storage: Pick<IntermediateStorage, 'get'>,
  stream: StreamName,
  manifest: ArchiveManifest,
  options: WithSignal,
): Promise<StoredAccount> {
  const found = { missing: false, truncated: false, unknown: false }
  let count = 0
  for await (const batch of storage.get({ stream, keysOnly: true, ...options })) {
    for (const { index } of batch) {
      const account = accountOf(manifest, index)
      if (account === 'missing' || account === 'truncated' || account === 'unknown') found[account] = true
    }
    count += batch.length
  }
  return {
    isComplete: !found.missing && (!found.unknown || count <= manifest.readCount),
    isTruncated: found.truncated,
  }
}
