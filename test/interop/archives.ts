import assert from 'node:assert/strict'
import { ArchiveEncoder, ArchiveIndex, ArchiveReader, archiveSettings } from '../../src/archive/index.ts'
import type { ArchiveSettings, ArchiveSummary } from '../../src/archive/index.ts'
import type { BlobStore, ByteRange } from '../../src/blob/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { splitRecords } from '../../src/wire/index.ts'
import {
  decodeLogEntry,
  decodeLogIndex,
  encodeDescriptor,
  encodeLogEntry,
} from '../../src/wire/logdog/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'
import {
  descriptorFrom,
  expectKeys,
  fromHex,
  hexOf,
  indexEntryTo,
  rangesOf,
  sha256Hex,
} from './archive-cases.ts'
import type { DescriptorFields, IndexEntryFields } from './archive-cases.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

const FOLDER = 'archive/archives'
const ENTRIES = 'logstream.entries'
const INDEX = 'logstream.index'

type Ranges = readonly (readonly [number, number])[]

interface FileFacts {
  readonly file?: string
  readonly bytes: number
  readonly sha256: string
}

interface Fetch {
  readonly file: string
  readonly offset: number
  /** -1: to the end. */
  readonly length: number
}

export interface Get {
  readonly index: number | string
  readonly limit: number
  readonly stop_after?: number
  readonly returned: Ranges
  readonly count: number
  readonly fetches: readonly Fetch[]
  readonly error?: string
}

export interface Reads {
  readonly variant: string
  readonly index_file?: FileFacts
  readonly first_call_fetches: readonly Fetch[]
  readonly gets: readonly Get[]
  readonly tail?: {
    readonly returned: number | null
    readonly sha256?: string
    readonly error?: string
    readonly fetches: readonly Fetch[]
  }
}

export interface WriteCase {
  readonly name: string
  readonly doubtful?: string
  readonly params: Pick<ArchiveSettings, 'streamIndexRange' | 'prefixIndexRange' | 'byteRange'>
  readonly size_limit?: number
  readonly expected: {
    readonly truncated: boolean
    readonly written_count: number
    readonly written_source_positions: Ranges
    readonly dropped_source_positions: Ranges
    readonly raised_source_positions: Ranges
    readonly entries: FileFacts
    readonly index: FileFacts
    readonly data: FileFacts
    readonly indexed_count: number
    readonly indexed_stream_indices: Ranges
    readonly last_prefix_index: number
    readonly last_stream_index: number
    readonly log_entry_count: number
    readonly index_entries?: readonly IndexEntryFields[]
  }
  readonly reads?: readonly Reads[]
}

export interface WriteFolder {
  readonly about: string
  readonly descriptor: DescriptorFields
  readonly descriptor_hex: string
  readonly cases: readonly WriteCase[]
  readonly entries?: readonly { readonly hex: string }[]
  readonly source?: FileFacts
  readonly source_about?: string
  readonly source_count?: number
  readonly source_rule?: {
    readonly kind: string
    readonly data_sizes: readonly number[]
    readonly mul: number
    readonly add: string
  }
}

interface BrokenCase {
  readonly name: string
  readonly doubtful?: string
  readonly cut?: number
  readonly with_index?: boolean
  readonly missing?: boolean
  readonly position?: number
  readonly bit?: number
  readonly entries_hex?: string
  readonly index_cut?: number
  readonly index?: number | string
  readonly limit?: number
  readonly returned: Ranges
  readonly count?: number
  readonly fetches?: readonly Fetch[]
  readonly error?: string | null
  readonly tail?: number | null
  readonly tail_error?: string | null
}

interface BrokenFolder {
  readonly about: string
  readonly descriptor: DescriptorFields
  readonly entries_file: FileFacts
  readonly index_file: FileFacts
  readonly frame_starts: readonly number[]
  readonly cases: readonly BrokenCase[]
}

interface FramedCase {
  readonly name: string
  readonly descriptor_bytes: number
  readonly descriptor_inside_log_index: boolean
  readonly framed_index_hex: string
  readonly bare_index_hex: string
  readonly go_reader: object
  readonly entries_hex?: string
  readonly bare_reads?: Reads
}

