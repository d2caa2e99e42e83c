import type {
  BlobBody,
  BlobInfo,
  BlobStore,
  BlobSupports,
  ByteRange,
  ListOptions,
  PutOptions,
} from '../blob/index.ts'
import { FaultyCalls } from './call-fault.ts'
import type { CallFaultPlan } from './call-fault.ts'

interface WithSignal {
  readonly signal?: AbortSignal
}

/**
 * A blob store on another one, whose calls meet faults by plan: `put`, `get` of a range, each chunk of `get` without one,
 * `stat`, each blob of `list`, `move`, `remove`.
 */
export function faultyBlobStore(blobs: BlobStore, plan: CallFaultPlan): BlobStore {
  return new FaultyBlobStore(blobs, plan)
}

class FaultyBlobStore implements BlobStore {
  readonly #inner: BlobStore
  readonly #calls: FaultyCalls

  constructor(inner: BlobStore, plan: CallFaultPlan) {
    this.#inner = inner
    this.#calls = new FaultyCalls(plan)
  }

  get maxKeyBytes(): number {
    return this.#inner.maxKeyBytes
  }

  get supports(): BlobSupports {
    return this.#inner.supports
  }

  put(key: string, body: BlobBody, options?: PutOptions): Promise<void> {
    return this.#calls.call('put', [key, body, options], () => this.#inner.put(key, body, options))
  }

  get(key: string, options?: WithSignal): AsyncIterable<Uint8Array>
  get(key: string, options: ByteRange & WithSignal): Promise<Uint8Array>
  get(
    key: string,
    options: Partial<ByteRange> & WithSignal = {},
  ): AsyncIterable<Uint8Array> | Promise<Uint8Array> {
    const { offset, length } = options
    if (offset === undefined || length === undefined) {
      return this.#calls.iterate('get', [key, options], () => this.#inner.get(key, options))
    }
    return this.#calls.call('get', [key, options], () => this.#inner.get(key, { ...options, offset, length }))
  }

  stat(key: string, options?: WithSignal): Promise<BlobInfo> {
    return this.#calls.call('stat', [key, options], () => this.#inner.stat(key, options))
  }

  list(prefix: string, options?: ListOptions): AsyncIterable<BlobInfo> {
    return this.#calls.iterate('list', [prefix, options], () => this.#inner.list(prefix, options))
  }

  move(from: string, to: string, options?: WithSignal): Promise<void> {
    return this.#calls.call('move', [from, to, options], () => this.#inner.move(from, to, options))
  }

  remove(key: string, options?: WithSignal): Promise<void> {
    return this.#calls.call('remove', [key, options], () => this.#inner.remove(key, options))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
