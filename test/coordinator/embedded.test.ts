import { describe, expect, it } from 'vitest'
import { Coordinator } from '../../src/coordinator/index.ts'
import type { LogStreamState, StreamPhase, StreamRecord } from '../../src/coordinator/index.ts'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import {
  DAY_MS,
  descriptorOf,
  HOUR_MS,
  makeStream,
  makeWorld,
  manifestTo,
  MINUTE_MS,
  PREFIX,
  prefixSecret,
  PROJECT,
  reportOf,
} from './coordinator-world.ts'
import type { World } from './coordinator-world.ts'

const NONCE = new Uint8Array(32).fill(7)
const code = (expected: string): object => ({ code: expected })

async function phaseOf({ coordinator }: World, state: LogStreamState): Promise<StreamPhase> {
  return (await coordinator.loadStream(state)).record.phase
}

/** A stream that is pending, claimed by `attempt`. */
async function claimedStream(world: World, attempt = 'one', lastIndex = 4): Promise<LogStreamState> {
  const state = await makeStream(world)
  const { revision } = await world.coordinator.dispatchArchival(state)
  const claim = { ...state, revision, attempt, manifest: manifestTo(lastIndex), leaseMs: MINUTE_MS }
  expect(await world.coordinator.claim(claim)).toEqual({ kind: 'won' })
  return state
}

async function archivedStream(world: World): Promise<LogStreamState> {
  const state = await claimedStream(world)
  await world.coordinator.archiveStream(reportOf(state, 'one', 4))
  return state
}

async function quarantineOf(world: World, project?: string): Promise<StreamRecord[]> {
  const found: StreamRecord[] = []
  const options = project === undefined ? {} : { project }
  for await (const record of world.coordinator.quarantined(options)) found.push(record)
  return found
}

describe('coordinator: prefixes', () => {
  it('secret: 36 bytes of the randomness handed in, the same again with the nonce within 15 minutes', async () => {
    const world = makeWorld()
    const request = { project: PROJECT, prefix: PREFIX, nonce: NONCE }
    const first = await world.coordinator.registerPrefix(request)
    expect(first.secret.length).toBe(36)
    expect(first.expiresMs).toBe(world.clock.nowMs + DAY_MS)
    world.clock.nowMs += 15 * MINUTE_MS
    expect(await world.coordinator.registerPrefix(request)).toEqual(first)
    world.clock.nowMs += 1
    await expect(world.coordinator.registerPrefix(request)).rejects.toMatchObject(code('ALREADY_EXISTS'))
  })

  it('nonce: another one, none, or one where there was none is ALREADY_EXISTS', async () => {
    const { coordinator } = makeWorld()
    await coordinator.registerPrefix({ project: PROJECT, prefix: 'a', nonce: NONCE })
    await coordinator.registerPrefix({ project: PROJECT, prefix: 'b' })
    for (const [prefix, nonce] of [
      ['a', new Uint8Array(32)],
      ['a', new Uint8Array()],
      ['b', NONCE],
      ['b', new Uint8Array()],
    ] as const) {
      const again = coordinator.registerPrefix({ project: PROJECT, prefix, nonce })
      await expect(again).rejects.toMatchObject(code('ALREADY_EXISTS'))
    }
  })

  it('registration: of many at once with one nonce all are told the same secret, of others one wins', async () => {
    const { coordinator } = makeWorld()
    const same = await Promise.all(
      Array.from({ length: 5 }, () =>
        coordinator.registerPrefix({ project: PROJECT, prefix: 'a', nonce: NONCE }),
      ),
    )
    expect(new Set(same.map(({ secret }) => String(secret))).size).toBe(1)
    const others = await Promise.allSettled(
      Array.from({ length: 5 }, () => coordinator.registerPrefix({ project: PROJECT, prefix: 'b' })),
    )
    expect(others.filter(({ status }) => status === 'fulfilled').length).toBe(1)
  })

  it.each([
    ['a negative expiration', { expirationMs: -1 }, 'INVALID'],
    ['half a millisecond', { expirationMs: 0.5 }, 'INVALID'],
    ['a short nonce', { nonce: new Uint8Array(31) }, 'INVALID'],
    ['a bad project', { project: 'Proj' }, 'NAME_INVALID'],
    ['a bad prefix', { prefix: 'a//b' }, 'NAME_INVALID'],
  ])('registration: %s is refused', async (_, change, expected) => {
    const registering = makeWorld().coordinator.registerPrefix({
      project: PROJECT,
      prefix: PREFIX,
      ...change,
    })
    await expect(registering).rejects.toMatchObject(code(expected))
  })

  it.each([
    [0, 0, 0, null],
    [5, 0, 0, 5],
    [0, 6, 0, 6],
    [0, 0, 7, 7],
    [5, 6, 7, 5],
    [7, 6, 8, 6],
    [9, 8, 7, 7],
  ])('expiration: asked %i, project %i, service %i', async (asked, project, service, expected) => {
    const { coordinator, clock } = makeWorld({ settings: { prefixExpirationMs: service } })
    await coordinator.setSettings({ prefixExpirationMs: project }, PROJECT)
    const registering = coordinator.registerPrefix({ project: PROJECT, prefix: PREFIX, expirationMs: asked })
    if (expected === null) await expect(registering).rejects.toMatchObject(code('INVALID'))
    else expect((await registering).expiresMs).toBe(clock.nowMs + expected)
  })
})

