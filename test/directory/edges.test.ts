import { describe, expect, it } from 'vitest'
import { DirectoryExchange } from '../../src/directory/directory-exchange.ts'
import { DurableDirectory } from '../../src/directory/index.ts'
import { rewriteOutweighed } from '../../src/directory/horizon.ts'
import { ReaderPin } from '../../src/directory/reader-pin.ts'
import { liveSize } from '../../src/directory/status.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { FSM } from '../../src/fsm/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { Recorder } from '../../src/recorder/index.ts'
import { ManualClock, memoryFileSystem, settle } from '../support/directory.ts'
import { World } from '../support/world.ts'

function failing(code: string, data: object = {}): Error {
  return expect.objectContaining({ code, data: expect.objectContaining(data) as unknown }) as Error
}

function throwing(code: string): () => never {
  return () => {
    throw Object.assign(new Error(code), { code })
  }
}

describe('a durable directory: what a plan skips', () => {
  it('plan: an unreadable set and one whose log is gone are passed over, the second only with a loss', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', 'x')
    await state.close()
    const stored = await world.hints.load()
    const [newest] = stored
    const beyond = newest?.set && {
      ...newest.set,
      hints: {
        ...newest.set.hints,
        liveNodes: newest.set.hints.liveNodes.map((node) => ({
          ...node,
          segments: node.segments.map((segment) => ({ ...segment, firstOffset: 1e9 })),
        })),
      },
    }
    const broken = { key: 'set-x', error: new RecoveryLogError('HINTS_INVALID', 'damaged', { key: 'set-x' }) }
    world.hints.load = () => Promise.resolve([broken, { key: 'set-y', set: beyond as never }, ...stored])
    await expect(DurableDirectory.plan(world.options())).rejects.toThrow(failing('DATA_LOSS'))
    const plan = await DurableDirectory.plan({ ...world.options(), acceptDataLoss: true })
    expect(plan.key).toBe(newest?.key)
    expect(plan.skipped.map(({ code }) => code)).toEqual(['HINTS_INVALID', 'DATA_LOSS'])
    const at = { log: 'the/log', end: 0 }
    expect((await DurableDirectory.plan({ ...world.options(), at })).bytes).toBe(0)
  })

  it('recover: the set whose log is gone is passed over only with a loss', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', 'x')
    await state.close()
    const stored = await world.hints.load()
    const set = stored[0]?.set
    const gone = set && { ...set, journals: [{ name: 'the/log', id: 'another' }] }
    world.hints.load = () => Promise.resolve([{ key: 'set-y', set: gone as never }, ...stored])
    const options = { ...world.options('m2'), dir: '/data/copy' }
    await expect(DurableDirectory.recover(options)).rejects.toThrow(failing('DATA_LOSS'))
    await DurableDirectory.recover({ ...options, acceptDataLoss: true })
    expect(world.tree('m2', '/data/copy')).toEqual({ a: 'x' })
    expect(world.told()).toContain('hints_skipped')
  })

  it('recover: a set that is pruned while it is chosen is looked for again, but not for ever', async () => {
    const world = new World()
    await (await world.open()).close()
    const load = world.hints.load.bind(world.hints)
    let loads = 0
    world.hints.load = async () => (loads++ % 2 === 0 ? await load() : [])
    await expect(DurableDirectory.recover({ ...world.options('m2'), dir: '/data/copy' })).rejects.toThrow(
      failing('UNAVAILABLE'),
    )
    expect(loads).toBe(128)
  })
})

