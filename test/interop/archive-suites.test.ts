import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { suite as bundles } from './bundles.ts'
import { suite as messages } from './messages.ts'
import { suite as names } from './names.ts'
import { suite as recordio } from './recordio.ts'
import { VectorRun } from './vector-run.ts'
import type { Rule, VectorSuite } from './vector-run.ts'

/** Every suite of the archive half, with how many cases of which rule it must find. */
const SUITES: readonly [VectorSuite, Partial<Record<Rule, number>>][] = [
  [recordio, { 'equal to Go': 58, 'typed error': 25, doubtful: 6 }],
  [names, { 'equal to Go': 102, 'typed error': 281 }],
  [messages, { 'equal to Go': 187, 'typed error': 32, malformed: 10 }],
  [bundles, { 'equal to Go': 31, 'typed error': 37, doubtful: 4, counted: 72 }],
]

it.each(SUITES.map(([suite, counts]) => ({ file: suite.file, suite, counts })))(
  '$file: every case is as the rules say',
  async ({ suite, counts }) => {
    const run = new VectorRun(fileURLToPath(new URL('../vectors', import.meta.url)))
    await suite.run(run)
    expect(run.failures).toEqual([])
    expect(Object.fromEntries(run.counts.get(suite.file) ?? [])).toEqual(counts)
  },
)
