import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { suite } from './coordinator.ts'
import { VectorRun } from './vector-run.ts'

it('coordinator.json: every case is as the rules say', async () => {
  const run = new VectorRun(fileURLToPath(new URL('../vectors', import.meta.url)))
  await suite.run(run)
  expect(run.failures.map(({ name, error }) => `${name}: ${String(error)}`)).toEqual([])
  expect(run.counts.get('archive/coordinator.json')).toEqual(
    new Map([
      ['behaviour', 36],
      ['doubtful', 11],
    ]),
  )
})