/** Archives written, read by ranges, damaged, and with both layouts of indexes. */
export const suite: VectorSuite = {
  file: FOLDER,
  async run(run: VectorRun) {
    const list = run.json<{ cases: readonly { name: string; dir: string; cases: number }[] }>(
      `${FOLDER}/list.json`,
    )
    const folders = run.list(FOLDER).filter((name) => name !== 'list.json')
    assert.deepEqual(folders, list.cases.map(({ dir }) => dir).sort(), 'the folders that are listed')
    for (const { dir, cases } of list.cases) {
      const folder = run.json<{ cases: readonly object[] }>(`${FOLDER}/${dir}/case.json`)
      assert.equal(folder.cases.length, cases, `${dir}: as many cases as are listed`)
      if ('frame_starts' in folder) await runBroken(run, dir, folder as BrokenFolder)
      else if ('framed_index_hex' in (folder.cases[0] ?? {})) {
        await runFramed(run, dir, folder as { about: string; cases: readonly FramedCase[] })
      } else await runWritten(run, dir, folder as WriteFolder)
    }
  },
}

/** The cases of one folder: what is written of one source, and how it is read. */
async function runWritten(run: VectorRun, dir: string, folder: WriteFolder): Promise<void> {
  expectKeys(
    folder,
    ...[
      'about',
      'descriptor',
      'descriptor_hex',
      'cases',
      'entries',
      'source',
      'source_about',
      'source_count',
    ],
    'source_rule',
  )
  const file = `${FOLDER}/${dir}`
  const source = sourceOf(run, dir, folder)
  for (const vector of folder.cases) {
    // Doubtful is that with no ranges Go's stream range is 1; our text has since come to say so too.
    await run.check(
      file,
      vector.name,
      vector.doubtful === undefined ? 'equal to Go' : 'doubtful',
      async () => {
        expectKeys(vector, 'name', 'doubtful', 'params', 'size_limit', 'expected', 'reads')
        assert.equal(hexOf(encodeDescriptor(descriptorFrom(folder.descriptor))), folder.descriptor_hex)
        const archive = encodeAll(fromHex(folder.descriptor_hex), source, {
          ...vector.params,
          ...(vector.size_limit === undefined ? {} : { sizeLimitBytes: vector.size_limit }),
          renderData: true,
        })
        checkWritten(run, dir, vector, source, archive)
        for (const reads of vector.reads ?? []) await checkReads(run, dir, reads, archive)
      },
    )
  }
}

function sourceOf(run: VectorRun, dir: string, folder: WriteFolder): LogEntry[] {
  if (folder.entries !== undefined) return folder.entries.map(({ hex }) => decodeLogEntry(fromHex(hex)))
  if (folder.source !== undefined) {
    const bytes = run.bytes(`${FOLDER}/${dir}/${folder.source.file ?? ''}`)
    assert.equal(sha256Hex(bytes), folder.source.sha256, 'the source')
    const records = splitRecords(bytes)
    assert.equal(records.length, folder.source_count)
    return records.map((record) => decodeLogEntry(record))
  }
  const { source_rule: rule } = folder
  assert(rule?.kind === 'binary' && rule.add === "the entry's position", 'an unknown source')
  return rule.data_sizes.map((length, i) => ({
    timeOffset: { seconds: i, nanos: 0 },
    prefixIndex: i,
    streamIndex: i,
    sequence: i,
    content: { kind: 'binary', data: Uint8Array.from({ length }, (_, j) => rule.mul * j + i) },
  }))
}

export interface EncodedArchive {
  readonly entries: Uint8Array
  readonly index: Uint8Array
  readonly data: Uint8Array
  readonly summary: ArchiveSummary
  /** Positions in the source of what was written. */
  readonly written: readonly number[]
  readonly raised: readonly number[]
}