describe('coordinator: streams', () => {
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
    expect(lease?.task).toMatchObject({ id: state.id, reason: 'archive', createdMs: clock.nowMs })
    expect(lease?.expiresMs).toBe(clock.nowMs + 10 * MINUTE_MS)
    const { revision, record } = await coordinator.loadStream(state)
    expect(record.phase).toBe('pending')
    const claim = { ...state, revision, attempt: 'one', manifest: manifestTo(4, 4), leaseMs: MINUTE_MS }
    expect(await coordinator.claim(claim)).toEqual({ kind: 'won' })
    await coordinator.archiveStream(reportOf(state, 'one', 4))
    const after = (await coordinator.loadStream(state)).record
    expect(after).toMatchObject({ phase: 'archived', terminalIndex: 4, claim: null, archivedMs: clock.nowMs })
    expect(after.archive).toMatchObject({ attempt: 'one', entryCount: 5, dataUrl: null, dataBytes: 0 })
    if (lease !== undefined) await coordinator.acknowledgeTask(lease)
    clock.nowMs += 10 * MINUTE_MS
    expect(await coordinator.dispatchDue()).toBe(1)
    const [clean] = await coordinator.leaseArchiveTasks({ max: 5 })
    expect(clean?.task.reason).toBe('clean')
    await coordinator.streamCleaned(state)
    await coordinator.streamCleaned(state)
    expect(await phaseOf(world, state)).toBe('cleaned')
    clock.nowMs += 100 * DAY_MS
    expect(await coordinator.dispatchDue()).toBe(0)
  })

  it('register: idempotent, also with a terminal index; the first descriptor stays', async () => {
    const world = makeWorld()
    const { coordinator } = world
    const secret = await prefixSecret(world)
    const first = await makeStream(world, { secret })
    expect(await makeStream(world, { secret })).toEqual(first)
    const ended = await makeStream(world, { secret, terminalIndex: 4 })
    expect(ended).toEqual({ ...first, terminalIndex: 4 })
    expect(await makeStream(world, { secret, terminalIndex: 4 })).toEqual(ended)
    expect(await makeStream(world, { secret })).toEqual(ended)
    await expect(makeStream(world, { secret, terminalIndex: 5 })).rejects.toMatchObject({
      code: 'CONFLICT',
      data: { terminalIndex: 4, value: 5 },
    })
    expect(await makeStream(world, { secret, name: 'new', terminalIndex: 0 })).toMatchObject({
      terminalIndex: 0,
    })
    const { record } = await coordinator.loadStream(first)
    expect(record.descriptor).toEqual(new Uint8Array(descriptorOf('a')))
  })

  it('register: of many at once all are told the same', async () => {
    const world = makeWorld()
    const secret = await prefixSecret(world)
    const states = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        makeStream(world, i % 2 === 0 ? { secret, terminalIndex: 3 } : { secret }),
      ),
    )
    expect(new Set(states.map(({ id }) => id)).size).toBe(1)
    expect((await makeStream(world, { secret })).terminalIndex).toBe(3)
  })

  it('register: an expired prefix takes no new streams, and knows the old ones', async () => {
    const world = makeWorld()
    const secret = await prefixSecret(world)
    await makeStream(world, { secret })
    world.clock.nowMs += DAY_MS
    await expect(makeStream(world, { secret, name: 'b' })).rejects.toMatchObject(code('EXPIRED'))
    expect(await makeStream(world, { secret, terminalIndex: 2 })).toMatchObject({ terminalIndex: 2 })
  })

  it.each([
    ['another secret', { secret: new Uint8Array(36) }, 'DENIED'],
    ['a short secret', { secret: new Uint8Array(35) }, 'DENIED'],
    ['no secret', { secret: new Uint8Array() }, 'DENIED'],
    ['another version', { protoVersion: '2' }, 'INVALID'],
    ['bytes that are no descriptor', { descriptor: Uint8Array.of(255) }, 'DESCRIPTOR_INVALID'],
    ['a bad name', { descriptor: descriptorOf('a b') }, 'DESCRIPTOR_INVALID'],
    ['an unknown prefix', { descriptor: descriptorOf('a', 'other') }, 'NOT_FOUND'],
    ['a terminal index below -1', { terminalIndex: -2 }, 'INVALID'],
    ['a bad project', { project: 'P' }, 'NAME_INVALID'],
    ['another project', { project: 'other' }, 'NOT_FOUND'],
  ])('register: %s is refused', async (_, change, expected) => {
    const world = makeWorld()
    const secret = await prefixSecret(world)
    const request = { project: PROJECT, secret, descriptor: descriptorOf('a'), ...change }
    await expect(world.coordinator.registerStream(request)).rejects.toMatchObject(code(expected))
  })

  it('terminate: idempotent; another index, another secret, no stream, no index', async () => {
    const world = makeWorld()
    const { coordinator } = world
    const state = await makeStream(world)
    await coordinator.terminateStream({ ...state, terminalIndex: 0 })
    await coordinator.terminateStream({ ...state, terminalIndex: 0 })
    const ending = (change: object): Promise<void> =>
      coordinator.terminateStream({ ...state, terminalIndex: 0, ...change })
    await expect(ending({ terminalIndex: 1 })).rejects.toMatchObject(code('CONFLICT'))
    await expect(ending({ terminalIndex: -1 })).rejects.toMatchObject(code('INVALID'))
    await expect(ending({ secret: new Uint8Array(36) })).rejects.toMatchObject(code('DENIED'))
    await expect(ending({ id: '0'.repeat(64) })).rejects.toMatchObject(code('NOT_FOUND'))
    await expect(ending({ id: 'xyz' })).rejects.toMatchObject(code('NAME_INVALID'))
  })

  it('secrets: are in no record, no list and no error', async () => {
    const world = makeWorld()
    const secret = await prefixSecret(world)
    const state = await makeStream(world, { secret })
    const shown = [await world.coordinator.loadStream(state)]
    const errors = await Promise.allSettled([
      world.coordinator.registerPrefix({ project: PROJECT, prefix: PREFIX }),
      makeStream(world, { secret: secret.map((byte) => byte ^ 1) }),
      makeStream(world, { secret, name: 'a b' }),
      world.coordinator.terminateStream({ ...state, terminalIndex: 0, secret: secret.subarray(1) }),
    ])
    const listed = await world.streamStore.query({ kind: 'stream', project: PROJECT, limit: 10 })
    const text = JSON.stringify([
      shown,
      errors.map((result) => String((result as PromiseRejectedResult).reason)),
      errors,
      listed,
    ])
    expect(text).not.toContain(JSON.stringify([...secret]).slice(1, -1))
    expect(text).not.toContain(Buffer.from(secret).toString('base64'))
    state.secret.fill(0)
    expect((await makeStream(world, { secret })).secret).toEqual(secret)
  })
})

