import { IndexCache } from '../../archive/index.ts'
import type { BlobStore } from '../../blob/index.ts'
import { RecoveryLogError } from '../../errors/index.ts'
import { assertProject, assertStreamPath, streamId } from '../../names/index.ts'
import type { Clock, Sha256Factory } from '../../parts/index.ts'
import type { IntermediateStorage, WithSignal } from '../../storage/index.ts'
import type { LogEntry } from '../../wire/logdog/index.ts'
import type { CoordinatorService } from '../coordinator.ts'
import type { StreamStore } from '../state-store.ts'
import { STREAM_KIND, streamDocumentId, streamRecord } from '../stream-document.ts'
import type { StreamRecord } from '../stream-record.ts'
import { deletePrefix } from './delete-prefix.ts'
import type { DeletePrefixRequest } from './delete-prefix.ts'
import { archivedEntries, isArchived, storedEntries } from './entry-sources.ts'
import type { ArchivedRecord, EntryParts } from './entry-sources.ts'
import { followEntries } from './follow.ts'
import { GET_BYTES_MAX, takeEntries } from './get-entries.ts'
import type { TakenEntries } from './get-entries.ts'
import { logStreamOf } from './log-stream.ts'
import type { LogStream } from './log-stream.ts'
import { queryStreams } from './query.ts'
import type { LogsPage, LogsQuery } from './query.ts'
import { lastArchived, lastStored } from './tail-entry.ts'

/** How often a followed stream is looked at, in milliseconds. */
export const FOLLOW_POLL_MS = 500

export interface LogsParts {
  readonly streamStore: StreamStore
  readonly storage: IntermediateStorage
  readonly blobs: Pick<BlobStore, 'get'>
  /** Who purges. */
  readonly coordinator: Pick<CoordinatorService, 'purgeStream'>
  readonly sha256: Sha256Factory
  /** By whose time streams are followed. */
  readonly clock: Pick<Clock, 'sleep'>
  /** Parsed indexes of archives. Default: 32 MiB of one's own. */
  readonly indexes?: IndexCache
  /** How often a followed stream is looked at. Default 500 ms. */
  readonly pollMs?: number
}

/** One stream, by its name. */
export interface LogRequest extends WithSignal {
  readonly project: string
  /** `prefix/+/name`. */
  readonly path: string
}

export interface GetLogsRequest extends LogRequest {
  /** The first index, from 0. Default 0. */
  readonly index?: number
  /** How many entries at most. Default: as many as `bytesMax` lets. */
  readonly limit?: number
  /** How many bytes of entries at most, though always one entry. Default, and at most: 16 MiB. */
  readonly bytesMax?: number
  /** Goes on over gaps. Default false: ends before the first. */
  readonly sparse?: boolean
}

export interface TailRequest extends LogRequest {
  /** The end of the unbroken run from index 0 in place of the last entry there is. Default false. */
  readonly contiguous?: boolean
}

export interface FollowRequest extends LogRequest {
  /** The first index, from 0. Default 0. */
  readonly index?: number
}

/** What a read answers: the stream as it was then, and its entries, which are the caller's. */
export interface LogEntries {
  readonly stream: LogStream
  readonly entries: readonly LogEntry[]
}

/**
 * Reads streams (log-archive spec, section 8, "Logs API"): calls and indexes are the same whether entries lie in
 * intermediate storage or in the archive, and no secret is ever given out. Whose parts they are closes them.
 */
export class Logs {
  readonly #parts: LogsParts
  readonly #entries: EntryParts
  readonly #pollMs: number

  constructor(parts: LogsParts) {
    const { storage, blobs, indexes = new IndexCache(), pollMs = FOLLOW_POLL_MS } = parts
    this.#parts = parts
    this.#entries = { storage, blobs, indexes }
    this.#pollMs = pollMs
  }

