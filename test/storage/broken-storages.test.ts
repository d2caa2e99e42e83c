import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import type {
  IntermediateStorage,
  PutOutcome,
  StorageGet,
  StoragePut,
  StorageTail,
  StoredEntry,
  StreamName,
  WithSignal,
} from '../../src/storage/index.ts'
import { storageSuite } from '../../src/testing/index.ts'

/** The suite must fail on each of these, in a test that names the promise that they break. */

let now = 0

/** A good storage: each broken one breaks one of its methods. */
class Storage implements IntermediateStorage {
  readonly durability = 'memory'
  readonly inner = new MemoryStorage({ clock: { now: () => now } })

  async put(put: StoragePut): Promise<PutOutcome> {
    return this.inner.put(put)
  }

  get(get: StorageGet): AsyncIterable<readonly StoredEntry[]> {
    return this.inner.get(get)
  }

  async tail(stream: StreamName, options?: WithSignal): Promise<StorageTail | undefined> {
    return this.inner.tail(stream, options)
  }

  async seal(stream: StreamName, attempt: string, options?: WithSignal): Promise<void> {
    await this.inner.seal(stream, attempt, options)
  }

  async unseal(stream: StreamName, attempt: string, options?: WithSignal): Promise<void> {
    await this.inner.unseal(stream, attempt, options)
  }

  async expunge(stream: StreamName, options?: WithSignal): Promise<void> {
    await this.inner.expunge(stream, options)
  }

