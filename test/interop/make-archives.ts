import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { xorshift32 } from '../../bench/workloads.ts'
import { ArchiveReader } from '../../src/archive/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { splitRecords } from '../../src/wire/index.ts'
import { encodeDescriptor, encodeLogEntry, encodeLogIndex } from '../../src/wire/logdog/index.ts'
import type { IndexEntry, LogEntry, LogIndex, Time } from '../../src/wire/logdog/index.ts'
import { descriptorFrom, hexOf, indexEntryTo, rangesOf, sha256Hex } from './archive-cases.ts'
import type { DescriptorFields } from './archive-cases.ts'
import { encodeAll, FetchNotes } from './archives.ts'
import type { Get, Reads, WriteCase, WriteFolder } from './archives.ts'

/** Each archive is written with each of these; the first three of all zero is what one gets without any range. */
const RANGES = [
  { streamIndexRange: 0, prefixIndexRange: 0, byteRange: 0 },
  { streamIndexRange: 7, prefixIndexRange: 0, byteRange: 0 },
  { streamIndexRange: 0, prefixIndexRange: 20, byteRange: 0 },
  { streamIndexRange: 0, prefixIndexRange: 0, byteRange: 300 },
  { streamIndexRange: 11, prefixIndexRange: 40, byteRange: 500 },
] as const

const TYPES = ['TEXT', 'BINARY', 'DATAGRAM'] as const
const ENTRIES_MAX = 80
const SPARSE = 'every third index entry, first and last gone, totals 0'

/** A source, with what the rules of the log-archive spec, section 5, make of each of its entries. */
interface Written {
  readonly positions: readonly number[]
  readonly raised: readonly number[]
  /** As they are written, times raised. */
  readonly entries: readonly LogEntry[]
}

/**
 * Writes one folder in the layout of `archives/`: entries of one stream, and the archives that our writer makes of them,
 * with several index ranges. What is expected is said by the rules, in the plainest words, not by our writer and reader,
 * but for the bytes themselves and the ranges that are fetched. Answers how many cases there are.
 */
export async function makeArchive(folder: string, name: string, seed: number): Promise<number> {
  const next = xorshift32(Math.imul(seed + 1, 0x9e3779b9) | 1)
  for (let i = 0; i < 16; i++) next()
  const below = (n: number): number => next() % n
  const type = TYPES[seed % TYPES.length] as (typeof TYPES)[number]
  const descriptor: DescriptorFields = {
    prefix: `made/${name}`,
    name: `of/${type.toLowerCase()}`,
    stream_type: type,
    content_type: type === 'TEXT' ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    timestamp: { seconds: 1_700_000_000 + below(1_000_000), nanos: below(1_000_000_000) },
    tags: below(2) === 0 ? {} : { made: String(below(100)) },
    binary_file_ext: ['', 'png', 'a-long-extension'][below(3)] as string,
  }
  const source = sourceOf(below, type)
  const written = writtenOf(source)
  const bytes = encodeDescriptor(descriptorFrom(descriptor))
  mkdirSync(folder, { recursive: true })
  const cases: WriteCase[] = []
  for (const [i, params] of RANGES.entries()) {
    const archive = encodeAll(bytes, source, { ...params, renderData: true })
    const suffix = i === 0 ? '' : `-${i + 1}`
    const file = (base: string, ext: string, content: Uint8Array) => {
      writeFileSync(join(folder, `${base}.${ext}`), content)
      return { file: `${base}.${ext}`, bytes: content.length, sha256: sha256Hex(content) }
    }
    const index = indexOf(written, archive.entries, params)
    const sparse = { ...index, entries: index.entries.slice(1, -1).filter((_, at) => at % 3 === 0) }
    const sparseIndex = encodeLogIndex({
      ...sparse,
      desc: descriptorFrom(descriptor),
      ...{ lastPrefixIndex: 0, lastStreamIndex: 0, logEntryCount: 0 },
    })
    const reads = [
      await readsOf(below, written, {
        variant: 'as written',
        entries: archive.entries,
        index: archive.index,
      }),
      await readsOf(below, written, { variant: 'no index path', entries: archive.entries, index: undefined }),
      {
        ...(await readsOf(below, written, { variant: SPARSE, entries: archive.entries, index: sparseIndex })),
        index_file: file(`variant-sparse${suffix}`, 'index', sparseIndex),
      },
    ]
    cases.push({
      name: `stream ${params.streamIndexRange}, prefix ${params.prefixIndexRange}, bytes ${params.byteRange}`,
      params,
      expected: {
        truncated: false,
        written_count: written.entries.length,
        written_source_positions: rangesOf(written.positions),
        dropped_source_positions: rangesOf(
          [...source.keys()].filter((position) => !written.positions.includes(position)),
        ),
        raised_source_positions: rangesOf(written.raised),
        entries: file('logstream', 'entries', archive.entries),
        index: file(`logstream${suffix}`, 'index', archive.index),
        data: file('data', 'bin', dataOf(written.entries)),
        indexed_count: index.entries.length,
        indexed_stream_indices: rangesOf(index.entries.map(({ streamIndex }) => streamIndex)),
        last_prefix_index: index.lastPrefixIndex,
        last_stream_index: index.lastStreamIndex,
        log_entry_count: index.logEntryCount,
        index_entries: index.entries.map(indexEntryTo),
      },
      reads,
    })
  }
  const about =
    'entries made at random, and archives written by this library; a get over gaps returns the first entries at or after its index'
  const content: WriteFolder = {
    ...{ about, descriptor, descriptor_hex: hexOf(bytes) },
    entries: source.map((entry) => ({ hex: hexOf(encodeLogEntry(entry)) })),
    cases,
  }
  writeFileSync(join(folder, 'case.json'), `${JSON.stringify(content)}\n`)
  return cases.length
}

