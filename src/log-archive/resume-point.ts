import { decodeStored } from '../storage/index.ts'
import type { IntermediateStorage, StreamName } from '../storage/index.ts'
import type { LogEntry } from '../wire/logdog/index.ts'

/** How far a stream is stored. */
export interface StreamPosition {
  /** The stream index of the next entry. */
  readonly nextIndex: number
  /** How many lines (text), bytes (binary) or datagrams (datagram) are there. */
  readonly sequence: number
  /** Of a line that is there without its end: how many bytes of it. */
  readonly lineBytes: number
}

/** Where a writer goes on. */
export interface ResumePoint extends StreamPosition {
  /** No prefix index may come below. */
  readonly leastPrefixIndex: number
}

/**
 * Behind the last entry that is stored.
 *
 * @throws RecoveryLogError `CORRUPT` for an entry that is none; what the storage says
 */
export async function resumePoint(storage: IntermediateStorage, stream: StreamName): Promise<ResumePoint> {
  const tail = await storage.tail(stream)
  if (tail === undefined) return { nextIndex: 0, sequence: 0, leastPrefixIndex: 0, lineBytes: 0 }
  const last = decodeStored(stream, tail)
  let lineBytes = 0
  let entry: LogEntry | undefined = last
  // A line goes on over any number of entries, all of the same sequence.
  while (entry?.sequence === last.sequence) {
    const bytes = unendedBytes(entry)
    if (bytes === undefined) break
    lineBytes += bytes
    entry = await entryAt(storage, stream, entry.streamIndex - 1)
  }
  return {
    nextIndex: tail.index + 1,
    sequence: sequenceAfter(last),
    leastPrefixIndex: last.prefixIndex + 1,
    lineBytes,
  }
}

/** The sequence of the entry behind `entry`: of the line, the byte or the datagram that comes next. */
function sequenceAfter({ sequence, content }: LogEntry): number {
  switch (content?.kind) {
    case 'text':
      return sequence + content.lines.filter(({ delimiter }) => delimiter !== '').length
    case 'binary':
      return sequence + content.data.length
    case 'datagram':
      return sequence + 1 // the parts of one are stored together
    case undefined:
      return sequence
  }
}

/** How much of a line without an end an entry holds; undefined when its line has ended, or it holds none. */
function unendedBytes({ content }: LogEntry): number | undefined {
  const line = content?.kind === 'text' ? content.lines.at(-1) : undefined
  return line?.delimiter === '' ? line.value.length : undefined
}

async function entryAt(
  storage: IntermediateStorage,
  stream: StreamName,
  index: number,
): Promise<LogEntry | undefined> {
  if (index < 0) return undefined
  for await (const [stored] of storage.get({ stream, from: index, limit: 1 })) {
    return stored?.index === index ? decodeStored(stream, stored) : undefined
  }
  return undefined
}
