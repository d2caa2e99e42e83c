import { describe, expect, it } from 'vitest'
import { DAY_MS, makeStream, makeWorld, manifestTo, MINUTE_MS, reportOf } from './coordinator-world.ts'

describe('embedded coordinator', () => {
  it('a life: registered, terminated, dispatched, claimed, archived, cleaned', async () => {
    const world = makeWorld()
    const { coordinator, clock } = world
    const state = await makeStream(world)
    expect(state).toMatchObject({ terminalIndex: -1, archived: false, purged: false, protoVersion: '1' })
    await coordinator.terminateStream({ ...state, terminalIndex: 4 })
    expect(await coordinator.dispatchDue()).toBe(0)
    clock.nowMs += 5 * MINUTE_MS
    expect(await coordinator.dispatchDue()).toBe(1)
    expect(await coordinator.dispatchDue()).toBe(0)
    const [lease] = await coordinator.leaseArchiveTasks({ max: 5 })
    expect(lease?.task).toMatchObject({ id: state.id, reason: 'archive' })
    const { revision, record } = await coordinator.loadStream(state)
    expect(record.phase).toBe('pending')
    const claim = { ...state, revision, attempt: 'one', manifest: manifestTo(4, 4), leaseMs: MINUTE_MS }
    expect(await coordinator.claim(claim)).toEqual({ kind: 'won' })
    await coordinator.archiveStream(reportOf(state, 'one', 4))
    expect((await coordinator.loadStream(state)).record).toMatchObject({
      phase: 'archived',
      terminalIndex: 4,
      claim: null,
    })
    if (lease !== undefined) await coordinator.acknowledgeTask(lease)
    clock.nowMs += DAY_MS
    expect(await coordinator.dispatchDue()).toBe(1)
    const [clean] = await coordinator.leaseArchiveTasks({ max: 5 })
    expect(clean?.task.reason).toBe('clean')
    await coordinator.streamCleaned(state)
    clock.nowMs += DAY_MS
    expect(await coordinator.dispatchDue()).toBe(0)
  })
})
