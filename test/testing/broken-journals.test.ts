import { describe, expect, it } from 'vitest'
import { journalSuite } from '../../src/testing/index.ts'
import { BROKEN_JOURNALS } from './broken-journals.ts'
import type { BrokenJournal } from './broken-journals.ts'

/** A promise that is broken by waiting for ever is noticed by the runner's patience. */
const PATIENCE_MS = 500

const SUPPORTS = {
  prune: true,
  appendSync: true,
  open: true,
  kill: false,
  recreate: true,
  damage: false,
  loseAnswer: false,
}

/** Runs the suite against a broken journal; answers the tests that failed, with why. */
async function failuresOf({ factory, supports }: BrokenJournal): Promise<[string, string][]> {
  const tests: [string, () => Promise<void>][] = []
  journalSuite({
    runner: { describe: (_name, body) => body(), it: (name, body) => tests.push([name, body]) },
    name: 'broken',
    factory: async () => factory(),
    supports: { ...SUPPORTS, ...supports },
  })
  const failures: [string, string][] = []
  for (const [name, body] of tests) {
    const failure = await failureOf(body)
    if (failure !== undefined) failures.push([name, failure])
  }
  return failures
}

async function failureOf(body: () => Promise<void>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, 'waits for ever')
  })
  const failure = await Promise.race([body().then(() => undefined, String), tooLong])
  clearTimeout(timer)
  return failure
}

describe('journal suite: fails on every broken journal, by the tests of the broken promise alone', () => {
  it.each(BROKEN_JOURNALS)('$promise: $how', async (journal) => {
    const failures = await failuresOf(journal)
    expect(failures).not.toEqual([])
    const others = failures.filter(([name]) => !name.startsWith(`${journal.promise} `))
    expect(others).toEqual([])
  })

  it('every promise has a broken journal', () => {
    const promises = new Set(BROKEN_JOURNALS.map(({ promise }) => promise))
    expect([...promises]).toEqual(Array.from({ length: 14 }, (_, i) => `J${i + 1}`))
  })
})
