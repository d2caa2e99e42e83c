import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Coordinator, stepOf } from '../../src/coordinator/index.ts'
import type {
  LogStreamState,
  StreamEvent,
  StreamPhase,
  StreamRecord,
  TaskLease,
} from '../../src/coordinator/index.ts'
import { MemoryStreamStore } from '../../src/coordinator/memory/index.ts'
import type { StateDocument } from '../../src/coordinator/index.ts'
import { streamRecord } from '../../src/coordinator/index.ts'
import { SortedBlocks } from '../../src/coordinator/sorted-blocks.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import {
  DAY_MS,
  descriptorOf,
  makeWorld,
  manifestTo,
  MINUTE_MS,
  prefixSecret,
  PROJECT,
  reportOf,
} from '../coordinator/coordinator-world.ts'
import type { World } from '../coordinator/coordinator-world.ts'

/**
 * Three coordinators on one state, called in any order and side by side: whatever comes of it, each revision of a stream
 * follows the one before by the table, a known end never changes, and a stream is archived once, by the attempt that
 * its claim names.
 */

/** Remembers each revision that became true. */
class RecordingStore extends MemoryStreamStore {
  readonly history: StreamRecord[] = []

  override async create(id: string, document: StateDocument): Promise<number> {
    await Promise.resolve() // somebody else may come in between
    const revision = await super.create(id, document)
    this.#remember(document)
    return revision
  }

  override async update(id: string, revision: number, document: StateDocument): Promise<number> {
    await Promise.resolve()
    const next = await super.update(id, revision, document)
    this.#remember(document)
    return next
  }

  #remember(document: StateDocument): void {
    if (document.kind === 'stream') this.history.push(streamRecord(document))
  }
}

const CALLS = [
  ...['register', 'terminate', 'dispatchDue', 'dispatch', 'claim', 'claim', 'extend', 'abandon', 'archive'],
  ...['archive', 'clean', 'quarantine', 'release', 'purge', 'wait', 'wait long', 'lease', 'acknowledge'],
] as const

const call = fc.record({
  what: fc.constantFrom(...CALLS),
  who: fc.nat({ max: 2 }),
  index: fc.nat({ max: 2 }),
  /** Waits for the calls before it. */
  waits: fc.boolean(),
})

type Call = typeof call extends fc.Arbitrary<infer T> ? T : never

/** Errors that say that a call came at the wrong time. */
const REFUSALS = ['CONFLICT', 'PURGED', 'QUARANTINED', 'UNAVAILABLE', 'EXPIRED']

const MOVES: readonly StreamEvent[] = [
  ...([
    'terminate',
    'due',
    'dispatch',
    'archive',
    'clean',
    'quarantine',
    'release',
    'purge',
    'renew',
  ] as const),
]

function isMove(from: StreamPhase, to: StreamPhase): boolean {
  return MOVES.some((event) => {
    const step = stepOf(from, event)
    return step.kind === 'moves' && step.to === to
  })
}

async function play(
  world: World,
  coordinators: readonly Coordinator[],
  calls: readonly Call[],
): Promise<void> {
  const secret = await prefixSecret(world)
  const register = (who: Coordinator, terminalIndex: number): Promise<LogStreamState> =>
    who.registerStream({ project: PROJECT, secret, descriptor: descriptorOf('a'), terminalIndex })
  const state = await register(world.coordinator, -1)
  const leases: TaskLease[] = []
  const make = async ({ what, who, index }: Call): Promise<unknown> => {
    const coordinator = coordinators[who] as Coordinator
    const attempt = `attempt ${who}`
    switch (what) {
      case 'register':
        return register(coordinator, index - 1)
      case 'terminate':
        return coordinator.terminateStream({ ...state, terminalIndex: index })
      case 'dispatchDue':
        return coordinator.dispatchDue()
      case 'dispatch':
        return coordinator.dispatchArchival(state)
      case 'claim': {
        const { revision } = await coordinator.loadStream(state)
        return coordinator.claim({
          ...state,
          revision,
          attempt,
          manifest: manifestTo(index),
          leaseMs: MINUTE_MS,
        })
      }
      case 'extend':
        return coordinator.extendClaim({ ...state, attempt, leaseMs: index * MINUTE_MS })
      case 'abandon':
        return coordinator.abandonClaim({ ...state, attempt, differed: index === 0 })
      case 'archive': {
        const { record } = await coordinator.loadStream(state)
        return coordinator.archiveStream(reportOf(state, attempt, index, record.terminalIndex))
      }
      case 'clean':
        return coordinator.streamCleaned(state)
      case 'quarantine':
        return coordinator.quarantine({ ...state, reason: attempt })
      case 'release':
        return coordinator.releaseQuarantined({ ...state, skipDamaged: index === 0 })
      case 'purge':
        return index === 0 ? coordinator.purgeStream(state) : undefined
      case 'wait':
        return (world.clock.nowMs += MINUTE_MS)
      case 'wait long':
        return (world.clock.nowMs += (index + 1) * DAY_MS)
      case 'lease':
        return leases.push(...(await coordinator.leaseArchiveTasks({ max: 2 })))
      case 'acknowledge': {
        const lease = leases.pop()
        return lease === undefined ? undefined : coordinator.acknowledgeTask(lease)
      }
    }
  }
  let running: Promise<unknown>[] = []
  for (const one of calls) {
    if (one.waits) await Promise.all(running.splice(0))
    running.push(
      make(one).catch((error: unknown) => {
        if (!RecoveryLogError.is(error) || !REFUSALS.includes(error.code)) throw error
      }),
    )
  }
  await Promise.all(running)
  running = []
}