/** All files of an archive, in memory. */
export function encodeAll(
  descriptor: Uint8Array,
  source: readonly LogEntry[],
  settings: Partial<ArchiveSettings>,
): EncodedArchive {
  const encoder = new ArchiveEncoder({ descriptor, terminalIndex: -1, settings: archiveSettings(settings) })
  const written: number[] = []
  const raised: number[] = []
  source.forEach((entry, position) => {
    const before = { at: encoder.entries.position, raised: encoder.raisedCount }
    encoder.add(entry)
    if (encoder.entries.position > before.at) written.push(position)
    if (encoder.raisedCount > before.raised) raised.push(position)
  })
  const summary = encoder.finish()
  const [entries, index, data] = [encoder.entries, encoder.index, encoder.data].map((sink) =>
    Buffer.concat(sink?.take(true) ?? []),
  )
  return {
    entries: entries as Uint8Array,
    index: index as Uint8Array,
    data: data as Uint8Array,
    summary,
    written,
    raised,
  }
}

function checkWritten(
  run: VectorRun,
  dir: string,
  { expected }: WriteCase,
  source: readonly LogEntry[],
  archive: EncodedArchive,
): void {
  const { summary, written, raised } = archive
  expectKeys(
    expected,
    ...[
      'truncated',
      'written_count',
      'written_source_positions',
      'dropped_source_positions',
      'entries',
      'index',
    ],
    ...['raised_source_positions', 'data', 'indexed_count', 'indexed_stream_indices', 'last_prefix_index'],
    ...['last_stream_index', 'log_entry_count', 'index_entries'],
  )
  for (const name of ['entries', 'index', 'data'] as const) {
    const facts = expected[name]
    assert.equal(archive[name].length, facts.bytes, `the size of ${name}`)
    assert.equal(sha256Hex(archive[name]), facts.sha256, `the sha256 of ${name}`)
    if (facts.file !== undefined) {
      assert.equal(hexOf(archive[name]), hexOf(run.bytes(`${FOLDER}/${dir}/${facts.file}`)), facts.file)
    }
  }
  assert.equal(summary.truncated !== undefined, expected.truncated)
  assert.equal(summary.entryCount, expected.written_count)
  assert.deepEqual(rangesOf(written), expected.written_source_positions)
  assert.deepEqual(rangesOf(raised), expected.raised_source_positions)
  const leftOut = source.length - written.length
  const droppedPositions = [...source.keys()].filter((position) => !written.includes(position))
  // Go stops at the size limit; what comes behind it is neither written nor dropped.
  const dropped = droppedPositions.slice(0, leftOut - (summary.truncated?.entriesLeftOut ?? 0))
  assert.deepEqual(rangesOf(dropped), expected.dropped_source_positions)
  assert.equal(summary.dropped.indexes, dropped.length)
  const index = decodeLogIndex(archive.index)
  assert.equal(index.entries.length, expected.indexed_count)
  assert.deepEqual(
    rangesOf(index.entries.map(({ streamIndex }) => streamIndex)),
    expected.indexed_stream_indices,
  )
  assert.equal(index.lastPrefixIndex, expected.last_prefix_index)
  assert.equal(index.lastStreamIndex, expected.last_stream_index)
  assert.equal(index.logEntryCount, expected.log_entry_count)
  if (expected.index_entries !== undefined) {
    // The vectors show an absent time as zero.
    const entries = index.entries.map((entry) => indexEntryTo(entry))
    assert.deepEqual(entries, expected.index_entries)
  }
}

/** A store that notes what is fetched. */
export class FetchNotes implements Pick<BlobStore, 'get'> {
  readonly fetches: Fetch[] = []
  readonly #blobs: Pick<BlobStore, 'get'>

  constructor(blobs: Pick<BlobStore, 'get'>) {
    this.#blobs = blobs
  }

  get(key: string, options?: { signal?: AbortSignal }): AsyncIterable<Uint8Array>
  get(key: string, options: ByteRange & { signal?: AbortSignal }): Promise<Uint8Array>
  get(
    key: string,
    options: Partial<ByteRange> & { signal?: AbortSignal } = {},
  ): AsyncIterable<Uint8Array> | Promise<Uint8Array> {
    const { offset, length } = options
    if (offset === undefined || length === undefined) {
      this.fetches.push({ file: key, offset: 0, length: -1 })
      return this.#blobs.get(key)
    }
    this.fetches.push({ file: key, offset, length })
    return this.#blobs.get(key, { offset, length })
  }
}

