import { describe, expect, it } from 'vitest'
import { checkBlobStore } from '../../src/blob/index.ts'
import type {
  BlobBody,
  BlobInfo,
  BlobStore,
  ByteRange,
  ListOptions,
  PutOptions,
} from '../../src/blob/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { blobStoreSuite } from '../../src/testing/index.ts'

/** The suite must fail on each of these, in a test that names the promise that they break. */

type Options = Partial<ByteRange> & { signal?: AbortSignal }

/** A good store: each broken one breaks one of its methods. */
class Store implements BlobStore {
  readonly inner = new MemoryBlobStore()
  readonly maxKeyBytes = 1024
  readonly supports = { conditionalPut: true }

  async put(key: string, body: BlobBody, options?: PutOptions): Promise<void> {
    await this.inner.put(key, body, options)
  }

  get(key: string, options?: { signal?: AbortSignal }): AsyncIterable<Uint8Array>
  get(key: string, options: ByteRange & { signal?: AbortSignal }): Promise<Uint8Array>
  get(key: string, options?: Options): AsyncIterable<Uint8Array> | Promise<Uint8Array> {
    return this.read(key, options)
  }

  read(key: string, options?: Options): AsyncIterable<Uint8Array> | Promise<Uint8Array> {
    return this.inner.get(key, options as ByteRange)
  }

  async stat(key: string): Promise<BlobInfo> {
    return this.inner.stat(key)
  }

  list(prefix: string, options?: ListOptions): AsyncIterable<BlobInfo> {
    return this.inner.list(prefix, options)
  }

  async move(from: string, to: string): Promise<void> {
    await this.inner.move(from, to)
  }

  async remove(key: string): Promise<void> {
    await this.inner.remove(key)
  }

  async close(): Promise<void> {
    await this.inner.close()
  }
}

const BROKEN: Readonly<Record<string, { readonly promise: string; readonly store: new () => Store }>> = {
  'keeps what came of a broken stream': {
    promise: 'B1',
    store: class extends Store {
      override async put(key: string, body: BlobBody, options?: PutOptions): Promise<void> {
        const parts: Uint8Array[] = []
        try {
          if (body instanceof Uint8Array) parts.push(body)
          else for await (const chunk of body) parts.push(chunk.slice())
        } finally {
          await this.inner.put(key, Buffer.concat(parts), options)
        }
      }
    },
  },
  'keeps chunks that it has only borrowed': {
    promise: 'B1',
    store: class extends Store {
      override async put(key: string, body: BlobBody, options?: PutOptions): Promise<void> {
        const parts: Uint8Array[] = []
        if (body instanceof Uint8Array) parts.push(body)
        else for await (const chunk of body) parts.push(chunk)
        await this.inner.put(key, Buffer.concat(parts), options)
      }
    },
  },
  'overwrites in spite of ifAbsent': {
    promise: 'B2',
    store: class extends Store {
      override async put(key: string, body: BlobBody, options?: PutOptions): Promise<void> {
        await this.inner.put(key, body, { ...options, ifAbsent: false })
      }
    },
  },
  'looks before it writes, and others do meanwhile': {
    promise: 'B2',
    store: class extends Store {
      override async put(key: string, body: BlobBody, options?: PutOptions): Promise<void> {
        const isThere = await this.inner.stat(key).then(
          () => true,
          () => false,
        )
        if (options?.ifAbsent === true && isThere) await this.inner.put(key, body, options)
        else await this.inner.put(key, body)
      }
    },
  },
  'answers more than the range': {
    promise: 'B3',
    store: class extends Store {
      override read(key: string, options?: Options): AsyncIterable<Uint8Array> | Promise<Uint8Array> {
        if (options?.length === undefined) return super.read(key, options)
        return this.inner.get(key, { offset: options.offset ?? 0, length: options.length + 1 })
      }
    },
  },
  'answers nothing for a missing key': {
    promise: 'B3',
    store: class extends Store {
      override read(key: string, options?: Options): AsyncIterable<Uint8Array> | Promise<Uint8Array> {
        const found = super.read(key, options)
        return found instanceof Promise ? found.catch(() => new Uint8Array(0)) : found
      }
    },
  },
  'lists what was there before': {
    promise: 'B4',
    store: class extends Store {
      readonly #old = new Map<string, BlobInfo>()
      override async *list(prefix: string, options?: ListOptions): AsyncGenerator<BlobInfo> {
        for await (const info of this.inner.list(prefix, options)) {
          const old = this.#old.get(info.key) ?? info
          this.#old.set(info.key, old)
          yield old
        }
      }
    },
  },
  'lists in the order of UTF-16': {
    promise: 'B5',
    store: class extends Store {
      override async *list(prefix: string, options?: ListOptions): AsyncGenerator<BlobInfo> {
        const all: BlobInfo[] = []
        for await (const info of this.inner.list(prefix, options)) all.push(info)
        yield* all.sort((a, b) => (a.key < b.key ? -1 : 1))
      }
    },
  },
  'lists one page only': {
    promise: 'B5',
    store: class extends Store {
      override async *list(prefix: string, options?: ListOptions): AsyncGenerator<BlobInfo> {
        let left = 1000
        for await (const info of this.inner.list(prefix, options)) if (left-- > 0) yield info
      }
    },
  },
  'moves once only': {
    promise: 'B6',
    store: class extends Store {
      override async move(from: string, to: string): Promise<void> {
        await this.inner.stat(from)
        await this.inner.move(from, to)
      }
    },
  },
  'refuses to remove what is not there': {
    promise: 'B6',
    store: class extends Store {
      override async remove(key: string): Promise<void> {
        await this.inner.stat(key)
        await this.inner.remove(key)
      }
    },
  },
  'tidies keys up': {
    promise: 'B7',
    store: class extends Store {
      override async put(key: string, body: BlobBody, options?: PutOptions): Promise<void> {
        await this.inner.put(key.replaceAll('//', '/'), body, options)
      }
      override read(key: string, options?: Options): AsyncIterable<Uint8Array> | Promise<Uint8Array> {
        return super.read(key.replaceAll('//', '/'), options)
      }
    },
  },
  'serves after it was closed': {
    promise: 'B8',
    store: class extends Store {
      override async close(): Promise<void> {
        // goes on as if nothing had happened
      }
    },
  },
}