describe('coordinator: claims', () => {
  it('claim: on the revision that was loaded, once', async () => {
    const world = makeWorld()
    const { coordinator } = world
    const state = await makeStream(world)
    const loaded = await coordinator.loadStream(state)
    const claim = { ...state, attempt: 'one', manifest: manifestTo(4), leaseMs: MINUTE_MS }
    const undispatched = coordinator.claim({ ...claim, revision: loaded.revision })
    await expect(undispatched).rejects.toMatchObject(code('CONFLICT'))
    const { revision } = await coordinator.dispatchArchival(state)
    expect((await coordinator.dispatchArchival(state)).revision).toBe(revision)
    expect(await coordinator.claim({ ...claim, revision: loaded.revision })).toEqual({ kind: 'lost' })
    expect(await coordinator.claim({ ...claim, revision })).toEqual({ kind: 'won' })
    expect(await coordinator.claim({ ...claim, revision })).toEqual({ kind: 'won' })
    expect(await coordinator.claim({ ...claim, revision, attempt: 'two' })).toEqual({ kind: 'lost' })
    const seen = await coordinator.loadStream(state)
    expect(await coordinator.claim({ ...claim, revision: seen.revision })).toEqual({ kind: 'lost' })
  })

  it('claim: of many at once one wins', async () => {
    const world = makeWorld()
    const state = await makeStream(world)
    const { revision } = await world.coordinator.dispatchArchival(state)
    const outcomes = await Promise.all(
      Array.from({ length: 9 }, (_, i) =>
        world.coordinator.claim({ ...state, revision, attempt: `${i}`, manifest: manifestTo(i), leaseMs: 9 }),
      ),
    )
    expect(outcomes.filter(({ kind }) => kind === 'won').length).toBe(1)
    expect(outcomes.filter(({ kind }) => kind === 'lost').length).toBe(8)
  })

  it('claim: a lapsed one is taken over with its attempt and manifest, whatever the taker has staged', async () => {
    const world = makeWorld()
    const { coordinator, clock } = world
    const state = await claimedStream(world)
    clock.nowMs += MINUTE_MS
    const { revision } = await coordinator.loadStream(state)
    const claim = { ...state, revision, attempt: 'two', manifest: manifestTo(9), leaseMs: MINUTE_MS }
    const taken = { kind: 'taken over', claim: { attempt: 'one', manifest: manifestTo(4) } }
    expect(await coordinator.claim(claim)).toEqual(taken)
    expect(await coordinator.claim(claim)).toEqual({ kind: 'lost' })
    await expect(coordinator.archiveStream(reportOf(state, 'two', 9))).rejects.toMatchObject(code('CONFLICT'))
    await coordinator.archiveStream(reportOf(state, 'one', 4))
    expect(await coordinator.claim(claim)).toEqual({ kind: 'lost' })
  })

  it('extend: runs longer, or out at once; another attempt is CONFLICT', async () => {
    const world = makeWorld()
    const { coordinator, clock } = world
    const state = await claimedStream(world)
    clock.nowMs += MINUTE_MS - 1
    await coordinator.extendClaim({ ...state, attempt: 'one', leaseMs: MINUTE_MS })
    clock.nowMs += MINUTE_MS - 1
    const { revision } = await coordinator.loadStream(state)
    const claim = { ...state, revision, attempt: 'two', manifest: manifestTo(4), leaseMs: 1 }
    expect((await coordinator.claim(claim)).kind).toBe('lost')
    await coordinator.extendClaim({ ...state, attempt: 'one', leaseMs: 0 })
    expect((await coordinator.claim(claim)).kind).toBe('taken over')
    const other = coordinator.extendClaim({ ...state, attempt: 'two', leaseMs: 1 })
    await expect(other).rejects.toMatchObject(code('CONFLICT'))
    await coordinator.archiveStream(reportOf(state, 'one', 4))
    const late = coordinator.extendClaim({ ...state, attempt: 'one', leaseMs: 1 })
    await expect(late).rejects.toMatchObject(code('CONFLICT'))
  })

  it('abandon: frees the stream, counts what differed, and leaves the claims of others', async () => {
    const world = makeWorld()
    const { coordinator } = world
    const state = await claimedStream(world)
    await coordinator.abandonClaim({ ...state, attempt: 'two', differed: true })
    expect((await coordinator.loadStream(state)).record).toMatchObject({ differedCount: 0 })
    await coordinator.abandonClaim({ ...state, attempt: 'one', differed: true })
    await coordinator.abandonClaim({ ...state, attempt: 'one', differed: true })
    const { record, revision } = await coordinator.loadStream(state)
    expect(record).toMatchObject({ claim: null, differedCount: 1, phase: 'pending' })
    const claim = { ...state, revision, attempt: 'two', manifest: manifestTo(4), leaseMs: 1 }
    expect((await coordinator.claim(claim)).kind).toBe('won')
  })

  it('terminate: while a claim stands the end is what the claim says, or nobody knows yet', async () => {
    const world = makeWorld()
    const { coordinator } = world
    const state = await claimedStream(world)
    const ending = (terminalIndex: number): Promise<void> =>
      coordinator.terminateStream({ ...state, terminalIndex })
    await expect(ending(7)).rejects.toMatchObject({ code: 'UNAVAILABLE', kind: 'unavailable' })
    await ending(4)
    await coordinator.archiveStream(reportOf(state, 'one', 4, -1))
    await ending(4)
    await expect(ending(7)).rejects.toMatchObject(code('CONFLICT'))
  })

  it('archive: by the claimed attempt only, idempotent, with the known end', async () => {
    const world = makeWorld()
    const { coordinator } = world
    const state = await makeStream(world, { terminalIndex: 4 })
    const archiving = (change: object): Promise<unknown> =>
      coordinator.archiveStream({ ...reportOf(state, 'one', 4), ...change })
    await expect(archiving({})).rejects.toMatchObject(code('CONFLICT'))
    const { revision } = await coordinator.dispatchArchival(state)
    await expect(archiving({})).rejects.toMatchObject(code('CONFLICT'))
    await coordinator.claim({ ...state, revision, attempt: 'one', manifest: manifestTo(4), leaseMs: 1 })
    await expect(archiving({ terminalIndex: 3, lastIndex: 3 })).rejects.toMatchObject(code('CONFLICT'))
    await expect(archiving({ terminalIndex: -1, lastIndex: 5 })).rejects.toMatchObject(code('CONFLICT'))
    for (const bad of [
      { entriesUrl: '' },
      { indexUrl: '' },
      { entryCount: -1 },
      { lastIndex: 0.5 },
      { attempt: '' },
    ]) {
      await expect(archiving(bad)).rejects.toMatchObject(code('INVALID'))
    }
    const files = { dataUrl: 'data', dataBytes: 3 }
    await archiving({ ...files, lastIndex: 3, entryCount: 4 })
    await archiving({ ...files, lastIndex: 3, entryCount: 4 })
    await expect(archiving({ attempt: 'two' })).rejects.toMatchObject(code('CONFLICT'))
    const { record } = await coordinator.loadStream(state)
    expect(record).toMatchObject({ terminalIndex: 4, archive: { ...files, lastIndex: 3, entryCount: 4 } })
  })

  it('archive: an unknown end becomes the last archived index', async () => {
    const world = makeWorld()
    const state = await archivedStream(world)
    expect((await world.coordinator.loadStream(state)).record.terminalIndex).toBe(4)
    expect(await makeStream(world, { secret: state.secret })).toMatchObject({
      archived: true,
      terminalIndex: 4,
    })
  })
})

