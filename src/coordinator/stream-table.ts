import { RecoveryLogError } from '../errors/index.ts'
import type { Clock } from '../parts/index.ts'
import type { WithSignal } from '../storage/index.ts'
import { changeDocument } from './change-document.ts'
import type { LoadedStream, StreamId } from './coordinator.ts'
import { firstDueMs } from './life-cycle.ts'
import type { SettingsBook } from './settings-book.ts'
import type { CoordinatorSettings } from './settings.ts'
import type { StateDocument, StoredDocument, StreamStore } from './state-store.ts'
import { STREAM_KIND, streamDocument, streamDocumentId, streamRecord } from './stream-document.ts'
import type { StreamRecord } from './stream-record.ts'

export interface StreamTableParts {
  readonly store: StreamStore
  readonly clock: Pick<Clock, 'now'>
  readonly settings: SettingsBook
}

/** What a decision on a stream is made from. */
export interface StreamFacts {
  readonly revision: number
  readonly nowMs: number
  readonly settings: CoordinatorSettings
  /** When the sweep looks at it. */
  readonly dueMs: number | null
}

/** A record as it is to be, and when the sweep is to look at it. */
export interface StreamChange {
  readonly record: StreamRecord
  /** Default: as the phase wants it when that is a new one, else as it was. */
  readonly dueMs?: number | null
}

/** The streams in the state store, changed by compare-and-set. */
export class StreamTable {
  readonly #parts: StreamTableParts

  constructor(parts: StreamTableParts) {
    this.#parts = parts
  }

  /** The stream's record, or undefined when there is none. */
  async find(stream: StreamId & WithSignal): Promise<StreamRecord | undefined> {
    const stored = await this.#parts.store.read(STREAM_KIND, streamDocumentId(stream), stream)
    return stored === undefined ? undefined : streamRecord(stored)
  }

  /** @throws RecoveryLogError `NOT_FOUND` */
  async load(stream: StreamId & WithSignal): Promise<LoadedStream> {
    return this.change(stream, () => undefined)
  }

  /** Makes a stream; answers false when it is there. */
  async create(record: StreamRecord, { signal }: WithSignal): Promise<boolean> {
    const { store, settings } = this.#parts
    const options = signal === undefined ? {} : { signal }
    const dueMs = firstDueMs(record, await settings.read(record.project, options))
    try {
      await store.create(streamDocumentId(record), streamDocument(record, dueMs), options)
      return true
    } catch (error) {
      if (RecoveryLogError.is(error, 'CONFLICT')) return false
      throw error
    }
  }

  /**
   * Changes a stream as `decide` says, which is asked anew after a lost race; undefined changes nothing. Answers how it
   * is then.
   *
   * @throws RecoveryLogError `NOT_FOUND`, `UNAVAILABLE`, and whatever `decide` throws
   */
  async change(
    stream: StreamId & WithSignal,
    decide: (
      record: StreamRecord,
      facts: StreamFacts,
    ) => StreamChange | undefined | Promise<StreamChange | undefined>,
  ): Promise<LoadedStream> {
    const { store, clock } = this.#parts
    const settings = await this.#parts.settings.read(stream.project, stream)
    const decideDocument = async (before: StoredDocument | undefined): Promise<StateDocument | undefined> => {
      const { record, revision, dueMs } = this.#found(before, stream)
      const change = await decide(record, { revision, nowMs: clock.now(), settings, dueMs })
      if (change === undefined) return undefined
      const isMoved = change.record.phase !== record.phase
      const keptDueMs = isMoved ? firstDueMs(change.record, settings) : dueMs
      return streamDocument(change.record, change.dueMs === undefined ? keptDueMs : change.dueMs)
    }
    const id = streamDocumentId(stream)
    const { record, revision } = this.#found(
      await changeDocument(store, STREAM_KIND, id, stream, decideDocument),
      stream,
    )
    return { record, revision, settings }
  }

  #found(
    stored: StoredDocument | undefined,
    { project, id }: StreamId,
  ): { record: StreamRecord; revision: number; dueMs: number | null } {
    if (stored === undefined) {
      throw new RecoveryLogError('NOT_FOUND', `there is no stream ${id} in ${project}`, { project, id })
    }
    return { record: streamRecord(stored), revision: stored.revision, dueMs: stored.dueMs }
  }
}