async function failuresOf(store: new () => BlobStore): Promise<string[]> {
  const tests: { name: string; body: () => Promise<void> }[] = []
  blobStoreSuite({
    runner: {
      describe: (_, body) => {
        body()
      },
      it: (name, body) => tests.push({ name, body }),
    },
    name: store.name,
    factory: async () => ({ store: new store() }),
    supports: { conditionalPut: new store().supports.conditionalPut, damage: false },
    manyKeys: 1001,
  })
  const failed: string[] = []
  for (const { name, body } of tests) await body().catch(() => failed.push(name))
  return failed
}

describe('blob store suite: fails on what is broken, and names the promise', () => {
  it('a good store: passes all', async () => {
    expect(await failuresOf(Store)).toEqual([])
  })

  it.each(Object.entries(BROKEN))('%s', async (_, { promise, store }) => {
    const failed = await failuresOf(store)
    expect(failed.length).toBeGreaterThan(0)
    expect(
      failed.some((name) => name.startsWith(`${promise} `)),
      failed.join('\n'),
    ).toBe(true)
  })
})

describe('checkBlobStore: says what does not hold', () => {
  it('a good store: nothing, and leaves nothing', async () => {
    const store = new MemoryBlobStore()
    expect(await checkBlobStore(store)).toEqual([])
    expect(await store.list('').next()).toEqual({ done: true, value: undefined })
  })

  it.each([
    'overwrites in spite of ifAbsent',
    'answers more than the range',
    'moves once only',
    'tidies keys up',
  ])('%s', async (name) => {
    const { promise, store } = BROKEN[name] as (typeof BROKEN)[string]
    const faults = await checkBlobStore(new store(), { prefix: 'check/here' })
    expect(faults.map((fault) => fault.promise)).toContain(promise)
    for (const { what } of faults) expect(what).toMatch(/^cannot /)
  })

  it('a store without conditional puts: is not asked for them', async () => {
    class Plain extends (BROKEN['overwrites in spite of ifAbsent'] as (typeof BROKEN)[string]).store {
      override readonly supports = { conditionalPut: false }
    }
    expect(await checkBlobStore(new Plain())).toEqual([])
    expect(await failuresOf(Plain)).toEqual([])
  })

  it('a store that removes nothing: that is told last', async () => {
    class Keeper extends Store {
      override async remove(): Promise<void> {
        throw new Error('no right to remove')
      }
    }
    const faults = await checkBlobStore(new Keeper())
    expect(faults.at(-1)).toMatchObject({ promise: 'B6', what: 'cannot remove what was written' })
  })
})
