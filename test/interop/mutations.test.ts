import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { xorshift32 } from '../../bench/workloads.ts'
import { leavesOf, notices, shapeOf } from './mutations.ts'
import type { Place } from './mutations.ts'
import { suites } from './suites.ts'

const root = join(import.meta.dirname, '../vectors')

/** Changed values a shape; `MUTATIONS=30 npx vitest run test/interop/mutations` looks closer. */
const SAMPLES = Number(process.env['MUTATIONS'] ?? 2)
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31) + 1

/** What a case is made from: a change of it may or may not change what comes out. */
const INPUTS: Readonly<Record<string, RegExp>> = {
  'recovery-log/segments.json': /^cases\.\*\.(steps\.\*\.add|segment|set|log|first|last)\b/,
  'recovery-log/recorder.json': /^cases\.\*\.(dir|author|note|final\.lastLog|calls\.\*\.(path|to|fnode|dataHex))$/,
  'recovery-log/registers.json': /^cases\.\*\.steps\.\*\.(contentBytes|check|subtract|union)\b/,
}

/** For reading, in every file. */
const WORDS = /(^|\.)(about|name)$/

/** The files of a suite that hold what is compared. */
function filesOf(file: string): string[] {
  if (file.endsWith('.json')) return [file]
  return readdirSync(join(root, file)).map((folder) => `${file}/${folder}/expected.json`)
}

function placesByShape(file: string): Map<string, { file: string; place: Place }[]> {
  const shapes = new Map<string, { file: string; place: Place }[]>()
  for (const one of filesOf(file)) {
    for (const place of leavesOf(JSON.parse(readFileSync(join(root, one), 'utf8')))) {
      const shape = shapeOf(place)
      shapes.set(shape, [...(shapes.get(shape) ?? []), { file: one, place }])
    }
  }
  return shapes
}

describe(`mutations: a changed value of a vector fails (SEED=${SEED})`, () => {
  it.each(suites)('$file', async (suite) => {
    const next = xorshift32(SEED)
    const unnoticed: string[] = []
    for (const [shape, places] of placesByShape(suite.file)) {
      if (WORDS.test(shape) || INPUTS[suite.file]?.test(shape) === true) continue
      for (let i = 0; i < SAMPLES; i++) {
        const { file, place } = places[next() % places.length] as (typeof places)[number]
        if (!(await notices(root, suite, file, place))) unnoticed.push(`${file}: ${place.join('.')}`)
      }
    }
    expect(unnoticed).toEqual([])
  })
})