describe('a durable directory: its options', () => {
  it('open: takes a queue limit, content checksums and a history without bound', async () => {
    const world = new World()
    const state = await world.open('m1', {
      queueBytesMax: 1 << 20,
      contentChecksums: true,
      boundHistory: false,
      hintsIntervalMs: 1000,
    })
    state.fs.writeFileSync('/db', new Uint8Array(1000))
    const fd = state.fs.openSync('/db', 'r+')
    for (let i = 0; i < 1500; i++) state.fs.writeSync(fd, new Uint8Array(1000).fill(i), 0, 1000, 0)
    state.fs.closeSync(fd)
    await state.sync()
    await world.clock.advance(1000)
    expect((await DurableDirectory.plan(world.options())).bytes).toBeGreaterThan(1_500_000)
    await state.close()
    await DurableDirectory.verify(world.options())
  })

  it('open: without an identity a holder is never found dead', async () => {
    const world = new World()
    const state = await world.open('m1', { identity: undefined })
    await expect(world.open('m1', { identity: undefined })).rejects.toThrow(
      failing('DIRECTORY_IN_USE', { judgement: 'unknown' }),
    )
    await state.close()
    await (await world.open('m1', { identity: undefined })).close()
  })

  it('open: without a listener nothing is missed but the events', async () => {
    const world = new World()
    const state = await world.open('m1', { onEvent: undefined })
    await state.close()
    const { onEvent, ...options } = world.options('m2')
    expect(onEvent).toBeDefined()
    await DurableDirectory.recover({ ...options, dir: '/data/copy' })
  })

  it('close: closes what was made for the directory alone, and tells the first error', async () => {
    const world = new World()
    const closed: string[] = []
    const part = (name: string, error?: Error) => ({
      close: () => (closed.push(name), error === undefined ? Promise.resolve() : Promise.reject(error)),
    })
    const state = await world.open('m1', {
      closeWith: [part('a', new Error('first')), part('b', new Error('second'))],
    })
    await expect(state.close()).rejects.toThrow('first')
    expect(closed).toEqual(['a', 'b'])
  })

  it('close: a sync that fails is told by close, and the lock is given back all the same', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', '1')
    world.journal.append = () => Promise.reject(new Error('the disk is gone'))
    await expect(state.close()).rejects.toThrow(failing('UNAVAILABLE'))
    await (await world.open('m1', { journal: world.journal.share() })).close()
  })

  it('open: a log that hints name and nobody knows is told', async () => {
    const world = new World()
    await (await world.open()).close()
    const journal = new MemoryJournal({ name: 'an/other', id: 'o' })
    await expect(world.open('m2', { journal })).rejects.toThrow(failing('NOT_FOUND', { log: 'the/log' }))
  })

  it('change: hints that cannot be saved keep the directory from opening', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', '1')
    await state.close()
    const journal = new MemoryJournal({ name: 'an/other', id: 'o' })
    world.hints.save = () => Promise.reject(new RecoveryLogError('UNAVAILABLE', 'no network'))
    await expect(world.open('m2', { journal, journals: () => world.journal })).rejects.toThrow(
      failing('UNAVAILABLE'),
    )
  })

  it('change: who finds hints of another and its fence gone has been fenced', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', '1')
    await state.close()
    const journal = new MemoryJournal({ name: 'an/other', id: 'o' })
    const save = world.hints.save.bind(world.hints)
    world.hints.save = async (set, options) => {
      world.hints.save = save
      // Somebody is faster: takes the old log over, and leaves it too.
      const third = new MemoryJournal({ name: 'third/log', id: 't' })
      await (await world.open('m3', { journal: third, journals: () => world.journal })).close()
      return save(set, options)
    }
    await expect(world.open('m2', { journal, journals: () => world.journal })).rejects.toThrow(
      failing('FENCED'),
    )
    expect((await world.hints.load())[0]?.set?.hints.log).toBe('third/log')
  })
})

describe('a durable directory: its pieces', () => {
  it('exchange: an adoption that is no JSON has not begun', () => {
    const fs = memoryFileSystem()
    const exchange = new DirectoryExchange(fs, '/data/state', 7)
    expect(exchange.adoption()).toBeUndefined()
    fs.writeFileSync('/data/state.recoverylog-adopting', '{"log":')
    expect(exchange.adoption()).toBeUndefined()
    exchange.beginAdoption({ log: 'a/log', id: 'x' })
    expect(exchange.adoption()).toEqual({ log: 'a/log', id: 'x' })
    exchange.finishAdoption()
    expect(exchange.adoption()).toBeUndefined()
    expect(exchange.occupant()).toBe('ours')
  })

  it('exchange: what the system says of the place is thrown', () => {
    const fs = memoryFileSystem()
    const exchange = new DirectoryExchange(fs, '/data/state', 7)
    fs.readdirSync = throwing('EACCES')
    expect(() => exchange.occupant()).toThrow('EACCES')
    fs.lstatSync = throwing('EIO')
    expect(() => exchange.occupant()).toThrow('EIO')
  })

  it('status: a file whose size cannot be told is an error, one that is gone is not', () => {
    const fsm = new FSM({ log: 'a/log', liveNodes: [], properties: [] })
    fsm.liveNodes = () => [{ fnode: 1, links: ['/a'], segments: [] }][Symbol.iterator]() as never
    const fs = memoryFileSystem()
    expect(liveSize(fsm, fs, '/data')).toEqual({ liveFiles: 0, liveBytes: 0 })
    fs.statSync = throwing('EIO')
    expect(() => liveSize(fsm, fs, '/data')).toThrow('EIO')
  })

  it('horizon: a file that is gone meanwhile is left alone, one that cannot be looked at is an error', async () => {
    const fs = memoryFileSystem()
    const recorder = {
      fsm: { liveNodes: () => [{ fnode: 1, links: ['/a'], segments: [] }] },
      historyBytes: () => 1e9,
      outweighs: () => true,
    } as unknown as Recorder
    const options = { recorder, files: undefined as never, fs, dir: '/data' }
    const { signal } = new AbortController()
    await rewriteOutweighed(options, signal)
    fs.statSync = throwing('EIO')
    await expect(rewriteOutweighed(options, signal)).rejects.toThrow('EIO')
  })

  it('pin: a renewal that fails is told, and tried again', async () => {
    const clock = new ManualClock()
    const errors: RecoveryLogError[] = []
    let expiresAt = 0
    const world = new World()
    const pin = new ReaderPin({
      hints: world.hints,
      clock,
      id: 'r',
      reader: 'a test',
      pinMs: 3000,
      onError: (error) => errors.push(error),
    })
    await pin.hold([])
    const write = world.hints.pin.bind(world.hints)
    world.hints.pin = () => Promise.reject(new Error('no network'))
    await clock.advance(1000)
    expect(errors).toMatchObject([{ code: 'UNAVAILABLE' }])
    world.hints.pin = write
    await clock.advance(1000)
    expiresAt = (await world.hints.pins())[0]?.expiresAt ?? 0
    expect(expiresAt).toBe(clock.now() + 3000)
    await pin.release()
    await settle()
    expect(clock.sleeping).toBe(0)
    expect(await world.hints.pins()).toEqual([])
  })
})
