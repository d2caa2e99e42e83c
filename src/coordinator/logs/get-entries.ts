import { LogEntryWriter } from '../../wire/logdog/index.ts'
import type { LogEntry } from '../../wire/logdog/index.ts'

/** The most bytes that one `get` answers, entries encoded; but always one entry. */
export const GET_BYTES_MAX = 16 * 1024 * 1024

export interface EntryLimits {
  /** The first index. */
  readonly index: number
  /** How many entries at most. */
  readonly limit: number
  /** How many bytes at most, entries encoded; one entry may have more. */
  readonly bytesMax: number
  /** Goes on over gaps. */
  readonly sparse: boolean
}

/** What was taken, and whether it is all that was asked for: else the entries ended, or a gap did. */
export interface TakenEntries {
  readonly entries: readonly LogEntry[]
  readonly isFull: boolean
}

/** Takes entries as far as the limits go. */
export async function takeEntries(
  source: AsyncIterable<readonly LogEntry[]>,
  { index, limit, bytesMax, sparse }: EntryLimits,
): Promise<TakenEntries> {
  const entries: LogEntry[] = []
  const writer = new LogEntryWriter()
  let next = index
  let bytes = 0
  if (limit === 0) return { entries, isFull: true }
  for await (const batch of source) {
    for (const entry of batch) {
      if (!sparse && entry.streamIndex > next) return { entries, isFull: false }
      bytes += writer.measure(entry)
      if (entries.length > 0 && bytes > bytesMax) return { entries, isFull: true }
      entries.push(entry)
      if (entries.length === limit) return { entries, isFull: true }
      next = entry.streamIndex + 1
    }
  }
  return { entries, isFull: false }
}
