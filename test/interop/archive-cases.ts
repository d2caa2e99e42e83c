import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { RecoveryLogError } from '../../src/errors/index.ts'
import type { Sha256Factory } from '../../src/parts/index.ts'
import { StreamType } from '../../src/wire/logdog/index.ts'
import type {
  BundleEntry,
  ButlerLogBundle,
  ButlerMetadata,
  Inflate,
  IndexEntry,
  LogEntry,
  LogIndex,
  LogStreamDescriptor,
  Time,
} from '../../src/wire/logdog/index.ts'
import { decodeLogEntry, encodeLogEntry } from '../../src/wire/logdog/index.ts'
import type { VectorRun } from './vector-run.ts'

/** What the vector suites of the archive half share: bytes, and messages as the vectors spell them. */

export const sha256: Sha256Factory = () => {
  const hash = createHash('sha256')
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  }
}

export const inflate: Inflate = (bytes, maxBytes) => inflateSync(bytes, { maxOutputLength: maxBytes })

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The cases of a file, which may have only the keys named beside them. */
export function casesOf<Case>(run: VectorRun, file: string, beside: readonly string[] = []): readonly Case[] {
  const content = run.json<Record<string, unknown>>(file)
  for (const key of Object.keys(content)) {
    assert(['about', 'cases', ...beside].includes(key), `${file}: an unknown key ${key}`)
  }
  const cases = content['cases'] as readonly Case[]
  assert(cases.length > 0, `${file}: no cases`)
  return cases
}

/** Every key of a case is known, so that nothing it says is passed over. */
export function expectKeys(value: object, ...keys: readonly string[]): void {
  for (const key of Object.keys(value)) assert(keys.includes(key), `an unknown key ${key}`)
}

/** What `body` throws, which must be an error of ours. */
export async function typedError(body: () => unknown): Promise<RecoveryLogError> {
  try {
    await body()
  } catch (error) {
    if (error instanceof RecoveryLogError) return error
    throw new Error(`not an error of ours: ${String(error)}`, { cause: error })
  }
  throw new Error('no error')
}

/** Numbers from 2^53 on are strings in the vectors, and refused by us. */
export function isSafe(value: number | string): value is number {
  return typeof value === 'number'
}

/** The fields that are numbers on the wire. */
const NUMBERS = new Set([
  ...[
    'seconds',
    'nanos',
    'prefix_index',
    'stream_index',
    'sequence',
    'index',
    'size',
    'offset',
    'terminal_index',
  ],
  ...['last_prefix_index', 'last_stream_index', 'log_entry_count'],
])

/** Whether a message holds such a number anywhere. */
export function hasBigNumber(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(
    ([key, inner]) => (NUMBERS.has(key) && typeof inner === 'string') || hasBigNumber(inner),
  )
}

export interface TimeFields {
  readonly seconds: number
  readonly nanos: number
}

export interface DescriptorFields {
  readonly prefix: string
  readonly name: string
  readonly stream_type: string | number
  readonly content_type: string
  readonly timestamp: TimeFields | null
  readonly tags: Readonly<Record<string, string>>
  readonly binary_file_ext: string
}

export interface EntryFields {
  readonly time_offset: TimeFields | null
  readonly prefix_index: number
  readonly stream_index: number
  readonly sequence: number
  readonly text?: { readonly lines: readonly { readonly value: string; readonly delimiter: string }[] }
  readonly binary?: { readonly data: string }
  readonly datagram?: {
    readonly data: string
    readonly partial: { readonly index: number; readonly size: number; readonly last: boolean } | null
  }
}

export interface IndexFields {
  readonly desc: DescriptorFields | null
  readonly entries: readonly IndexEntryFields[]
  readonly last_prefix_index: number
  readonly last_stream_index: number
  readonly log_entry_count: number
}

export interface IndexEntryFields {
  readonly offset: number
  readonly sequence: number
  readonly prefix_index: number
  readonly stream_index: number
  readonly time_offset: TimeFields | null
}

export interface MetadataFields {
  readonly type: string | number
  readonly compression: string | number
  readonly proto_version: string
}

export interface BundleFields {
  readonly deprecated_source: string
  readonly timestamp: TimeFields | null
  readonly entries: readonly {
    readonly desc: DescriptorFields | null
    readonly deprecated_entry_secret: string
    readonly terminal: boolean
    readonly terminal_index: number
    readonly logs: readonly EntryFields[]
  }[]
  readonly project: string
  readonly prefix: string
  readonly secret: string
}

const STREAM_TYPES = ['TEXT', 'BINARY', 'DATAGRAM']
const CONTENT_TYPES = ['Invalid', 'ButlerLogBundle']
const COMPRESSIONS = ['NONE', 'ZLIB']

export function streamTypeOf(value: string | number): number {
  return enumOf(STREAM_TYPES, value)
}

function enumOf(names: readonly string[], value: string | number): number {
  return typeof value === 'number' ? value : names.indexOf(value)
}

function enumName(names: readonly string[], value: number): string | number {
  return names[value] ?? value
}

function timeFrom(fields: TimeFields | null): Time | undefined {
  return fields === null ? undefined : { ...fields }
}

function timeTo(time: Time | undefined): TimeFields | null {
  return time === undefined ? null : { seconds: time.seconds, nanos: time.nanos }
}

export function descriptorFrom(fields: DescriptorFields): LogStreamDescriptor {
  return {
    prefix: fields.prefix,
    name: fields.name,
    streamType: streamTypeOf(fields.stream_type),
    contentType: fields.content_type,
    timestamp: timeFrom(fields.timestamp),
    tags: new Map(Object.entries(fields.tags)),
    binaryFileExt: fields.binary_file_ext,
  }
}

