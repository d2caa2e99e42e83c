import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { suite as archives } from './archives.ts'
import { suite as bundles } from './bundles.ts'
import { suite as generated } from './generated.ts'
import { suite as ids } from './ids.ts'
import { suite as messages } from './messages.ts'
import { suite as names } from './names.ts'
import { suite as recordio } from './recordio.ts'
import { suite as renderer } from './renderer.ts'
import { VectorRun } from './vector-run.ts'
import type { Rule, VectorSuite } from './vector-run.ts'

/** The suites of the archive's foundation, with how many cases of which rule each must find. */
const SUITES: readonly [VectorSuite, Partial<Record<Rule, number>>][] = [
  [recordio, { 'equal to Go': 58, 'typed error': 25, doubtful: 6 }],
  [names, { 'equal to Go': 102, 'typed error': 281 }],
  [ids, { 'equal to Go': 61, 'typed error': 11, 'as the spec says': 1 }],
  [messages, { 'equal to Go': 187, 'typed error': 32, malformed: 10 }],
  [bundles, { 'equal to Go': 96, 'typed error': 37, doubtful: 11 }],
  [archives, { 'equal to Go': 130, 'typed error': 24, doubtful: 79, 'as the spec says': 58 }],
  [generated, { 'equal to Go': 24 }],
  [renderer, { 'equal to Go': 39, doubtful: 1 }],
]

it.each(SUITES.map(([suite, counts]) => ({ file: suite.file, suite, counts })))(
  '$file: every case is as the rules say',
  async ({ suite, counts }) => {
    const run = new VectorRun(fileURLToPath(new URL('../vectors', import.meta.url)))
    await suite.run(run)
    expect(run.failures).toEqual([])
    const found: Partial<Record<Rule, number>> = {}
    for (const rules of run.counts.values()) {
      for (const [rule, count] of rules) found[rule] = (found[rule] ?? 0) + count
    }
    expect(found).toEqual(counts)
  },
)
