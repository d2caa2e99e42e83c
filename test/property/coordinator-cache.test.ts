import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CacheModel, CacheTrace } from '../support/cache-trace.ts'
import type { Action } from '../support/cache-trace.ts'

const SECRETS = ['01'.repeat(36), '02'.repeat(36)]

const stream = { project: fc.constantFrom('p', 'q'), path: fc.constantFrom('a/+/x', 'a/+/y', 'a/+/z') }
const caller = fc.constantFrom('', ' precancelled')

/** Steps without the names of their callers, and with requests told by how many there were. */
const actions: fc.Arbitrary<readonly Action[]> = fc
  .array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          op: fc.constant('register' as const),
          ...stream,
          caller,
          terminal_index: fc.constantFrom(-1, 7),
          secret_hex: fc.constantFrom(...SECRETS),
          descriptor_hex: fc.constant('01'),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          op: fc.constant('terminate' as const),
          ...stream,
          caller,
          terminal_index: fc.constantFrom(-1, 0, 7),
        }),
      },
      {
        weight: 8,
        arbitrary: fc.record({
          op: fc.constant('answer' as const),
          number: fc.integer({ min: 1, max: 20 }),
          with: fc.constantFrom(
            'ok' as const,
            'archived' as const,
            'transient' as const,
            'permanent' as const,
          ),
          terminal_index: fc.constantFrom(-1, 0, 7),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ op: fc.constant('advance_clock' as const), ms: fc.constantFrom(1, 400, 600) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ op: fc.constant('cancel' as const), caller: fc.integer({ min: 0, max: 40 }) }),
      },
    ),
    { maxLength: 60 },
  )
  .map((steps) =>
    steps.map((step, i) => {
      if (step.op === 'cancel') return { ...step, caller: String(step.caller) }
      return step.op === 'register' || step.op === 'terminate'
        ? { ...step, caller: `${i}${step.caller}` }
        : step
    }),
  )

test('coordinator cache: does what the spec says in the plainest words, whatever the order of calls and answers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(0, 1, 2, 3), actions, async (size, steps) => {
      const trace = new CacheTrace({ size, expiration_ms: 1000 })
      const model = new CacheModel({ size, expiration_ms: 1000 })
      for (const step of steps) {
        expect(await trace.do(step)).toEqual(model.do(step))
        expect(trace.size).toBe(model.kept.length)
      }
    }),
    { numRuns: 300 },
  )
})
