import type { BlobStore } from '../blob/index.ts'
import { readBlob } from '../blob/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { readRecordHeader, RECORD_BYTES_MAX, recordTooLarge } from '../wire/index.ts'
import type { RecordHeader } from '../wire/index.ts'
import { decodeDescriptor, decodeLogEntry, peekStreamIndex } from '../wire/logdog/index.ts'
import type { LogEntry, LogStreamDescriptor } from '../wire/logdog/index.ts'
import { ArchiveIndex } from './archive-index.ts'
import { decodeTextFrames, LEAP_FRAMES, leapTowards, passFrames } from './frame-walk.ts'
import type { IndexCache } from './index-cache.ts'
import { giveScratchBack, takeScratch } from './scratch.ts'

/** Reads archives from any position, by ranges of bytes that their indexes tell (log-archive spec, section 5). */

export interface ArchiveReaderParts {
  readonly blobs: Pick<BlobStore, 'get'>
  /** The key of `logstream.entries`. */
  readonly entries: string
  /** The key of `logstream.index`. Without it, or without the file, everything is read from the beginning. */
  readonly index?: string
  /** Keeps the parsed index between calls. Without it, this reader keeps its own. */
  readonly cache?: IndexCache
}

/** A damaged place that was passed over. */
export interface ArchiveDamage {
  /** Where in the entries file. */
  readonly offset: number
  /** Where reading goes on; undefined when it cannot. */
  readonly resumedAt: number | undefined
  readonly error: RecoveryLogError
}

export interface GetOptions {
  /** The first stream index, default 0. */
  readonly index?: number
  /** How many entries at most, over gaps; default all. */
  readonly limit?: number
  /**
   * Is told of damage, and reading goes on with what is whole behind it. Without it the first damage is thrown, after
   * what is whole before it has been given.
   */
  readonly onDamage?: (damage: ArchiveDamage) => void
  readonly signal?: AbortSignal
}

/** How much is read at once, when there is no telling how much is needed. */
const PIECE_BYTES = 1024 * 1024
const FRAME_HEADER_BYTES_MAX = 10

/** So many entries are given at once: what lives longer than it must is what costs the collector time. */
const BATCH_ENTRIES = 500

export class ArchiveReader {
  readonly #parts: ArchiveReaderParts
  #index: ArchiveIndex | undefined

  constructor(parts: ArchiveReaderParts) {
    this.#parts = parts
  }

