import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { BlobHintsStore } from '../../src/directory/blob/blob-hints-store.ts'
import { FileHintsStore } from '../../src/directory/file/file-hints-store.ts'
import { decodeHintsSet, encodeHintsSet, type HintsSet } from '../../src/directory/hints-set.ts'
import type { HintsStore } from '../../src/directory/hints-store.ts'
import { MemoryHintsStore } from '../../src/directory/memory/memory-hints-store.ts'
import { memoryFileSystem, seededRandom } from '../support/directory.ts'

function setOf(generation: number, handoff: number, time = 0, author = 5): HintsSet {
  return {
    time,
    author,
    since: [generation, handoff],
    end: { log: 'a/log', end: 100 + time },
    journals: [{ name: 'a/log', id: 'id-1' }],
    hints: {
      log: 'a/log',
      liveNodes: [
        {
          fnode: 3,
          segments: [
            {
              author,
              firstSeqNo: 3,
              firstOffset: 10,
              firstChecksum: 9,
              lastSeqNo: 4,
              lastOffset: 0,
              log: '',
            },
          ],
        },
      ],
      properties: [{ path: '/p', content: 'é' }],
    },
  }
}

const backends: readonly [string, (backups?: number) => HintsStore][] = [
  [
    'blob',
    (backups) =>
      new BlobHintsStore({
        blobs: new MemoryBlobStore(),
        prefix: 'hints/a/',
        ...(backups === undefined ? {} : { backups }),
      }),
  ],
  ['memory', (backups) => new MemoryHintsStore(backups === undefined ? {} : { backups })],
  [
    'file',
    (backups) =>
      new FileHintsStore({
        dir: '/data/hints',
        fs: memoryFileSystem(),
        random: seededRandom(1),
        ...(backups === undefined ? {} : { backups }),
      }),
  ],
]