/** The index files of the variants: as written, or named, or without one. */
async function storeFor(
  run: VectorRun,
  dir: string,
  reads: Reads,
  archive: Pick<EncodedArchive, 'entries' | 'index'>,
): Promise<{ blobs: FetchNotes; index: string | undefined }> {
  const blobs = new MemoryBlobStore()
  await blobs.put(ENTRIES, archive.entries)
  const index =
    reads.index_file === undefined
      ? archive.index
      : run.bytes(`${FOLDER}/${dir}/${reads.index_file.file ?? ''}`)
  const isWithFile = !['no index path', 'index file missing'].includes(reads.variant)
  if (isWithFile) {
    await blobs.put(INDEX, reads.variant === 'index file of 0 bytes' ? new Uint8Array(0) : index)
  }
  const known = [
    ...['as written', 'no index path', 'index file missing', 'index file of 0 bytes', 'bare'],
    ...['totals in the index set to 0', 'totals only, no index entries'],
    'every third index entry, first and last gone, totals 0',
  ]
  assert(known.includes(reads.variant), `an unknown variant: ${reads.variant}`)
  return { blobs: new FetchNotes(blobs), index: reads.variant === 'no index path' ? undefined : INDEX }
}

async function checkReads(
  run: VectorRun,
  dir: string,
  reads: Reads,
  archive: Pick<EncodedArchive, 'entries' | 'index'>,
): Promise<void> {
  expectKeys(reads, 'variant', 'index_file', 'first_call_fetches', 'gets', 'tail')
  const { blobs, index } = await storeFor(run, dir, reads, archive)
  const reader = new ArchiveReader({ blobs, entries: ENTRIES, ...(index === undefined ? {} : { index }) })
  const all = splitRecords(archive.entries).slice(1).flatMap(indexOfRecord)
  await checkFirstCall(reader, blobs, reads)
  for (const get of reads.gets) await checkGet(reader, blobs, get, all)
  if (reads.tail === undefined) return
  expectKeys(reads.tail, 'returned', 'sha256', 'error', 'fetches')
  blobs.fetches.length = 0
  const tail = await reader.tail()
  assert.equal(tail?.streamIndex ?? null, reads.tail.returned)
  if (tail === undefined) assert.equal(reads.tail.error, 'DOES_NOT_EXIST')
  else assert.equal(sha256Hex(encodeLogEntry(tail)), reads.tail.sha256)
  checkFetches(blobs.fetches, reads.tail.fetches, false, 'tail')
}

/** Too large a record has no index that anybody reads. */
function indexOfRecord(record: Uint8Array): number[] {
  return record.length > 20 * 1024 * 1024 ? [] : [decodeLogEntry(record).streamIndex]
}

/** The first call is get(0, 1): it reads the index, and once. */
async function checkFirstCall(reader: ArchiveReader, blobs: FetchNotes, reads: Reads): Promise<void> {
  for await (const batch of reader.get({ index: 0, limit: 1 })) assert(batch.length > 0)
  const indexFetches = (fetches: readonly Fetch[]): readonly Fetch[] =>
    fetches.filter(({ file }) => file === INDEX)
  assert.deepEqual(
    indexFetches(blobs.fetches),
    indexFetches(reads.first_call_fetches),
    'how the index is read',
  )
}

async function checkGet(
  reader: ArchiveReader,
  blobs: FetchNotes,
  get: Get,
  all: readonly number[],
): Promise<void> {
  expectKeys(get, 'index', 'limit', 'stop_after', 'returned', 'count', 'fetches', 'error')
  const { index, limit } = get
  assert(typeof index === 'number', 'the index')
  const what = `get ${index}, ${limit}`
  blobs.fetches.length = 0
  const { indexes, error } = await indexesOf(reader, index, limit, get.stop_after)
  // A record that is too large ends reading, in Go and here.
  assert.equal(error, get.error, what)
  const wanted = all.filter((streamIndex) => streamIndex >= index)
  // Rule 7: over gaps Go returns fewer than asked for, or none.
  const isOverGap = limit > 0 && get.error === undefined && get.count < Math.min(limit, wanted.length)
  if (isOverGap) {
    assert.deepEqual(indexes, wanted.slice(0, limit), what)
    assert.deepEqual(rangesOf(indexes.slice(0, get.count)), get.returned, what)
  } else {
    assert.deepEqual(rangesOf(indexes), get.returned, what)
    assert.equal(indexes.length, get.count, what)
  }
  checkFetches(blobs.fetches, get.fetches, isOverGap, what)
}

