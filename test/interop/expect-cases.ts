import { join } from 'node:path'
import { expect, test } from 'vitest'
import { VectorRun } from './vector-run.ts'
import type { Rule, VectorSuite } from './vector-run.ts'

/** A test that runs the suite on our copy of the vectors and expects no failure, and just so many cases by each rule. */
export function expectCases(suite: VectorSuite, counts: Partial<Record<Rule, number>>): void {
  test(`vectors: ${suite.file}`, async () => {
    const run = new VectorRun(join(import.meta.dirname, '../vectors'))
    await suite.run(run)
    expect(run.failures).toEqual([])
    expect(Object.fromEntries(run.counts.get(suite.file) ?? [])).toEqual(counts)
  })
}