describe.each(backends)('hints store: %s', (_name, make) => {
  it('hints: an empty store has no sets and no pins', async () => {
    await using store = make()
    expect(await store.load()).toEqual([])
    expect(await store.pins()).toEqual([])
  })

  it('hints: the newest set takes the place of the one before', async () => {
    await using store = make()
    await store.save(setOf(0, 1, 1))
    const key = await store.save(setOf(0, 1, 2))
    expect(await store.load()).toEqual([{ key, set: setOf(0, 1, 2) }])
  })

  it('hints: sets that were recovered from are kept as backups, the last two of them', async () => {
    await using store = make()
    const recoveredFrom: string[] = []
    for (let owner = 1; owner <= 4; owner++) {
      const before = recoveredFrom.at(-1)
      await store.save(setOf(0, owner, 1), before === undefined ? {} : { recoveredFrom: before })
      recoveredFrom.push(await store.save(setOf(0, owner, 2)))
    }
    const stored = await store.load()
    expect(stored.map(({ key }) => key)).toEqual([recoveredFrom[3], recoveredFrom[2], recoveredFrom[1]])
    expect(stored.map(({ set }) => set?.since)).toEqual([
      [0, 4],
      [0, 3],
      [0, 2],
    ])
  })

  it('hints: no backups when none are wanted', async () => {
    await using store = make(0)
    const first = await store.save(setOf(0, 1))
    await store.save(setOf(0, 2), { recoveredFrom: first })
    expect(await store.load()).toHaveLength(1)
  })

  it.each([
    ['an older hand-off', setOf(1, 49)],
    ['an older generation', setOf(0, 1000)],
    ['another author with the same since', setOf(1, 50, 0, 6)],
  ])('hints: a late save of %s is a conflict and changes nothing', async (_case, late) => {
    await using store = make()
    const key = await store.save(setOf(1, 50))
    await expect(store.save(late)).rejects.toMatchObject({
      code: 'HINTS_CONFLICT',
      kind: 'conflict',
      data: { key },
    })
    expect(await store.load()).toEqual([{ key, set: setOf(1, 50) }])
  })

  it('hints: a backup can be removed, the newest set cannot', async () => {
    await using store = make()
    const backup = await store.save(setOf(0, 1))
    const newest = await store.save(setOf(0, 2), { recoveredFrom: backup })
    await expect(store.remove(newest)).rejects.toMatchObject({ code: 'CONFLICT' })
    await store.remove(backup)
    await store.remove(backup)
    await store.remove('pin-x')
    expect((await store.load()).map(({ key }) => key)).toEqual([newest])
  })

  it('hints: pins are kept until they are taken back', async () => {
    await using store = make()
    const pin = { id: 'r-1', reader: 'a test', expiresAt: 5, ranges: [{ log: 'a/log', begin: 3 }] }
    await store.pin(pin)
    await store.pin({ ...pin, expiresAt: 6 })
    await store.pin({ ...pin, id: 'r-2', ranges: [{ log: 'a/log', begin: 3, end: 9 }] })
    expect((await store.pins()).map(({ id, expiresAt }) => [id, expiresAt])).toEqual([
      ['r-1', 6],
      ['r-2', 5],
    ])
    await store.unpin('r-1')
    await store.unpin('r-1')
    expect((await store.pins()).map(({ id }) => id)).toEqual(['r-2'])
    expect(await store.load()).toEqual([])
    await expect(store.pin({ ...pin, id: '../x' })).rejects.toThrow(TypeError)
  })

  it('hints: an abort ends a call', async () => {
    await using store = make()
    await store.save(setOf(0, 1))
    const signal = AbortSignal.abort()
    await expect(store.load({ signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(store.save(setOf(0, 1), { signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('hints: racing saves of one owner all land, one after the other', async () => {
    await using store = make()
    const keys = await Promise.all([1, 2, 3, 4, 5].map((time) => store.save(setOf(0, 1, time))))
    expect(new Set(keys).size).toBe(5)
    expect(await store.load()).toHaveLength(1)
  })
})

describe('hints store: blob', () => {
  it('hints: a store without conditional puts is refused', () => {
    const blobs = Object.defineProperty(new MemoryBlobStore(), 'supports', {
      value: { conditionalPut: false },
    })
    expect(() => new BlobHintsStore({ blobs, prefix: 'p/' })).toThrow(TypeError)
  })

  it('hints: prefixes are apart, and errors of the store are its own', async () => {
    const blobs = new MemoryBlobStore()
    const one = new BlobHintsStore({ blobs, prefix: 'one/' })
    const other = new BlobHintsStore({ blobs, prefix: 'other/' })
    await one.save(setOf(0, 1))
    expect(await other.load()).toEqual([])
    await blobs.close()
    await expect(one.load()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(one.save(setOf(0, 1))).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('hints store: file', () => {
  const dir = '/data/hints'

  it('hints: a damaged set is told, with its key, and older ones are there', async () => {
    const fs = memoryFileSystem()
    const store = new FileHintsStore({ dir, fs, random: seededRandom(1) })
    const backup = await store.save(setOf(0, 1))
    const newest = await store.save(setOf(0, 2), { recoveredFrom: backup })
    fs.writeFileSync(`${dir}/${newest}`, 'recoverylog-hints-1 00000000\n{}')
    const stored = await store.load()
    expect(stored[0]).toMatchObject({ key: newest, error: { code: 'HINTS_INVALID', data: { key: newest } } })
    expect(stored[1]).toMatchObject({ key: backup, set: setOf(0, 1) })
    const saved = await store.save(setOf(0, 3))
    expect((await store.load())[0]?.key).toBe(saved)
  })

  it('hints: what the system says is told by one error', async () => {
    const fs = memoryFileSystem()
    const store = new FileHintsStore({ dir, fs, random: seededRandom(1) })
    const linkSync = fs.linkSync.bind(fs)
    for (const [systemCode, code] of [
      ['ENOSPC', 'UNAVAILABLE'],
      ['EACCES', 'DENIED'],
    ] as const) {
      fs.linkSync = () => {
        throw Object.assign(new Error(systemCode), { code: systemCode })
      }
      await expect(store.save(setOf(0, 1))).rejects.toMatchObject({ code, data: { code: systemCode } })
    }
    fs.linkSync = linkSync
    expect(fs.readdirSync(dir)).toEqual([])
  })

  it('hints: a set that was left by a save cut short is passed over, and goes with the next save', async () => {
    const fs = memoryFileSystem()
    const store = new FileHintsStore({ dir, fs, random: seededRandom(1) })
    const old = await store.save(setOf(0, 1))
    const unlinkSync = fs.unlinkSync.bind(fs)
    fs.unlinkSync = (path) => {
      if (String(path).endsWith(old)) throw Object.assign(new Error('EIO'), { code: 'EIO' })
      unlinkSync(path)
    }
    await expect(store.save(setOf(0, 2))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    fs.unlinkSync = unlinkSync
    expect((await store.load()).map(({ set }) => set?.since)).toEqual([[0, 2]])
    await store.save(setOf(0, 2))
    expect(fs.readdirSync(dir)).toHaveLength(1)
  })
})

describe('the bytes of a set', () => {
  it('hints: the last line is what Go reads', () => {
    const lines = new TextDecoder().decode(encodeHintsSet(setOf(1, 2), ['set-1'])).split('\n')
    expect(lines).toHaveLength(4)
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({
      log: 'a/log',
      properties: [{ path: '/p', content: 'é' }],
    })
  })

  it('hints: every byte that is changed or cut off is noticed', () => {
    const bytes = encodeHintsSet(setOf(1, 2), ['set-1'])
    for (let i = 0; i < bytes.length; i++) {
      const flipped = bytes.slice()
      flipped[i] = (flipped[i] ?? 0) ^ 1
      expect(() => decodeHintsSet('k', flipped), `byte ${String(i)}`).toThrow(
        expect.objectContaining({ code: 'HINTS_INVALID' }) as Error,
      )
      expect(() => decodeHintsSet('k', bytes.subarray(0, i)), `cut at ${String(i)}`).toThrow(
        expect.objectContaining({ code: 'HINTS_INVALID' }) as Error,
      )
    }
  })

  it('hints: what is encoded is decoded', () => {
    fc.assert(
      fc.property(
        fc.record({
          time: fc.maxSafeNat(),
          author: fc.nat(),
          since: fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()),
          end: fc.record({ log: fc.string(), end: fc.maxSafeNat() }),
          journals: fc.array(fc.record({ name: fc.string(), id: fc.string() })),
        }),
        fc.array(fc.string()),
        (header, backups) => {
          const set: HintsSet = { ...header, hints: setOf(0, 0).hints }
          expect(decodeHintsSet('k', encodeHintsSet(set, backups))).toEqual({ set, backups })
        },
      ),
    )
  })
})
