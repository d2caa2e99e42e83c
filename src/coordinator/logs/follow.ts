import { RecoveryLogError } from '../../errors/index.ts'
import type { WithSignal } from '../../storage/index.ts'
import type { LogEntry } from '../../wire/logdog/index.ts'
import type { StreamRecord } from '../stream-record.ts'
import { archivedEntries, endOf, isArchived, storedEntries } from './entry-sources.ts'
import type { ArchivedRecord, EntryParts } from './entry-sources.ts'

export interface FollowOptions extends WithSignal {
  readonly parts: EntryParts
  /** Reads the stream's state. */
  readonly load: () => Promise<StreamRecord>
  readonly index: number
  /** Waits before the next look. */
  readonly sleep: () => Promise<void>
}

/**
 * Entries as they come (log-archive spec, section 8, "Follow"). While there is no archive, only what is contiguous is
 * yielded; what comes behind a gap may still be preceded. Each look at intermediate storage is followed by one at the
 * state: entries are taken away only after the state says archived, so that one who finds nothing, or a gap, and then no
 * archive, has missed nothing.
 */
export async function* followEntries(
  options: FollowOptions,
): AsyncGenerator<readonly LogEntry[], void, undefined> {
  const { parts, load, sleep, signal } = options
  const rest = signal === undefined ? {} : { signal }
  let next = options.index
  let isWaiting = false
  for (;;) {
    const record = await load()
    if (isArchived(record)) {
      yield* archivedFrom(options, record, next)
      return
    }
    if (next > endOf(record)) return
    if (isWaiting) await sleep()
    isWaiting = true
    for await (const batch of storedEntries(parts, record, { index: next, ...rest })) {
      const contiguous = untilGap(batch, next)
      if (contiguous.length > 0) {
        next += contiguous.length
        isWaiting = false
        yield contiguous
      }
      if (contiguous.length < batch.length) break
    }
  }
}

/** The rest, from the archive. The files of a purged stream go away, and its state says why. */
async function* archivedFrom(
  { parts, load, signal }: FollowOptions,
  record: ArchivedRecord,
  index: number,
): AsyncGenerator<readonly LogEntry[], void, undefined> {
  try {
    yield* archivedEntries(parts, record, signal === undefined ? { index } : { index, signal })
  } catch (error) {
    if (RecoveryLogError.is(error, 'NOT_FOUND')) await load()
    throw error
  }
}

/** The entries of `batch` that follow on each other from `next` on. */
function untilGap(batch: readonly LogEntry[], next: number): readonly LogEntry[] {
  const gap = batch.findIndex((entry, i) => entry.streamIndex !== next + i)
  return gap < 0 ? batch : batch.slice(0, gap)
}
