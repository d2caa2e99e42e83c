/** How fast is a log decoded, checked and applied, and what do more live files cost? */
import { growth, question } from './harness.ts'
import type { Row } from './harness.ts'
import { applyLog } from './support/apply-log.ts'
import { plainApplyAll } from './support/plain-stack.ts'
import { churn } from './workloads.ts'

const OPERATIONS = 2_000_000

function churnRow(live: number, atLeast: number, go: string, rounds: number): Row {
  return {
    name: `fsm/churn-${String(live / 1000)}k`,
    goals: [{ of: 'ratio', atLeast }],
    prepare() {
      const { bytes } = churn(live)
      return {
        unit: 'M/s',
        rounds,
        subject: { operations: OPERATIONS, run: () => applyLog(bytes) },
        floor: { operations: OPERATIONS, run: () => plainApplyAll(bytes) },
        note: `Go ${go}`,
      }
    },
  }
}

/** Ten times as many live files, in the same number of operations. */
function churnGrowth(live: number): Row {
  return growth(`fsm/churn-${String(live / 1000)}k/growth`, {
    atMost: 2.5,
    prepare: () => ({
      unit: 'ns',
      large: {
        operations: OPERATIONS,
        run: () => applyLog(churn(live).bytes),
        before: () => void churn(live),
      },
      small: {
        operations: OPERATIONS,
        run: () => applyLog(churn(live / 10).bytes),
        before: () => void churn(live / 10),
      },
    }),
  })
}

await question('How fast is a log decoded, checked and applied?', [
  churnRow(1_000, 15, '4.4 to 5.5 M/s', 7), // the first three are not warm yet
  churnGrowth(10_000),
  churnRow(200_000, 10, '1.0 to 1.3 M/s', 3), // the plain stack takes seconds
  churnGrowth(200_000),
])