async function indexesOf(
  reader: ArchiveReader,
  index: number,
  limit: number,
  stopAfter = Infinity,
): Promise<{ indexes: number[]; error?: string | undefined }> {
  const indexes: number[] = []
  try {
    for await (const batch of reader.get({ index, ...(limit > 0 ? { limit } : {}) })) {
      for (const { streamIndex } of batch) if (indexes.length < stopAfter) indexes.push(streamIndex)
      if (indexes.length >= stopAfter) break
    }
    return { indexes, error: undefined }
  } catch (error) {
    if (error instanceof RecoveryLogError) return { indexes, error: error.code }
    throw error
  }
}

/** Rule 9: no byte outside of what Go has fetched, gaps aside. */
function checkFetches(
  ours: readonly Fetch[],
  goes: readonly Fetch[],
  isOverGap: boolean,
  what: string,
): void {
  if (isOverGap) return
  for (const { file, offset, length } of ours) {
    const isInside = goes.some(
      (go) =>
        go.file === file &&
        offset >= go.offset &&
        (go.length < 0 || offset + length <= go.offset + go.length),
    )
    assert(isInside, `${what}: fetched ${length} bytes of ${file} at ${offset}, Go ${JSON.stringify(goes)}`)
  }
}

async function runBroken(run: VectorRun, dir: string, folder: BrokenFolder): Promise<void> {
  expectKeys(folder, 'about', 'descriptor', 'entries_file', 'index_file', 'frame_starts', 'cases')
  const entries = run.bytes(`${FOLDER}/${dir}/${folder.entries_file.file ?? ''}`)
  const index = run.bytes(`${FOLDER}/${dir}/${folder.index_file.file ?? ''}`)
  for (const vector of folder.cases) {
    await run.check(`${FOLDER}/${dir}`, vector.name, brokenRule(vector), async () => {
      expectKeys(
        vector,
        ...[
          'name',
          'doubtful',
          'cut',
          'with_index',
          'missing',
          'position',
          'bit',
          'entries_hex',
          'index_cut',
          'index',
        ],
        ...['limit', 'returned', 'count', 'fetches', 'error', 'tail', 'tail_error'],
      )
      if (vector.index !== undefined) await checkOddRequest(vector, entries, index)
      else await checkBroken(vector, folder, entries, index)
    })
  }
}

function brokenRule(vector: BrokenCase): Rule {
  if (vector.doubtful !== undefined) return 'doubtful'
  if (vector.cut !== undefined) return 'as the spec says'
  return typeof vector.error === 'string' ? 'typed error' : 'equal to Go'
}

/** Go does not check what it is asked for: ours is the caller's mistake. */
async function checkOddRequest(vector: BrokenCase, entries: Uint8Array, index: Uint8Array): Promise<void> {
  const reader = await readerOf(entries, index)
  const index_ = Number(vector.index)
  const limit = Number(vector.limit)
  if (index_ < 0 || limit < 0 || !Number.isSafeInteger(index_)) {
    await assert.rejects(async () => {
      for await (const batch of reader.get({ index: index_, limit })) assert(batch.length > 0)
    }, RangeError)
  } else assert.fail(`not an odd request: ${index_}, ${limit}`)
}

async function readerOf(
  entries: Uint8Array | undefined,
  index: Uint8Array | undefined,
): Promise<ArchiveReader> {
  const blobs = new MemoryBlobStore()
  if (entries !== undefined) await blobs.put(ENTRIES, entries)
  if (index !== undefined) await blobs.put(INDEX, index)
  return new ArchiveReader({ blobs, entries: ENTRIES, ...(index === undefined ? {} : { index: INDEX }) })
}