function checkHistory(history: readonly StreamRecord[]): void {
  for (const [i, record] of history.entries()) {
    const before = history[i - 1]
    if (before === undefined) continue
    const isRenewed = before.phase === 'purged' && record.phase !== 'purged'
    if (!isRenewed) {
      if (before.terminalIndex >= 0) expect(record.terminalIndex).toBe(before.terminalIndex)
      if (before.archive !== null) expect(record.archive).toEqual(before.archive)
      const isByTable = before.phase === record.phase || isMove(before.phase, record.phase)
      expect(isByTable, `${before.phase} to ${record.phase}`).toBe(true)
    }
    if (record.phase === 'archived' && before.phase !== 'archived') {
      expect(record.archive?.attempt).toBe(before.claim?.attempt)
      expect(record.claim).toBeNull()
    }
    if (record.claim !== null) expect(['pending']).toContain(record.phase)
    if (record.claim !== null && before.claim !== null) {
      expect(record.claim.attempt).toBe(before.claim.attempt)
      expect(record.claim.manifest).toEqual(before.claim.manifest)
    }
  }
}

describe('coordinator: laws of any history', () => {
  it('three coordinators at once: the table, the end, one archive by one attempt', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 60 }), async (calls) => {
        const streamStore = new RecordingStore()
        const world = makeWorld({ streamStore, settings: { prefixExpirationMs: 1000 * DAY_MS } })
        const coordinators = [world.coordinator, new Coordinator(world.parts), new Coordinator(world.parts)]
        await play(world, coordinators, calls)
        checkHistory(streamStore.history)
      }),
      { numRuns: 300 },
    )
  })

  it('a stream that is due: never stays so after a pass, and pending ones have a task or a dead letter', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 40 }), async (calls) => {
        const world = makeWorld({ settings: { prefixExpirationMs: 1000 * DAY_MS } })
        await play(world, [world.coordinator, world.coordinator, world.coordinator], calls)
        world.clock.nowMs += 3 * DAY_MS
        await world.coordinator.dispatchDue()
        const due = { kind: 'stream', dueUntilMs: world.clock.nowMs, limit: 10 }
        expect(await world.streamStore.query(due)).toEqual([])
        for (const stored of await world.streamStore.query({ kind: 'stream', project: PROJECT, limit: 10 })) {
          const { phase, project, id } = streamRecord(stored)
          const isThere = await world.taskQueue.has({ project, id, reason: 'archive' })
          expect(phase !== 'pending' || isThere).toBe(true)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('sorted blocks: laws', () => {
  it('any order of adding and removing: as a sorted list', () => {
    const step = fc.tuple(fc.boolean(), fc.nat({ max: 3000 }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3000, size: 'max' }), fc.nat({ max: 3000 }), (steps, from) => {
        const blocks = new SortedBlocks<number>((a, b) => a - b)
        const model = new Set<number>()
        for (const [adds, value] of steps) {
          if (adds) blocks.add(value)
          else blocks.delete(value)
          if (adds) model.add(value)
          else model.delete(value)
        }
        const expected = [...model].sort((a, b) => a - b).filter((value) => value >= from)
        expect([...blocks.from((value) => value < from)]).toEqual(expected)
      }),
      { numRuns: 30 },
    )
  })
})
