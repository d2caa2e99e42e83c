import { describe, it } from 'vitest'
import type { SuiteRunner } from '../../src/testing/index.ts'

/** Vitest as a suite wants its runner. A suite skips what a back end says that it does not support (`supports`), and that alone. */
export const vitestRunner: SuiteRunner = {
  describe,
  it: (name, body) => it(name, body),
  skip: (name, body) => it.skip(name, body),
}