  /**
   * The entries from `index` on.
   *
   * @throws RecoveryLogError `NOT_FOUND`, `PURGED`, `NAME_INVALID`; `CORRUPT` for damage; what storage and blob store say.
   *   RangeError for a number that is none
   */
  async get(request: GetLogsRequest): Promise<LogEntries> {
    const { index = 0, limit = Infinity, sparse = false } = request
    const { bytesMax = GET_BYTES_MAX, signal } = request
    checkFrom('index', index, 0)
    if (limit !== Infinity) checkFrom('limit', limit, 0)
    checkFrom('bytesMax', bytesMax, 1)
    const limits = { index, limit, bytesMax: Math.min(bytesMax, GET_BYTES_MAX), sparse }
    const range = {
      index,
      ...(limit === Infinity ? {} : { limit }),
      ...(signal === undefined ? {} : { signal }),
    }
    const { record, found } = await this.#read<TakenEntries>(request, {
      stored: (live) => takeEntries(storedEntries(this.#entries, live, range), limits),
      isCertain: ({ isFull }) => isFull,
      archived: (archived) => takeEntries(archivedEntries(this.#entries, archived, range), limits),
    })
    return { stream: logStreamOf(record), entries: found.entries }
  }

  /**
   * The last entry: one in `entries`, or none when there is none.
   *
   * @throws RecoveryLogError as `get`
   */
  async tail(request: TailRequest): Promise<LogEntries> {
    const { contiguous = false, signal } = request
    const options = signal === undefined ? { contiguous } : { contiguous, signal }
    const { record, found } = await this.#read<LogEntry | undefined>(request, {
      stored: (live) => lastStored(this.#entries, live, options),
      isCertain: (entry) => entry !== undefined && !contiguous,
      archived: (archived) => lastArchived(this.#entries, archived, options),
    })
    return { stream: logStreamOf(record), entries: found === undefined ? [] : [found] }
  }

  /**
   * A page of the streams whose paths and properties match. Purged ones are left out unless they are asked for.
   *
   * @throws RecoveryLogError `INVALID`, `NAME_INVALID` for a query that is none
   */
  async query(query: LogsQuery): Promise<LogsPage> {
    const { streamStore: store, sha256 } = this.#parts
    return queryStreams({ store, sha256 }, query)
  }

  /**
   * Yields the entries from `index` on as they come, in batches, each entry once and in order, also while the stream is
   * being archived. It ends after the stream's last entry, by the signal, or when the loop is left. A gap is waited for
   * until the stream is archived; then nobody will fill it.
   *
   * @throws RecoveryLogError while iterating, as `get`; `ABORTED`
   */
  follow(request: FollowRequest): AsyncGenerator<readonly LogEntry[], void, undefined> {
    const { index = 0, signal } = request
    checkFrom('index', index, 0)
    return followEntries({
      parts: this.#entries,
      load: () => this.#load(request),
      index,
      sleep: () => this.#parts.clock.sleep(this.#pollMs, signal),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  /**
   * Purges all streams of a prefix; answers how many were not purged before.
   *
   * @throws RecoveryLogError `NOT_FOUND`, `NAME_INVALID`; what the coordinator says
   */
  async deletePrefix(request: DeletePrefixRequest): Promise<number> {
    return deletePrefix(this.#parts, request)
  }

  /**
   * Reads from where the entries are. They may go from intermediate storage while it is being read, but only once there
   * is an archive: so when what was found there may not be all there was, the state is read again.
   */
  async #read<Found>(
    request: LogRequest,
    sources: {
      readonly stored: (record: StreamRecord) => Promise<Found>
      readonly isCertain: (found: Found) => boolean
      readonly archived: (record: ArchivedRecord) => Promise<Found>
    },
  ): Promise<{ readonly record: StreamRecord; readonly found: Found }> {
    let record = await this.#load(request)
    if (!isArchived(record)) {
      const found = await sources.stored(record)
      if (sources.isCertain(found)) return { record, found }
      record = await this.#load(request)
      if (!isArchived(record)) return { record, found }
    }
    try {
      return { record, found: await sources.archived(record) }
    } catch (error) {
      // The files of a purged stream go away.
      if (RecoveryLogError.is(error, 'NOT_FOUND')) await this.#load(request)
      throw error
    }
  }

  /** @throws RecoveryLogError `NOT_FOUND`, `PURGED`, `NAME_INVALID` */
  async #load({ project, path, signal }: LogRequest): Promise<StreamRecord> {
    assertProject(project)
    assertStreamPath(path)
    const { streamStore, sha256 } = this.#parts
    const id = streamId(path, sha256)
    const options = signal === undefined ? {} : { signal }
    const stored = await streamStore.read(STREAM_KIND, streamDocumentId({ project, id }), options)
    if (stored === undefined) {
      throw new RecoveryLogError('NOT_FOUND', `there is no stream ${path} in ${project}`, { project, path })
    }
    const record = streamRecord(stored)
    if (record.phase !== 'purged') return record
    // Its name may come back some day, with another archive under the same key.
    if (isArchived(record)) this.#entries.indexes.drop(record.archive.indexUrl)
    throw new RecoveryLogError('PURGED', `the stream ${path} of ${project} was purged`, { project, path })
  }
}

function checkFrom(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new RangeError(`expected ${name} to be an integer from ${least}, got ${value}`)
}
