import { varintLength, writeVarint } from '../wire/index.ts'
import {
  encodeIndexDescriptor,
  encodeIndexTotals,
  indexEntryBytes,
  LogEntryWriter,
  putTextFrame,
  writeIndexEntry,
} from '../wire/logdog/index.ts'
import type { IndexEntry, LogEntry, Time } from '../wire/logdog/index.ts'
import { ChunkSink } from './chunk-sink.ts'
import { IndexRanges } from './index-ranges.ts'
import { rawContent, rawContentBytes } from './renderer.ts'
import type { ArchiveSettings } from './settings.ts'
import { isNormal, normalizedOffset } from './time-offset.ts'

/**
 * What an archive holds of its stream, and what it does not (log-archive spec, section 5): the facts of a manifest,
 * apart from its files.
 */
export interface ArchiveSummary {
  /** Entries in the archive. */
  readonly entryCount: number
  /** The stream index of the last entry in it, -1 when there is none. */
  readonly lastIndex: number
  /** The stream's, -1 when it is not known. */
  readonly terminalIndex: number
  /** Entries shown to the writer: in the archive, or told of below. */
  readonly readCount: number
  /** Ranges of indexes that are not in the archive, up to its terminal index, else up to its last one. */
  readonly gaps: IndexRanges
  /** Of those in the gaps, indexes that nobody has shown: neither dropped nor damaged. */
  readonly missingCount: number
  /** Entries out of order. */
  readonly dropped: IndexRanges
  /** Entries that could not be read, and were left out on purpose. */
  readonly damaged: IndexRanges
  /** Entries behind the terminal index. */
  readonly beyondTerminalCount: number
  /** Entries whose time offset was raised to that of the entry before. */
  readonly raisedCount: number
  /** Where the size limit has ended the archive. */
  readonly truncated: Truncation | undefined
}

export interface Truncation {
  /** The sizes of the entries' messages in the archive, added up. */
  readonly atBytes: number
  readonly sizeLimitBytes: number
  /** The stream index of the last entry in the archive. */
  readonly lastIndex: number
  /** Entries that were left out. */
  readonly entriesLeftOut: number
}

const CHUNK_BYTES = 1024 * 1024
const INDEX_CHUNK_BYTES = 64 * 1024
const FRAME_HEADER_BYTES_MAX = 10

/**
 * The encoder that has ended last. When no object of a layout is left, V8 forgets the layout, and after a few times
 * compiles for any layout what was compiled for this one: archives one after another would take twice as long.
 */
const kept: ArchiveEncoder[] = []

/**
 * Makes the files of an archive from the entries of its stream, without waiting for anything: entries go in with `add`,
 * bytes come out of the sinks.
 */
