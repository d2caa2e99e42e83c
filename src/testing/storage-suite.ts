import type { IntermediateStorage } from '../storage/index.ts'
import type { SuiteRunner } from './journal-suite.ts'
import type { StorageSuiteSupports, StorageSuiteTest, StorageUnderTest } from './storage-suite-case.ts'
import { STORAGE_LIFE_TESTS } from './storage-suite-life.ts'
import { STORAGE_PUT_TESTS } from './storage-suite-puts.ts'
import { STORAGE_READ_TESTS } from './storage-suite-reads.ts'

export interface StorageSuiteOptions {
  readonly runner: SuiteRunner
  /** What the tests are grouped under. */
  readonly name: string
  /** Makes an empty storage that no other test uses. */
  readonly factory: () => Promise<StorageUnderTest>
  /** What storage and harness can do. A test is skipped by this alone. */
  readonly supports: StorageSuiteSupports
  /** How many entries a long stream has. Default 10,000: more than a get gives at once. */
  readonly manyEntries?: number
}

/**
 * Registers the promises S1 to S6 of intermediate storage as tests, each named by its promise. A back end is what passes
 * them.
 *
 * @example
 * storageSuite({
 *   runner: { describe, it },
 *   name: 'MemoryStorage',
 *   factory: async () => ({ storage: new MemoryStorage() }),
 *   supports: { open: false, kill: false, clock: false },
 * })
 */
export function storageSuite(options: StorageSuiteOptions): void {
  const { runner, name, supports } = options
  runner.describe(`storage suite: ${name}`, () => {
    for (const test of [...STORAGE_PUT_TESTS, ...STORAGE_READ_TESTS, ...STORAGE_LIFE_TESTS]) {
      const isSupported = (test.needs ?? []).every((need) => supports[need])
      const register = isSupported ? runner.it : runner.skip
      register?.(test.name, () => runTest(test, options))
    }
  })
}

async function runTest(
  { body }: StorageSuiteTest,
  { factory, manyEntries = 10_000 }: StorageSuiteOptions,
): Promise<void> {
  const under = await factory()
  const opened: IntermediateStorage[] = []
  const open = async (): Promise<IntermediateStorage> => {
    if (under.open === undefined) throw new TypeError('the harness declares open, and has none')
    const storage = await under.open()
    opened.push(storage)
    return storage
  }
  try {
    await body({ storage: under.storage, under, manyEntries, open })
  } finally {
    for (const storage of [under.storage, ...opened]) await storage.close()
    await under.dispose?.()
  }
}
