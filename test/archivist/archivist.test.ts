import { describe, expect, it } from 'vitest'
import { Archivist } from '../../src/archivist/index.ts'
import type { ArchivistOptions, TaskReport } from '../../src/archivist/index.ts'
import { Deferred } from '../../src/async/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { upTo } from '../archive/archive-fixture.ts'
import { settle } from '../support/directory.ts'
import { ArchiveWorld, LEASE_MS } from './archive-world.ts'

const paths = (count: number): string[] => upTo(count).map((at) => `build/${at}/+/stdout`)

async function worldWith(count: number): Promise<ArchiveWorld> {
  const world = new ArchiveWorld()
  for (const path of paths(count)) await world.stream({ path, terminalIndex: 2, stored: upTo(3) })
  return world
}

/** An archivist whose puts into the blob store wait for `gate`. */
function held(world: ArchiveWorld, gate: Promise<void>, options: Partial<ArchivistOptions> = {}): Archivist {
  const put = world.blobs.put.bind(world.blobs)
  world.blobs.put = async (key, body, more) => {
    await gate
    await put(key, body, more)
  }
  return new Archivist({ ...world.parts, leaseMs: LEASE_MS, ...options })
}

describe('archivist: many tasks', () => {
  it('runDue: does all that is due, and answers how many', async () => {
    const world = await worldWith(40)
    const reports: TaskReport[] = []
    const archivist = new Archivist({ ...world.parts, onTask: (report) => reports.push(report) })
    expect(await archivist.runDue()).toBe(40)
    expect(await archivist.runDue()).toBe(0)
    expect(reports.map(({ ending }) => ending)).toEqual(Array<string>(40).fill('acknowledged'))
    for (const path of paths(40)) expect(await world.archived(path)).toEqual(upTo(3))
    expect(archivist.running).toBe(0)
  })

  it('several side by side: each task is done once', async () => {
    const world = await worldWith(40)
    const archivists = upTo(4).map(() => new Archivist({ ...world.parts, concurrency: 3 }))
    const counts = await Promise.all(archivists.map(async (archivist) => archivist.runDue()))
    expect(counts.reduce((a, b) => a + b)).toBe(40)
    for (const path of paths(40)) expect(await world.archived(path)).toEqual(upTo(3))
  })

  it('concurrency: no more tasks are leased than are worked on', async () => {
    const world = await worldWith(7)
    const gate = new Deferred()
    const archivist = held(world, gate.promise, { concurrency: 3 })
    const done = archivist.runDue()
    await settle()
    expect(archivist.running).toBe(3)
    expect(await world.coordinator.leaseArchiveTasks({ max: 10 })).toHaveLength(4)
    gate.resolve()
    expect(await done).toBe(3)
  })

  it('leases: asked for once for all who wait', async () => {
    const world = await worldWith(8)
    const asked: number[] = []
    const lease = world.coordinator.leaseArchiveTasks.bind(world.coordinator)
    world.coordinator.leaseArchiveTasks = async (request) => {
      asked.push(request.max)
      return lease(request)
    }
    await new Archivist({ ...world.parts, concurrency: 8 }).runDue()
    expect(asked[0]).toBe(8)
    expect(asked.length).toBeLessThan(8)
  })

  it('run: waits for tasks to come, and is woken', async () => {
    const world = await worldWith(0)
    const archivist = new Archivist({ ...world.parts, pollMs: 1000 })
    const running = archivist.run()
    await settle()
    const path = 'late/+/one'
    await world.stream({ path, terminalIndex: 0, stored: [0] })
    await world.clock.advance(999)
    expect(await world.keys()).toEqual([])
    await world.clock.advance(1)
    await settle()
    expect(await world.archived(path)).toEqual([0])
    const second = 'late/+/two'
    await world.stream({ path: second, terminalIndex: 0, stored: [0] })
    archivist.wake()
    await settle()
    await settle()
    expect(await world.archived(second)).toEqual([0])
    await archivist.stop()
    await running
    expect(world.clock.sleeping).toBe(0)
  })

  it.each([
    ['concurrency', 0],
    ['leaseMs', 0.5],
    ['pollMs', -1],
  ])('%s of %d is refused', (name, value) => {
    expect(() => new Archivist({ ...new ArchiveWorld().parts, [name]: value })).toThrow(RangeError)
  })
})

