import type { ArchiveIndex } from './archive-index.ts'

/** Parsed indexes, kept up to a number of bytes, the least recently used dropped first. Readers may share one. */
export class IndexCache {
  readonly #maxBytes: number
  /** By the key of the index file, the least recently used first. */
  readonly #indexes = new Map<string, ArchiveIndex>()
  readonly #loads = new Map<string, Promise<ArchiveIndex>>()
  #bytes = 0

  /** @param options.indexCacheBytes the most that is kept, in bytes of memory; default 32 MiB */
  constructor(options: { readonly indexCacheBytes?: number } = {}) {
    this.#maxBytes = options.indexCacheBytes ?? DEFAULT_INDEX_CACHE_BYTES
  }

  /** How much memory the indexes take, about. */
  get bytes(): number {
    return this.#bytes
  }

  /** The index under `key`, when it is here. */
  peek(key: string): ArchiveIndex | undefined {
    const index = this.#indexes.get(key)
    if (index === undefined) return undefined
    this.#indexes.delete(key)
    this.#indexes.set(key, index)
    return index
  }

  /** The index under `key`: what is here, what somebody is loading, or what `load` answers. */
  async get(key: string, load: () => Promise<ArchiveIndex>): Promise<ArchiveIndex> {
    const here = this.peek(key)
    if (here !== undefined) return here
    const loading = this.#loads.get(key)
    if (loading !== undefined) return loading
    const promise = load()
    this.#loads.set(key, promise)
    try {
      const index = await promise
      // Whoever dropped it meanwhile knows better.
      if (this.#loads.get(key) === promise) this.#keep(key, index)
      return index
    } finally {
      if (this.#loads.get(key) === promise) this.#loads.delete(key)
    }
  }

  /** Forgets the index under `key`, because its file was replaced or removed. */
  drop(key: string): void {
    this.#loads.delete(key)
    const index = this.#indexes.get(key)
    if (index === undefined) return
    this.#indexes.delete(key)
    this.#bytes -= index.bytes
  }

  #keep(key: string, index: ArchiveIndex): void {
    if (index.bytes > this.#maxBytes) return
    this.#indexes.set(key, index)
    this.#bytes += index.bytes
    for (const oldest of this.#indexes.keys()) {
      if (this.#bytes <= this.#maxBytes) return
      this.drop(oldest)
    }
  }
}

/** Room for some 2,000 archives of a gigabyte with the default ranges. */
const DEFAULT_INDEX_CACHE_BYTES = 32 * 1024 * 1024