async function checkBroken(
  vector: BrokenCase,
  folder: BrokenFolder,
  whole: Uint8Array,
  wholeIndex: Uint8Array,
): Promise<void> {
  const entries = vector.missing === true ? undefined : damaged(whole, vector)
  const isWithIndex = vector.with_index === true || vector.index_cut !== undefined
  const reader = await readerOf(entries, isWithIndex ? wholeIndex.subarray(0, vector.index_cut) : undefined)
  const { indexes, error } = await indexesOf(reader, 0, 0)
  assert.deepEqual(rangesOf(indexes), vector.returned)
  assert.equal(error, expectedError(vector, folder, whole), 'the error of get')
  if (vector.tail === undefined) return
  const expectedTail = tailError(vector, folder, whole)
  if (expectedTail === undefined) {
    const tail = await reader.tail()
    assert.equal(tail?.streamIndex ?? null, vector.tail)
  } else {
    const code = await reader.tail().then(
      () => undefined,
      (reason: unknown) => (reason instanceof RecoveryLogError ? reason.code : String(reason)),
    )
    assert.equal(code, expectedTail, 'the error of tail')
  }
}

function damaged(whole: Uint8Array, { cut, position, bit = 0, entries_hex }: BrokenCase): Uint8Array {
  if (entries_hex !== undefined) return fromHex(entries_hex)
  if (position === undefined) return whole.subarray(0, cut)
  return Uint8Array.from(whole, (byte, at) => (at === position ? byte ^ (1 << bit) : byte))
}

/** A file that ends before its index says, or inside a frame, is CORRUPT (rule 7), whatever Go has. */
function expectedError(vector: BrokenCase, folder: BrokenFolder, whole: Uint8Array): string | undefined {
  if (vector.missing === true) return 'NOT_FOUND'
  if (vector.cut !== undefined) return isCutTold(vector, folder, whole) ? 'CORRUPT' : undefined
  return typeof vector.error === 'string' ? 'CORRUPT' : undefined
}

function tailError(vector: BrokenCase, folder: BrokenFolder, whole: Uint8Array): string | undefined {
  if (vector.missing === true) return 'NOT_FOUND'
  if (vector.cut !== undefined && isCutTold(vector, folder, whole)) return 'CORRUPT'
  if (vector.tail_error === null) return undefined
  return vector.tail_error === 'DOES_NOT_EXIST' ? undefined : 'CORRUPT'
}

function isCutTold(
  { cut = 0, with_index }: BrokenCase,
  { frame_starts }: BrokenFolder,
  whole: Uint8Array,
): boolean {
  const isBetweenFrames = cut === whole.length || frame_starts.includes(cut)
  return !isBetweenFrames || (with_index === true && cut < whole.length)
}

async function runFramed(
  run: VectorRun,
  dir: string,
  folder: { readonly about: string; readonly cases: readonly FramedCase[] },
): Promise<void> {
  expectKeys(folder, 'about', 'cases')
  for (const vector of folder.cases) {
    await run.check(`${FOLDER}/${dir}`, vector.name, 'as the spec says', async () => {
      expectKeys(
        vector,
        ...['name', 'descriptor_bytes', 'descriptor_inside_log_index', 'framed_index_hex', 'bare_index_hex'],
        ...['go_reader', 'entries_hex', 'bare_reads'],
      )
      const framed = fromHex(vector.framed_index_hex)
      const bare = fromHex(vector.bare_index_hex)
      const [descriptor, message] = splitRecords(framed)
      assert.equal(descriptor?.length, vector.descriptor_bytes)
      assert.deepEqual(message, bare)
      assert.equal(decodeLogIndex(bare).desc !== undefined, vector.descriptor_inside_log_index)
      // A framed index whose descriptor has 10 bytes cannot be told from a bare one; no valid descriptor has.
      if (vector.descriptor_bytes === 10) return
      checkSameIndex(framed, bare)
      assert.deepEqual(ArchiveIndex.parse(framed).descriptor, new Uint8Array(descriptor))
      if (vector.bare_reads === undefined || vector.entries_hex === undefined) return
      const entries = fromHex(vector.entries_hex)
      await checkReads(run, dir, vector.bare_reads, { entries, index: framed })
      await checkReads(run, dir, vector.bare_reads, { entries, index: bare })
    })
  }
}

function checkSameIndex(framed: Uint8Array, bare: Uint8Array): void {
  const a = ArchiveIndex.parse(framed)
  const b = ArchiveIndex.parse(bare)
  assert.deepEqual([...a.entries()], [...b.entries()])
  assert.deepEqual(a.totals.logEntryCount, b.totals.logEntryCount)
  assert.deepEqual(a.totals.lastStreamIndex, b.totals.lastStreamIndex)
}
