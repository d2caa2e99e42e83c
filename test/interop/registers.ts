import assert from 'node:assert/strict'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { AppendRequest, Label, LabelSelector } from '../../src/journal/index.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'recovery-log/registers.json'

interface Step {
  readonly contentBytes: number
  readonly check?: LabelSelector
  readonly subtract?: readonly Label[]
  readonly union?: readonly Label[]
  readonly outcome: string
  readonly registers: readonly Label[]
  readonly head: number
}

interface Case {
  readonly name: string
  readonly steps: readonly Step[]
}

const STEP_KEYS = new Set(['contentBytes', 'check', 'subtract', 'union', 'outcome', 'registers', 'head'])

/** Go's `OK` and mismatch are ours; where its broker answers another error, ours is typed (rule 3). */
const OUTCOMES: readonly { when: (outcome: string) => boolean; then: string }[] = [
  { when: (outcome) => outcome === 'OK', then: 'OK' },
  { when: (outcome) => outcome === 'REGISTER_MISMATCH', then: 'REGISTER_MISMATCH' },
  { when: (outcome) => outcome.startsWith('error: '), then: 'REGISTER_INVALID' },
]

/** Appends with selectors and register changes: the outcome of each, and registers and write head after it. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    const { about, cases, ...unknown } = run.json<{ about: string; cases: readonly Case[] }>(FILE)
    assert.equal(typeof about, 'string')
    assert.deepEqual(unknown, {}, 'a kind of case that this runner does not know')
    assert(cases.length > 0, 'no cases')
    for (const { name, steps, ...rest } of cases) {
      const isAllGo = steps.every((step) => !step.outcome.startsWith('error: '))
      const rule: Rule = isAllGo ? 'equal to Go' : 'typed error'
      await run.check(FILE, name, rule, async () => {
        assert.deepEqual(rest, {}, 'an unknown key of the case')
        await runSteps(steps)
      })
    }
  },
}

async function runSteps(steps: readonly Step[]): Promise<void> {
  const journal = new MemoryJournal({ name: 'registers/vectors' })
  for (const [index, step] of steps.entries()) {
    const at = `step ${String(index)}`
    for (const key of Object.keys(step)) assert(STEP_KEYS.has(key), `${at}: an unknown key ${key}`)
    assert.equal(await outcomeOf(journal, step), expectedOutcome(step.outcome), at)
    const head = await journal.head()
    assert.deepEqual(head.registers, step.registers, at)
    assert.equal(head.offset, step.head, at)
  }
}

async function outcomeOf(journal: MemoryJournal, { contentBytes, ...step }: Step): Promise<string> {
  const { check, subtract, union } = step
  const request: AppendRequest = {
    content: new Uint8Array(contentBytes).fill(0x2e),
    ...(check !== undefined && { check }),
    ...(subtract !== undefined && { subtract }),
    ...(union !== undefined && { union }),
  }
  try {
    const { end, registers } = await journal.append(request)
    assert.equal(end, step.head)
    assert.deepEqual(registers, step.registers)
    return 'OK'
  } catch (error) {
    if (error instanceof RecoveryLogError) return error.code
    throw error
  }
}

function expectedOutcome(outcome: string): string {
  const known = OUTCOMES.find((candidate) => candidate.when(outcome))
  assert(known !== undefined, `an outcome that this runner does not know: ${outcome}`)
  return known.then
}