  /**
   * Yields the first `limit` entries at or after `index`, in batches of at most 500. The entries are views of memory of
   * their own.
   *
   * @throws RecoveryLogError `NOT_FOUND` when there is no entries file; `CORRUPT` with key and offset, also when the file
   * ends before its index says; `FRAME_TOO_LARGE`; RangeError for an index or limit that is no integer from 0
   */
  async *get(options: GetOptions = {}): AsyncGenerator<LogEntry[], void, undefined> {
    const { index = 0, limit = Infinity } = options
    checkCount('index', index)
    if (limit !== Infinity) checkCount('limit', limit)
    const archive = this.#knownIndex() ?? (await this.#loadIndex(options.signal))
    const plan = archive.plan(index, limit)
    if (plan === undefined || limit === 0) return
    const cursor = new Cursor(this.#parts, archive, options, plan.begin)
    let { end } = plan
    while (!cursor.isDone) {
      // Behind the planned end there is more only when gaps have made it too few.
      if (cursor.offset >= end) end = archive.offsetBehind(cursor.offset) ?? Infinity
      const batch = await cursor.read(end)
      if (batch.length > 0) yield batch
      cursor.throwFailure()
    }
  }

  /**
   * The last entry, undefined when there is none.
   *
   * @throws as `get` does
   */
  async tail(options: { readonly signal?: AbortSignal } = {}): Promise<LogEntry | undefined> {
    const archive = this.#knownIndex() ?? (await this.#loadIndex(options.signal))
    const cursor = new Cursor(this.#parts, archive, { ...options, lastOnly: true }, archive.lastOffset ?? 0)
    let last: LogEntry | undefined
    while (!cursor.isDone) {
      last = (await cursor.read(Infinity)).at(-1) ?? last
      cursor.throwFailure()
    }
    return last
  }

  /**
   * The stream's descriptor: the index has it, else the beginning of the entries file.
   *
   * @throws RecoveryLogError `NOT_FOUND`, `CORRUPT`
   */
  async descriptor(options: { readonly signal?: AbortSignal } = {}): Promise<LogStreamDescriptor> {
    const archive = this.#knownIndex() ?? (await this.#loadIndex(options.signal))
    if (archive.descriptor !== undefined) return decodeDescriptor(archive.descriptor)
    return decodeDescriptor(await new Cursor(this.#parts, archive, options, 0).readFrame())
  }

  #knownIndex(): ArchiveIndex | undefined {
    const { cache, index } = this.#parts
    return cache === undefined || index === undefined ? this.#index : cache.peek(index)
  }

  async #loadIndex(signal: AbortSignal | undefined): Promise<ArchiveIndex> {
    const { cache, index: key } = this.#parts
    if (key === undefined) return withoutIndex()
    if (cache !== undefined) return cache.get(key, async () => loadIndex(this.#parts.blobs, key, undefined))
    this.#index = await loadIndex(this.#parts.blobs, key, signal)
    return this.#index
  }
}

async function loadIndex(
  blobs: Pick<BlobStore, 'get'>,
  key: string,
  signal: AbortSignal | undefined,
): Promise<ArchiveIndex> {
  try {
    return ArchiveIndex.parse(await readBlob(blobs, key, signal === undefined ? {} : { signal }))
  } catch (error) {
    if (RecoveryLogError.is(error, 'NOT_FOUND')) return withoutIndex()
    if (!RecoveryLogError.is(error, 'CORRUPT')) throw error
    throw new RecoveryLogError(
      'CORRUPT',
      `the index ${key} is damaged`,
      { ...error.data, key },
      { cause: error },
    )
  }
}

/** An archive without an index is read as if it were empty. */
function withoutIndex(): ArchiveIndex {
  return ArchiveIndex.parse(new Uint8Array(0))
}

/**
 * The cursor that was made last, with the index that it reads by. When no object of a layout is left, V8 forgets the
 * layout, and the code compiled for it: one `get` in a hundred would wait for the compiler.
 */
const kept: Cursor[] = []

/** Walks through an entries file, one piece after another. */
class Cursor {
  /** Where the next frame begins. */
  offset: number
  isDone = false
  readonly #parts: ArchiveReaderParts
  readonly #archive: ArchiveIndex
  readonly #options: GetOptions & { readonly lastOnly?: boolean }
  readonly #header: RecordHeader = { length: 0, dataBegin: 0 }
  readonly #firstIndex: number
  #left: number
  /** How much to read, when the frame at `offset` is known to need more than a piece. */
  #frameBytes = 0
  /** Where the frame that is being decoded ends; Infinity when there is none. */
  #frameEnd = Infinity
  #lastStreamIndex = -1
  /** The piece that is being walked through, where it lies in the file, and whether the file ends with it. */
  #bytes: Uint8Array | undefined
  #base = 0
  #isLastPiece = false
  #failure: RecoveryLogError | undefined

  constructor(
    parts: ArchiveReaderParts,
    archive: ArchiveIndex,
    options: GetOptions & { readonly lastOnly?: boolean },
    offset: number,
  ) {
    this.#parts = parts
    this.#archive = archive
    this.#options = options
    this.offset = offset
    this.#firstIndex = options.index ?? 0
    this.#left = options.limit ?? Infinity
    kept[0] = this
  }

  /** Throws what has ended the walk, once what is whole before it has been given. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Answers the next entries that are asked for, reading up to `end`, or a piece, when nothing is left of the last. */
  async read(end: number): Promise<LogEntry[]> {
    const batch: LogEntry[] = []
    const bytes = (this.#bytes ??= await this.#nextPiece(end))
    try {
      if (!this.#take(bytes, batch)) return batch
      this.#bytes = undefined
      if (this.#isLastPiece && !this.isDone) this.#checkEnd(this.#base + bytes.length)
    } catch (error) {
      this.#bytes = undefined
      this.#fail(error, bytes.length === 0)
    }
    return batch
  }

  /** Reads from `offset` up to `end`, or a piece, and goes to near the first entry asked for. */
  async #nextPiece(end: number): Promise<Uint8Array> {
    const asked = Math.max(Math.min(end - this.offset, PIECE_BYTES), this.#frameBytes)
    const scratch = this.#left === Infinity ? undefined : takeScratch(asked)
    const bytes = await this.#fetch(this.offset, asked, scratch)
    this.#isLastPiece = bytes.length < asked
    this.#base = this.offset
    if (scratch === undefined) return bytes
    const own = this.#ownPart(bytes)
    giveScratchBack(scratch)
    return own
  }

  /** A copy of the frames in `bytes` that are asked for, and of less than `LEAP_FRAMES` before them. */
  #ownPart(bytes: Uint8Array): Uint8Array {
    // The first frame of the file is the descriptor's.
    const first = this.offset === 0 ? passFrames(bytes, 0, 1) : 0
    const begin = leapTowards(bytes, first, this.#firstIndex)
    const end = passFrames(bytes, begin, this.#left + LEAP_FRAMES)
    this.offset += begin
    this.#base = this.offset
    // Where no frame follows the file ends, or there is something odd: that is for the decoder.
    if (passFrames(bytes, end, 1) === end) return bytes.slice(begin)
    this.#isLastPiece = false
    return bytes.slice(begin, end)
  }

  /** The data of the frame at `offset`. */
  async readFrame(): Promise<Uint8Array> {
    const begin = this.offset
    let bytes = await this.#fetch(begin, PIECE_BYTES)
    if (!this.#isWhole(bytes, 0, begin)) bytes = await this.#fetch(begin, this.#frameBytes)
    if (this.#isWhole(bytes, 0, begin)) {
      return bytes.subarray(this.#header.dataBegin, this.#header.dataBegin + this.#header.length)
    }
    throw this.#corrupt(begin, 'the file ends inside a frame')
  }

  async #fetch(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    const { signal } = this.#options
    const { blobs, entries } = this.#parts
    const range = into === undefined ? { offset, length } : { offset, length, into }
    const bytes = await blobs.get(entries, signal === undefined ? range : { ...range, signal })
    // A store may answer a subclass, such as Buffer: decoding two classes is slower than decoding one.
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /**
   * Puts entries of the whole frames in `bytes` into `batch`, and goes on behind them. Answers whether nothing is left of
   * the bytes, or of what is asked for.
   */
  #take(bytes: Uint8Array, batch: LogEntry[]): boolean {
    const header = this.#header
    const base = this.#base
    const isLastOnly = this.#options.lastOnly === true
    const room = Math.min(BATCH_ENTRIES, this.#left)
    let at = this.offset - base
    let frameEnd = Infinity
    this.#frameBytes = 0
    try {
      while (batch.length < room) {
        if (!isLastOnly && this.#lastStreamIndex >= this.#firstIndex) {
          at = decodeTextFrames(bytes, at, this.#firstIndex, batch, room)
          this.#lastStreamIndex = batch.at(-1)?.streamIndex ?? this.#lastStreamIndex
          if (batch.length === room) break
        }
        if (at >= bytes.length || !this.#isWhole(bytes, at, base + at)) break
        frameEnd = header.dataBegin + header.length
        // The first frame of the file is the descriptor's, which is not looked at.
        const entry = base + at === 0 ? undefined : this.#entryIn(bytes, header.dataBegin, frameEnd)
        at = frameEnd
        frameEnd = Infinity
        if (entry === undefined) continue
        if (isLastOnly) batch[0] = entry
        else batch.push(entry)
      }
    } finally {
      this.offset = base + at
      this.#frameEnd = base + frameEnd
      this.#left -= batch.length
      this.isDone = this.#left === 0
    }
    return this.isDone || batch.length < room
  }

  /** The entry in `bytes[begin, end)`, undefined when its stream index lies before those asked for. */
  #entryIn(bytes: Uint8Array, begin: number, end: number): LogEntry | undefined {
    // Most of what lies before the first entry is passed over without being decoded.
    if (this.#lastStreamIndex < this.#firstIndex) {
      this.#lastStreamIndex = peekStreamIndex(bytes, begin, end)
      if (this.#lastStreamIndex < this.#firstIndex) return undefined
    }
    const entry = decodeLogEntry(bytes, begin, end)
    this.#lastStreamIndex = entry.streamIndex
    return entry.streamIndex < this.#firstIndex ? undefined : entry
  }

  /** Reads the header of the frame at `at`. Answers whether the frame is there whole; if not, how much it needs is kept. */
  #isWhole(bytes: Uint8Array, at: number, offset: number): boolean {
    const header = this.#header
    if (!readRecordHeader(bytes, at, bytes.length, header, offset)) {
      this.#frameBytes = FRAME_HEADER_BYTES_MAX
      return false
    }
    if (header.length > RECORD_BYTES_MAX) throw recordTooLarge(offset, header.length, RECORD_BYTES_MAX)
    const end = header.dataBegin + header.length
    if (end <= bytes.length) return true
    this.#frameBytes = end - at
    return false
  }

  /** The file ends at `fileEnd`: is this where it ought to end? */
  #checkEnd(fileEnd: number): void {
    const { lastOffset, lastStreamIndex } = this.#archive
    if (this.offset < fileEnd) throw this.#corrupt(this.offset, 'the file ends inside a frame')
    // A last stream index of 0 may stand for one that is not known.
    const isShort =
      lastOffset === undefined
        ? lastStreamIndex > 0 && this.#lastStreamIndex < lastStreamIndex
        : this.offset <= lastOffset
    if (isShort) {
      throw this.#corrupt(this.offset, 'the file ends before the last entry of its index')
    }
    this.isDone = true
  }

  /** Ends the walk, or goes on behind the damage when somebody wants to be told of it. */
  #fail(error: unknown, isAtEnd: boolean): void {
    if (!(error instanceof RecoveryLogError)) throw error
    const placed = this.#placed(error)
    const { onDamage } = this.#options
    // Behind the frame, when its end is known; but what the index knows to begin within it tells that its length lies.
    const next = Math.min(this.#frameEnd, this.#archive.offsetBehind(this.offset) ?? Infinity)
    const resumedAt = isAtEnd || next === Infinity ? undefined : next
    if (onDamage === undefined) this.#failure = placed
    else onDamage({ offset: this.offset, resumedAt, error: placed })
    this.#frameBytes = 0
    if (onDamage === undefined || resumedAt === undefined) this.isDone = true
    else this.offset = resumedAt
  }

  #placed(error: RecoveryLogError): RecoveryLogError {
    if (error.code !== 'CORRUPT' || 'key' in error.data) return error
    return this.#corrupt(this.offset, 'an entry is damaged', error)
  }

  #corrupt(offset: number, what: string, cause?: unknown): RecoveryLogError {
    const { entries: key } = this.#parts
    return new RecoveryLogError('CORRUPT', `${key} at ${offset}: ${what}`, { key, offset }, { cause })
  }
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`expected an integer from 0 for ${name}, got ${value}`)
  }
}
