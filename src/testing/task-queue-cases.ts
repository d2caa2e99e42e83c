import type { ArchiveTask, DeadLetter, TaskLease, TaskQueue } from '../coordinator/index.ts'
import { codeOf, expectSame, expectThat } from './suite-test.ts'

/** What `taskQueueSuite` tests, promise by promise (adapters spec, Q1 to Q3 and Q5). */

/** The clock of a suite: it stands still until a test moves it. */
export interface SuiteClock {
  nowMs: number
  now(): number
}

/** What the harness of a back end can do, as plain data. A test that needs more is skipped. */
export interface TaskQueueSuiteSupports {
  /** Has `another`. */
  readonly shared: boolean
}

/** One queue that no other test uses, which makes dead letters of tasks after 3 tries. */
export interface TaskQueueUnderTest {
  readonly queue: TaskQueue
  /** Another object on the same tasks, as another process has it. It sees what the first does at once. */
  another?(): Promise<TaskQueue>
  /** Frees what the factory made, after the suite has closed the queues. */
  dispose?(): Promise<void>
}

export interface TaskQueueSuiteCase {
  readonly queue: TaskQueue
  /** As `queue`, where nothing is shared. */
  readonly another: TaskQueue
  readonly clock: SuiteClock
}

export interface TaskQueueSuiteTest {
  /** Begins with the promise that it tests. */
  readonly name: string
  readonly needs?: keyof TaskQueueSuiteSupports
  readonly body: (test: TaskQueueSuiteCase) => Promise<void>
}

/** After so many tries a task of the suite is a dead letter. */
export const SUITE_TRIES_MAX = 3

const LEASE_MS = 1000
const DAY_MS = 24 * 60 * 60 * 1000

