import { describe, expect, it } from 'vitest'
import { decide, DECISIONS } from '../../src/archivist/index.ts'
import type { DecisionRow } from '../../src/archivist/index.ts'
import { fits } from '../../src/archivist/decisions.ts'
import { STREAM_PHASES, TASK_REASONS } from '../../src/coordinator/index.ts'

type Values<Facts> = { readonly [Name in keyof Facts]: readonly Facts[Name][] }

/** Every combination of values. */
function combinations<Facts extends object>(values: Values<Facts>): Facts[] {
  let all: Partial<Facts>[] = [{}]
  for (const name of Object.keys(values) as (keyof Facts)[]) {
    all = all.flatMap((facts) => values[name].map((value) => ({ ...facts, [name]: value })))
  }
  return all as Facts[]
}

/** Exactly one row fits each combination, and each row fits one. Answers how often each step is taken. */
function walk<Facts extends object, Step extends string>(
  rows: readonly DecisionRow<Facts, Step>[],
  values: Values<Facts>,
  expected: (facts: Facts) => Step,
): void {
  const used = new Set<string>()
  for (const facts of combinations(values)) {
    const fitting = rows.filter(({ when }) => fits(when, facts))
    expect(
      fitting.map(({ what }) => what),
      JSON.stringify(facts),
    ).toHaveLength(1)
    const row = decide(rows, facts)
    used.add(row.what)
    expect(row.then, JSON.stringify(facts)).toBe(expected(facts))
  }
  expect([...used].sort()).toEqual(rows.map(({ what }) => what).sort())
}

describe('decisions: every combination of what is found, and what is done then', () => {
  it('the state of the stream', () => {
    walk(
      DECISIONS.state,
      {
        reason: TASK_REASONS,
        phase: STREAM_PHASES,
        claim: ['none', 'held', 'lapsed'],
        differed: ['seldom', 'often'],
        cleanUp: ['due', 'later'],
      },
      ({ reason, phase, claim, differed, cleanUp }) => {
        if (phase === 'purged') return 'purge'
        if (phase === 'archived') return reason === 'clean' || cleanUp === 'due' ? 'clean' : 'acknowledge'
        if (phase === 'quarantined') return 'open'
        if (phase === 'cleaned' || reason !== 'archive') return 'acknowledge'
        if (phase !== 'pending') return 'dispatch'
        if (claim === 'held') return 'wait for the claim'
        if (claim === 'lapsed') return 'take over'
        return differed === 'often' ? 'quarantine' : 'attempt'
      },
    )
  })

  it('what is stored of it', () => {
    walk(
      DECISIONS.content,
      {
        terminated: [true, false],
        newest: ['young', 'old'],
        entries: ['all', 'missing'],
        effort: ['complete', 'best'],
      },
      ({ terminated, newest, entries, effort }) => {
        if (!terminated) return newest === 'young' ? 'wait for its end' : 'archive'
        return entries === 'missing' && effort === 'complete' ? 'wait for entries' : 'archive'
      },
    )
  })

  it('what goes wrong', () => {
    walk(
      DECISIONS.failure,
      {
        during: ['loading', 'staging', 'anything else'],
        error: ['transient', 'permanent', 'not found'],
      },
      ({ during, error }) => {
        if (error === 'not found' && during === 'loading') return 'acknowledge'
        return error === 'permanent' && during === 'staging' ? 'quarantine' : 'release'
      },
    )
  })

  it('a table with a hole says so', () => {
    expect(() => decide([], { claim: 'none' })).toThrow('no decision for {"claim":"none"}')
  })
})