/** The list that stands beside the folders. */
export function writeArchiveList(
  archives: string,
  cases: readonly { readonly name: string; readonly dir: string; readonly cases: number }[],
): void {
  const about = 'archives written by this library: one directory each'
  writeFileSync(join(archives, 'list.json'), `${JSON.stringify({ about, cases })}\n`)
}

/** Entries with gaps; now and then one out of order, back in time, or without a time. */
function sourceOf(below: (n: number) => number, type: (typeof TYPES)[number]): LogEntry[] {
  const entries: LogEntry[] = []
  const count = below(ENTRIES_MAX) + 3
  const at = { prefixIndex: below(5), streamIndex: below(3), sequence: below(3), ms: 0 }
  for (let i = 0; i < count; i++) {
    const { prefixIndex, streamIndex, sequence, ms } = at
    const isBack = below(15) === 0
    const time = below(20) === 0 ? ms - 5000 : ms
    entries.push({
      timeOffset: below(25) === 0 ? undefined : timeOf(time),
      prefixIndex: isBack ? Math.max(0, prefixIndex - 3) : prefixIndex,
      streamIndex,
      sequence,
      content: contentOf(below, type),
    })
    at.prefixIndex += 1 + below(4)
    at.streamIndex += below(6) === 0 ? 2 + below(9) : 1
    at.sequence += 1 + below(3)
    at.ms += below(2500)
  }
  return entries
}

function contentOf(below: (n: number) => number, type: (typeof TYPES)[number]): LogEntry['content'] {
  const data = (max: number): Uint8Array => Uint8Array.from({ length: below(max) + 1 }, () => below(256))
  if (type === 'BINARY') return { kind: 'binary', data: data(60) }
  if (type === 'TEXT') {
    const lines = Array.from({ length: below(3) + 1 }, () => ({
      value: data(40),
      delimiter: ['\n', '\r\n', ''][below(3)] as string,
    }))
    return { kind: 'text', lines }
  }
  const size = below(100)
  if (below(3) !== 0) return { kind: 'datagram', data: data(60) }
  return { kind: 'datagram', data: data(60), partial: { index: below(3), size, last: below(2) === 0 } }
}

function timeOf(ms: number): Time {
  const seconds = Math.trunc(ms / 1000)
  return { seconds, nanos: (ms - seconds * 1000) * 1_000_000 }
}

function nanosOf({ seconds, nanos }: Time): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos)
}

/** Rule 1: what falls back is dropped and moves nothing; a time that falls back is raised to the one before. */
function writtenOf(source: readonly LogEntry[]): Written {
  const positions: number[] = []
  const raised: number[] = []
  const entries: LogEntry[] = []
  let last = { prefixIndex: 0, streamIndex: 0, sequence: 0 }
  let lastTime: Time = { seconds: 0, nanos: 0 }
  source.forEach((entry, position) => {
    const { prefixIndex, streamIndex, sequence } = entry
    const isBack =
      prefixIndex < last.prefixIndex || streamIndex < last.streamIndex || sequence < last.sequence
    if (isBack) return
    last = { prefixIndex, streamIndex, sequence }
    positions.push(position)
    const time = entry.timeOffset ?? { seconds: 0, nanos: 0 }
    if (nanosOf(time) < nanosOf(lastTime)) {
      raised.push(position)
      entries.push({ ...entry, timeOffset: lastTime })
    } else {
      lastTime = time
      entries.push(entry)
    }
  })
  return { positions, raised, entries }
}

