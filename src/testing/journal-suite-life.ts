/** J10 to J13: order, the end of an object, pruning, identity. */
import type { Fragment, Journal, JournalChunk } from '../journal/index.ts'
import { expectBytes, expectPattern, grow, patternAt, readAll } from './journal-suite-case.ts'
import type { JournalSuiteTest, SuiteCase } from './journal-suite-case.ts'
import { codeOf, expectSame, expectThat } from './suite-test.ts'

export const LIFE_TESTS: readonly JournalSuiteTest[] = [
  {
    name: 'J10 order: appends of one object commit in the order of the calls (300, of many sizes)',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      let at = 0
      const commits = Array.from({ length: 300 }, (_, i) => {
        const bytes = i % 40 === 7 ? 100_000 : 1 + ((i * 31) % 900)
        const append = journal.append({ content: patternAt(at, bytes) })
        at += bytes
        return append
      })
      let end = 0
      for (const commit of await Promise.all(commits)) {
        expectSame(commit.begin, end, 'begin')
        end = commit.end
      }
      await expectPattern(journal, 0, at)
    },
  },
  {
    name: 'J10 order: a failure leaves those before it, takes those behind it with it, and later ones are tried anew',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      await journal.append({ content: patternAt(0, 10), union: [{ name: 'author', value: 'a' }] })
      const check = { include: [{ name: 'author', value: 'b' }] }
      const codes = Promise.all([
        codeOf(() => journal.append({ content: patternAt(10, 10) })),
        codeOf(() => journal.append({ content: patternAt(20, 10), check })),
        codeOf(() => journal.append({ content: patternAt(20, 10) })),
        codeOf(() => journal.append({ content: new Uint8Array(0) })),
      ])
      const [before, failed, ...behind] = await codes
      expectSame(before, 'no error', 'the one before')
      expectSame(failed, 'REGISTER_MISMATCH', 'the one that fails')
      expectThat(!behind.includes('no error'), `one behind a failure was taken: ${behind.join(', ')}`)
      await grow(journal, 20, 10)
      await expectPattern(journal, 0, 30)
    },
  },
  {
    name: 'J10 order: what is refused by itself fails those behind it too',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      const [refused, behind] = await Promise.all([
        codeOf(() => journal.append({ content: new Uint8Array(journal.maxAppendBytes + 1) })),
        codeOf(() => journal.append({ content: patternAt(0, 10) })),
      ])
      expectSame(refused, 'APPEND_TOO_LARGE', 'the one that fails')
      expectThat(behind !== 'no error', 'one behind a failure was taken')
      await grow(journal, 0, 10)
    },
  },
  {
    name: 'J10 order: a synchronous append comes after those that were called before it',
    needs: ['appendSync'],
    body: async ({ journal }: SuiteCase): Promise<void> => {
      const first = journal.append({ content: patternAt(0, 100_000) })
      const second = journal.append({ content: patternAt(100_000, 10) })
      const third = journal.appendSync?.({
        content: patternAt(100_010, 20),
        union: [{ name: 'author', value: 'a' }],
      })
      expectSame([third?.begin, third?.end], [100_010, 100_030], 'the synchronous one')
      expectSame(third?.registers, [{ name: 'author', value: 'a' }], 'its registers')
      expectSame([(await first).begin, (await second).begin], [0, 100_000], 'those before')
      await grow(journal, 100_030, 5)
      const fourth = journal.appendSync?.({ content: patternAt(100_035, 70_000) })
      expectSame(fourth?.begin, 100_035, 'one by itself')
      await expectPattern(journal, 0, 170_035)
      const check = { include: [{ name: 'author', value: 'b' }] }
      const code = await codeOf(async () => journal.appendSync?.({ content: patternAt(0, 1), check }))
      expectSame(code, 'REGISTER_MISMATCH', 'one that fails')
    },
  },
  {
    name: 'J10 order: an abort ends the wait, not the order',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      const fired = AbortSignal.abort()
      expectSame(
        await codeOf(() => journal.append({ content: patternAt(0, 10), signal: fired })),
        'ABORTED',
        'fired before',
      )
      await grow(journal, 0, 10)
      const abort = new AbortController()
      const waiting = codeOf(() => journal.append({ content: patternAt(10, 10), signal: abort.signal }))
      abort.abort()
      expectThat(['ABORTED', 'no error'].includes(await waiting), 'an abort while it waits')
      const { end } = await journal.append({ content: new Uint8Array(0) })
      expectThat(end === 10 || end === 20, `the head is ${end}`)
      await expectPattern(journal, 0, end)
    },
  },
  {
    name: 'J11 close: waits for appends under way; later calls get CLOSED',
    body: async ({ journal, under }: SuiteCase): Promise<void> => {
      let answered = 0
      for (const bytes of [10, 90_000, 5]) {
        journal.append({ content: patternAt(0, bytes) }).then(
          () => answered++,
          () => undefined,
        )
      }
      await journal.close()
      for (let turn = 0; turn < 20; turn++) await Promise.resolve() // an answer may pass through a few hands
      expectSame(answered, 3, 'appends that were answered before close was')
      await journal.close()
      const calls: [string, () => Promise<unknown>][] = [
        ['append', () => journal.append({ content: new Uint8Array(1) })],
        ['empty append', () => journal.append({ content: new Uint8Array(0) })],
        ['head', () => journal.head()],
        ['read', () => readAll(journal, { offset: 0 })],
      ]
      if (journal.supports.appendSync) {
        calls.push(['appendSync', async () => journal.appendSync?.({ content: new Uint8Array(1) })])
      }
      if (journal.supports.prune) {
        calls.push(['fragments', async () => journal.fragments?.()])
        calls.push(['remove', async () => journal.remove?.({ begin: 0, end: 1 })])
      }
      for (const [what, call] of calls) expectSame(await codeOf(call), 'CLOSED', what)
      const again = await under.open?.()
      if (again === undefined) return
      expectSame((await again.head()).offset, 90_015, 'head')
      await again.close()
    },
  },
  {
    name: 'J11 close: a read that waits gets CLOSED',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      await grow(journal, 0, 10)
      const waiting = codeOf(() => readAll(journal, { offset: 0, block: true }))
      await Promise.resolve()
      await journal.close()
      expectSame(await waiting, 'CLOSED', 'the read')
    },
  },
  {
    name: 'J12 pruning: fragments cover what is stored, in order; removed ones are gone, and reads jump over them',
    needs: ['prune'],
    body: async ({ journal, settings }: SuiteCase): Promise<void> => {
      const head = await growFragments(journal, settings.severalFragmentsBytes)
      const fragments = await listFragments(journal)
      expectThat(fragments.length >= 3, `${fragments.length} fragments: set severalFragmentsBytes higher`)
      expectSame(coverage(fragments), [[0, head]], 'coverage')
      const [first, second] = fragments as [Fragment, Fragment]
      await journal.remove?.(second)
      await journal.remove?.(second)
      expectSame(
        coverage(await listFragments(journal)),
        [
          [0, first.end],
          [second.end, head],
        ],
        'without the second',
      )
      expectSame(
        await readSpans(journal, 0),
        [
          [0, first.end],
          [second.end, head],
        ],
        'a read',
      )
      await journal.remove?.(first)
      expectSame(await readSpans(journal, 0), [[second.end, head]], 'a read of what is left')
      expectSame(
        await readSpans(journal, second.begin + 1),
        [[second.end, head]],
        'a read from inside of a hole',
      )
      expectSame((await journal.head()).offset, head, 'head')
      await grow(journal, head, 10)
    },
  },
  {
    name: 'J12 pruning: the fragment at the head stays, and nothing is removed by a span that is none',
    needs: ['prune'],
    body: async ({ journal, settings }: SuiteCase): Promise<void> => {
      const head = await growFragments(journal, settings.severalFragmentsBytes)
      const fragments = await listFragments(journal)
      const [first, last] = [fragments[0], fragments.at(-1)] as [Fragment, Fragment]
      const remove = (fragment: Fragment): Promise<string> => codeOf(async () => journal.remove?.(fragment))
      expectSame(await remove(last), 'INVALID', 'the one at the head')
      expectSame(await remove({ begin: first.begin, end: first.end - 1 }), 'INVALID', 'a part of one')
      expectSame(await remove({ begin: head + 10, end: head + 20 }), 'no error', 'what is not there')
      expectSame(await readSpans(journal, 0), [[0, head]], 'a read')
    },
  },
  {
    name: 'J12 pruning: a read that has begun goes on, or jumps, while it is pruned under it',
    needs: ['prune'],
    body: async ({ journal, settings }: SuiteCase): Promise<void> => {
      const head = await growFragments(journal, settings.severalFragmentsBytes)
      let at = 0
      for await (const { offset, bytes } of journal.read({ offset: 0 })) {
        expectThat(offset >= at, `a chunk at ${offset} after ${at}`)
        expectBytes(bytes, patternAt(offset, bytes.length), `at ${offset}`)
        at = offset + bytes.length
        for (const fragment of await listFragments(journal)) {
          if (fragment.end < head) await journal.remove?.(fragment)
        }
      }
      expectSame(at, head, 'where it ended')
    },
  },
  {
    name: 'J13 identity: the same for every object on one journal',
    needs: ['open'],
    body: async ({ journal, open }: SuiteCase): Promise<void> => {
      const other = await open()
      expectSame([other.name, other.id], [journal.name, journal.id], 'name and id')
      expectThat(journal.id.length > 0, 'an empty id')
    },
  },
  {
    name: 'J13 identity: a journal that was deleted and made anew has the same name and another id',
    needs: ['recreate'],
    body: async ({ journal, under }: SuiteCase): Promise<void> => {
      await grow(journal, 0, 10)
      const { name, id } = journal
      const anew = await under.recreate?.()
      if (anew === undefined) return
      expectSame(anew.name, name, 'name')
      expectThat(anew.id !== id, 'the same id')
      expectSame(await anew.head(), { offset: 0, registers: [] }, 'head')
      await anew.close()
    },
  },
]

async function growFragments(journal: Journal, bytes: number): Promise<number> {
  let at = 0
  for (; at < bytes; at += 1_000) await grow(journal, at, 1_000)
  return at
}

async function listFragments(journal: Journal): Promise<readonly Fragment[]> {
  return (await journal.fragments?.()) ?? []
}

/** Spans that touch, joined. Fails when they overlap or are out of order. */
function coverage(spans: readonly Fragment[]): [number, number][] {
  const joined: [number, number][] = []
  for (const { begin, end } of spans) {
    const last = joined.at(-1)
    expectThat(end > begin && begin >= (last?.[1] ?? 0), `a span [${begin}, ${end}) is out of order`)
    if (last?.[1] === begin) last[1] = end
    else joined.push([begin, end])
  }
  return joined
}

async function readSpans(journal: Journal, offset: number): Promise<[number, number][]> {
  const chunks: JournalChunk[] = await readAll(journal, { offset })
  for (const chunk of chunks) {
    expectBytes(chunk.bytes, patternAt(chunk.offset, chunk.bytes.length), `at ${chunk.offset}`)
  }
  return coverage(chunks.map((chunk) => ({ begin: chunk.offset, end: chunk.offset + chunk.bytes.length })))
}
