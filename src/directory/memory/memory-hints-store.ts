import { HintsStore, type HintsBackend, type HintsStoreOptions } from '../hints-store.ts'

/** Hints in memory: they live as long as this object. For tests, and for logs that are themselves in memory. */
export class MemoryHintsStore extends HintsStore {
  constructor(options: Omit<HintsStoreOptions, 'backend'> = {}) {
    super({ ...options, backend: new MemoryHintsBackend() })
  }
}

class MemoryHintsBackend implements HintsBackend {
  readonly #files = new Map<string, Uint8Array>()

  names(): Promise<readonly string[]> {
    return Promise.resolve([...this.#files.keys()])
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#files.get(name)?.slice())
  }

  create(name: string, bytes: Uint8Array): Promise<boolean> {
    if (this.#files.has(name)) return Promise.resolve(false)
    this.#files.set(name, bytes.slice())
    return Promise.resolve(true)
  }

  replace(name: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(name, bytes.slice())
    return Promise.resolve()
  }

  remove(name: string): Promise<void> {
    this.#files.delete(name)
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