describe('coordinator: quarantine', () => {
  it('set aside: listed with its reason, not dispatched, ended by its writers all the same', async () => {
    const world = makeWorld()
    const { coordinator, clock } = world
    const state = await makeStream(world)
    await coordinator.dispatchArchival(state)
    await coordinator.quarantine({ ...state, reason: 'first' })
    await coordinator.quarantine({ ...state, reason: 'second' })
    expect((await quarantineOf(world)).map(({ id, reason }) => [id, reason])).toEqual([[state.id, 'first']])
    expect((await quarantineOf(world, PROJECT)).length).toBe(1)
    expect(await quarantineOf(world, 'other')).toEqual([])
    await coordinator.terminateStream({ ...state, terminalIndex: 3 })
    clock.nowMs += 100 * DAY_MS
    expect(await coordinator.dispatchDue()).toBe(0)
    await expect(coordinator.archiveStream(reportOf(state, 'x', 3))).rejects.toMatchObject(
      code('QUARANTINED'),
    )
  })

  it('release: pending with a new task, `skipDamaged` remembered', async () => {
    const world = makeWorld()
    const { coordinator, clock } = world
    const state = await makeStream(world)
    await coordinator.quarantine({ ...state, reason: 'why' })
    clock.nowMs += HOUR_MS
    await coordinator.releaseQuarantined({ ...state, skipDamaged: true })
    await coordinator.releaseQuarantined({ ...state, skipDamaged: true })
    const { record } = await coordinator.loadStream(state)
    expect(record).toMatchObject({
      phase: 'pending',
      skipDamaged: true,
      reason: null,
      dispatchedMs: clock.nowMs,
    })
    expect(await quarantineOf(world)).toEqual([])
    const [lease, ...others] = await coordinator.leaseArchiveTasks({ max: 5 })
    expect(lease?.task).toMatchObject({ reason: 'archive', id: state.id, createdMs: clock.nowMs })
    expect(others).toEqual([])
  })

  it('release: a stream that comes back meanwhile stays on the list', async () => {
    const world = makeWorld()
    const { coordinator, taskQueue } = world
    const state = await makeStream(world)
    await coordinator.quarantine({ ...state, reason: 'first' })
    const put = taskQueue.put.bind(taskQueue)
    taskQueue.put = async (...args) => {
      taskQueue.put = put
      await coordinator.quarantine({ ...state, reason: 'again' })
      return put(...args)
    }
    await coordinator.releaseQuarantined(state)
    expect((await quarantineOf(world)).map(({ reason }) => reason)).toEqual(['again'])
  })

  it('release: a dead letter lives again', async () => {
    const world = makeWorld()
    const { coordinator, clock } = world
    const state = await makeStream(world)
    clock.nowMs += 48 * HOUR_MS
    expect(await coordinator.dispatchDue()).toBe(1)
    for (let tries = 0; tries < 10; tries++) {
      expect((await coordinator.leaseArchiveTasks({ max: 1 })).length).toBe(1)
      clock.nowMs += 10 * MINUTE_MS
    }
    expect(await coordinator.leaseArchiveTasks({ max: 1 })).toEqual([])
    const letters = []
    for await (const letter of coordinator.deadLetters()) letters.push(letter)
    expect(letters).toMatchObject([{ tries: 10, task: { id: state.id, reason: 'archive' } }])
    clock.nowMs += DAY_MS
    expect(await coordinator.dispatchDue()).toBe(0)
    await coordinator.quarantine({ ...state, reason: 'why' })
    await coordinator.releaseQuarantined(state)
    expect((await coordinator.leaseArchiveTasks({ max: 1 })).length).toBe(1)
  })

  it('revive: a dead letter is leased again; what is none is not', async () => {
    const world = makeWorld()
    const { coordinator } = world
    const state = await makeStream(world)
    expect(await coordinator.reviveTask({ ...state, reason: 'archive' })).toBe(false)
    world.clock.nowMs += 48 * HOUR_MS
    await coordinator.dispatchDue()
    for (let tries = 0; tries < 10; tries++) {
      const [lease] = await coordinator.leaseArchiveTasks({ max: 1 })
      if (lease === undefined) throw new Error('no task')
      await coordinator.releaseTask(lease, { afterMs: 0, reason: 'why', countsAsTry: true })
    }
    expect(await coordinator.leaseArchiveTasks({ max: 1 })).toEqual([])
    expect(await coordinator.reviveTask({ ...state, reason: 'archive' })).toBe(true)
    const [lease] = await coordinator.leaseArchiveTasks({ max: 1 })
    if (lease === undefined) throw new Error('no task')
    const longer = await coordinator.extendTask(lease, HOUR_MS)
    expect(longer.expiresMs).toBe(world.clock.nowMs + HOUR_MS)
  })

  it('set aside: not while a claim stands, nor what is archived or purged', async () => {
    const world = makeWorld()
    const { coordinator } = world
    const state = await claimedStream(world)
    const quarantining = (): Promise<void> => coordinator.quarantine({ ...state, reason: 'why' })
    await expect(quarantining()).rejects.toMatchObject(code('CONFLICT'))
    await coordinator.archiveStream(reportOf(state, 'one', 4))
    await expect(quarantining()).rejects.toMatchObject(code('CONFLICT'))
    await expect(coordinator.releaseQuarantined(state)).rejects.toMatchObject(code('CONFLICT'))
    await coordinator.purgeStream(state)
    await expect(quarantining()).rejects.toMatchObject(code('CONFLICT'))
    await expect(coordinator.releaseQuarantined(state)).rejects.toMatchObject(code('PURGED'))
    expect(await quarantineOf(world)).toEqual([])
  })

  it('list: more than a page, those first that came first', async () => {
    const world = makeWorld()
    const secret = await prefixSecret(world)
    const names = Array.from({ length: 503 }, (_, i) => `s${i}`)
    for (const name of names) {
      const state = await makeStream(world, { secret, name })
      await world.coordinator.quarantine({ ...state, reason: 'why' })
      world.clock.nowMs += 1
    }
    expect((await quarantineOf(world)).map(({ path }) => path)).toEqual(
      names.map((name) => `${PREFIX}/+/${name}`),
    )
  })
})

