import { BLOB_TESTS } from './blob-cases.ts'
import type { BlobStoreUnderTest, BlobSuiteSupports, BlobSuiteTest } from './blob-cases.ts'
import type { SuiteRunner } from './journal-suite.ts'

export interface BlobSuiteOptions {
  readonly runner: SuiteRunner
  /** What the tests are grouped under. */
  readonly name: string
  /** Makes an empty store that no other test uses. */
  readonly factory: () => Promise<BlobStoreUnderTest>
  /** What store and harness can do. A test is skipped by this alone. */
  readonly supports: BlobSuiteSupports
  /** How many keys a long listing has. Default 1,200: more than a page of any engine. */
  readonly manyKeys?: number
}

/**
 * Registers the promises B1 to B8 as tests, each named by its promise. A back end is what passes them.
 *
 * @example
 * blobStoreSuite({
 *   runner: { describe, it },
 *   name: 'MemoryBlobStore',
 *   factory: async () => ({ store: new MemoryBlobStore() }),
 *   supports: { conditionalPut: true, damage: false },
 * })
 */
export function blobStoreSuite(options: BlobSuiteOptions): void {
  const { runner, name, supports } = options
  runner.describe(`blob store suite: ${name}`, () => {
    for (const test of BLOB_TESTS) {
      const register = test.needs === undefined || supports[test.needs] ? runner.it : runner.skip
      register?.(test.name, () => runTest(test, options))
    }
  })
}

async function runTest(
  { body }: BlobSuiteTest,
  { factory, manyKeys = 1200 }: BlobSuiteOptions,
): Promise<void> {
  const under = await factory()
  const { store } = under
  try {
    await body({ store, under, manyKeys })
  } finally {
    await store.close()
    await under.dispose?.()
  }
}
