/** J8, J9 and J14: what a read yields, and when. */
import { RecoveryLogError } from '../errors/index.ts'
import type { JournalChunk } from '../journal/index.ts'
import { expectBytes, expectPattern, grow, nextChunk, patternAt, readAll } from './journal-suite-case.ts'
import type { JournalSuiteTest, SuiteCase } from './journal-suite-case.ts'
import { codeOf, expectSame, expectThat } from './suite-test.ts'

export const READ_TESTS: readonly JournalSuiteTest[] = [
  {
    name: 'J8 read: every byte from the offset on, upwards, without a gap (offsets at, before and behind each boundary)',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      const ends = [0]
      for (const size of [10, 1, 100_000, 300_000, 5, 2_000_000, 3]) {
        const at = ends.at(-1) ?? 0
        await grow(journal, at, size)
        ends.push(at + size)
      }
      const head = ends.at(-1) ?? 0
      for (const end of ends) {
        for (const offset of [end - 1, end, end + 1]) {
          if (offset >= 0 && offset <= head) await expectPattern(journal, offset, head)
        }
      }
    },
  },
  {
    name: 'J8 read: a chunk stays as it is until the next one is asked for',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      await grow(journal, 0, 1_000)
      const iterator = journal.read({ offset: 0 })[Symbol.asyncIterator]()
      const { bytes } = await nextChunk(iterator)
      await grow(journal, 1_000, 200_000)
      await expectPattern(journal, 0, 201_000)
      expectBytes(bytes, patternAt(0, bytes.length), 'while it was held')
      await iterator.return?.()
    },
  },
  {
    name: 'J8 read: an offset that is none is the mistake of the caller',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      for (const offset of [-1, 0.5, Number.NaN, 2 ** 53]) {
        const code = await codeOf(() => readAll(journal, { offset }))
        expectThat(code.startsWith('RangeError'), `offset ${offset}: ${code}`)
      }
    },
  },
  {
    name: 'J9 block: without it a read ends at the head',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      expectSame(await readAll(journal, { offset: 0 }), [], 'of an empty journal')
      await grow(journal, 0, 10)
      await expectPattern(journal, 0, 10)
      expectSame(await readAll(journal, { offset: 10, block: false }), [], 'from the head')
      expectSame(await readAll(journal, { offset: 11 }), [], 'from behind the head')
    },
  },
  {
    name: 'J9 block: a read waits at the head, and misses nothing that is appended meanwhile (200 appends)',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      await expectFollowed(
        journal.read({ offset: 0, block: true })[Symbol.asyncIterator](),
        200,
        async (at, bytes) => {
          await grow(journal, at, bytes)
        },
      )
    },
  },
  {
    name: 'J9 block: a read wakes when another object appends (50 appends)',
    needs: ['open'],
    body: async ({ journal, open }: SuiteCase): Promise<void> => {
      const other = await open()
      await expectFollowed(
        other.read({ offset: 0, block: true })[Symbol.asyncIterator](),
        50,
        async (at, bytes) => {
          await grow(journal, at, bytes)
        },
      )
    },
  },
  {
    name: 'J9 block: a read from behind the head begins when the head has passed it',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      const iterator = journal.read({ offset: 15, block: true })[Symbol.asyncIterator]()
      const next = nextChunk(iterator)
      await grow(journal, 0, 10)
      await grow(journal, 10, 10)
      const { offset, bytes } = await next
      expectSame(offset, 15, 'offset')
      expectBytes(bytes, patternAt(15, 5), 'behind the head')
      await iterator.return?.()
    },
  },
  {
    name: 'J9 block: a signal ends the wait, and the journal goes on',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      const abort = new AbortController()
      const waiting = codeOf(() => readAll(journal, { offset: 0, block: true, signal: abort.signal }))
      await grow(journal, 0, 10)
      abort.abort()
      expectSame(await waiting, 'ABORTED', 'a read that waits')
      const late = codeOf(() => readAll(journal, { offset: 0, signal: abort.signal }))
      expectSame(await late, 'ABORTED', 'a signal that has fired before')
      await grow(journal, 10, 10)
      await expectPattern(journal, 0, 20)
    },
  },
  {
    name: 'J9 block: leaving the loop ends the read at once, also while it waits',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      await grow(journal, 0, 10)
      for await (const chunk of journal.read({ offset: 0, block: true })) {
        expectSame(chunk.offset, 0, 'offset')
        break
      }
      const iterator = journal.read({ offset: 10, block: true })[Symbol.asyncIterator]()
      const waiting = iterator.next()
      await iterator.return?.()
      expectSame((await waiting).done, true, 'a read that waited when it was left')
      expectSame((await iterator.next()).done, true, 'a read that was left')
    },
  },
  {
    name: 'J14 damage: found on reading, it is CORRUPT and says where; what is whole around it can be read',
    needs: ['damage'],
    body: async (test: SuiteCase): Promise<void> => {
      const { journal, under } = test
      for (let at = 0; at < 30_000; at += 10_000) await grow(journal, at, 10_000)
      const damaged = 14_321
      await under.damage?.(damaged)
      const { good, error } = await readUntilError(test, 0)
      expectThat(RecoveryLogError.is(error, 'CORRUPT'), `not CORRUPT but ${String(error)}`)
      const { journal: name, offset, length } = (error as RecoveryLogError).data as Record<string, number>
      expectSame(name, journal.name, 'the journal that is named')
      expectThat(
        offset !== undefined && length !== undefined && offset <= damaged,
        'an offset at or before the damage',
      )
      const [begin, end] = [Number(offset), Number(offset) + Number(length)]
      expectThat(end > damaged && end <= 30_000, `damage at ${damaged} is told as [${begin}, ${end})`)
      expectSame(good, begin, 'how far the read came')
      await expectPattern(journal, end, 30_000)
    },
  },
]

/** Appends while an iterator waits, and wants every byte of it to come. */
async function expectFollowed(
  iterator: AsyncIterator<JournalChunk>,
  appends: number,
  append: (at: number, bytes: number) => Promise<void>,
): Promise<void> {
  const sizes = Array.from({ length: appends }, (_, i) => 1 + ((i * 37) % 500))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const appended = (async () => {
    let at = 0
    for (const size of sizes) {
      await append(at, size)
      at += size
    }
  })()
  let read = 0
  while (read < total) {
    const { offset, bytes } = await nextChunk(iterator)
    expectSame(offset, read, 'where a chunk begins')
    expectBytes(bytes, patternAt(read, bytes.length), `at ${read}`)
    read += bytes.length
  }
  await appended
  await iterator.return?.()
}

async function readUntilError(
  { journal }: SuiteCase,
  from: number,
): Promise<{ good: number; error: unknown }> {
  let good = from
  try {
    for await (const { offset, bytes } of journal.read({ offset: from })) {
      expectBytes(bytes, patternAt(offset, bytes.length), `at ${offset}`)
      good = offset + bytes.length
    }
    return { good, error: undefined }
  } catch (error) {
    return { good, error }
  }
}
