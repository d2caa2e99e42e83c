import type { Journal } from '../journal/index.ts'
import { APPEND_TESTS } from './journal-suite-appends.ts'
import type {
  JournalSuiteSettings,
  JournalSuiteSupports,
  JournalSuiteTest,
  JournalUnderTest,
} from './journal-suite-case.ts'
import { LIFE_TESTS } from './journal-suite-life.ts'
import { READ_TESTS } from './journal-suite-reads.ts'
import type { SuiteTest } from './suite-test.ts'

/** The shape of a test runner: Vitest, node:test and Mocha have it. */
export interface SuiteRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: SuiteTest
  /** Tells of a test that is skipped. Default: it is not mentioned. */
  readonly skip?: SuiteTest
}

export interface JournalSuiteOptions extends Partial<JournalSuiteSettings> {
  readonly runner: SuiteRunner
  /** What the tests are grouped under. */
  readonly name: string
  /** Makes an empty journal that no other test uses. */
  readonly factory: () => Promise<JournalUnderTest>
  /** What the harness can do. A test is skipped by this alone. */
  readonly supports: JournalSuiteSupports
}

/**
 * Registers the promises J1 to J14 as tests, each named by its promise. A back end is what passes them.
 *
 * @example
 * journalSuite({
 *   runner: { describe, it },
 *   name: 'MemoryJournal',
 *   factory: async () => ({ journal: new MemoryJournal({ name: 'a/journal' }) }),
 *   supports: { prune: true, appendSync: true, open: false, kill: false, recreate: false, damage: false, loseAnswer: false },
 * })
 */
export function journalSuite(options: JournalSuiteOptions): void {
  const { runner, name, supports } = options
  runner.describe(`journal suite: ${name}`, () => {
    for (const test of [...APPEND_TESTS, ...READ_TESTS, ...LIFE_TESTS]) {
      const isSupported = (test.needs ?? []).every((need) => supports[need])
      const register = isSupported ? runner.it : runner.skip
      register?.(test.name, () => runTest(test, options))
    }
  })
}

async function runTest({ body }: JournalSuiteTest, options: JournalSuiteOptions): Promise<void> {
  const { severalFragmentsBytes = 200_000 } = options
  const under = await options.factory()
  const opened: Journal[] = []
  const open = async (): Promise<Journal> => {
    if (under.open === undefined) throw new TypeError('the harness declares open, and has none')
    const journal = await under.open()
    opened.push(journal)
    return journal
  }
  try {
    await body({ journal: under.journal, under, settings: { severalFragmentsBytes }, open })
  } finally {
    for (const journal of [under.journal, ...opened]) await journal.close()
    await under.dispose?.()
  }
}
