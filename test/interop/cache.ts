import assert from 'node:assert/strict'
import { CacheModel, CacheTrace } from '../support/cache-trace.ts'
import type { Action, Effects, TraceOptions } from '../support/cache-trace.ts'
import { casesOf, expectKeys } from './archive-cases.ts'
import type { VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/cache.json'

interface Case extends TraceOptions {
  readonly name: string
  readonly steps: readonly (Effects & { readonly do: Action })[]
  readonly doubtful?: string
}

const ACTION_KEYS: Readonly<Record<Action['op'], readonly string[]>> = {
  register: ['caller', 'project', 'path', 'terminal_index', 'secret_hex', 'descriptor_hex'],
  terminate: ['caller', 'project', 'path', 'terminal_index'],
  answer: ['number', 'with', 'terminal_index'],
  advance_clock: ['ms'],
  cancel: ['caller'],
}
const ANSWERS = ['ok', 'archived', 'transient', 'permanent']

/** Each step leads to the calls and returns that Go's led to; in doubtful cases, to those that a model of the spec says. */
async function check(vector: Case): Promise<void> {
  expectKeys(vector, 'name', 'size', 'expiration_ms', 'steps', 'doubtful')
  const trace = new CacheTrace(vector)
  const model = new CacheModel(vector)
  for (const [number, { do: action, ...go }] of vector.steps.entries()) {
    expectKeys(go, 'inner_calls', 'returns')
    const keys = ACTION_KEYS[action.op] as readonly string[] | undefined
    assert(keys !== undefined, `an unknown step ${action.op}`)
    expectKeys(action, 'op', ...keys)
    if (action.op === 'answer') assert(ANSWERS.includes(action.with), `an unknown answer ${action.with}`)
    const expected = model.do(action)
    if (vector.doubtful === undefined) assert.deepEqual(expected, go, `the model, step ${number}`)
    assert.deepEqual(await trace.do(action), expected, `step ${number}`)
  }
}

export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    for (const vector of casesOf<Case>(run, FILE)) {
      const rule = vector.doubtful === undefined ? 'behaviour' : 'doubtful'
      await run.check(FILE, vector.name, rule, () => check(vector))
    }
  },
}
