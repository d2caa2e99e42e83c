/** What outlives a process, and seals: S5 and S6. */
import type { IntermediateStorage, StreamName } from '../storage/index.ts'
import {
  ODD_STREAMS,
  STREAM,
  entryBytes,
  expectEntries,
  put,
  range,
  rawEntriesOf,
} from './storage-suite-case.ts'
import type { StorageSuiteCase, StorageSuiteTest } from './storage-suite-case.ts'
import { codeOf, expectSame, expectThat } from './suite-test.ts'

export const STORAGE_LIFE_TESTS: readonly StorageSuiteTest[] = [
  {
    name: 'S5 durable: what was acknowledged is there after a close, and for others at once',
    needs: ['open'],
    body: async ({ storage, open }: StorageSuiteCase): Promise<void> => {
      await put(storage, 0, 1000)
      await expectEntries(await open(), range(0, 1000))
      await put(storage, 1000, 10)
      await storage.close()
      await expectEntries(await open(), range(0, 1010))
    },
  },
  {
    name: 'S5 durable: what was acknowledged is there after a kill, seals and removals too',
    needs: ['open', 'kill'],
    body: async ({ storage, under, open }: StorageSuiteCase): Promise<void> => {
      const [sealed, expunged] = [ODD_STREAMS[1] as StreamName, ODD_STREAMS[2] as StreamName]
      await put(storage, 0, 100)
      await put(storage, 0, 10, sealed)
      await put(storage, 0, 10, expunged)
      await storage.seal(sealed, 'attempt')
      await storage.expunge(expunged)
      await under.kill?.()
      const next = await open()
      await expectEntries(next, range(0, 100))
      await expectEntries(next, range(0, 10), { stream: sealed })
      await expectEntries(next, [], { stream: expunged })
      expectSame(await codeOf(() => put(next, 10, 1, sealed)), 'SEALED', 'a put into the sealed one')
      expectSame(await put(next, 95, 10), { stored: 5, existing: 5 }, 'a put behind it')
    },
  },
  {
    name: 'S6 seal: puts store nothing and are answered SEALED, those of what exists too',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      await put(storage, 0, 3)
      await storage.seal(STREAM, 'attempt')
      expectSame(await codeOf(() => put(storage, 3, 1)), 'SEALED', 'a new entry')
      expectSame(await codeOf(() => put(storage, 0, 1)), 'SEALED', 'one that exists')
      await expectEntries(storage, [0, 1, 2])
      await storage.seal(STREAM, 'attempt')
      expectSame(await codeOf(() => put(storage, 3, 1)), 'SEALED', 'after a second seal')
    },
  },
  {
    name: 'S6 seal: holds for a stream that has no entries yet',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      await storage.seal(STREAM, 'attempt')
      expectSame(await codeOf(() => put(storage, 0, 1)), 'SEALED', 'the first put')
      await expectEntries(storage, [])
    },
  },
  {
    name: 'S6 unseal: only the holder takes the seal away, and the last one who sealed is it',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      await storage.unseal(STREAM, 'first')
      await storage.seal(STREAM, 'first')
      await storage.unseal(STREAM, 'second')
      expectSame(await codeOf(() => put(storage, 0, 1)), 'SEALED', 'unsealed by another')
      await storage.seal(STREAM, 'second')
      await storage.unseal(STREAM, 'first')
      expectSame(await codeOf(() => put(storage, 0, 1)), 'SEALED', 'unsealed by an earlier holder')
      await storage.unseal(STREAM, 'second')
      expectSame(await codeOf(() => put(storage, 0, 1)), 'no error', 'unsealed by the holder')
      await expectEntries(storage, [0])
    },
  },
  {
    name: 'S6 expunge: keeps the seal',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      await put(storage, 0, 3)
      await storage.seal(STREAM, 'attempt')
      await storage.expunge(STREAM)
      expectSame(await codeOf(() => put(storage, 3, 1)), 'SEALED', 'a put')
      await storage.unseal(STREAM, 'attempt')
      expectSame(await put(storage, 3, 1), { stored: 1, existing: 0 }, 'after the unseal')
    },
  },
  {
    name: 'S6 race: what was acknowledged before a seal is there when the seal is answered, the rest is not',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => raceWithSeal(storage, storage),
  },
  {
    name: 'S6 race: a seal by one object against puts by another',
    needs: ['open'],
    body: async ({ storage, open }: StorageSuiteCase): Promise<void> => raceWithSeal(storage, await open()),
  },
  {
    name: 'S6 seal: holds for other objects, and for those that come later',
    needs: ['open'],
    body: async ({ storage, open }: StorageSuiteCase): Promise<void> => {
      const other = await open()
      await put(storage, 0, 1)
      await storage.seal(STREAM, 'attempt')
      expectSame(await codeOf(() => put(other, 1, 1)), 'SEALED', 'by another object')
      await storage.close()
      const later = await open()
      expectSame(await codeOf(() => put(later, 1, 1)), 'SEALED', 'by a later object')
      await later.unseal(STREAM, 'attempt')
      expectSame(await codeOf(() => put(other, 1, 1)), 'no error', 'after the unseal')
    },
  },
  {
    name: 'S6 abort: a call that is aborted before it begins does nothing',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      const signal = AbortSignal.abort(new Error('why'))
      await put(storage, 0, 1)
      const calls: (() => Promise<unknown>)[] = [
        () => storage.put({ stream: STREAM, from: 1, entries: [entryBytes(1)], signal }),
        () => rawEntriesOf(storage, { signal }),
        () => storage.tail(STREAM, { signal }),
        () => storage.seal(STREAM, 'attempt', { signal }),
        () => storage.unseal(STREAM, 'attempt', { signal }),
        () => storage.expunge(STREAM, { signal }),
      ]
      for (const call of calls) expectSame(await codeOf(call), 'ABORTED', String(call))
      expectSame(await put(storage, 1, 1), { stored: 1, existing: 0 }, 'afterwards')
      await expectEntries(storage, [0, 1])
    },
  },
  {
    name: 'S6 close: may come twice, waits for puts under way, and later calls are answered CLOSED',
    body: async ({ storage }: StorageSuiteCase): Promise<void> => {
      const putting = put(storage, 0, 10)
      await storage.close()
      await storage.close()
      expectSame(await putting, { stored: 10, existing: 0 }, 'the put under way')
      const calls: (() => Promise<unknown>)[] = [
        () => put(storage, 1, 1),
        () => rawEntriesOf(storage),
        () => storage.tail(STREAM),
        () => storage.seal(STREAM, 'attempt'),
        () => storage.unseal(STREAM, 'attempt'),
        () => storage.expunge(STREAM),
      ]
      for (const call of calls) expectSame(await codeOf(call), 'CLOSED', String(call))
    },
  },
]

