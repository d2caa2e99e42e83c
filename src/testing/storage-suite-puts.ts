/** What is put: S1 and S4. */
import { STORED_ENTRY_BYTES_MAX } from '../storage/index.ts'
import type { IntermediateStorage } from '../storage/index.ts'
import {
  STREAM,
  entriesOf,
  entryBytes,
  expectBytes,
  expectEntries,
  put,
  range,
  rawEntriesOf,
  sum,
} from './storage-suite-case.ts'
import type { StorageSuiteCase, StorageSuiteTest } from './storage-suite-case.ts'
import { codeOf, expectSame } from './suite-test.ts'

export const STORAGE_PUT_TESTS: readonly StorageSuiteTest[] = [
  {
    name: 'S1 put: a run is stored, and told as stored',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      expectSame(await put(storage, 0, 3), { stored: 3, existing: 0 }, 'the first run')
      expectSame(await put(storage, 3, 2), { stored: 2, existing: 0 }, 'the next run')
      expectSame(await put(storage, 5, 0), { stored: 0, existing: 0 }, 'an empty run')
      await expectEntries(storage, [0, 1, 2, 3, 4])
    },
  },
  {
    name: 'S1 put: what exists with the same bytes is left, and the rest is stored, wherever it lies',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      await put(storage, 10, 5)
      expectSame(await put(storage, 10, 5), { stored: 0, existing: 5 }, 'the same run')
      expectSame(await put(storage, 12, 2), { stored: 0, existing: 2 }, 'a part of it')
      expectSame(await put(storage, 8, 4), { stored: 2, existing: 2 }, 'over its beginning')
      expectSame(await put(storage, 14, 4), { stored: 3, existing: 1 }, 'over its end')
      await put(storage, 20, 2)
      expectSame(await put(storage, 6, 20), { stored: 8, existing: 12 }, 'over all of it')
      await expectEntries(storage, range(6, 26))
    },
  },
  {
    name: 'S1 put: other bytes are a conflict, and the first ones stay',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      await put(storage, 0, 3)
      const entries = [entryBytes(0), Uint8Array.of(1, 2, 3), entryBytes(2), entryBytes(3)]
      expectSame(await codeOf(() => storage.put({ stream: STREAM, from: 0, entries })), 'CONFLICT', 'the put')
      await expectEntries(storage, [0, 1, 2])
      const shorter = [entryBytes(2).subarray(1)]
      expectSame(
        await codeOf(() => storage.put({ stream: STREAM, from: 2, entries: shorter })),
        'CONFLICT',
        'a shorter entry',
      )
      await expectEntries(storage, [0, 1, 2])
    },
  },
  {
    name: 'S1 put: of 8 racing puts of one index with other bytes exactly one is stored',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      const codes = await racingPuts(Array.from({ length: 8 }, () => storage))
      expectSame(codes.filter((code) => code === 'no error').length, 1, `winners among ${codes.join(', ')}`)
      expectSame(codes.filter((code) => code === 'CONFLICT').length, 7, 'conflicts')
      await expectWinner(storage, codes)
    },
  },
  {
    name: 'S1 put: of racing puts of the same bytes all succeed, and each entry is stored once',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => put(storage, 0, 10)))
      expectSame(sum(outcomes, 'stored'), 10, 'stored')
      expectSame(sum(outcomes, 'existing'), 70, 'existing')
      await expectEntries(storage, range(0, 10))
    },
  },
  {
    name: 'S1 put: of two objects that race with other bytes one wins, and both see the same',
    needs: ['open'],
    body: async ({ storage, open }: StorageSuiteCase): Promise<void> => {
      const other = await open()
      for (let round = 0; round < 10; round++) {
        const stream = { ...STREAM, path: `${STREAM.path}${round}` }
        const codes = await racingPuts([storage, other, storage, other], stream)
        expectSame(codes.filter((code) => code === 'no error').length, 1, `winners among ${codes.join(', ')}`)
        await expectWinner(storage, codes, stream)
        await expectWinner(other, codes, stream)
      }
    },
  },
  {
    name: 'S1 put: another object sees at once what was stored, as existing and as a conflict',
    needs: ['open'],
    body: async ({ storage, open }: StorageSuiteCase): Promise<void> => {
      const other = await open()
      await put(storage, 0, 5)
      expectSame(await put(other, 3, 4), { stored: 2, existing: 2 }, 'by the other')
      const entries = [Uint8Array.of(9)]
      expectSame(
        await codeOf(() => storage.put({ stream: STREAM, from: 6, entries })),
        'CONFLICT',
        'other bytes',
      )
      for (const each of [storage, other]) await expectEntries(each, range(0, 7))
    },
  },
  {
    name: 'S1 put: what is put is taken during the call, not afterwards',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      const bytes = Uint8Array.of(1, 2, 3)
      await storage.put({ stream: STREAM, from: 0, entries: [bytes] })
      bytes.fill(9)
      const [entry] = await entriesOf(storage)
      expectSame(entry?.bytes, [1, 2, 3], 'the stored bytes')
    },
  },
  {
    name: 'S4 limit: the largest entry is stored, one above it is refused before anything is stored',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      const largest = new Uint8Array(STORED_ENTRY_BYTES_MAX).fill(7)
      await storage.put({ stream: STREAM, from: 0, entries: [largest] })
      const [entry] = await rawEntriesOf(storage)
      expectBytes(entry?.bytes ?? new Uint8Array(0), largest, 'the largest entry')
      const above = new Uint8Array(STORED_ENTRY_BYTES_MAX + 1)
      expectSame(
        await codeOf(() => storage.put({ stream: STREAM, from: 1, entries: [entryBytes(1), above] })),
        'ENTRY_INVALID',
        'one above',
      )
      expectSame((await storage.tail(STREAM))?.index, 0, 'the last index')
    },
  },
  {
    name: 'S4 limit: an entry may be empty, and an index as large as a number can be',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      const from = Number.MAX_SAFE_INTEGER - 3
      await storage.put({ stream: STREAM, from, entries: [new Uint8Array(0), Uint8Array.of(1)] })
      expectSame(
        await entriesOf(storage),
        [
          { index: from, bytes: [] },
          { index: from + 1, bytes: [1] },
        ],
        'entries',
      )
      expectSame((await storage.tail(STREAM))?.index, from + 1, 'the last index')
    },
  },
]

/** Each storage puts bytes of its own as entry 0, all at once. */
async function racingPuts(storages: readonly IntermediateStorage[], stream = STREAM): Promise<string[]> {
  return Promise.all(
    storages.map(async (storage, i) =>
      codeOf(() => storage.put({ stream, from: 0, entries: [Uint8Array.of(i), Uint8Array.of(i)] })),
    ),
  )
}

async function expectWinner(
  storage: IntermediateStorage,
  codes: readonly string[],
  stream = STREAM,
): Promise<void> {
  const winner = codes.indexOf('no error')
  const expected = [0, 1].map((index) => ({ index, bytes: [winner] }))
  expectSame(await entriesOf(storage, { stream }), expected, 'what is stored')
}
