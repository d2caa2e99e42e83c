/** J1 to J7: what an append is. */
import type { Commit, Journal, Label } from '../journal/index.ts'
import {
  expectBytes,
  expectPattern,
  expectPatternUntil,
  grow,
  patternAt,
  readAll,
} from './journal-suite-case.ts'
import type { JournalSuiteTest, SuiteCase } from './journal-suite-case.ts'
import { codeOf, expectSame, expectThat } from './suite-test.ts'

const OWNER = 'author'

export const APPEND_TESTS: readonly JournalSuiteTest[] = [
  {
    name: 'J1 atomic: all bytes of an append lie at [begin, end) (sizes from 1 byte to 3 MB)',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      let at = 0
      for (const size of [1, 2, 1_000, 65_535, 65_536, 65_537, 1_048_576, 3_000_001]) {
        await grow(journal, at, size)
        at += size
      }
      await expectPattern(journal, 0, at)
    },
  },
  {
    name: 'J1 atomic: an append that is refused leaves no byte',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      await grow(journal, 0, 10, { union: [owner('a')] })
      await codeOf(() => journal.append({ content: patternAt(10, 70_000), check: { include: [owner('b')] } }))
      await codeOf(() => journal.append({ content: patternAt(10, 5), union: [label('', '')] }))
      const { offset } = await journal.head()
      expectThat(offset === 10, `refused appends left ${offset - 10} bytes`)
      const bytes = (await readAll(journal, { offset: 0 })).reduce(
        (sum, chunk) => sum + chunk.bytes.length,
        0,
      )
      expectThat(bytes === 10, `refused appends left ${bytes - 10} bytes to be read`)
    },
  },
  {
    name: 'J1 atomic: after a kill each append is there whole, or not at all',
    needs: ['open', 'kill'],
    body: async ({ journal, under, open }: SuiteCase): Promise<void> => {
      await grow(journal, 0, 1_000)
      const sizes = [70_000, 1, 300_000, 1_000]
      let at = 1_000
      const ends = [at]
      for (const size of sizes) {
        journal.append({ content: patternAt(at, size) }).catch(() => undefined)
        ends.push((at += size))
      }
      await Promise.resolve()
      await under.kill?.()
      const again = await open()
      // What was not acknowledged may land until somebody else appends, whole.
      const { begin } = await again.append({ content: patternAt(0, 10) })
      expectThat(ends.includes(begin), `the head ${begin} lies inside of an append`)
      const [last] = await readAll(again, { offset: begin })
      expectBytes(last?.bytes ?? new Uint8Array(0), patternAt(0, 10), 'after the kill')
      await expectPatternUntil(again, begin)
    },
  },
  {
    name: 'J2 contiguous: an append begins where the one before ended',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      const commits = await Promise.all(
        [5, 70_000, 1, 0, 12].map((n) => journal.append({ content: patternAt(0, n) })),
      )
      let at = 0
      for (const { begin, end } of commits) {
        expectSame(begin, at, 'begin')
        at = end
      }
      expectSame(at, 70_018, 'the end of all')
      expectSame((await journal.append({ content: patternAt(0, 1) })).begin, at, 'begin')
    },
  },
  {
    name: 'J2 contiguous: what lies at an offset never changes',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      await grow(journal, 0, 100)
      const before = await readAll(journal, { offset: 0 })
      for await (const { bytes } of journal.read({ offset: 0 })) bytes.fill(0xee) // they are ours until the next
      await grow(journal, 100, 100_000)
      await grow(journal, 100_100, 7)
      const [first] = await readAll(journal, { offset: 0 })
      expectBytes(
        first?.bytes.subarray(0, 100) ?? new Uint8Array(0),
        before[0]?.bytes ?? new Uint8Array(0),
        'at 0',
      )
      await expectPattern(journal, 0, 100_107)
    },
  },
  {
    name: 'J3 durable: the journal declares what its promises survive',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      expectThat(['memory', 'process', 'disk', 'replicated'].includes(journal.durability), journal.durability)
    },
  },
  {
    name: 'J3 durable: what was acknowledged is there when the journal is opened again',
    needs: ['open'],
    body: async ({ journal, open }: SuiteCase): Promise<void> => {
      await grow(journal, 0, 1_000, { union: [owner('a')] })
      await grow(journal, 1_000, 200_000)
      await journal.close()
      const again = await open()
      expectSame(await again.head(), { offset: 201_000, registers: [owner('a')] }, 'head')
      await expectPattern(again, 0, 201_000)
      await grow(again, 201_000, 5)
      await expectPattern(again, 0, 201_005)
    },
  },
  {
    name: 'J3 durable: what was acknowledged is there after a kill',
    needs: ['open', 'kill'],
    body: async ({ journal, under, open }: SuiteCase): Promise<void> => {
      let at = 0
      for (const size of [1, 100_000, 10]) {
        await grow(journal, at, size, { union: [owner(`after-${at}`)] })
        at += size
      }
      await under.kill?.()
      const again = await open()
      const { offset, registers } = await again.head()
      expectThat(offset >= at, `${at - offset} acknowledged bytes are lost`)
      expectSame(registers, [owner('after-100001')], 'registers')
      await expectPattern(again, 0, at)
    },
  },
  {
    name: 'J4 registers: checked, subtracted, united, and told by commit and head',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      const steps: [string, Parameters<Journal['append']>[0], string, Label[]][] = [
        ['none match everything', { content: one(), check: { include: [owner('x')] } }, 'no error', []],
        [
          'set',
          { content: one(), union: [label('zone', 'z'), owner('a')] },
          'no error',
          [owner('a'), label('zone', 'z')],
        ],
        ['kept', { content: one() }, 'no error', [owner('a'), label('zone', 'z')]],
        [
          'empty value',
          { content: one(), check: { include: [owner('')] } },
          'no error',
          [owner('a'), label('zone', 'z')],
        ],
        [
          'prefix',
          {
            content: one(),
            check: { include: [{ name: 'zone', value: 'z', prefix: true }] },
            union: [owner('ab')],
          },
          'no error',
          [owner('ab'), label('zone', 'z')],
        ],
        ['exclude', { content: one(), check: { exclude: [owner('ab')] } }, 'REGISTER_MISMATCH', []],
        ['include', { content: one(), check: { include: [owner('a')] } }, 'REGISTER_MISMATCH', []],
        [
          'subtract another',
          { content: one(), subtract: [owner('a')] },
          'no error',
          [owner('ab'), label('zone', 'z')],
        ],
        ['subtract', { content: one(), subtract: [owner('ab')] }, 'no error', [label('zone', 'z')]],
        [
          'subtract, then unite',
          { content: one(), subtract: [label('zone', 'z')], union: [owner('b'), owner('a')] },
          'no error',
          [owner('a'), owner('b')],
        ],
      ]
      let registers: readonly Label[] = []
      for (const [what, request, code, after] of steps) {
        let commit: Commit | undefined
        expectSame(await codeOf(async () => (commit = await journal.append(request))), code, what)
        if (code === 'no error') {
          registers = after
          expectSame(commit?.registers, registers, `registers of the commit: ${what}`)
        }
        expectSame((await journal.head()).registers, registers, `registers of the head: ${what}`)
      }
    },
  },
  {
    name: 'J4 registers: of racing appends that check one label and replace it exactly one wins (8 by one object)',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      await journal.append({ content: one(), union: [owner('old')] })
      await expectOneWinner(
        journal,
        Array.from({ length: 8 }, () => journal),
      )
    },
  },
  {
    name: 'J4 registers: of racing appends that check one label and replace it exactly one wins (4 objects)',
    needs: ['open'],
    body: async ({ journal, open }: SuiteCase): Promise<void> => {
      await journal.append({ content: one(), union: [owner('old')] })
      const others = [await open(), await open(), await open()]
      await expectOneWinner(journal, [journal, ...others])
    },
  },
  {
    name: 'J4 registers: what is malformed is refused with its place, and changes nothing',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      for (const [content, more] of [
        [one(), { union: [label('', 'x')] }],
        [one(), { union: [label('a', 'x\0')] }],
        [new Uint8Array(0), { union: [owner('a')] }],
        [new Uint8Array(0), { subtract: [] }],
      ] as const) {
        expectSame(
          await codeOf(() => journal.append({ content, ...more })),
          'REGISTER_INVALID',
          'a malformed register',
        )
      }
      expectSame((await journal.head()).registers, [], 'registers')
    },
  },
  {
    name: 'J5 no doubt: an append whose answer was lost is there once, or not at all, and the caller is told which',
    needs: ['loseAnswer'],
    body: async ({ journal, under }: SuiteCase): Promise<void> => {
      await grow(journal, 0, 100)
      under.loseAnswer?.()
      const code = await codeOf(() => journal.append({ content: patternAt(100, 50) }))
      const { offset } = await journal.head()
      const allowed = code === 'no error' ? [150] : code === 'OUTCOME_UNKNOWN' ? [100, 150] : [100]
      expectThat(allowed.includes(offset), `answered with ${code}, and the head is ${offset}`)
      const later = await codeOf(() => journal.append({ content: patternAt(offset, 10) }))
      expectSame(later, code === 'OUTCOME_UNKNOWN' ? 'OUTCOME_UNKNOWN' : 'no error', 'a later append')
      await expectPattern(journal, 0, later === 'no error' ? offset + 10 : offset)
    },
  },
  {
    name: 'J6 empty append: answers with the head, checks registers, changes nothing',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      expectSame(
        await journal.append({ content: new Uint8Array(0) }),
        { begin: 0, end: 0, registers: [] },
        'at first',
      )
      await journal.append({ content: patternAt(0, 10), union: [owner('a')] })
      const head = { begin: 10, end: 10, registers: [owner('a')] }
      expectSame(await journal.append({ content: new Uint8Array(0) }), head, 'no check')
      const check = (value: string): Promise<Commit> =>
        journal.append({ content: new Uint8Array(0), check: { include: [owner(value)] } })
      expectSame(await check('a'), head, 'a check that holds')
      expectSame(await codeOf(() => check('b')), 'REGISTER_MISMATCH', 'a check that fails')
      expectSame(await journal.head(), { offset: 10, registers: [owner('a')] }, 'head')
      await expectPattern(journal, 0, 10)
    },
  },
  {
    name: 'J6 empty append: it and head() see what another object appended, and take nothing from it',
    needs: ['open'],
    body: async ({ journal, open }: SuiteCase): Promise<void> => {
      const other = await open()
      for (let at = 0; at < 30; at += 10) {
        await grow(journal, at, 10, { union: [owner('a')] })
        expectSame(await other.head(), { offset: at + 10, registers: [owner('a')] }, 'head of the other')
        const { end } = await other.append({ content: new Uint8Array(0), check: { include: [owner('a')] } })
        expectSame(end, at + 10, 'an empty append of the other')
      }
    },
  },
  {
    name: 'J7 bounded: an append of maxAppendBytes is taken, a larger one refused before anything is sent',
    body: async ({ journal }: SuiteCase): Promise<void> => {
      const { maxAppendBytes } = journal
      const content = new Uint8Array(maxAppendBytes + 1)
      const larger = await codeOf(() => journal.append({ content, union: [owner('a')] }))
      expectSame(larger, 'APPEND_TOO_LARGE', 'one byte too many')
      expectSame(await journal.head(), { offset: 0, registers: [] }, 'head')
      const { begin, end } = await journal.append({ content: content.subarray(1) })
      expectSame([begin, end], [0, maxAppendBytes], 'an append of maxAppendBytes')
    },
  },
]

function label(name: string, value: string): Label {
  return { name, value }
}

function owner(value: string): Label {
  return label(OWNER, value)
}

function one(): Uint8Array {
  return new Uint8Array(1)
}

async function expectOneWinner(journal: Journal, racers: readonly Journal[]): Promise<void> {
  const codes = await Promise.all(
    racers.map((racer, i) =>
      codeOf(() =>
        racer.append({ content: one(), check: { include: [owner('old')] }, union: [owner(`new-${i}`)] }),
      ),
    ),
  )
  const winners = codes.flatMap((code, i) => (code === 'no error' ? [i] : []))
  expectSame(winners.length, 1, `winners among ${codes.join(', ')}`)
  const { registers } = await journal.head()
  expectSame(registers, [owner(`new-${winners[0] ?? ''}`)], 'registers after the race')
}
