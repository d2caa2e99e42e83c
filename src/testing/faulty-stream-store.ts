import type { StateDocument, StateQuery, StoredDocument, StreamStore } from '../coordinator/index.ts'
import type { WithSignal } from '../storage/index.ts'
import { FaultyCalls } from './call-fault.ts'
import type { CallFaultPlan } from './call-fault.ts'

/** A state store on another one, whose calls meet faults by plan: `read`, `create`, `update`, `query`. */
export function faultyStreamStore(store: StreamStore, plan: CallFaultPlan): StreamStore {
  return new FaultyStreamStore(store, plan)
}

class FaultyStreamStore implements StreamStore {
  readonly #inner: StreamStore
  readonly #calls: FaultyCalls

  constructor(inner: StreamStore, plan: CallFaultPlan) {
    this.#inner = inner
    this.#calls = new FaultyCalls(plan)
  }

  read(kind: string, id: string, options?: WithSignal): Promise<StoredDocument | undefined> {
    return this.#calls.call('read', [kind, id, options], () => this.#inner.read(kind, id, options))
  }

  create(id: string, document: StateDocument, options?: WithSignal): Promise<number> {
    const args = [id, document, options]
    return this.#calls.call('create', args, () => this.#inner.create(id, document, options))
  }

  update(id: string, revision: number, document: StateDocument, options?: WithSignal): Promise<number> {
    const args = [id, revision, document, options]
    return this.#calls.call('update', args, () => this.#inner.update(id, revision, document, options))
  }

  query(query: StateQuery): Promise<readonly StoredDocument[]> {
    return this.#calls.call('query', [query], () => this.#inner.query(query))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