export const TASK_QUEUE_TESTS: readonly TaskQueueSuiteTest[] = [
  {
    name: 'Q1 lease: what is due, the longest due first, at most as many as asked for',
    body: async ({ queue, clock }: TaskQueueSuiteCase): Promise<void> => {
      await queue.put(taskOf('c'), clock.nowMs + 30)
      await queue.put(taskOf('a'), clock.nowMs + 10)
      await queue.put(taskOf('b'), clock.nowMs + 20)
      expectSame(idsOf(await leased(queue)), [], 'before anything is due')
      clock.nowMs += 20
      expectSame(idsOf(await leased(queue, 1)), ['a'], 'one')
      expectSame(idsOf(await leased(queue)), ['b'], 'what else is due')
      clock.nowMs += 10
      expectSame(idsOf(await leased(queue)), ['c'], 'the last')
    },
  },
  {
    name: 'Q1 lease: says which task it is, and until when',
    body: async ({ queue, clock }: TaskQueueSuiteCase): Promise<void> => {
      const task = { ...taskOf('a'), createdMs: clock.nowMs - 7 }
      await queue.put(task, clock.nowMs)
      const [lease] = await leased(queue)
      expectSame(lease?.task, task, 'the task')
      expectSame([lease?.tries, lease?.releases], [0, 0], 'tries and releases')
      expectSame(lease?.expiresMs, clock.nowMs + LEASE_MS, 'the end of the lease')
    },
  },
  {
    name: 'Q1 lease: one holder at a time, until it runs out',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      await queue.put(taskOf('a'), clock.nowMs)
      expectSame((await leased(queue)).length, 1, 'the first')
      expectSame((await leased(queue)).length, 0, 'the same again')
      expectSame((await leased(another)).length, 0, 'another')
      clock.nowMs += LEASE_MS - 1
      expectSame((await leased(another)).length, 0, 'shortly before the end')
      clock.nowMs += 1
      expectSame((await leased(another)).length, 1, 'at the end')
    },
  },
  {
    name: 'Q1 lease: of any number who ask at once each task goes to one',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      for (let i = 0; i < 20; i++) await queue.put(taskOf(`task ${i}`), clock.nowMs)
      const all = await Promise.all(
        Array.from({ length: 12 }, (_, i) => leased(i % 2 === 0 ? queue : another, 3)),
      )
      const ids = all.flatMap(idsOf)
      expectSame([ids.length, new Set(ids).size], [20, 20], 'leases, and tasks that they are of')
    },
  },
  {
    name: 'Q1 extend: the lease runs so much longer from now',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      await queue.put(taskOf('a'), clock.nowMs)
      const lease = await leaseOne(queue)
      clock.nowMs += LEASE_MS - 1
      const longer = await queue.extend(lease, LEASE_MS)
      expectSame(longer.expiresMs, clock.nowMs + LEASE_MS, 'the new end')
      clock.nowMs += LEASE_MS - 1
      expectSame((await leased(another)).length, 0, 'before the new end')
      await queue.acknowledge(longer)
      clock.nowMs += DAY_MS
      expectSame((await leased(another)).length, 0, 'after it was acknowledged')
    },
  },
  {
    name: 'Q1 acknowledge: the task is gone, and can be put anew',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      const task = taskOf('a')
      await queue.put(task, clock.nowMs)
      await queue.acknowledge(await leaseOne(queue))
      expectSame([await queue.has(task), await another.has(task)], [false, false], 'it is there')
      clock.nowMs += DAY_MS
      expectSame((await leased(another)).length, 0, 'leases')
      expectSame(await another.put(task, clock.nowMs), true, 'it is new')
      expectSame((await leased(queue)).length, 1, 'leases of the new one')
    },
  },
  {
    name: 'Q1 release: it comes back when it is told to, 7 days at most',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      await queue.put(taskOf('a'), clock.nowMs)
      await queue.release(await leaseOne(queue), { afterMs: 0, reason: 'at once' })
      const again = await leaseOne(another)
      expectSame([again.tries, again.releases], [0, 1], 'tries and releases')
      await another.release(again, { afterMs: 5 * LEASE_MS, reason: 'later' })
      clock.nowMs += 5 * LEASE_MS - 1
      expectSame((await leased(queue)).length, 0, 'too early')
      clock.nowMs += 1
      await queue.release(await leaseOne(queue), { afterMs: 70 * DAY_MS, reason: 'much later' })
      clock.nowMs += 7 * DAY_MS - 1
      expectSame((await leased(queue)).length, 0, 'before 7 days')
      clock.nowMs += 1
      expectSame((await leaseOne(queue)).releases, 3, 'releases')
    },
  },
  {
    name: 'Q1 a lapsed lease: extend, acknowledge and release are CONFLICT, and change nothing',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      await queue.put(taskOf('a'), clock.nowMs)
      const lapsed = await leaseOne(queue)
      clock.nowMs += LEASE_MS
      await expectLapsed(queue, lapsed, 'before anybody else has it')
      const theirs = await leaseOne(another)
      await expectLapsed(queue, lapsed, 'while another has it')
      await another.release(theirs, { afterMs: 0, reason: 'why' })
      await expectLapsed(another, theirs, 'after it was released')
      const last = await leaseOne(queue)
      await queue.acknowledge(last)
      await expectLapsed(queue, last, 'after it was acknowledged')
    },
  },
  {
    name: 'Q3 put: the same stream and reason twice is one task, with the times of the first',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      const task = taskOf('a')
      const later = { ...task, createdMs: task.createdMs + 5 }
      expectSame(await queue.put(task, clock.nowMs), true, 'the first')
      expectSame(await another.put(later, clock.nowMs + 99), false, 'the second')
      const lease = await leaseOne(queue)
      expectSame(await queue.put(later, clock.nowMs), false, 'while it is leased')
      expectSame(lease.task, task, 'the task')
      await queue.acknowledge(lease)
      expectSame((await leased(another)).length, 0, 'leases after it was acknowledged')
    },
  },
  {
    name: 'Q3 put: of any number who put the same at once, one is told that it was new',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      const task = taskOf('a')
      const isNew = await Promise.all(
        Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? queue : another).put(task, clock.nowMs)),
      )
      expectSame(isNew.filter(Boolean).length, 1, 'new ones')
      expectSame((await leased(queue)).length, 1, 'leases')
    },
  },
  {
    name: 'Q3 put: another project, stream or reason is another task',
    body: async ({ queue, clock }: TaskQueueSuiteCase): Promise<void> => {
      const tasks = [
        taskOf('a'),
        { ...taskOf('a'), reason: 'clean' as const },
        { ...taskOf('a'), project: 'other' },
        taskOf('b'),
      ]
      for (const task of tasks) expectSame(await queue.put(task, clock.nowMs), true, JSON.stringify(task))
      expectSame((await leased(queue)).length, 4, 'leases')
      expectSame(await queue.has({ project: 'other', id: 'b', reason: 'archive' }), false, 'one never put')
    },
  },
  {
    name: 'Q3 tries: a lapsed lease counts, a release does not unless it says so',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      await queue.put(taskOf('a'), clock.nowMs)
      for (let i = 0; i < 5; i++) {
        const lease = await leaseOne(queue)
        expectSame(lease.tries, 0, `tries after ${i} releases`)
        await queue.release(lease, { afterMs: 0, reason: 'not mine' })
      }
      await leaseOne(queue)
      clock.nowMs += LEASE_MS
      const second = await leaseOne(another)
      expectSame(second.tries, 1, 'tries after a lapsed lease')
      await another.release(second, { afterMs: 0, reason: 'mine', countsAsTry: true })
      expectSame((await leaseOne(queue)).tries, 2, 'tries after a release that counts')
    },
  },
  {
    name: 'Q3 dead letters: past the limit it is one, under its key, with its reason',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      const task = taskOf('a')
      await queue.put(task, clock.nowMs)
      for (let tries = 0; tries < SUITE_TRIES_MAX; tries++) {
        expectSame((await leaseOne(queue)).tries, tries, 'tries')
        expectSame((await lettersOf(queue)).length, 0, 'dead letters before')
        clock.nowMs += LEASE_MS
      }
      expectSame((await leased(another)).length, 0, 'leases of a dead letter')
      const [letter] = await lettersOf(queue)
      expectSame(letter?.task, task, 'the task')
      expectSame([letter?.tries, letter?.diedMs], [SUITE_TRIES_MAX, clock.nowMs], 'tries and time')
      expectThat(letter?.reason !== '', 'a dead letter without a reason')
      expectSame((await lettersOf(another)).length, 1, 'dead letters as another has them')
      expectSame(await another.put(task, clock.nowMs), false, 'it is new when it is put again')
      expectSame(await queue.has(task), true, 'it is there')
      clock.nowMs += 30 * DAY_MS
      expectSame((await leased(queue)).length, 0, 'leases a month later')
    },
  },
  {
    name: 'Q3 dead letters: a release that counts makes one too, with the reason that it gives',
    body: async ({ queue, clock }: TaskQueueSuiteCase): Promise<void> => {
      await queue.put(taskOf('a'), clock.nowMs)
      for (let tries = 0; tries < SUITE_TRIES_MAX; tries++) {
        const reason = `the reason of ${tries}`
        await queue.release(await leaseOne(queue), { afterMs: 0, reason, countsAsTry: true })
      }
      const [letter] = await lettersOf(queue)
      expectSame(letter?.reason, `the reason of ${SUITE_TRIES_MAX - 1}`, 'the reason')
    },
  },
  {
    name: 'Q3 revive: a dead letter is a task again, with no tries counted',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      const task = taskOf('a')
      expectSame(await queue.revive(task), false, 'what was never put')
      await queue.put(task, clock.nowMs)
      expectSame(await queue.revive(task), false, 'what is alive')
      for (let tries = 0; tries < SUITE_TRIES_MAX; tries++) {
        await queue.release(await leaseOne(queue), { afterMs: 0, reason: 'why', countsAsTry: true })
      }
      expectSame(await another.revive(task), true, 'the dead letter')
      expectSame((await lettersOf(queue)).length, 0, 'dead letters')
      const lease = await leaseOne(queue)
      expectSame([lease.tries, lease.releases], [0, 0], 'tries and releases')
    },
  },
  {
    name: 'Q1 limits: what is no number of tasks or milliseconds is a RangeError',
    body: async ({ queue, clock }: TaskQueueSuiteCase): Promise<void> => {
      await queue.put(taskOf('a'), clock.nowMs)
      for (const [max, leaseMs] of [
        [0, 1],
        [1, 0],
        [0.5, 1],
        [1, Number.NaN],
      ] as const) {
        expectThat(await isRangeError(queue.lease({ max, leaseMs })), `lease ${max} ${leaseMs}`)
      }
      const lease = await leaseOne(queue)
      expectThat(await isRangeError(queue.extend(lease, 0)), 'extend 0')
      for (const afterMs of [-1, Number.NaN]) {
        expectThat(await isRangeError(queue.release(lease, { afterMs, reason: '' })), `release ${afterMs}`)
      }
      await queue.acknowledge(lease)
    },
  },
  {
    name: 'Q1 close: twice is once, and later calls are CLOSED; an abort does nothing',
    body: async ({ queue, clock }: TaskQueueSuiteCase): Promise<void> => {
      await queue.put(taskOf('a'), clock.nowMs)
      const signal = AbortSignal.abort()
      expectSame(await codeOf(() => queue.lease({ max: 1, leaseMs: 1, signal })), 'ABORTED', 'lease')
      expectSame(await codeOf(() => queue.put(taskOf('b'), 0, { signal })), 'ABORTED', 'put')
      const lease = await leaseOne(queue)
      await Promise.all([queue.close(), queue.close()])
      for (const call of [
        () => queue.put(taskOf('b'), 0),
        () => queue.lease({ max: 1, leaseMs: 1 }),
        () => queue.extend(lease, 1),
        () => queue.acknowledge(lease),
        () => queue.release(lease, { afterMs: 0, reason: '' }),
        () => queue.has(taskOf('a')),
        () => lettersOf(queue),
        () => queue.revive(taskOf('a')),
      ]) {
        expectSame(await codeOf(call), 'CLOSED', call.toString())
      }
    },
  },
  {
    name: 'Q5 shared: another object has the tasks, the leases and the dead letters',
    needs: 'shared',
    body: async ({ queue, another, clock }: TaskQueueSuiteCase): Promise<void> => {
      for (const id of ['a', 'b', 'c']) await queue.put(taskOf(id), clock.nowMs)
      const [first] = await leased(queue, 1)
      expectSame((await leased(another)).length, 2, 'what is left')
      if (first !== undefined) await another.acknowledge(first)
      expectSame(await queue.has(taskOf(first?.task.id ?? '')), false, 'acknowledged by another')
    },
  },
]

