import { RecoveryLogError } from '../errors/index.ts'
import { decodeLogEntry } from '../wire/logdog/index.ts'
import type { LogEntry } from '../wire/logdog/index.ts'
import type { StoredEntry, StreamName } from './storage.ts'

/**
 * The entry that a stored value holds, a view of its bytes.
 *
 * @throws RecoveryLogError `CORRUPT` with project, path and index when it cannot be decoded, or has another index than
 *   its key
 */
export function decodeStored({ project, path }: StreamName, { index, bytes }: StoredEntry): LogEntry {
  let entry: LogEntry
  try {
    entry = decodeLogEntry(bytes)
  } catch (cause) {
    if (!(cause instanceof RecoveryLogError)) throw cause
    throw new RecoveryLogError(
      'CORRUPT',
      `${path} at ${index}: ${cause.message}`,
      { project, path, index },
      { cause },
    )
  }
  if (entry.streamIndex === index) return entry
  const { streamIndex } = entry
  const message = `${path}: the entry at ${index} says that it is ${streamIndex}`
  throw new RecoveryLogError('CORRUPT', message, { project, path, index, streamIndex })
}
