import type { StreamStore } from '../coordinator/index.ts'
import type { SuiteRunner } from './journal-suite.ts'
import { STREAM_STORE_TESTS } from './stream-store-cases.ts'
import type {
  StreamStoreSuiteSupports,
  StreamStoreSuiteTest,
  StreamStoreUnderTest,
} from './stream-store-cases.ts'

export interface StreamStoreSuiteOptions {
  readonly runner: SuiteRunner
  /** What the tests are grouped under. */
  readonly name: string
  /** Makes an empty store that no other test uses. */
  readonly factory: () => Promise<StreamStoreUnderTest>
  /** What store and harness can do. A test is skipped by this alone. */
  readonly supports: StreamStoreSuiteSupports
}

/**
 * Registers the promises Q4 and Q5 as tests, each named by its promise. A back end is what passes them.
 *
 * @example
 * streamStoreSuite({
 *   runner: { describe, it },
 *   name: 'MemoryStreamStore',
 *   factory: async () => ({ store: new MemoryStreamStore() }),
 *   supports: { shared: false, durable: false },
 * })
 */
export function streamStoreSuite(options: StreamStoreSuiteOptions): void {
  const { runner, name, supports } = options
  runner.describe(`stream store suite: ${name}`, () => {
    for (const test of STREAM_STORE_TESTS) {
      const register = test.needs === undefined || supports[test.needs] ? runner.it : runner.skip
      register?.(test.name, () => runTest(test, options))
    }
  })
}

async function runTest({ body }: StreamStoreSuiteTest, { factory }: StreamStoreSuiteOptions): Promise<void> {
  const under = await factory()
  const { store } = under
  const open = async (): Promise<StreamStore> => (await under.another?.()) ?? store
  const another = await open()
  try {
    await body({ store, another, reopen: open })
  } finally {
    await store.close()
    await another.close()
    await under.dispose?.()
  }
}
