import { describe, expect, it } from 'vitest'
import { Archivist, Sweep } from '../../src/archivist/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { upTo } from '../archive/archive-fixture.ts'
import { settle } from '../support/directory.ts'
import { ArchiveWorld, descriptorOf, HOUR_MS, PATH, PROJECT } from './archive-world.ts'

const MINUTE_MS = 60_000

async function registered(world: ArchiveWorld, path: string, terminalIndex: number): Promise<void> {
  const prefix = path.split('/+/')[0] as string
  const { secret } = await world.coordinator.registerPrefix({ project: PROJECT, prefix })
  await world.coordinator.registerStream({
    project: PROJECT,
    secret,
    descriptor: descriptorOf(path),
    terminalIndex,
  })
}

function sweepOf(world: ArchiveWorld, more: Partial<ConstructorParameters<typeof Sweep>[0]> = {}): Sweep {
  return new Sweep({ ...world.parts, ...more })
}

describe('sweep: what is due', () => {
  it("a stream's whole life, by the clock alone", async () => {
    const world = new ArchiveWorld({ storageCleanupDelayMs: 10 * MINUTE_MS })
    const sweep = sweepOf(world)
    const archivist = new Archivist(world.parts)
    await registered(world, PATH, 2)
    await world.put(PATH, 0, 1, 2)
    expect(await sweep.sweep()).toEqual({ dispatched: 0, removed: 0 })
    await world.clock.advance(5 * MINUTE_MS)
    expect(await sweep.sweep()).toEqual({ dispatched: 1, removed: 0 })
    expect(await sweep.sweep()).toEqual({ dispatched: 0, removed: 0 })
    await archivist.runDue()
    expect(await world.archived()).toEqual(upTo(3))
    expect(await world.stored()).toEqual(upTo(3))
    await world.clock.advance(10 * MINUTE_MS)
    expect(await sweep.sweep()).toEqual({ dispatched: 1, removed: 0 })
    await archivist.runDue()
    expect(await world.stored()).toEqual([])
    await world.clock.advance(1000 * HOUR_MS)
    expect(await sweep.sweep()).toEqual({ dispatched: 0, removed: 0 })
  })

  it('catches up after a long sleep, and several sweeps make no more of it', async () => {
    const world = new ArchiveWorld()
    const paths = upTo(30).map((at) => `build/${at}/+/stdout`)
    for (const path of paths) {
      await registered(world, path, 0)
      await world.put(path, 0)
    }
    await world.clock.advance(100 * HOUR_MS)
    const sweeps = upTo(3).map(() => sweepOf(world, { streamsMax: 7 }))
    const reports = await Promise.all(sweeps.map(async (sweep) => sweep.sweep()))
    await sweepOf(world, { streamsMax: 7 }).sweep()
    expect(reports.reduce((sum, { dispatched }) => sum + dispatched, 0)).toBe(30)
    expect(await new Archivist(world.parts).runDue()).toBe(30)
    for (const path of paths) expect(await world.archived(path)).toEqual([0])
  })

  it("a dead archivist's task that got lost is put again", async () => {
    const world = new ArchiveWorld()
    await registered(world, PATH, 0)
    await world.put(PATH, 0)
    await world.clock.advance(5 * MINUTE_MS)
    await sweepOf(world).sweep()
    const [lease] = await world.coordinator.leaseArchiveTasks({ max: 1 })
    if (lease !== undefined) await world.coordinator.acknowledgeTask(lease)
    await world.clock.advance(HOUR_MS)
    expect(await sweepOf(world).sweep()).toMatchObject({ dispatched: 1 })
    await new Archivist(world.parts).runDue()
    expect(await world.archived()).toEqual([0])
  })

  it('run: whenever its time has come, until it is aborted; what goes wrong is told and tried again', async () => {
    const world = new ArchiveWorld()
    await registered(world, PATH, 0)
    const errors: RecoveryLogError[] = []
    const controller = new AbortController()
    const running = sweepOf(world, { everyMs: MINUTE_MS, onError: (error) => errors.push(error) }).run(
      controller,
    )
    await settle()
    const dispatch = world.coordinator.dispatchDue.bind(world.coordinator)
    world.coordinator.dispatchDue = async () => {
      throw new RecoveryLogError('UNAVAILABLE', 'later')
    }
    await world.clock.advance(6 * MINUTE_MS)
    expect(errors.map(({ code }) => code)).toEqual(['UNAVAILABLE'])
    world.coordinator.dispatchDue = dispatch
    expect(await world.coordinator.leaseArchiveTasks({ max: 1 })).toHaveLength(0)
    await world.clock.advance(MINUTE_MS)
    expect(await world.coordinator.leaseArchiveTasks({ max: 1 })).toHaveLength(1)
    controller.abort()
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' })
    expect(world.clock.sleeping).toBe(0)
  })

  it('aborted in the middle of a pass: ends', async () => {
    const world = new ArchiveWorld()
    const controller = new AbortController()
    world.coordinator.dispatchDue = async () => {
      controller.abort()
      return 1
    }
    await expect(sweepOf(world).run(controller)).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('sweep: what dead attempts have staged', () => {
  const folder = (id: string, attempt: string): string => `staging/${PROJECT}/a/${id}/${attempt}`

  async function stagedWorld(): Promise<{ world: ArchiveWorld; id: string }> {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 0, stored: [0] })
    for (const attempt of ['dead', 'claimed']) {
      await world.blobs.put(`${folder(id, attempt)}/logstream.entries`, Uint8Array.of(1))
      await world.blobs.put(`${folder(id, attempt)}/logstream.index`, Uint8Array.of(2))
    }
    const other = new ArchiveWorld()
    await other.stream({ terminalIndex: 0, stored: [0] })
    await other.run()
    const manifest = await other.manifest()
    await world.change(id, {
      phase: 'pending',
      claim: { attempt: 'claimed', manifest, leaseUntilMs: 0, atRevision: 1 },
    })
    return { world, id }
  }

  it('removed when it is 24 h old and has no claim', async () => {
    const { world, id } = await stagedWorld()
    const unknown = folder('f'.repeat(64), 'x')
    await world.blobs.put(`${unknown}/logstream.entries`, Uint8Array.of(3))
    await world.clock.advance(24 * HOUR_MS - 1)
    expect(await sweepOf(world).sweep()).toMatchObject({ removed: 0 })
    await world.clock.advance(1)
    expect(await sweepOf(world).sweep()).toMatchObject({ removed: 2 })
    expect(await world.keys()).toEqual([
      `${folder(id, 'claimed')}/logstream.entries`,
      `${folder(id, 'claimed')}/logstream.index`,
    ])
  })

  it('a folder is as young as its youngest file', async () => {
    const { world, id } = await stagedWorld()
    await world.clock.advance(23 * HOUR_MS)
    await world.blobs.put(`${folder(id, 'dead')}/logstream.meta`, Uint8Array.of(3))
    await world.clock.advance(HOUR_MS)
    expect(await sweepOf(world).sweep()).toMatchObject({ removed: 0 })
  })

  it('what no archivist has put there stays', async () => {
    const { world } = await stagedWorld()
    await world.blobs.put('staging/readme', Uint8Array.of(1))
    await world.blobs.put(`staging/${PROJECT}/p/x/logstream.entries`, Uint8Array.of(1))
    await world.clock.advance(24 * HOUR_MS)
    await sweepOf(world, { staging: ['gs://staging/'] }).sweep()
    expect(await world.keys()).toHaveLength(4)
  })

  it('a pass looks at a bounded number of files, whole folders each, and the next goes on', async () => {
    const { world, id } = await stagedWorld()
    for (const attempt of upTo(9)) {
      await world.blobs.put(`${folder(id, `e${attempt}`)}/logstream.index`, Uint8Array.of(1))
    }
    await world.clock.advance(24 * HOUR_MS)
    const sweep = sweepOf(world, { filesMax: 3 })
    const removed: number[] = []
    for (let pass = 0; pass < 6; pass++) removed.push((await sweep.sweep()).removed)
    expect(removed.reduce((a, b) => a + b)).toBe(10)
    expect(Math.max(...removed)).toBeLessThanOrEqual(3)
    expect(await world.keys()).toHaveLength(2)
  })

  it('a coordinator that does not answer: nothing is removed', async () => {
    const { world } = await stagedWorld()
    await world.clock.advance(24 * HOUR_MS)
    world.coordinator.loadStream = async () => {
      throw new RecoveryLogError('UNAVAILABLE', 'later')
    }
    await expect(sweepOf(world).sweep()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await world.keys()).toHaveLength(4)
  })
})