export function descriptorTo(descriptor: LogStreamDescriptor): DescriptorFields {
  return {
    prefix: descriptor.prefix,
    name: descriptor.name,
    stream_type: enumName(STREAM_TYPES, descriptor.streamType),
    content_type: descriptor.contentType,
    timestamp: timeTo(descriptor.timestamp),
    tags: Object.fromEntries(descriptor.tags),
    binary_file_ext: descriptor.binaryFileExt,
  }
}

export function entryFrom(fields: EntryFields): LogEntry {
  const entry: LogEntry = {
    timeOffset: timeFrom(fields.time_offset),
    prefixIndex: fields.prefix_index,
    streamIndex: fields.stream_index,
    sequence: fields.sequence,
  }
  if (fields.text !== undefined) {
    const lines = fields.text.lines.map(({ value, delimiter }) => ({ value: fromHex(value), delimiter }))
    entry.content = { kind: 'text', lines }
  }
  if (fields.binary !== undefined) entry.content = { kind: 'binary', data: fromHex(fields.binary.data) }
  if (fields.datagram !== undefined) {
    const { data, partial } = fields.datagram
    entry.content = {
      kind: 'datagram',
      data: fromHex(data),
      partial: partial === null ? undefined : { ...partial },
    }
  }
  return entry
}

export function entryTo(entry: LogEntry): EntryFields {
  const fields = {
    time_offset: timeTo(entry.timeOffset),
    prefix_index: entry.prefixIndex,
    stream_index: entry.streamIndex,
    sequence: entry.sequence,
  }
  const { content } = entry
  if (content === undefined) return fields
  if (content.kind === 'text') {
    const lines = content.lines.map(({ value, delimiter }) => ({ value: hexOf(value), delimiter }))
    return { ...fields, text: { lines } }
  }
  const data = hexOf(content.data)
  if (content.kind === 'binary') return { ...fields, binary: { data } }
  const { partial } = content
  if (partial === undefined) return { ...fields, datagram: { data, partial: null } }
  const { index, size, last } = partial
  return { ...fields, datagram: { data, partial: { index, size, last } } }
}

export function indexFrom(fields: IndexFields): LogIndex {
  return {
    desc: fields.desc === null ? undefined : descriptorFrom(fields.desc),
    entries: fields.entries.map((entry) => ({
      offset: entry.offset,
      sequence: entry.sequence,
      prefixIndex: entry.prefix_index,
      streamIndex: entry.stream_index,
      timeOffset: timeFrom(entry.time_offset),
    })),
    lastPrefixIndex: fields.last_prefix_index,
    lastStreamIndex: fields.last_stream_index,
    logEntryCount: fields.log_entry_count,
  }
}

export function indexEntryTo(entry: IndexEntry): IndexEntryFields {
  return {
    offset: entry.offset,
    sequence: entry.sequence,
    prefix_index: entry.prefixIndex,
    stream_index: entry.streamIndex,
    time_offset: timeTo(entry.timeOffset),
  }
}

export function indexTo(index: LogIndex): IndexFields {
  return {
    desc: index.desc === undefined ? null : descriptorTo(index.desc),
    entries: index.entries.map(indexEntryTo),
    last_prefix_index: index.lastPrefixIndex,
    last_stream_index: index.lastStreamIndex,
    log_entry_count: index.logEntryCount,
  }
}

export function metadataFrom(fields: MetadataFields): ButlerMetadata {
  return {
    type: enumOf(CONTENT_TYPES, fields.type),
    compression: enumOf(COMPRESSIONS, fields.compression),
    protoVersion: fields.proto_version,
  }
}

export function metadataTo(metadata: ButlerMetadata): MetadataFields {
  return {
    type: enumName(CONTENT_TYPES, metadata.type),
    compression: enumName(COMPRESSIONS, metadata.compression),
    proto_version: metadata.protoVersion,
  }
}

export function bundleFrom(fields: BundleFields): ButlerLogBundle {
  return {
    deprecatedSource: fields.deprecated_source,
    timestamp: timeFrom(fields.timestamp),
    entries: fields.entries.map((entry) => ({
      desc: entry.desc === null ? undefined : descriptorFrom(entry.desc),
      deprecatedEntrySecret: fromHex(entry.deprecated_entry_secret),
      terminal: entry.terminal,
      terminalIndex: entry.terminal_index,
      logs: entry.logs.map((log) => encodeLogEntry(entryFrom(log))),
    })),
    project: fields.project,
    prefix: fields.prefix,
    secret: fromHex(fields.secret),
  }
}

export function bundleTo(bundle: ButlerLogBundle): BundleFields {
  return {
    deprecated_source: bundle.deprecatedSource,
    timestamp: timeTo(bundle.timestamp),
    entries: bundle.entries.map(bundleEntryTo),
    project: bundle.project,
    prefix: bundle.prefix,
    secret: hexOf(bundle.secret),
  }
}

function bundleEntryTo(entry: BundleEntry): BundleFields['entries'][number] {
  return {
    desc: entry.desc === undefined ? null : descriptorTo(entry.desc),
    deprecated_entry_secret: hexOf(entry.deprecatedEntrySecret),
    terminal: entry.terminal,
    terminal_index: entry.terminalIndex,
    logs: entry.logs.map((log) => entryTo(decodeLogEntry(log))),
  }
}

/** The ranges `[first, last]` that `values`, in their order, go through. */
export function rangesOf(values: Iterable<number>): [number, number][] {
  const ranges: [number, number][] = []
  for (const value of values) {
    const open = ranges.at(-1)
    if (open?.[1] === value - 1) open[1] = value
    else ranges.push([value, value])
  }
  return ranges
}

assert.deepEqual(Object.values(StreamType), [0, 1, 2], 'the stream types in the order of the vectors')
