import type { SuiteRunner } from './journal-suite.ts'
import { SUITE_TRIES_MAX, TASK_QUEUE_TESTS } from './task-queue-cases.ts'
import type {
  SuiteClock,
  TaskQueueSuiteSupports,
  TaskQueueSuiteTest,
  TaskQueueUnderTest,
} from './task-queue-cases.ts'

export interface TaskQueueSuiteOptions {
  readonly runner: SuiteRunner
  /** What the tests are grouped under. */
  readonly name: string
  /** Makes an empty queue that no other test uses, on this clock, with so many tries. */
  readonly factory: (parts: {
    readonly clock: SuiteClock
    readonly triesMax: number
  }) => Promise<TaskQueueUnderTest>
  /** What queue and harness can do. A test is skipped by this alone. */
  readonly supports: TaskQueueSuiteSupports
}

/**
 * Registers the promises Q1, Q3 and Q5 as tests, each named by its promise. A back end is what passes them.
 *
 * @example
 * taskQueueSuite({
 *   runner: { describe, it },
 *   name: 'MemoryTaskQueue',
 *   factory: async (parts) => ({ queue: new MemoryTaskQueue(parts) }),
 *   supports: { shared: false },
 * })
 */
export function taskQueueSuite(options: TaskQueueSuiteOptions): void {
  const { runner, name, supports } = options
  runner.describe(`task queue suite: ${name}`, () => {
    for (const test of TASK_QUEUE_TESTS) {
      const register = test.needs === undefined || supports[test.needs] ? runner.it : runner.skip
      register?.(test.name, () => runTest(test, options))
    }
  })
}

async function runTest({ body }: TaskQueueSuiteTest, { factory }: TaskQueueSuiteOptions): Promise<void> {
  const clock = suiteClock()
  const under = await factory({ clock, triesMax: SUITE_TRIES_MAX })
  const { queue } = under
  const another = (await under.another?.()) ?? queue
  try {
    await body({ queue, another, clock })
  } finally {
    await queue.close()
    await another.close()
    await under.dispose?.()
  }
}

/** Any time will do. */
const BEGIN_MS = 1_700_000_000_000

function suiteClock(): SuiteClock {
  return {
    nowMs: BEGIN_MS,
    now(): number {
      return this.nowMs
    },
  }
}
