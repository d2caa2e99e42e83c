/** Hints in a blob store: each set is a blob of its own, made by a conditional put, so that of racing owners one wins. */
import { readBlob, type BlobStore } from '../../blob/index.ts'
import { RecoveryLogError } from '../../errors/index.ts'
import { HintsStore, type HintsBackend, type HintsStoreOptions } from '../hints-store.ts'

export interface BlobHintsStoreOptions extends Omit<HintsStoreOptions, 'backend'> {
  /** Borrowed: never closed. With `supports.conditionalPut`, else the order of owners could not be kept. */
  readonly blobs: BlobStore
  /** Before each key, such as `hints/orders/`. It belongs to this store alone. */
  readonly prefix: string
}

export class BlobHintsStore extends HintsStore {
  /** @throws TypeError for a blob store without conditional puts. */
  constructor(options: BlobHintsStoreOptions) {
    if (!options.blobs.supports.conditionalPut) {
      throw new TypeError('blobs: hints need a store with supports.conditionalPut')
    }
    super({ ...options, backend: new BlobHintsBackend(options) })
  }
}

class BlobHintsBackend implements HintsBackend {
  readonly #blobs: BlobStore
  readonly #prefix: string

  constructor({ blobs, prefix }: BlobHintsStoreOptions) {
    this.#blobs = blobs
    this.#prefix = prefix
  }

  async names(): Promise<readonly string[]> {
    const names: string[] = []
    for await (const { key } of this.#blobs.list(this.#prefix)) names.push(key.slice(this.#prefix.length))
    return names
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readBlob(this.#blobs, this.#prefix + name)
    } catch (error) {
      if (RecoveryLogError.is(error, 'NOT_FOUND')) return undefined
      throw error
    }
  }

  async create(name: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#blobs.put(this.#prefix + name, bytes, { ifAbsent: true })
      return true
    } catch (error) {
      if (RecoveryLogError.is(error, 'CONFLICT')) return false
      throw error
    }
  }

  replace(name: string, bytes: Uint8Array): Promise<void> {
    return this.#blobs.put(this.#prefix + name, bytes)
  }

  remove(name: string): Promise<void> {
    return this.#blobs.remove(this.#prefix + name)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
