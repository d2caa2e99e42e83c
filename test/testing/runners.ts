import { describe, it } from 'vitest'
import type { SuiteRunner } from '../../src/testing/index.ts'

/** Vitest as a suite wants its runner. */
export const vitestRunner: SuiteRunner = {
  describe,
  it: (name, body) => it(name, body),
  skip: (name, body) => it.skip(name, body),
}
