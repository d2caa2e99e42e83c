import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { suite } from './registers.ts'
import { VectorRun } from './vector-run.ts'

it('registers.json: every case is as Go has it', async () => {
  const run = new VectorRun(fileURLToPath(new URL('../vectors', import.meta.url)))
  await suite.run(run)
  expect(run.failures).toEqual([])
  expect(Object.fromEntries(run.counts.get(suite.file) ?? [])).toEqual({
    'equal to Go': 18,
    'typed error': 2,
  })
})