describe('coordinator: purge', () => {
  it('purge: voids the claim, puts a task, again for 30 days; so long the name is not free', async () => {
    const world = makeWorld()
    const { coordinator, clock } = world
    const secret = await prefixSecret(world)
    const state = await makeStream(world, { secret, terminalIndex: 4 })
    const { revision } = await coordinator.dispatchArchival(state)
    await coordinator.claim({ ...state, revision, attempt: 'one', manifest: manifestTo(4), leaseMs: DAY_MS })
    const purgedMs = clock.nowMs
    await coordinator.purgeStream(state)
    await coordinator.purgeStream(state)
    expect((await coordinator.loadStream(state)).record).toMatchObject({
      phase: 'purged',
      claim: null,
      purgedMs,
    })
    await expect(coordinator.archiveStream(reportOf(state, 'one', 4))).rejects.toMatchObject(code('PURGED'))
    let removals = 0
    while (clock.nowMs < purgedMs + 40 * DAY_MS) {
      await coordinator.dispatchDue()
      for (const lease of await coordinator.leaseArchiveTasks({ max: 5 })) {
        expect(lease.task.reason).toBe('purge')
        await coordinator.acknowledgeTask(lease)
        removals++
      }
      clock.nowMs += HOUR_MS
    }
    expect(removals).toBeGreaterThanOrEqual(30)
    expect(removals).toBeLessThan(35)
  })

  it('purge: within 30 days a registration is told so, then it begins anew', async () => {
    const world = makeWorld({ settings: { prefixExpirationMs: 31 * DAY_MS } })
    const { coordinator, clock } = world
    const secret = await prefixSecret(world)
    const state = await makeStream(world, { secret, terminalIndex: 4 })
    await coordinator.purgeStream(state)
    clock.nowMs += 30 * DAY_MS - 1
    expect(await makeStream(world, { secret })).toMatchObject({ purged: true, terminalIndex: 4 })
    expect(await makeStream(world, { secret, terminalIndex: 9 })).toMatchObject({
      purged: true,
      terminalIndex: 4,
    })
    await expect(coordinator.terminateStream({ ...state, terminalIndex: 9 })).rejects.toMatchObject(
      code('PURGED'),
    )
    clock.nowMs += 1
    expect(await makeStream(world, { secret })).toMatchObject({ purged: false, terminalIndex: -1 })
    await coordinator.purgeStream(state)
    clock.nowMs += 30 * DAY_MS
    await expect(makeStream(world, { secret })).rejects.toMatchObject(code('EXPIRED'))
  })

  it('purge: a stream in quarantine leaves it', async () => {
    const world = makeWorld()
    const state = await makeStream(world)
    await world.coordinator.quarantine({ ...state, reason: 'why' })
    await world.coordinator.purgeStream(state)
    expect(await quarantineOf(world)).toEqual([])
    await expect(world.coordinator.streamCleaned(state)).resolves.toBeUndefined()
  })
})