export class ArchiveEncoder {
  readonly entries = new ChunkSink(CHUNK_BYTES)
  readonly index = new ChunkSink(INDEX_CHUNK_BYTES)
  /** Only when the settings ask for the data file. */
  readonly data: ChunkSink | undefined
  readonly #settings: ArchiveSettings
  readonly #streamIndexRange: number
  readonly #terminalIndex: number
  readonly #writer = new LogEntryWriter()
  readonly #gaps = new IndexRanges()
  readonly #dropped = new IndexRanges()
  readonly #damaged = new IndexRanges()
  #entryCount = 0
  #beyondTerminalCount = 0
  #raisedCount = 0
  #leftOutCount = 0
  /** Indexes in gaps of which it is known why. */
  #explainedCount = 0
  #highestIndexLeftOut = -1
  /** The sizes of the messages so far. */
  #messageBytes = 0
  /** The last entry in the archive, as the index would have it. */
  readonly #last: IndexEntry = {
    offset: 0,
    sequence: 0,
    prefixIndex: 0,
    streamIndex: 0,
    timeOffset: undefined,
  }
  /** A copy, as entries are borrowed. */
  readonly #lastOffset: Time = { seconds: 0, nanos: 0, unknown: undefined }
  #isLastIndexed = false
  /** The time offset of the last entry, normalized: none is written below it. */
  #lastSeconds = 0
  #lastNanos = 0
  /** An entry is due for the index when one of these is reached; Infinity where no range is set. */
  #dueStreamIndex = Infinity
  #duePrefixIndex = Infinity
  #dueMessageBytes = Infinity

  /**
   * @param options.descriptor the stream's, encoded
   * @param options.terminalIndex the stream's, -1 when it is not known
   */
  constructor(options: {
    readonly descriptor: Uint8Array
    readonly terminalIndex: number
    readonly settings: ArchiveSettings
  }) {
    const { descriptor, terminalIndex, settings } = options
    this.#settings = settings
    this.#terminalIndex = terminalIndex
    const isAnyRangeSet =
      settings.byteRange > 0 || settings.streamIndexRange > 0 || settings.prefixIndexRange > 0
    this.#streamIndexRange = isAnyRangeSet ? settings.streamIndexRange : 1
    this.data = settings.renderData ? new ChunkSink(CHUNK_BYTES) : undefined
    this.#frame(descriptor.length)
    this.entries.write(descriptor)
    this.index.write(encodeIndexDescriptor(descriptor))
  }

  /** How many bytes wait in full chunks. */
  get fullBytes(): number {
    return this.entries.fullBytes + this.index.fullBytes + (this.data?.fullBytes ?? 0)
  }

  /** How many time offsets were raised so far. */
  get raisedCount(): number {
    return this.#raisedCount
  }

  /**
   * Adds an entry, or counts why it is left out. The entry is borrowed for the call.
   *
   * @throws RangeError, RecoveryLogError `ENTRY_INVALID` for an entry that cannot be encoded
   */
  add(entry: LogEntry): void {
    const { streamIndex } = entry
    if (this.#terminalIndex >= 0 && streamIndex > this.#terminalIndex) this.#beyondTerminalCount++
    else if (this.#messageBytes > this.#settings.sizeLimitBytes) this.#leftOutCount++
    else if (this.#entryCount > 0 && this.#isOutOfOrder(entry)) this.#leaveOut(streamIndex, this.#dropped)
    else this.#write(this.#inTime(entry))
  }

  /** Tells of an index whose entry cannot be read and is to be left out. */
  addDamaged(streamIndex: number): void {
    this.#leaveOut(streamIndex, this.#damaged)
  }

  /** Ends the files. */
  finish(): ArchiveSummary {
    if (this.#entryCount > 0 && !this.#isLastIndexed) this.#indexLast(this.#messageBytes)
    this.index.write(
      encodeIndexTotals({
        lastPrefixIndex: this.#last.prefixIndex,
        lastStreamIndex: this.#last.streamIndex,
        logEntryCount: this.#entryCount,
      }),
    )
    const lastIndex = this.#entryCount === 0 ? -1 : this.#last.streamIndex
    const isTruncated = this.#messageBytes > this.#settings.sizeLimitBytes
    if (this.#terminalIndex > lastIndex && !isTruncated) this.#gaps.add(lastIndex + 1, this.#terminalIndex)
    const beyondTerminalCount = this.#beyondTerminalCount
    const leftOut = this.#dropped.indexes + this.#damaged.indexes + beyondTerminalCount + this.#leftOutCount
    kept[0] = this
    return {
      entryCount: this.#entryCount,
      lastIndex,
      terminalIndex: this.#terminalIndex,
      readCount: this.#entryCount + leftOut,
      gaps: this.#gaps,
      missingCount: Math.max(0, this.#gaps.indexes - this.#explainedCount),
      dropped: this.#dropped,
      damaged: this.#damaged,
      beyondTerminalCount,
      raisedCount: this.#raisedCount,
      truncated: isTruncated
        ? {
            atBytes: this.#messageBytes,
            sizeLimitBytes: this.#settings.sizeLimitBytes,
            lastIndex,
            entriesLeftOut: this.#leftOutCount,
          }
        : undefined,
    }
  }

  #isOutOfOrder({ prefixIndex, streamIndex, sequence }: LogEntry): boolean {
    const last = this.#last
    return prefixIndex < last.prefixIndex || streamIndex < last.streamIndex || sequence < last.sequence
  }

  /** Counts an index that was shown, and is not in the archive for a reason. */
  #leaveOut(streamIndex: number, reason: IndexRanges): void {
    reason.add(streamIndex)
    // One that is not above all others may be in the archive, or be counted, already.
    const isArchived = this.#entryCount > 0 && streamIndex <= this.#last.streamIndex
    if (isArchived || streamIndex <= this.#highestIndexLeftOut) return
    this.#explainedCount++
    this.#highestIndexLeftOut = streamIndex
  }

  /** The entry with its time offset raised to the last one's, when it is below it. */
  #inTime(entry: LogEntry): LogEntry {
    const { timeOffset } = entry
    let seconds = 0
    let nanos = 0
    if (timeOffset !== undefined) {
      ;({ seconds, nanos } = isNormal(timeOffset) ? timeOffset : normalizedOffset(timeOffset))
    }
    if (seconds > this.#lastSeconds || (seconds === this.#lastSeconds && nanos >= this.#lastNanos)) {
      this.#lastSeconds = seconds
      this.#lastNanos = nanos
      return entry
    }
    this.#raisedCount++
    return { ...entry, timeOffset: { seconds: this.#lastSeconds, nanos: this.#lastNanos } }
  }

  #write(entry: LogEntry): void {
    const { entries } = this
    const offset = entries.position
    let bytes = putTextFrame(entries.bytes, entries.at, entry)
    if (bytes >= 0) entries.at += varintLength(bytes) + bytes
    else {
      bytes = this.#writer.measure(entry)
      entries.reserve(FRAME_HEADER_BYTES_MAX + bytes)
      const dataBegin = writeVarint(entries.bytes, entries.at, bytes)
      entries.at = this.#writer.write(entries.bytes, dataBegin)
    }
    if (this.data !== undefined) this.#writeData(entry, this.data)
    this.#messageBytes += bytes
    this.#note(entry, offset)
  }

  /** Keeps what must be known of an entry that was written at `offset`, and puts it into the index when it is due. */
  #note(entry: LogEntry, offset: number): void {
    const { streamIndex, prefixIndex, timeOffset } = entry
    const last = this.#last
    const isFirst = this.#entryCount === 0
    const next = isFirst ? 0 : last.streamIndex + 1
    if (streamIndex > next) this.#gaps.add(next, streamIndex - 1)
    this.#entryCount++
    last.offset = offset
    last.sequence = entry.sequence
    last.prefixIndex = prefixIndex
    last.streamIndex = streamIndex
    last.timeOffset = timeOffset === undefined ? undefined : copyTime(timeOffset, this.#lastOffset)
    this.#isLastIndexed = false
    // The first entry's size counts for the second entry of the index too: so Go has it.
    if (isFirst) this.#indexLast(0)
    else if (
      streamIndex >= this.#dueStreamIndex ||
      prefixIndex >= this.#duePrefixIndex ||
      this.#messageBytes >= this.#dueMessageBytes
    ) {
      this.#indexLast(this.#messageBytes)
    }
  }

  /** Puts the last entry into the index. The sizes of the messages from `messageBytes` on count towards the next. */
  #indexLast(messageBytes: number): void {
    const { index } = this
    const last = this.#last
    index.reserve(indexEntryBytes(last))
    index.at = writeIndexEntry(last, index.bytes, index.at)
    this.#isLastIndexed = true
    const { prefixIndexRange, byteRange } = this.#settings
    if (this.#streamIndexRange > 0) this.#dueStreamIndex = last.streamIndex + this.#streamIndexRange
    if (prefixIndexRange > 0) this.#duePrefixIndex = last.prefixIndex + prefixIndexRange
    if (byteRange > 0) this.#dueMessageBytes = messageBytes + byteRange
  }

  #writeData(entry: LogEntry, data: ChunkSink): void {
    data.reserve(rawContentBytes(entry))
    for (const piece of rawContent(entry)) data.write(piece)
  }

  #frame(length: number): void {
    this.entries.reserve(varintLength(length))
    this.entries.at = writeVarint(this.entries.bytes, this.entries.at, length)
  }
}

function copyTime({ seconds, nanos, unknown }: Time, into: Time): Time {
  into.seconds = seconds
  into.nanos = nanos
  into.unknown = unknown
  return into
}
