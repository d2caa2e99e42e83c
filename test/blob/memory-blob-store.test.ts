import { describe, expect, it } from 'vitest'
import { readBlob } from '../../src/blob/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { blobStoreSuite } from '../../src/testing/index.ts'

blobStoreSuite({
  runner: { describe, it },
  name: 'MemoryBlobStore',
  factory: async () => {
    const store = new MemoryBlobStore()
    return {
      store,
      damage: async (key) => {
        store.damage(key, 17)
      },
    }
  },
  supports: { conditionalPut: true, damage: true },
})

describe('memory blob store', () => {
  it('times: a blob was put when the clock says, and keeps that when it is moved', async () => {
    let now = 5
    await using store = new MemoryBlobStore({ clock: { now: () => now } })
    await store.put('a', Uint8Array.of(1))
    now = 9
    await store.move('a', 'b')
    expect(await store.stat('b')).toEqual({ key: 'b', size: 1, modifiedMs: 5 })
  })

  it('abort: every call that is aborted before it begins does nothing', async () => {
    const store = new MemoryBlobStore()
    await store.put('a', Uint8Array.of(1))
    const signal = AbortSignal.abort(new Error('why'))
    const calls = [
      () => store.put('a', Uint8Array.of(2), { signal }),
      () => store.get('a', { offset: 0, length: 1, signal }),
      () => readBlob(store, 'a', { signal }),
      () => store.stat('a', { signal }),
      () => store.list('', { signal }).next(),
      () => store.move('a', 'b', { signal }),
      () => store.remove('a', { signal }),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await readBlob(store, 'a')).toEqual(Uint8Array.of(1))
  })

  it('ranges: what is no offset or length is a RangeError', async () => {
    const store = new MemoryBlobStore()
    await store.put('a', Uint8Array.of(1))
    for (const [offset, length] of [
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
      [2 ** 53, 1],
    ] as const) {
      await expect(store.get('a', { offset, length })).rejects.toThrow(RangeError)
    }
  })
})
