import { describe, expect, it } from 'vitest'
import type { BlobInfo, BlobStore } from '../../src/blob/index.ts'
import { readBlob } from '../../src/blob/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import type { StreamStore, TaskQueue } from '../../src/coordinator/index.ts'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import type { IntermediateStorage } from '../../src/storage/index.ts'
import { MemoryStorage } from '../../src/storage/memory/index.ts'
import {
  blobStoreSuite,
  callFaultsAt,
  faultyBlobStore,
  faultyStorage,
  faultyStreamStore,
  faultyTaskQueue,
  storageSuite,
  streamStoreSuite,
  taskQueueSuite,
} from '../../src/testing/index.ts'
import type { CallFault, CallFaultPlan, StoreCall } from '../../src/testing/index.ts'

// Without a fault, each keeps every promise of the store that it stands on.
const none: CallFaultPlan = () => undefined
const runner = { describe, it }

storageSuite({
  runner,
  name: 'faultyStorage without a fault',
  factory: async () => ({ storage: faultyStorage(new MemoryStorage(), none) }),
  supports: { open: false, kill: false, clock: false },
})
blobStoreSuite({
  runner,
  name: 'faultyBlobStore without a fault',
  factory: async () => {
    const inner = new MemoryBlobStore()
    return { store: faultyBlobStore(inner, none), damage: async (key) => inner.damage(key, 17) }
  },
  supports: { conditionalPut: true, damage: true },
})
streamStoreSuite({
  runner,
  name: 'faultyStreamStore without a fault',
  factory: async () => ({ store: faultyStreamStore(new MemoryStreamStore(), none) }),
  supports: { shared: false, durable: false },
})
taskQueueSuite({
  runner,
  name: 'faultyTaskQueue without a fault',
  factory: async (parts) => ({ queue: faultyTaskQueue(new MemoryTaskQueue(parts), none) }),
  supports: { shared: false },
})

interface Stores {
  readonly storage: IntermediateStorage
  readonly blobs: BlobStore
  readonly store: StreamStore
  readonly queue: TaskQueue
}

const clock = { now: () => 0 }
const stream = { project: 'p', path: 'a/+/b' }
const task = { project: 'p', id: 'i', reason: 'archive', createdMs: 0 } as const
const document = { kind: 'stream', project: 'p', name: 'n', dueMs: 0, value: 1 }

