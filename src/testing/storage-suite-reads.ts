/** What is read and removed: S2 and S3. */
import type { StreamName } from '../storage/index.ts'
import {
  ODD_STREAMS,
  STREAM,
  entriesOf,
  entryBytes,
  expectBytes,
  expectEntries,
  put,
  range,
} from './storage-suite-case.ts'
import type { StorageSuiteCase, StorageSuiteTest } from './storage-suite-case.ts'
import { codeOf, expectSame, expectThat } from './suite-test.ts'

export const STORAGE_READ_TESTS: readonly StorageSuiteTest[] = [
  {
    name: 'S2 get: begins at an index, ends after a limit, passes over gaps',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      await put(storage, 20, 5)
      await put(storage, 0, 5)
      await put(storage, 10, 5)
      const all = [...range(0, 5), ...range(10, 15), ...range(20, 25)]
      for (const from of [0, 3, 5, 7, 10, 14, 15, 24, 25, 100]) {
        for (const limit of [0, 1, 4, 7, 100, undefined]) {
          const expected = all.filter((index) => index >= from).slice(0, limit)
          await expectEntries(storage, expected, limit === undefined ? { from } : { from, limit })
        }
      }
    },
  },
  {
    name: 'S2 get: many entries, put in small runs, come in order in batches of bounded size',
    body: async ({ storage, manyEntries }: StorageSuiteCase): Promise<void> => {
      for (let from = 0; from < manyEntries; from += 500) {
        const runs = range(0, 10).map((run) => put(storage, from + run * 50, 50))
        await Promise.all(runs)
      }
      let next = 0
      let batches = 0
      for await (const batch of storage.get({ stream: STREAM })) {
        expectThat(batch.length > 0, 'an empty batch')
        for (const { index, bytes } of batch) {
          expectSame(index, next, 'the index')
          expectBytes(bytes, entryBytes(index), `entry ${index}`)
          next++
        }
        batches++
      }
      expectSame(next, manyEntries, 'entries')
      expectThat(batches > 1, 'everything came in one batch')
    },
  },
  {
    name: 'S2 get: keysOnly yields the indexes alone',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      await put(storage, 3, 3)
      await put(storage, 9, 1)
      const entries = await entriesOf(storage, { keysOnly: true, from: 4 })
      expectSame(
        entries,
        [4, 5, 9].map((index) => ({ index, bytes: [] })),
        'keys',
      )
    },
  },
  {
    name: 'S2 get: leaving early leaves nothing behind',
    body: async ({ storage, manyEntries }: StorageSuiteCase): Promise<void> => {
      for (let from = 0; from < manyEntries; from += 1000) await put(storage, from, 1000)
      for await (const batch of storage.get({ stream: STREAM })) {
        expectSame(batch[0]?.index, 0, 'the first index')
        break
      }
      await storage.close()
    },
  },
  {
    name: 'S2 get: what is put while it is read comes too, or not, but in order and whole',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      await put(storage, 0, 3000)
      const putting = Promise.all(range(0, 20).map((run) => put(storage, 3000 + run * 10, 10)))
      let next = 0
      for await (const batch of storage.get({ stream: STREAM })) {
        for (const { index, bytes } of batch) {
          expectThat(index >= next, `${index} after ${next - 1}`)
          expectBytes(bytes, entryBytes(index), `entry ${index}`)
          next = index + 1
        }
      }
      expectThat(next >= 3000, 'entries that were there are missing')
      await putting
      await expectEntries(storage, range(0, 3200))
    },
  },
  {
    name: 'S2 tail: the last entry by index, whichever came last',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      expectSame(await storage.tail(STREAM), undefined, 'of a stream without entries')
      await put(storage, 7, 2)
      await put(storage, 0, 3)
      const tail = await storage.tail(STREAM)
      expectSame(tail?.index, 8, 'the index')
      expectBytes(tail?.bytes ?? new Uint8Array(0), entryBytes(8), 'the last entry')
    },
  },
  {
    name: 'S2 tail: tells when the newest entry came, not when one was put again',
    needs: ['clock'],
    body: async ({ storage, under }: StorageSuiteCase): Promise<void> => {
      under.setNow?.(1000)
      await put(storage, 5, 2)
      under.setNow?.(2000)
      await put(storage, 0, 2)
      expectSame((await storage.tail(STREAM))?.newestMs, 2000, 'of the newest')
      under.setNow?.(3000)
      await put(storage, 5, 2)
      expectSame((await storage.tail(STREAM))?.newestMs, 2000, 'after one that exists')
    },
  },
  {
    name: 'S2 tail: another object tells the same time, also after the first is closed',
    needs: ['clock', 'open'],
    body: async ({ storage, under, open }: StorageSuiteCase): Promise<void> => {
      under.setNow?.(1_700_000_000_000)
      await put(storage, 5, 2)
      under.setNow?.(1_700_000_009_000)
      expectSame((await (await open()).tail(STREAM))?.newestMs, 1_700_000_000_000, 'beside it')
      await storage.close()
      expectSame((await (await open()).tail(STREAM))?.newestMs, 1_700_000_000_000, 'after it')
    },
  },
  {
    name: 'S3 expunge: removes the entries of one stream, and again does nothing',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      await storage.expunge(STREAM)
      await put(storage, 0, 10)
      await put(storage, 0, 10, ODD_STREAMS[1])
      await storage.expunge(STREAM)
      await storage.expunge(STREAM)
      await expectEntries(storage, [])
      expectSame(await storage.tail(STREAM), undefined, 'the tail')
      await expectEntries(storage, range(0, 10), { stream: ODD_STREAMS[1] as StreamName })
      expectSame(await put(storage, 0, 2), { stored: 2, existing: 0 }, 'put again')
      const entries = [Uint8Array.of(1)]
      expectSame(
        await storage.put({ stream: STREAM, from: 2, entries }),
        { stored: 1, existing: 0 },
        'other bytes',
      )
    },
  },
  {
    name: 'S3 expunge: is seen by another object, and by those that come later',
    needs: ['open'],
    body: async ({ storage, open }: StorageSuiteCase): Promise<void> => {
      const other = await open()
      await put(storage, 0, 10)
      await expectEntries(other, range(0, 10))
      await other.expunge(STREAM)
      await expectEntries(storage, [])
      expectSame(await put(storage, 4, 2), { stored: 2, existing: 0 }, 'put again')
      await expectEntries(await open(), [4, 5])
    },
  },
  {
    name: 'S3 streams: do not see each other, whatever their names',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      for (const [i, stream] of ODD_STREAMS.entries()) {
        await storage.put({ stream, from: i, entries: [Uint8Array.of(i)] })
      }
      await storage.seal(ODD_STREAMS[3] as StreamName, 'attempt')
      await storage.expunge(ODD_STREAMS[5] as StreamName)
      for (const [i, stream] of ODD_STREAMS.entries()) {
        const expected = i === 5 ? [] : [{ index: i, bytes: [i] }]
        expectSame(await entriesOf(storage, { stream }), expected, `entries of stream ${i}`)
        const code = await codeOf(() => storage.put({ stream, from: 100, entries: [Uint8Array.of(1)] }))
        expectSame(code, i === 3 ? 'SEALED' : 'no error', `a put into stream ${i}`)
      }
    },
  },
]