/** Rules 2 and 3, on the frames that were written. */
function indexOf(
  { entries }: Written,
  file: Uint8Array,
  { streamIndexRange, prefixIndexRange, byteRange }: (typeof RANGES)[number],
): LogIndex {
  const streamRange = streamIndexRange + prefixIndexRange + byteRange === 0 ? 1 : streamIndexRange
  const indexed: IndexEntry[] = []
  let bytes = 0
  entries.forEach((entry, i) => {
    const { prefixIndex, streamIndex, sequence, timeOffset } = entry
    bytes += encodeLogEntry(entry).length
    const last = indexed.at(-1)
    const isDue =
      last !== undefined &&
      ((streamRange > 0 && streamIndex - last.streamIndex >= streamRange) ||
        (prefixIndexRange > 0 && prefixIndex - last.prefixIndex >= prefixIndexRange) ||
        (byteRange > 0 && bytes >= byteRange))
    if (isDue) bytes = 0
    const isLast = i === entries.length - 1
    if (last !== undefined && !isDue && !isLast) return
    indexed.push({ offset: offsets(file)[i + 1] as number, sequence, prefixIndex, streamIndex, timeOffset })
  })
  const last = entries.at(-1)
  return {
    entries: indexed,
    lastPrefixIndex: last?.prefixIndex ?? 0,
    lastStreamIndex: last?.streamIndex ?? 0,
    logEntryCount: entries.length,
  }
}

/** Where each frame starts. */
function offsets(file: Uint8Array): number[] {
  let offset = 0
  return splitRecords(file).map(({ length }) => {
    const begin = offset
    let header = 1
    for (let rest = length >>> 7; rest > 0; rest >>>= 7) header++
    offset += header + length
    return begin
  })
}

function dataOf(entries: readonly LogEntry[]): Uint8Array {
  return Buffer.concat(
    entries.flatMap(({ content }) => {
      if (content?.kind !== 'text') return [content?.data ?? new Uint8Array()]
      return content.lines.flatMap(({ value, delimiter }) => [value, Buffer.from(delimiter)])
    }),
  )
}

async function readsOf(
  below: (n: number) => number,
  { entries }: Written,
  archive: { readonly variant: string; readonly entries: Uint8Array; readonly index: Uint8Array | undefined },
): Promise<Reads> {
  const blobs = new MemoryBlobStore()
  await blobs.put('logstream.entries', archive.entries)
  if (archive.index !== undefined) await blobs.put('logstream.index', archive.index)
  const notes = new FetchNotes(blobs)
  const keys = { entries: 'logstream.entries', ...(archive.index && { index: 'logstream.index' }) }
  const reader = new ArchiveReader({ blobs: notes, ...keys })
  const fetched = async (read: () => Promise<unknown>): Promise<Reads['first_call_fetches']> => {
    notes.fetches.length = 0
    await read()
    return [...notes.fetches]
  }
  const readAll = async (options: { index: number; limit?: number }): Promise<void> => {
    for await (const batch of reader.get(options)) if (batch.length === 0) return
  }
  const first = await fetched(async () => readAll({ index: 0, limit: 1 }))
  const gets: Get[] = []
  const end = (entries.at(-1)?.streamIndex ?? 0) + 2
  for (const index of [0, ...Array.from({ length: 6 }, () => below(end)), end - 2, end]) {
    for (const limit of [0, 1, 2 + below(12)]) {
      const returned = entries.filter(({ streamIndex }) => streamIndex >= index)
      if (limit > 0) returned.length = Math.min(limit, returned.length)
      const fetches = await fetched(async () => readAll({ index, ...(limit > 0 && { limit }) }))
      const ranges = rangesOf(returned.map(({ streamIndex }) => streamIndex))
      gets.push({ index, limit, returned: ranges, count: returned.length, fetches })
    }
  }
  const last = entries.at(-1)
  const fetches = await fetched(async () => reader.tail())
  const tail =
    last === undefined
      ? { returned: null, error: 'DOES_NOT_EXIST', fetches }
      : { returned: last.streamIndex, sha256: sha256Hex(encodeLogEntry(last)), fetches }
  return { variant: archive.variant, first_call_fetches: first, gets, tail }
}
