import { createHash } from 'node:crypto'
import { ArchiveEncoder, archiveSettings } from '../../src/archive/index.ts'
import type { Sha256Factory } from '../../src/parts/index.ts'
import type { LogEntry, TextLine, Time } from '../../src/wire/logdog/index.ts'
import { ARCHIVE_DESCRIPTOR } from '../workloads.ts'

/** The `archive` input as objects: entries that are filled anew for each batch, so that the input costs next to nothing. */

export const ENTRIES = 1_000_000
const BATCH = 1000

export const sha256: Sha256Factory = () => {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) }
}

/** Entry i is always in the same object: what is told by i % 1000, its nanos and its last digits, never changes. */
const pool = Array.from({ length: BATCH }, (_, i) => {
  const text = `line ${String(i).padStart(8, '0')} `.padEnd(80, 'x')
  const line: TextLine = { value: new Uint8Array(Buffer.from(text)), delimiter: '\n' }
  const timeOffset: Time = { seconds: 0, nanos: i * 1_000_000 }
  const entry: LogEntry = {
    timeOffset,
    prefixIndex: 0,
    streamIndex: 0,
    sequence: 0,
    content: { kind: 'text', lines: [line] },
  }
  return { entry, timeOffset, line }
})
const batch = pool.map(({ entry }) => entry)

/** Entries `first` to `first + 999` of the input, `first` a multiple of 1,000, in objects that the next call fills anew. */
export function archiveBatch(first: number): readonly LogEntry[] {
  const seconds = first / BATCH
  const digits = Buffer.from(String(seconds).padStart(5, '0'))
  pool.forEach(({ entry, timeOffset, line }, position) => {
    timeOffset.seconds = seconds
    entry.prefixIndex = entry.streamIndex = entry.sequence = first + position
    for (let digit = 0; digit < 5; digit++) line.value[5 + digit] = digits[digit] as number
  })
  return batch
}

/** All batches of `count` entries. */
export function* archiveBatches(count = ENTRIES): Generator<readonly LogEntry[], void, undefined> {
  for (let first = 0; first < count; first += BATCH) yield archiveBatch(first)
}

/** The files of an archive of the input, in chunks as they come. */
export function encodeArchive(
  count: number,
  byteRange: number,
  take: (file: 'entries' | 'index', chunk: Uint8Array) => void,
): void {
  const settings = archiveSettings({ byteRange, streamIndexRange: 0 })
  const encoder = new ArchiveEncoder({ descriptor: ARCHIVE_DESCRIPTOR, terminalIndex: -1, settings })
  const sinks = [['entries', encoder.entries] as const, ['index', encoder.index] as const]
  const flush = (all: boolean): void => {
    for (const [file, sink] of sinks) {
      for (const chunk of sink.take(all)) {
        take(file, chunk)
        sink.recycle(chunk)
      }
    }
  }
  for (const entries of archiveBatches(count)) {
    for (const entry of entries) encoder.add(entry)
    flush(false)
  }
  encoder.finish()
  flush(true)
}