  async close(): Promise<void> {
    await this.inner.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const BROKEN: Readonly<Record<string, { readonly promise: string; readonly storage: new () => Storage }>> = {
  'stops a put at the first entry that exists, as Go does': {
    promise: 'S1',
    storage: class extends Storage {
      override async put(put: StoragePut): Promise<PutOutcome> {
        let stored = 0
        for (const entry of put.entries) {
          const one = await this.inner.put({ ...put, from: put.from + stored, entries: [entry] })
          if (one.existing > 0) break
          stored++
        }
        return { stored, existing: put.entries.length - stored }
      }
    },
  },
  'takes an entry with other bytes for one that exists': {
    promise: 'S1',
    storage: class extends Storage {
      override async put(put: StoragePut): Promise<PutOutcome> {
        return this.inner.put(put).catch((error: unknown) => {
          if (!RecoveryLogError.is(error, 'CONFLICT')) throw error
          return { stored: 0, existing: put.entries.length }
        })
      }
    },
  },
  'keeps entries that it has only borrowed': {
    promise: 'S1',
    storage: class extends Storage {
      readonly borrowed = new Map<string, Uint8Array>()

      override async put(put: StoragePut): Promise<PutOutcome> {
        put.entries.forEach((entry, i) => this.borrowed.set(`${put.stream.path} ${put.from + i}`, entry))
        return this.inner.put(put)
      }

      override async *get(get: StorageGet): AsyncGenerator<readonly StoredEntry[]> {
        for await (const batch of this.inner.get(get)) {
          yield batch.map(({ index, bytes }) => ({
            index,
            bytes:
              get.keysOnly === true ? bytes : (this.borrowed.get(`${get.stream.path} ${index}`) ?? bytes),
          }))
        }
      }
    },
  },
  'ends a get at the first gap': {
    promise: 'S2',
    storage: class extends Storage {
      override async *get(get: StorageGet): AsyncGenerator<readonly StoredEntry[]> {
        let next: number | undefined
        for await (const batch of this.inner.get(get)) {
          const end = batch.findIndex(
            ({ index }, i) => i > 0 && index !== (batch[i - 1] as StoredEntry).index + 1,
          )
          if (next !== undefined && batch[0]?.index !== next) return
          yield end < 0 ? batch : batch.slice(0, end)
          if (end >= 0) return
          next = (batch[batch.length - 1]?.index ?? 0) + 1
        }
      }
    },
  },
  'gives everything at once': {
    promise: 'S2',
    storage: class extends Storage {
      override async *get(get: StorageGet): AsyncGenerator<readonly StoredEntry[]> {
        const all: StoredEntry[] = []
        for await (const batch of this.inner.get(get)) all.push(...batch)
        if (all.length > 0) yield all
      }
    },
  },
  'tells as the last entry the one that came last': {
    promise: 'S2',
    storage: class extends Storage {
      readonly last = new Map<string, StorageTail>()

      override async put(put: StoragePut): Promise<PutOutcome> {
        const outcome = await this.inner.put(put)
        const bytes = put.entries[put.entries.length - 1] ?? new Uint8Array(0)
        const index = put.from + put.entries.length - 1
        this.last.set(put.stream.path, { index, bytes, newestMs: now })
        return outcome
      }

      override async tail(stream: StreamName, options?: WithSignal): Promise<StorageTail | undefined> {
        const tail = await this.inner.tail(stream, options)
        return tail && this.last.get(stream.path)
      }
    },
  },
  'takes project and path for one name': {
    promise: 'S3',
    storage: class extends Storage {
      override async put(put: StoragePut): Promise<PutOutcome> {
        return this.inner.put({ ...put, stream: joined(put.stream) })
      }

      override get(get: StorageGet): AsyncIterable<readonly StoredEntry[]> {
        return this.inner.get({ ...get, stream: joined(get.stream) })
      }
    },
  },
  'takes entries of any size': {
    promise: 'S4',
    storage: class extends Storage {
      override async put(put: StoragePut): Promise<PutOutcome> {
        return this.inner.put({ ...put, entries: put.entries.map((entry) => entry.subarray(0, 10_551_296)) })
      }
    },
  },
  'stores what comes before an entry above the limit': {
    promise: 'S4',
    storage: class extends Storage {
      override async put(put: StoragePut): Promise<PutOutcome> {
        for (const [i, entry] of put.entries.entries()) {
          await this.inner.put({ ...put, from: put.from + i, entries: [entry] })
        }
        return { stored: put.entries.length, existing: 0 }
      }
    },
  },
  'answers SEALED for new entries only': {
    promise: 'S6',
    storage: class extends Storage {
      override async put(put: StoragePut): Promise<PutOutcome> {
        return this.inner.put(put).catch(async (error: unknown) => {
          const there = await this.inner.tail(put.stream)
          if (!RecoveryLogError.is(error, 'SEALED') || (there?.index ?? -1) < put.from) throw error
          return { stored: 0, existing: put.entries.length }
        })
      }
    },
  },
  'lets anybody take a seal away': {
    promise: 'S6',
    storage: class extends Storage {
      override async unseal(stream: StreamName, attempt: string, options?: WithSignal): Promise<void> {
        await this.inner.seal(stream, attempt, options)
        await this.inner.unseal(stream, attempt, options)
      }
    },
  },
  'expunges the seal too': {
    promise: 'S6',
    storage: class extends Storage {
      override async expunge(stream: StreamName, options?: WithSignal): Promise<void> {
        await this.inner.expunge(stream, options)
        await this.inner.seal(stream, 'mine', options)
        await this.inner.unseal(stream, 'mine', options)
      }
    },
  },
  'looks for a seal first, and stores afterwards': {
    promise: 'S6',
    storage: class extends Storage {
      readonly sealed = new Set<string>()

      override async put(put: StoragePut): Promise<PutOutcome> {
        if (this.sealed.has(put.stream.path)) return this.inner.put(put)
        for (let turn = 0; turn < 20; turn++) await Promise.resolve()
        await this.inner.unseal(put.stream, 'attempt')
        const outcome = await this.inner.put(put)
        if (this.sealed.has(put.stream.path)) await this.inner.seal(put.stream, 'attempt')
        return outcome
      }

      override async seal(stream: StreamName, attempt: string, options?: WithSignal): Promise<void> {
        await this.inner.seal(stream, attempt, options)
        this.sealed.add(stream.path)
      }
    },
  },
}

function joined({ project, path }: StreamName): StreamName {
  return { project: '', path: project + path }
}

/** Runs the suite over a storage, and answers the names of the tests that fail. */
async function failures(storage: new () => Storage): Promise<string[]> {
  const tests: [string, () => Promise<void>][] = []
  storageSuite({
    runner: { describe: (_, body) => body(), it: (name, body) => tests.push([name, body]) },
    name: 'broken',
    factory: async () => ({
      storage: new storage(),
      setNow: (ms) => {
        now = ms
      },
    }),
    supports: { open: false, kill: false, clock: true },
  })
  const failed: string[] = []
  for (const [name, body] of tests) await body().catch(() => failed.push(name))
  return failed
}

describe('storage suite: broken storages', () => {
  it('fails on none of a good one', async () => {
    expect(await failures(Storage)).toEqual([])
  })

  it.each(Object.entries(BROKEN))(
    'fails on one that %s, and names the promise',
    async (_, { promise, storage }) => {
      const failed = await failures(storage)
      expect(failed.map((name) => name.slice(0, 2))).toContain(promise)
    },
  )
})