/**
 * Puts go on while a seal is asked for. Whatever was acknowledged must be there when the seal is answered, and nothing
 * that comes after it: what a put wrote that was answered SEALED may be there, but does not appear later.
 */
async function raceWithSeal(putter: IntermediateStorage, sealer: IntermediateStorage): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const stream = { ...STREAM, path: `${STREAM.path}${round}` }
    const puts = range(0, 12).map(async (i) => {
      for (let turn = 0; turn < i; turn++) await Promise.resolve()
      return codeOf(() => put(putter, i * 2, 2, stream))
    })
    for (let turn = 0; turn < round; turn++) await Promise.resolve()
    await sealer.seal(stream, 'attempt')
    const seen = (await rawEntriesOf(sealer, { stream })).map(({ index }) => index)
    const codes = await Promise.all(puts)
    for (const [i, code] of codes.entries()) {
      expectThat(code === 'no error' || code === 'SEALED', `a put was answered ${code}`)
      if (code === 'no error') {
        expectThat(seen.includes(i * 2) && seen.includes(i * 2 + 1), `an acknowledged entry is not there`)
      }
    }
    await expectSubset(putter, stream, codes)
  }
}

/** All that was acknowledged is there for the other object too. */
async function expectSubset(
  storage: IntermediateStorage,
  stream: StreamName,
  codes: readonly string[],
): Promise<void> {
  const there = (await rawEntriesOf(storage, { stream })).map(({ index }) => index)
  for (const [i, code] of codes.entries()) {
    if (code === 'no error') expectThat(there.includes(i * 2), `entry ${i * 2} was lost`)
  }
}
