import type { Durability } from '../journal/index.ts'
import type {
  IntermediateStorage,
  PutOutcome,
  StorageGet,
  StoragePut,
  StorageTail,
  StoredEntry,
  StreamName,
  WithSignal,
} from '../storage/index.ts'
import { FaultyCalls } from './call-fault.ts'
import type { CallFaultPlan } from './call-fault.ts'

/**
 * Intermediate storage on another one, whose calls meet faults by plan: `put`, each batch of `get`, `tail`, `seal`,
 * `unseal`, `expunge`. What is put is borrowed for as long as the fault lets the call take.
 */
export function faultyStorage(storage: IntermediateStorage, plan: CallFaultPlan): IntermediateStorage {
  return new FaultyStorage(storage, plan)
}

class FaultyStorage implements IntermediateStorage {
  readonly #inner: IntermediateStorage
  readonly #calls: FaultyCalls

  constructor(inner: IntermediateStorage, plan: CallFaultPlan) {
    this.#inner = inner
    this.#calls = new FaultyCalls(plan)
  }

  get durability(): Durability {
    return this.#inner.durability
  }

  put(put: StoragePut): Promise<PutOutcome> {
    return this.#calls.call('put', [put], () => this.#inner.put(put))
  }

  get(get: StorageGet): AsyncIterable<readonly StoredEntry[]> {
    return this.#calls.iterate('get', [get], () => this.#inner.get(get))
  }

  tail(stream: StreamName, options?: WithSignal): Promise<StorageTail | undefined> {
    return this.#calls.call('tail', [stream, options], () => this.#inner.tail(stream, options))
  }

  seal(stream: StreamName, attempt: string, options?: WithSignal): Promise<void> {
    const args = [stream, attempt, options]
    return this.#calls.call('seal', args, () => this.#inner.seal(stream, attempt, options))
  }

  unseal(stream: StreamName, attempt: string, options?: WithSignal): Promise<void> {
    const args = [stream, attempt, options]
    return this.#calls.call('unseal', args, () => this.#inner.unseal(stream, attempt, options))
  }

  expunge(stream: StreamName, options?: WithSignal): Promise<void> {
    return this.#calls.call('expunge', [stream, options], () => this.#inner.expunge(stream, options))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
