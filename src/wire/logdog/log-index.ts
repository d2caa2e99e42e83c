import { decodeDescriptor, encodeDescriptor } from './descriptor.ts'
import type { LogStreamDescriptor } from './descriptor.ts'
import type { WithUnknown } from './log-entry.ts'
import { MessageReader } from './message-reader.ts'
import { lengthOfVarint, numberBytes, putNumber, putVarint } from './put-varint.ts'
import { decodeTime, timeBytes, writeTime } from './time.ts'
import type { Time } from './time.ts'

/**
 * `LogIndex` (log-archive spec, sections 3 and 5), by hand: it is read before anything else of an archive. Its writer
 * works piece by piece, so that an index need never be in memory whole.
 */

/** Where an entry lies in the entries file, and what it says of itself. */
export interface IndexEntry extends WithUnknown {
  /** Where its frame begins. */
  offset: number
  sequence: number
  prefixIndex: number
  streamIndex: number
  timeOffset?: Time | undefined
}

/** What an index says of the whole archive. Zeros stand for "not known" too. */
export interface IndexTotals {
  lastPrefixIndex: number
  lastStreamIndex: number
  logEntryCount: number
}

export interface LogIndex extends IndexTotals, WithUnknown {
  desc?: LogStreamDescriptor | undefined
  entries: readonly IndexEntry[]
}

const Tag = { desc: 10, entry: 18, lastPrefixIndex: 24, lastStreamIndex: 32, logEntryCount: 40 } as const
const EntryTag = { offset: 8, sequence: 16, prefixIndex: 24, streamIndex: 32, timeOffset: 42 } as const

/** Decodes the whole message into objects. @throws RecoveryLogError `CORRUPT` with the place */
export function decodeLogIndex(bytes: Uint8Array): LogIndex {
  const entries: IndexEntry[] = []
  const rest = scanLogIndex(bytes, (entry) => {
    entries.push({ ...entry })
  })
  const { descriptor, ...totals } = rest
  return { ...totals, desc: descriptor === undefined ? undefined : decodeDescriptor(descriptor), entries }
}

/** What `scanLogIndex` answers: all but the entries. */
export interface ScannedIndex extends IndexTotals, WithUnknown {
  /** The descriptor, encoded; of one that was given in several parts, the parts, which is their merge. */
  descriptor: Uint8Array | undefined
}

/**
 * Goes through a `LogIndex` and shows each of its entries, in the same object every time, which `onEntry` borrows.
 *
 * @throws RecoveryLogError `CORRUPT` with the place
 */
export function scanLogIndex(bytes: Uint8Array, onEntry: (entry: IndexEntry) => void): ScannedIndex {
  const reader = new MessageReader('LogIndex', bytes)
  const scanned: ScannedIndex = {
    descriptor: undefined,
    lastPrefixIndex: 0,
    lastStreamIndex: 0,
    logEntryCount: 0,
    unknown: undefined,
  }
  const entry: IndexEntry = {
    offset: 0,
    sequence: 0,
    prefixIndex: 0,
    streamIndex: 0,
    timeOffset: undefined,
    unknown: undefined,
  }
  while (reader.at < reader.end) {
    const begin = reader.at
    const tag = reader.tag()
    if (tag === Tag.entry) onEntry(readIndexEntry(reader, entry))
    else if (tag === Tag.desc) scanned.descriptor = joined(scanned.descriptor, reader.view())
    else if (tag === Tag.lastPrefixIndex) scanned.lastPrefixIndex = reader.uint64()
    else if (tag === Tag.lastStreamIndex) scanned.lastStreamIndex = reader.uint64()
    else if (tag === Tag.logEntryCount) scanned.logEntryCount = reader.uint64()
    else scanned.unknown = reader.keepUnknown(tag, begin, scanned.unknown)
  }
  return scanned
}

