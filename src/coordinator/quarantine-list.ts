import { RecoveryLogError } from '../errors/index.ts'
import type { WithSignal } from '../storage/index.ts'
import { changeDocument } from './change-document.ts'
import type { StreamId } from './coordinator.ts'
import type { StateDocument, StoredDocument, StreamStore } from './state-store.ts'
import { STREAM_KIND, streamDocumentId, streamRecord } from './stream-document.ts'
import type { StreamRecord } from './stream-record.ts'

/**
 * The streams in quarantine, so that they are found without looking at all others: documents of kind `quarantine` with
 * the id of their stream, in the order in which they came. What the stream itself says holds.
 */

const QUARANTINE_KIND = 'quarantine'
const PAGE = 500

export class QuarantineList {
  readonly #store: StreamStore

  constructor(store: StreamStore) {
    this.#store = store
  }

  async enter(record: StreamRecord, nowMs: number, options: WithSignal): Promise<void> {
    const { project, path } = record
    const entry: StateDocument = { kind: QUARANTINE_KIND, project, name: path, dueMs: nowMs, value: {} }
    await changeDocument(this.#store, QUARANTINE_KIND, streamDocumentId(record), options, () => entry)
  }

  /** What is on the list of a stream: to be read before the stream is taken out of quarantine. */
  async entryOf(stream: StreamId & WithSignal): Promise<StoredDocument | undefined> {
    return this.#store.read(QUARANTINE_KIND, streamDocumentId(stream), stream)
  }

  /** Takes an entry off the list, unless the stream has come into quarantine again since it was read. */
  async leave(entry: StoredDocument | undefined, options: WithSignal): Promise<void> {
    if (entry === undefined || entry.dueMs === null) return
    const { id, revision, kind, project, name, value } = entry
    try {
      await this.#store.update(id, revision, { kind, project, name, value, dueMs: null }, options)
    } catch (error) {
      if (!RecoveryLogError.is(error, 'CONFLICT')) throw error
    }
  }

  async *list(
    options: WithSignal & { readonly project?: string },
  ): AsyncGenerator<StreamRecord, void, undefined> {
    let afterDue: StoredDocument | undefined
    do {
      const page: readonly StoredDocument[] = await this.#store.query({
        ...options,
        kind: QUARANTINE_KIND,
        dueUntilMs: Infinity,
        limit: PAGE,
        ...(afterDue === undefined ? {} : { afterDue }),
      })
      for (const { id } of page) {
        const stored = await this.#store.read(STREAM_KIND, id, options)
        const record = stored === undefined ? undefined : streamRecord(stored)
        if (record?.phase === 'quarantined') yield record
      }
      afterDue = page.at(-1)
    } while (afterDue !== undefined)
  }
}
