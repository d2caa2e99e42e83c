import { throwIfAborted } from '../../async/index.ts'
import { CallGate } from '../../blob/index.ts'
import type { WithSignal } from '../../storage/index.ts'
import { DocumentIndex } from '../document-index.ts'
import { conflictAt } from '../state-store.ts'
import type { JsonValue, StateDocument, StateQuery, StoredDocument, StreamStore } from '../state-store.ts'

/** A document with its value as text, so that nobody changes what is kept, nor keeps what is no JSON. */
interface KeptDocument extends Omit<StoredDocument, 'value'> {
  readonly text: string
}

/** The coordinator's state in memory: for tests, and for what need not outlive its process. */
export class MemoryStreamStore implements StreamStore {
  readonly #documents = new Map<string, KeptDocument>()
  readonly #index = new DocumentIndex<KeptDocument>()
  readonly #gate = new CallGate('the stream store')

  async read(kind: string, id: string, options: WithSignal = {}): Promise<StoredDocument | undefined> {
    return this.#gate.run(async () => {
      throwIfAborted(options.signal)
      const kept = this.#documents.get(keyOf(kind, id))
      return kept === undefined ? undefined : storedOf(kept)
    })
  }

  async create(id: string, document: StateDocument, options: WithSignal = {}): Promise<number> {
    return this.#gate.run(async () => {
      throwIfAborted(options.signal)
      return this.#set(id, 0, document)
    })
  }

  async update(
    id: string,
    revision: number,
    document: StateDocument,
    options: WithSignal = {},
  ): Promise<number> {
    return this.#gate.run(async () => {
      throwIfAborted(options.signal)
      return this.#set(id, revision, document)
    })
  }

  async query(query: StateQuery): Promise<readonly StoredDocument[]> {
    return this.#gate.run(async () => {
      throwIfAborted(query.signal)
      return this.#index.find(query).map(storedOf)
    })
  }

  async close(): Promise<void> {
    await this.#gate.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Revision 0 is that of a document that is not there. */
  #set(id: string, revision: number, { kind, project, name, dueMs, value }: StateDocument): number {
    const key = keyOf(kind, id)
    const before = this.#documents.get(key)
    if ((before?.revision ?? 0) !== revision) throw conflictAt(kind, id, revision)
    const after = { id, revision: revision + 1, kind, project, name, dueMs, text: JSON.stringify(value) }
    if (before !== undefined) this.#index.delete(before)
    this.#documents.set(key, after)
    this.#index.add(after)
    return after.revision
  }
}

function keyOf(kind: string, id: string): string {
  return `${kind}\0${id}`
}

function storedOf({ text, ...columns }: KeptDocument): StoredDocument {
  return { ...columns, value: JSON.parse(text) as JsonValue }
}