describe('archivist: leases', () => {
  it('task and claim are kept while the work goes on, however long it takes', async () => {
    const world = await worldWith(1)
    const gate = new Deferred()
    const move = world.blobs.move.bind(world.blobs)
    world.blobs.move = async (from, to) => {
      await gate.promise
      await move(from, to)
    }
    const archivist = new Archivist({ ...world.parts, leaseMs: LEASE_MS })
    const done = archivist.runDue()
    for (let third = 0; third < 12; third++) {
      await settle()
      await world.clock.advance(LEASE_MS / 3)
    }
    expect(await world.coordinator.leaseArchiveTasks({ max: 1 })).toEqual([])
    const [record] = await world.streams.query({ kind: 'stream', project: 'proj', limit: 1 })
    const { claim } = record?.value as { claim: { leaseUntilMs: number } }
    expect(claim.leaseUntilMs).toBeGreaterThan(world.clock.now())
    gate.resolve()
    expect(await done).toBe(1)
    expect(await world.archived('build/0/+/stdout')).toEqual(upTo(3))
    expect(world.clock.sleeping).toBe(0)
  })

  it('one that cannot be kept is told of, and the work goes on', async () => {
    const world = await worldWith(1)
    const gate = new Deferred()
    const errors: RecoveryLogError[] = []
    const reports: TaskReport[] = []
    const archivist = held(world, gate.promise, {
      onError: (error) => errors.push(error),
      onTask: (report) => reports.push(report),
    })
    const done = archivist.runDue()
    await settle()
    await world.clock.advance(3 * LEASE_MS) // asleep
    expect(errors.map(({ code }) => code)).toEqual(['CONFLICT'])
    gate.resolve()
    await done
    expect(reports).toMatchObject([
      { ending: 'left', error: { code: 'CONFLICT' } },
      { ending: 'acknowledged', what: 'cleaned already' },
    ])
    expect(await world.archived('build/0/+/stdout')).toEqual(upTo(3))
  })
})

describe('archivist: its end', () => {
  it('stop: tasks under way are finished, no others begun', async () => {
    const world = await worldWith(5)
    const gate = new Deferred()
    const archivist = held(world, gate.promise, { concurrency: 2 })
    const running = archivist.run()
    await settle()
    const stopped = archivist.stop()
    await settle()
    expect(archivist.running).toBe(2)
    gate.resolve()
    await stopped
    await running
    expect(await world.coordinator.leaseArchiveTasks({ max: 10 })).toHaveLength(3)
    await archivist.stop()
    expect(await archivist.runDue()).toBe(0)
  })

  it('stop with a grace: what is not done by then is released, for another to do at once', async () => {
    const world = await worldWith(2)
    const gate = new Deferred()
    const reports: TaskReport[] = []
    const archivist = held(world, gate.promise, { onTask: (report) => reports.push(report) })
    const running = archivist.run()
    await settle()
    const stopped = archivist.stop({ graceMs: 5000 })
    await world.clock.advance(5000)
    gate.resolve() // a store that is being waited for answers in the end
    await stopped
    await running
    expect(reports.map(({ ending, afterMs }) => ({ ending, afterMs }))).toEqual([
      { ending: 'released', afterMs: 0 },
      { ending: 'released', afterMs: 0 },
    ])
    expect(await world.keys()).toEqual([])
    expect(await new Archivist(world.parts).runDue()).toBe(2)
  })

  it('dispose: as stop', async () => {
    const world = await worldWith(1)
    {
      await using archivist = new Archivist(world.parts)
      await archivist.runDue()
    }
    expect(world.clock.sleeping).toBe(0)
  })

  it('signal: tasks under way are released, run rejects with ABORTED, and can be called again', async () => {
    const world = await worldWith(2)
    const gate = new Deferred()
    const archivist = held(world, gate.promise)
    const controller = new AbortController()
    const running = archivist.run({ signal: controller.signal })
    await settle()
    controller.abort()
    gate.resolve()
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await archivist.runDue()).toBe(2)
  })

  it('a coordinator that has no tasks to give now: runDue rejects, run goes on and tells', async () => {
    const world = await worldWith(1)
    const lease = world.coordinator.leaseArchiveTasks.bind(world.coordinator)
    const errors: RecoveryLogError[] = []
    const archivist = new Archivist({ ...world.parts, pollMs: 1000, onError: (error) => errors.push(error) })
    world.coordinator.leaseArchiveTasks = async () => {
      throw new RecoveryLogError('UNAVAILABLE', 'later')
    }
    await expect(archivist.runDue()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const running = archivist.run()
    await settle()
    expect(errors.map(({ code }) => code)).toEqual(['UNAVAILABLE'])
    world.coordinator.leaseArchiveTasks = lease
    await world.clock.advance(1000)
    await settle()
    expect(await world.archived('build/0/+/stdout')).toEqual(upTo(3))
    await archivist.stop()
    await running
  })
})