function taskOf(id: string): ArchiveTask {
  return { project: 'proj', id, reason: 'archive', createdMs: 5 }
}

async function leased(queue: TaskQueue, max = 100): Promise<readonly TaskLease[]> {
  return queue.lease({ max, leaseMs: LEASE_MS })
}

async function leaseOne(queue: TaskQueue): Promise<TaskLease> {
  const [lease] = await leased(queue)
  if (lease === undefined) throw new Error('there was no task to lease')
  return lease
}

function idsOf(leases: readonly TaskLease[]): string[] {
  return leases.map(({ task }) => task.id)
}

async function lettersOf(queue: TaskQueue): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = []
  for await (const letter of queue.deadLetters()) letters.push(letter)
  return letters
}

async function expectLapsed(queue: TaskQueue, lease: TaskLease, when: string): Promise<void> {
  expectSame(await codeOf(() => queue.extend(lease, LEASE_MS)), 'CONFLICT', `extend ${when}`)
  expectSame(await codeOf(() => queue.acknowledge(lease)), 'CONFLICT', `acknowledge ${when}`)
  const release = { afterMs: 0, reason: 'late' }
  expectSame(await codeOf(() => queue.release(lease, release)), 'CONFLICT', `release ${when}`)
}

async function isRangeError(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    (error: unknown) => error instanceof RangeError,
  )
}