function readIndexEntry(reader: MessageReader, entry: IndexEntry): IndexEntry {
  entry.offset = 0
  entry.sequence = 0
  entry.prefixIndex = 0
  entry.streamIndex = 0
  entry.timeOffset = undefined
  entry.unknown = undefined
  const outer = reader.end
  const end = reader.delimited()
  reader.end = end
  while (reader.at < end) {
    const begin = reader.at
    const tag = reader.tag()
    if (tag === EntryTag.offset) entry.offset = reader.uint64()
    else if (tag === EntryTag.sequence) entry.sequence = reader.uint64()
    else if (tag === EntryTag.prefixIndex) entry.prefixIndex = reader.uint64()
    else if (tag === EntryTag.streamIndex) entry.streamIndex = reader.uint64()
    else if (tag === EntryTag.timeOffset) entry.timeOffset = decodeTime(reader, entry.timeOffset)
    else entry.unknown = reader.keepUnknown(tag, begin, entry.unknown)
  }
  reader.end = outer
  return entry
}

/** A message written one part behind the other is their merge. */
function joined(before: Uint8Array | undefined, part: Uint8Array): Uint8Array {
  if (before === undefined) return part
  const all = new Uint8Array(before.length + part.length)
  all.set(before)
  all.set(part, before.length)
  return all
}

/** Encodes the whole message. */
export function encodeLogIndex(index: LogIndex): Uint8Array {
  const parts: Uint8Array[] = []
  if (index.desc !== undefined) parts.push(encodeIndexDescriptor(encodeDescriptor(index.desc)))
  for (const entry of index.entries) {
    const part = new Uint8Array(indexEntryBytes(entry))
    writeIndexEntry(entry, part, 0)
    parts.push(part)
  }
  parts.push(encodeIndexTotals(index), index.unknown ?? new Uint8Array(0))
  return parts.reduce(joined)
}

/** The beginning of an index: its descriptor, given encoded. */
export function encodeIndexDescriptor(descriptor: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + lengthOfVarint(descriptor.length) + descriptor.length)
  bytes[0] = Tag.desc
  bytes.set(descriptor, putVarint(bytes, 1, descriptor.length))
  return bytes
}

/** How many bytes an entry takes in an index, its tag and length included. */
export function indexEntryBytes(entry: IndexEntry): number {
  const length = indexEntryLength(entry)
  return 1 + lengthOfVarint(length) + length
}

/** Writes an entry, with its tag and length, at `position` and answers where it ends. */
export function writeIndexEntry(entry: IndexEntry, target: Uint8Array, position: number): number {
  let at = position
  target[at++] = Tag.entry
  at = putVarint(target, at, indexEntryLength(entry))
  at = putNumber(target, at, EntryTag.offset, entry.offset)
  at = putNumber(target, at, EntryTag.sequence, entry.sequence)
  at = putNumber(target, at, EntryTag.prefixIndex, entry.prefixIndex)
  at = putNumber(target, at, EntryTag.streamIndex, entry.streamIndex)
  if (entry.timeOffset !== undefined) {
    target[at++] = EntryTag.timeOffset
    at = putVarint(target, at, timeBytes(entry.timeOffset))
    at = writeTime(entry.timeOffset, target, at)
  }
  if (entry.unknown === undefined) return at
  target.set(entry.unknown, at)
  return at + entry.unknown.length
}

/** The end of an index. */
export function encodeIndexTotals(totals: IndexTotals): Uint8Array {
  const { lastPrefixIndex, lastStreamIndex, logEntryCount } = totals
  const bytes = new Uint8Array(
    numberBytes(lastPrefixIndex) + numberBytes(lastStreamIndex) + numberBytes(logEntryCount),
  )
  let at = putNumber(bytes, 0, Tag.lastPrefixIndex, lastPrefixIndex)
  at = putNumber(bytes, at, Tag.lastStreamIndex, lastStreamIndex)
  putNumber(bytes, at, Tag.logEntryCount, logEntryCount)
  return bytes
}

function indexEntryLength(entry: IndexEntry): number {
  let bytes = numberBytes(entry.offset) + numberBytes(entry.sequence)
  bytes += numberBytes(entry.prefixIndex) + numberBytes(entry.streamIndex)
  if (entry.timeOffset !== undefined) {
    const length = timeBytes(entry.timeOffset)
    bytes += 1 + lengthOfVarint(length) + length
  }
  return bytes + (entry.unknown === undefined ? 0 : entry.unknown.length)
}
