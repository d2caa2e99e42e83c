import { describe, expect, it } from 'vitest'
import { ArchiveIndex, ArchiveReader, IndexCache } from '../../src/archive/index.ts'
import type { ArchiveDamage } from '../../src/archive/index.ts'
import { readBlob } from '../../src/blob/index.ts'
import type { ByteRange } from '../../src/blob/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { encodeRecord } from '../../src/wire/index.ts'
import { decodeDescriptor } from '../../src/wire/logdog/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'
import { archiveOf, descriptor, entriesAt, entryAt, upTo } from './archive-fixture.ts'

async function indexesOf(batches: AsyncIterable<LogEntry[]>): Promise<number[]> {
  const indexes: number[] = []
  for await (const batch of batches) indexes.push(...batch.map(({ streamIndex }) => streamIndex))
  return indexes
}

/** An archive of 1,000 entries over 2 MiB, an index entry every 16 KiB. */
async function longArchive(): ReturnType<typeof archiveOf> {
  const entries = upTo(1000).map((index) => entryAt(index, `${index} `.padEnd(2100, 'x')))
  return archiveOf(entries, { terminalIndex: 999, settings: { byteRange: 16 * 1024, streamIndexRange: 0 } })
}

describe('archive reader: any position', () => {
  it('get: every start and several limits, in pieces and without an index', async () => {
    const { blobs, keys } = await longArchive()
    for (const reader of [
      new ArchiveReader({ blobs, ...keys }),
      new ArchiveReader({ blobs, entries: keys.entries }),
      new ArchiveReader({ blobs, entries: keys.entries, index: 'none' }),
    ]) {
      for (const index of [0, 1, 7, 499, 500, 998, 999, 1000, 5000]) {
        for (const limit of [0, 1, 3, 600, Infinity]) {
          const expected = upTo(1000).slice(index).slice(0, limit)
          expect(await indexesOf(reader.get({ index, limit })), `${index}, ${limit}`).toEqual(expected)
        }
      }
      expect((await reader.tail())?.streamIndex).toBe(999)
      expect(await reader.descriptor()).toEqual(decodeDescriptor(descriptor))
    }
  })

  it('get: over gaps the first that there are, up to the limit', async () => {
    const indexes = [3, 4, 10, 11, 500, 501, 2000, 2001, 9000]
    const { blobs, keys } = await archiveOf(entriesAt(...indexes), { settings: { streamIndexRange: 1 } })
    const reader = new ArchiveReader({ blobs, ...keys })
    for (const index of [0, 3, 4, 5, 12, 501, 502, 2002, 9000, 9001]) {
      for (const limit of [1, 2, 4, 100]) {
        const expected = indexes.filter((at) => at >= index).slice(0, limit)
        expect(await indexesOf(reader.get({ index, limit })), `${index}, ${limit}`).toEqual(expected)
      }
    }
  })

  it('get: fetches once for a limit that fits, and no more than the index allows', async () => {
    const { blobs, keys } = await longArchive()
    const fetched: ByteRange[] = []
    const get = ((key: string, options: ByteRange) => {
      if (key === keys.entries) fetched.push({ ...options })
      return blobs.get(key, options)
    }) as MemoryBlobStore['get']
    const reader = new ArchiveReader({ blobs: { get }, ...keys })
    await indexesOf(reader.get({ index: 500, limit: 10 }))
    expect(fetched).toHaveLength(1)
    expect(fetched[0]?.length).toBeLessThan(64 * 1024)
    for await (const batch of reader.get()) {
      expect(batch.length).toBeGreaterThan(0)
      break
    }
    expect(fetched).toHaveLength(2)
  })

  it('arguments: what is no index or limit is the caller’s mistake', async () => {
    const { blobs, keys } = await archiveOf(entriesAt(0))
    const reader = new ArchiveReader({ blobs, ...keys })
    for (const options of [
      { index: -1 },
      { index: 0.5 },
      { limit: -1 },
      { limit: Number.NaN },
      { index: 2 ** 53 },
    ]) {
      await expect(reader.get(options).next()).rejects.toThrow(RangeError)
    }
  })

  it('an empty archive: nothing, and no tail', async () => {
    const { blobs, keys } = await archiveOf([])
    const reader = new ArchiveReader({ blobs, ...keys })
    expect(await indexesOf(reader.get())).toEqual([])
    expect(await reader.tail()).toBeUndefined()
  })

  it('missing files: no entries is NOT_FOUND, an abort is ABORTED', async () => {
    const reader = new ArchiveReader({ blobs: new MemoryBlobStore(), entries: 'e', index: 'i' })
    await expect(reader.get().next()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(reader.tail()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const { blobs, keys } = await archiveOf(entriesAt(0))
    const signal = AbortSignal.abort()
    const other = new ArchiveReader({ blobs, ...keys })
    await expect(other.get({ signal }).next()).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(other.tail({ signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('records larger than a piece are read whole', async () => {
    const sizes = [10, 3_000_000, 20, 1_048_560, 1_048_576, 5]
    const { blobs, keys } = await archiveOf(sizes.map((size, i) => entryAt(i, 'x'.repeat(size))))
    const reader = new ArchiveReader({ blobs, ...keys })
    for await (const batch of reader.get()) {
      for (const { streamIndex, content } of batch) {
        expect(content?.kind === 'text' && content.lines[0]?.value.length).toBe(sizes[streamIndex])
      }
    }
    expect(await indexesOf(reader.get())).toEqual(upTo(6))
    expect((await reader.tail())?.streamIndex).toBe(5)
  })
})

describe('archive reader: damage', () => {
  it('a byte changed anywhere: entries or a typed error with a place, never anything else', async () => {
    const { blobs, keys } = await archiveOf(entriesAt(...upTo(12)), { settings: { streamIndexRange: 3 } })
    const whole = await readBlob(blobs, keys.entries)
    for (let at = 0; at < whole.length; at++) {
      for (const mask of [1, 0x80]) {
        await blobs.put(
          keys.entries,
          Uint8Array.from(whole, (byte, i) => (i === at ? byte ^ mask : byte)),
        )
        const reader = new ArchiveReader({ blobs, ...keys })
        try {
          await indexesOf(reader.get())
        } catch (error) {
          expect(['CORRUPT', 'FRAME_TOO_LARGE', 'VARINT_OVERFLOW']).toContain(
            (error as { code: string }).code,
          )
          expect((error as { data: { offset: number } }).data.offset).toBeLessThanOrEqual(at)
        }
      }
    }
  })

  it('told of damage: reading goes on with what is whole behind it', async () => {
    const { blobs, keys } = await archiveOf(entriesAt(...upTo(100)), { settings: { streamIndexRange: 10 } })
    const whole = await readBlob(blobs, keys.entries)
    const index = ArchiveIndex.parse(await readBlob(blobs, keys.index))
    const rows = [...index.entries()]
    const at = (rows[3] as { offset: number }).offset
    // The length of the frame of entry 30: it claims more than there is, so that nothing tells where entry 31 begins.
    const lying = new Uint8Array(whole)
    lying[at] = 0xff
    await blobs.put(keys.entries, lying)
    const reader = new ArchiveReader({ blobs, ...keys })
    await expect(indexesOf(reader.get())).rejects.toMatchObject({ data: { offset: at } })
    const damage: ArchiveDamage[] = []
    const read = await indexesOf(reader.get({ onDamage: (found) => damage.push(found) }))
    expect(read).toEqual([...upTo(30), ...upTo(100).slice(40)])
    expect(damage).toMatchObject([{ offset: at, resumedAt: rows[4]?.offset }])
    // The message of entry 30 alone is damaged: the frames around it are whole.
    const broken = new Uint8Array(whole)
    broken[at + 1] = 0x07
    await blobs.put(keys.entries, broken)
    damage.length = 0
    expect(await indexesOf(reader.get({ onDamage: (found) => damage.push(found) }))).toEqual(
      upTo(100).filter((i) => i !== 30),
    )
    expect(damage).toMatchObject([
      { offset: at, error: { code: 'CORRUPT', data: { key: keys.entries, offset: at } } },
    ])
  })

  it('told of damage: a file that is cut ends there', async () => {
    const { blobs, keys } = await archiveOf(entriesAt(...upTo(100)), { settings: { streamIndexRange: 10 } })
    const whole = await readBlob(blobs, keys.entries)
    await blobs.put(keys.entries, whole.subarray(0, whole.length / 2))
    const damage: ArchiveDamage[] = []
    const read = await indexesOf(
      new ArchiveReader({ blobs, ...keys }).get({ onDamage: (found) => damage.push(found) }),
    )
    expect(read).toEqual(upTo(read.length))
    expect(read.length).toBeGreaterThan(40)
    expect(damage.at(-1)).toMatchObject({ resumedAt: undefined, error: { code: 'CORRUPT' } })
  })

  it('a lying length: nothing is taken for it', async () => {
    const blobs = new MemoryBlobStore()
    await blobs.put('e', Buffer.concat([encodeRecord(descriptor), Uint8Array.of(0x80, 0x80, 0x80, 0x0a)]))
    const lengths: number[] = []
    const get = ((key: string, options: ByteRange) => {
      const found = blobs.get(key, options)
      void found.then((bytes) => lengths.push(bytes.length))
      return found
    }) as MemoryBlobStore['get']
    const reader = new ArchiveReader({ blobs: { get }, entries: 'e' })
    await expect(indexesOf(reader.get())).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(Math.max(...lengths)).toBeLessThan(100)
    await blobs.put('e', Buffer.concat([encodeRecord(descriptor), Uint8Array.of(0x81, 0x80, 0x80, 0x0a)]))
    await expect(indexesOf(reader.get())).rejects.toMatchObject({ code: 'FRAME_TOO_LARGE' })
    await blobs.put('e', new Uint8Array(11).fill(0xff))
    await expect(indexesOf(reader.get())).rejects.toMatchObject({ code: 'VARINT_OVERFLOW' })
    await expect(reader.descriptor()).rejects.toMatchObject({ code: 'VARINT_OVERFLOW' })
    await blobs.put('e', Uint8Array.of(5, 1))
    await expect(reader.descriptor()).rejects.toMatchObject({
      code: 'CORRUPT',
      data: { key: 'e', offset: 0 },
    })
  })

  it('an index that is damaged: told with its key; without it the entries can still be read', async () => {
    const { blobs, keys } = await archiveOf(entriesAt(0, 1))
    await blobs.put(keys.index, Uint8Array.of(0x0a, 0x7f))
    await expect(new ArchiveReader({ blobs, ...keys }).tail()).rejects.toMatchObject({
      code: 'CORRUPT',
      data: { key: keys.index },
    })
    expect(await indexesOf(new ArchiveReader({ blobs, entries: keys.entries }).get())).toEqual([0, 1])
  })

  it('an index whose stream indexes do not rise: no range runs backwards', async () => {
    const { blobs, keys } = await archiveOf(entriesAt(0, 5, 9), { settings: { streamIndexRange: 1 } })
    const other = await archiveOf(entriesAt(0, 50, 90), { settings: { streamIndexRange: 1 } })
    await blobs.put(keys.index, await readBlob(other.blobs, other.keys.index))
    expect(await indexesOf(new ArchiveReader({ blobs, ...keys }).get({ index: 5, limit: 2 }))).toEqual([5, 9])
  })
})

describe('archive reader: the cache of indexes', () => {
  async function twoArchives(): Promise<{
    blobs: MemoryBlobStore
    loads: string[]
    get: MemoryBlobStore['get']
  }> {
    const first = await archiveOf(entriesAt(...upTo(50)), {
      settings: { streamIndexRange: 1 },
      folder: 'b/1',
    })
    const { blobs } = first
    await archiveOf(entriesAt(...upTo(50)), { blobs, settings: { streamIndexRange: 1 }, folder: 'b/2' })
    const loads: string[] = []
    const get = ((key: string, options: ByteRange) => {
      if (key.endsWith('.index')) loads.push(key)
      return blobs.get(key, options)
    }) as MemoryBlobStore['get']
    return { blobs, loads, get }
  }

  function readerOf(get: MemoryBlobStore['get'], folder: string, cache?: IndexCache): ArchiveReader {
    const parts = {
      blobs: { get },
      entries: `${folder}/logstream.entries`,
      index: `${folder}/logstream.index`,
    }
    return new ArchiveReader(cache === undefined ? parts : { ...parts, cache })
  }

  it('shared: an index is loaded once, also by many at a time', async () => {
    const { loads, get } = await twoArchives()
    const cache = new IndexCache()
    await Promise.all(upTo(5).map(() => readerOf(get, 'b/1', cache).tail()))
    await readerOf(get, 'b/1', cache).tail()
    expect(loads).toEqual(['b/1/logstream.index'])
    expect(cache.bytes).toBeGreaterThan(50 * 16)
  })

  it('bounded: what is too large is not kept, and the oldest goes first', async () => {
    const { loads, get } = await twoArchives()
    const none = new IndexCache({ indexCacheBytes: 10 })
    await readerOf(get, 'b/1', none).tail()
    await readerOf(get, 'b/1', none).tail()
    expect([loads.length, none.bytes]).toEqual([2, 0])
    loads.length = 0
    const one = new IndexCache({ indexCacheBytes: 2500 })
    for (const folder of ['b/1', 'b/2', 'b/2', 'b/1']) await readerOf(get, folder, one).tail()
    expect(loads.map((key) => key.slice(0, 3))).toEqual(['b/1', 'b/2', 'b/1'])
    expect(one.bytes).toBeLessThanOrEqual(2500)
  })

  it('drop: what was replaced is loaded anew, even when it is being loaded', async () => {
    const { loads, get } = await twoArchives()
    const cache = new IndexCache()
    await readerOf(get, 'b/1', cache).tail()
    cache.drop('b/1/logstream.index')
    cache.drop('never there')
    expect(cache.bytes).toBe(0)
    const loading = readerOf(get, 'b/1', cache).tail()
    cache.drop('b/1/logstream.index')
    await loading
    expect([loads.length, cache.bytes]).toEqual([2, 0])
  })

  it('failure: is not kept', async () => {
    const { blobs, get } = await twoArchives()
    const cache = new IndexCache()
    const good = await readBlob(blobs, 'b/1/logstream.index')
    await blobs.put('b/1/logstream.index', Uint8Array.of(7))
    await expect(readerOf(get, 'b/1', cache).tail()).rejects.toMatchObject({ code: 'CORRUPT' })
    await blobs.put('b/1/logstream.index', good)
    expect((await readerOf(get, 'b/1', cache).tail())?.streamIndex).toBe(49)
  })
})
