import { describe, expect, it } from 'vitest'
import {
  judgeHolder,
  JUDGEMENTS,
  type Judgement,
  type ProcessHolder,
} from '../../src/directory/process-identity.ts'

/** What is right for each combination, written down apart from the table of rules. */
function expected(machine: string, boot: string, namespace: string, start: string | undefined): Judgement {
  if (machine === 'm1' && boot === 'b2') return 'dead'
  if (boot !== 'b1' || namespace !== 'n1') return 'unknown'
  if (start === undefined) return 'dead'
  return start === '100' ? 'alive' : 'dead'
}

describe('judging the holder of a lock', () => {
  const self: ProcessHolder = { machine: 'm1', boot: 'b1', pidNamespace: 'n1', pid: 1, startTime: '7' }

  for (const machine of ['m1', 'm2', '']) {
    for (const boot of ['b1', 'b2', '']) {
      for (const pidNamespace of ['n1', 'n2']) {
        for (const start of ['100', '200', undefined]) {
          const name = `machine ${machine}, boot ${boot}, namespace ${pidNamespace}, process ${String(start)}`
          it(`judge: ${name}`, () => {
            const holder = { machine, boot, pidNamespace, pid: 42, startTime: '100' }
            const judgement = judgeHolder(holder, {
              self,
              startTimeOf: (pid) => (pid === 42 ? start : undefined),
            })
            expect(judgement).toBe(expected(machine, boot, pidNamespace, start))
          })
        }
      }
    }
  }

  it('judge: a system that tells no boot id never finds anybody dead', () => {
    const unknowing = { self: { ...self, boot: '', machine: '' }, startTimeOf: () => undefined }
    const holder = { machine: '', boot: '', pidNamespace: 'n1', pid: 42, startTime: '1' }
    expect(judgeHolder(holder, unknowing)).toBe('unknown')
  })

  it('judge: the last rule always applies', () => {
    expect(JUDGEMENTS.at(-1)?.then).toBe('alive')
  })
})