/** For each call: how to make it, and whether it has been done. */
interface CallCase {
  readonly method: string
  readonly prepare?: (stores: Stores) => Promise<unknown>
  readonly call: (stores: Stores) => Promise<unknown>
  /** Of what changes something: whether it has. */
  readonly isDone?: (stores: Stores) => Promise<boolean>
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const putEntry = async ({ storage }: Stores): Promise<unknown> =>
  storage.put({ stream, from: 0, entries: [Uint8Array.of(1)] })
const isSealed = async ({ storage }: Stores): Promise<boolean> =>
  storage.put({ stream, from: 0, entries: [] }).then(
    () => false,
    () => true,
  )
const putBlob = async ({ blobs }: Stores): Promise<void> => blobs.put('a', Uint8Array.of(7))
const hasBlob = async ({ blobs }: Stores, key: string): Promise<boolean> =>
  blobs.stat(key).then(
    () => true,
    () => false,
  )
const putTask = async ({ queue }: Stores): Promise<boolean> => queue.put(task, 0)
const leased = async ({ queue }: Stores) => {
  const [lease] = await queue.lease({ max: 1, leaseMs: 10 })
  if (lease === undefined) throw new Error('nothing is due')
  return lease
}
const isDue = async ({ queue }: Stores): Promise<boolean> =>
  (await queue.lease({ max: 1, leaseMs: 10 })).length > 0
const revision = async ({ store }: Stores): Promise<number> =>
  (await store.read('stream', 'i'))?.revision ?? 0

const CASES: Readonly<Record<keyof Stores, readonly CallCase[]>> = {
  storage: [
    {
      method: 'put',
      call: putEntry,
      isDone: async ({ storage }) => (await storage.tail(stream))?.index === 0,
    },
    { method: 'get', prepare: putEntry, call: async ({ storage }) => all(storage.get({ stream })) },
    { method: 'tail', call: async ({ storage }) => storage.tail(stream) },
    { method: 'seal', call: async ({ storage }) => storage.seal(stream, 'a'), isDone: isSealed },
    {
      method: 'unseal',
      prepare: async ({ storage }) => storage.seal(stream, 'a'),
      call: async ({ storage }) => storage.unseal(stream, 'a'),
      isDone: async (stores) => !(await isSealed(stores)),
    },
    {
      method: 'expunge',
      prepare: putEntry,
      call: async ({ storage }) => storage.expunge(stream),
      isDone: async ({ storage }) => (await storage.tail(stream)) === undefined,
    },
  ],
  blobs: [
    { method: 'put', call: putBlob, isDone: async (stores) => hasBlob(stores, 'a') },
    { method: 'get', prepare: putBlob, call: async ({ blobs }) => readBlob(blobs, 'a') },
    { method: 'get', prepare: putBlob, call: async ({ blobs }) => blobs.get('a', { offset: 0, length: 1 }) },
    { method: 'stat', prepare: putBlob, call: async ({ blobs }) => blobs.stat('a') },
    { method: 'list', prepare: putBlob, call: async ({ blobs }) => all(blobs.list('')) },
    {
      method: 'move',
      prepare: putBlob,
      call: async ({ blobs }) => blobs.move('a', 'b'),
      isDone: async (stores) => hasBlob(stores, 'b'),
    },
    {
      method: 'remove',
      prepare: putBlob,
      call: async ({ blobs }) => blobs.remove('a'),
      isDone: async (stores) => !(await hasBlob(stores, 'a')),
    },
  ],
  store: [
    { method: 'read', call: async ({ store }) => store.read('stream', 'i') },
    {
      method: 'create',
      call: async ({ store }) => store.create('i', document),
      isDone: async (stores) => (await revision(stores)) === 1,
    },
    {
      method: 'update',
      prepare: async ({ store }) => store.create('i', document),
      call: async ({ store }) => store.update('i', 1, document),
      isDone: async (stores) => (await revision(stores)) === 2,
    },
    {
      method: 'query',
      call: async ({ store }) => store.query({ kind: 'stream', project: 'p', limit: 1 }),
    },
  ],
  queue: [
    { method: 'put', call: putTask, isDone: async ({ queue }) => queue.has(task) },
    {
      method: 'lease',
      prepare: putTask,
      call: async ({ queue }) => queue.lease({ max: 1, leaseMs: 10 }),
      isDone: async (stores) => !(await isDue(stores)),
    },
    { method: 'has', call: async ({ queue }) => queue.has(task) },
    { method: 'deadLetters', call: async ({ queue }) => all(queue.deadLetters()) },
    { method: 'revive', call: async ({ queue }) => queue.revive(task) },
  ],
}

function storesOf(plan: CallFaultPlan): { readonly inner: Stores; readonly faulty: Stores } {
  const inner = {
    storage: new MemoryStorage(),
    blobs: new MemoryBlobStore(),
    store: new MemoryStreamStore(),
    queue: new MemoryTaskQueue({ clock }),
  }
  return {
    inner,
    faulty: {
      storage: faultyStorage(inner.storage, plan),
      blobs: faultyBlobStore(inner.blobs, plan),
      store: faultyStreamStore(inner.store, plan),
      queue: faultyTaskQueue(inner.queue, plan),
    },
  }
}

const rows = Object.values(CASES)
  .flat()
  .map((row, index) => [`${row.method} (${index})`, row] as const)

describe('faulty stores', () => {
  it.each(rows)('%s: fails before anything is done, or after all of it', async (_, row) => {
    for (const fails of ['before', 'after'] as const) {
      const calls: StoreCall[] = []
      const { inner, faulty } = storesOf((call) => {
        calls.push(call)
        return { fails }
      })
      await row.prepare?.(inner)
      await expect(row.call(faulty)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        data: { method: row.method, fails },
      })
      expect(calls.map(({ index, method }) => ({ index, method }))).toEqual([
        { index: 0, method: row.method },
      ])
      if (row.isDone !== undefined) expect(await row.isDone(inner)).toBe(fails === 'after')
    }
  })

  it('a lease of a queue: extended, acknowledged and released, or not', async () => {
    for (const fails of ['before', 'after'] as const) {
      const { inner, faulty } = storesOf(() => ({ fails }))
      await putTask(inner)
      const lease = await leased(inner)
      const fault = { code: 'UNAVAILABLE', data: { fails } }
      await expect(faulty.queue.extend(lease, 99)).rejects.toMatchObject({ ...fault })
      await expect(faulty.queue.release(lease, { afterMs: 0, reason: '' })).rejects.toMatchObject({
        ...fault,
      })
      expect(await isDue(inner)).toBe(fails === 'after')
    }
    const { inner, faulty } = storesOf(() => ({ fails: 'after' }))
    await putTask(inner)
    await expect(faulty.queue.acknowledge(await leased(inner))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await inner.queue.has(task)).toBe(false)
  })

  it('slow: others come first, and others come before the answer', async () => {
    let begin: () => void = () => undefined
    let answer: () => void = () => undefined
    const fault: CallFault = {
      before: () => new Promise<void>((resolve) => (begin = resolve)),
      after: () => new Promise<void>((resolve) => (answer = resolve)),
    }
    const { inner, faulty } = storesOf(callFaultsAt(new Map([[0, fault]])))
    let isAnswered = false
    const put = faulty.blobs.put('a', Uint8Array.of(1)).then(() => (isAnswered = true))
    await inner.blobs.put('a', Uint8Array.of(2))
    await faulty.blobs.stat('a') // the second call meets no fault
    begin()
    await new Promise((resolve) => setImmediate(resolve))
    expect(await readBlob(inner.blobs, 'a')).toEqual(Uint8Array.of(1))
    expect(isAnswered).toBe(false)
    answer()
    await put
    expect(isAnswered).toBe(true)
  })

  it('steps: a fault in the middle of a listing ends it, and frees what lies below', async () => {
    let isLeft = false
    async function* numbers(): AsyncGenerator<BlobInfo, void, undefined> {
      try {
        for (let i = 0; ; i++) yield { key: String(i), size: 0, modifiedMs: 0 }
      } finally {
        isLeft = true
      }
    }
    const inner = new MemoryBlobStore()
    inner.list = () => numbers()
    const seen: string[] = []
    const listing = async (blobs: BlobStore, max: number): Promise<void> => {
      for await (const { key } of blobs.list('')) {
        seen.push(key)
        if (seen.length === max) break
      }
    }
    const faulty = faultyBlobStore(inner, callFaultsAt(new Map([[2, { fails: 'before' } as const]])))
    await expect(listing(faulty, 9)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(seen).toEqual(['0', '1'])
    expect(isLeft).toBe(true)
    isLeft = false
    await listing(faultyBlobStore(inner, none), 3)
    expect(isLeft).toBe(true)
  })

  it('what the store refuses is told as it is, and closing closes it', async () => {
    const { inner, faulty } = storesOf(() => ({ fails: 'after' }))
    await expect(faulty.blobs.stat('none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    for (const store of [faulty.storage, faulty.blobs, faulty.store, faulty.queue]) await store.close()
    await expect(inner.blobs.stat('a')).rejects.toMatchObject({ code: 'CLOSED' })
    expect(faulty.storage.durability).toBe('memory')
    expect(faulty.blobs.maxKeyBytes).toBe(inner.blobs.maxKeyBytes)
    expect(faulty.blobs.supports).toEqual(inner.blobs.supports)
    for (const store of [faulty.storage, faulty.store, faulty.queue]) await store[Symbol.asyncDispose]()
  })
})