describe('coordinator: sweep', () => {
  it('due: an unterminated stream after 48 hours, in the order of due times', async () => {
    const world = makeWorld()
    const { coordinator, clock } = world
    const secret = await prefixSecret(world)
    const first = await makeStream(world, { secret, name: 'z' })
    clock.nowMs += 1
    const second = await makeStream(world, { secret, name: 'a' })
    clock.nowMs += 48 * HOUR_MS - 2
    expect(await coordinator.dispatchDue()).toBe(0)
    clock.nowMs += 1
    expect(await coordinator.dispatchDue()).toBe(1)
    clock.nowMs += 1
    expect(await coordinator.dispatchDue({ max: 1 })).toBe(1)
    const leases = await coordinator.leaseArchiveTasks({ max: 9 })
    expect(leases.map(({ task }) => task.id)).toEqual([first.id, second.id])
  })

  it('one task: from many coordinators at once', async () => {
    const streamStore = new MemoryStreamStore()
    const world = makeWorld({ streamStore })
    const secret = await prefixSecret(world)
    for (let i = 0; i < 40; i++) await makeStream(world, { secret, name: `s${i}`, terminalIndex: i })
    world.clock.nowMs += HOUR_MS
    const others = [new Coordinator(world.parts), new Coordinator(world.parts), world.coordinator]
    const counts = await Promise.all(others.map((other) => other.dispatchDue()))
    expect(counts.reduce((sum, count) => sum + count)).toBe(40)
    expect((await world.coordinator.leaseArchiveTasks({ max: 100 })).length).toBe(40)
  })

  it('a lost task: a pending stream with neither task nor dead letter is dispatched again, ever more seldom', async () => {
    const streamStore = new MemoryStreamStore()
    const world = makeWorld({ streamStore })
    const { clock } = world
    await makeStream(world, { terminalIndex: 4 })
    clock.nowMs += HOUR_MS
    const dispatchedMs = clock.nowMs
    expect(await world.coordinator.dispatchDue()).toBe(1)
    // Another process, whose queue has forgotten all.
    const taskQueue = new MemoryTaskQueue({ clock })
    const coordinator = new Coordinator({ ...world.parts, taskQueue })
    expect(await coordinator.dispatchDue()).toBe(0)
    clock.nowMs += 10 * MINUTE_MS
    expect(await coordinator.dispatchDue()).toBe(1)
    const [lease] = await coordinator.leaseArchiveTasks({ max: 1 })
    expect(lease?.task.createdMs).toBe(dispatchedMs)
    const writes: number[] = []
    for (let day = 0; day < 10; day++) {
      const before =
        (await streamStore.query({ kind: 'stream', project: PROJECT, limit: 1 }))[0]?.revision ?? 0
      for (let i = 0; i < 48; i++) {
        clock.nowMs += HOUR_MS / 2
        await coordinator.dispatchDue()
      }
      const after =
        (await streamStore.query({ kind: 'stream', project: PROJECT, limit: 1 }))[0]?.revision ?? 0
      writes.push(after - before)
    }
    expect(writes.at(-1)).toBe(1)
  })

  it('a death between task and state: the next pass goes on with the same task', async () => {
    class Failing extends MemoryStreamStore {
      fails = false
      override async update(...args: Parameters<MemoryStreamStore['update']>): Promise<number> {
        if (this.fails) throw new Error('power lost')
        return super.update(...args)
      }
    }
    const streamStore = new Failing()
    const world = makeWorld({ streamStore })
    const state = await makeStream(world, { terminalIndex: 4 })
    world.clock.nowMs += HOUR_MS
    streamStore.fails = true
    await expect(world.coordinator.dispatchDue()).rejects.toThrow('power lost')
    streamStore.fails = false
    expect((await world.coordinator.leaseArchiveTasks({ max: 9 })).length).toBe(1)
    expect(await phaseOf(world, state)).toBe('terminated')
    expect(await world.coordinator.dispatchDue()).toBe(0)
    expect(await phaseOf(world, state)).toBe('pending')
    expect((await world.coordinator.leaseArchiveTasks({ max: 9 })).length).toBe(0)
  })

  it('cleaning: without a delay it is the archival that does it, and the sweep when that has died', async () => {
    const world = makeWorld({ settings: { storageCleanupDelayMs: 0 } })
    const { coordinator, clock } = world
    await archivedStream(world)
    expect(await coordinator.dispatchDue()).toBe(0)
    clock.nowMs += 10 * MINUTE_MS
    expect(await coordinator.dispatchDue()).toBe(1)
  })

  it('races: a change that always comes too late ends with UNAVAILABLE, not in silence', async () => {
    class Unlucky extends MemoryStreamStore {
      override async update(id: string, revision: number, ...rest: [never, never]): Promise<number> {
        return super.update(id, revision + 1, ...rest)
      }
    }
    const world = makeWorld({ streamStore: new Unlucky() })
    const state = await makeStream(world)
    const terminating = world.coordinator.terminateStream({ ...state, terminalIndex: 1 })
    await expect(terminating).rejects.toMatchObject({ code: 'UNAVAILABLE', data: { tries: 100 } })
  })

  it('limits: what is no number is refused', async () => {
    const world = makeWorld()
    const state = await makeStream(world)
    await expect(world.coordinator.dispatchDue({ max: 0 })).rejects.toThrow(RangeError)
    const claim = { ...state, revision: 1, attempt: 'one', manifest: manifestTo(1), leaseMs: 0 }
    await expect(world.coordinator.claim(claim)).rejects.toThrow(RangeError)
    const extension = world.coordinator.extendClaim({ ...state, attempt: 'one', leaseMs: -1 })
    await expect(extension).rejects.toMatchObject(code('INVALID'))
  })

  it('abort: every call that is aborted before it begins rejects with ABORTED', async () => {
    const world = makeWorld()
    const { coordinator } = world
    const state = await makeStream(world)
    const aborted = { ...state, signal: AbortSignal.abort() }
    for (const call of [
      () => coordinator.loadStream(aborted),
      () => coordinator.dispatchArchival(aborted),
      () => coordinator.terminateStream({ ...aborted, terminalIndex: 1 }),
      () => coordinator.purgeStream(aborted),
      () => coordinator.dispatchDue({ signal: aborted.signal }),
      () => coordinator.leaseArchiveTasks({ max: 1, signal: aborted.signal }),
      () => coordinator.registerPrefix({ project: PROJECT, prefix: 'other', signal: aborted.signal }),
      () => coordinator.registerStream({ ...aborted, descriptor: descriptorOf('b') }),
      () => coordinator.settings(PROJECT, aborted),
    ]) {
      await expect(call(), call.toString()).rejects.toMatchObject(code('ABORTED'))
    }
    expect(await phaseOf(world, state)).toBe('streaming')
  })
})
