import { describe, expect, it } from 'vitest'
import { DurableDirectory } from '../../src/directory/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import { settle } from '../support/directory.ts'
import { World } from '../support/world.ts'

function failing(code: string, data: object = {}): Error {
  return expect.objectContaining({ code, data: expect.objectContaining(data) as unknown }) as Error
}

describe('a durable directory: its life', () => {
  it('open: begins empty, records, and is there again on another machine', async () => {
    const world = new World()
    const state = await world.open('m1')
    state.fs.mkdirSync('/d/empty', { recursive: true })
    state.fs.writeFileSync('/d/a', 'one')
    state.fs.linkSync('/d/a', '/b')
    await state.close()
    expect(world.tree('m1')).toEqual({ b: 'one', 'd/': '', 'd/a': 'one', 'd/empty/': '' })
    const again = await world.open('m2')
    expect(world.tree('m2')).toEqual(world.tree('m1'))
    expect(world.machine('m2').statSync('/data/state/b').nlink).toBe(2)
    await again.close()
  })

  it('open: an empty tree can be recovered too', async () => {
    const world = new World()
    await (await world.open('m1')).close()
    await (await world.open('m2')).close()
    expect(world.tree('m2')).toEqual({})
  })

  it('open: the same directory again replaces what was there by what the log says', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', 'logged')
    await state.close()
    world.machine().writeFileSync('/data/state/a', 'changed behind its back')
    world.machine().writeFileSync('/data/state/stray', 'x')
    await (await world.open()).close()
    expect(world.tree('m1')).toEqual({ a: 'logged' })
    expect((world.machine().readdirSync('/data') as string[]).sort()).toEqual([
      'state',
      expect.stringMatching(/^state\.lock-\d+$/) as unknown,
      'state.recoverylog',
    ])
  })

  it('open: tells its steps in order', async () => {
    const world = new World()
    const state = await world.open()
    expect(world.told()).toEqual(['recovering', 'handed_off', 'recovered', 'hints_written'])
    await state.close()
    expect(world.told()).toEqual(['hints_written', 'closed'])
    expect(await state.closed).toEqual({ reason: 'closed' })
  })

  it('close: may be called twice, and nothing works after it but reading', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', '1')
    await Promise.all([state.close(), state.close()])
    expect(state.fs.readFileSync('/a', 'utf8')).toBe('1')
    expect(() => {
      state.fs.writeFileSync('/a', '2')
    }).toThrow()
    await expect(state.sync()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('sync: what it answers is a point in time', async () => {
    const world = new World()
    await using state = await world.open()
    const ends = []
    for (const content of ['1', '2', '3']) {
      state.fs.writeFileSync('/a', content)
      ends.push(await state.sync())
    }
    for (const [index, at] of ends.entries()) {
      const dir = `/data/at-${String(index)}`
      const copy = await DurableDirectory.recover({ ...world.options(), dir, at })
      expect(copy.end.end).toBeLessThanOrEqual(at.end)
      expect(world.tree('m1', dir)).toEqual({ a: String(index + 1) })
    }
  })

  it('sync: calls in flight are in it', async () => {
    const world = new World()
    await using state = await world.open()
    const writing = state.fs.promises.writeFile('/a', 'in flight')
    await state.sync()
    await DurableDirectory.recover({ ...world.options('m2'), dir: '/data/copy' })
    expect(world.tree('m2', '/data/copy')).toEqual({ a: 'in flight' })
    await writing
  })

  it('position and committed: in bytes since open', async () => {
    const world = new World()
    await using state = await world.open()
    await state.sync()
    const before = state.position
    state.fs.writeFileSync('/a', new Uint8Array(1000))
    expect(state.position).toBeGreaterThan(before + 1000)
    expect(state.committed).toBe(before)
    await state.committedAt(state.position)
    expect(state.committed).toBe(state.position)
    await expect(state.committedAt(state.position + 1)).rejects.toThrow(RangeError)
  })

  it('status: plain data that can be printed', async () => {
    const world = new World()
    await using state = await world.open()
    state.fs.writeFileSync('/a', 'abc')
    state.fs.mkdirSync('/empty')
    await state.sync()
    await world.clock.advance(10)
    const status = await state.status()
    expect(JSON.parse(JSON.stringify(status))).toEqual(status)
    expect(status).toMatchObject({
      author: state.author,
      log: 'the/log',
      durability: 'memory',
      liveFiles: 1,
      liveBytes: 3,
      queuedBytes: 0,
      hintsAgeMs: 10,
    })
    expect(status.recoveryBytes).toBeGreaterThan(0)
  })
})

describe('a durable directory: its place', () => {
  it('open: files that are none of ours are refused and left alone', async () => {
    const world = new World()
    const fs = world.machine()
    fs.mkdirSync('/data/state')
    fs.writeFileSync('/data/state/mine', 'x')
    await expect(world.open()).rejects.toThrow(failing('TARGET_NOT_EMPTY', { dir: '/data/state' }))
    expect(world.tree('m1')).toEqual({ mine: 'x' })
    expect((await world.journal.head()).offset).toBe(0)
  })

  it('open: a file in its place is refused', async () => {
    const world = new World()
    world.machine().writeFileSync('/data/state', 'x')
    await expect(world.open()).rejects.toThrow(failing('TARGET_NOT_EMPTY'))
  })

  it('open: an empty directory is taken', async () => {
    const world = new World()
    world.machine().mkdirSync('/data/state')
    await (await world.open()).close()
  })

  it.each(['relative', '/', '/a/', '/a//b', '/a/../b', '/a/./b', ''])(
    'open: dir %j is a mistake',
    async (dir) => {
      await expect(new World().open('m1', { dir })).rejects.toThrow(TypeError)
    },
  )

  it('open: a second owner of the directory is refused, unless it takes the lock; then the first is fenced', async () => {
    const world = new World()
    const first = await world.open()
    await expect(world.open()).rejects.toThrow(failing('DIRECTORY_IN_USE'))
    const second = await world.open('m1', { takeLock: true })
    first.fs.writeFileSync('/a', 'late')
    await expect(first.sync()).rejects.toThrow(failing('FENCED'))
    await first.close()
    await second.close()
  })

  it('open: what an owner before was in the middle of is undone', async () => {
    const world = new World()
    const fs = world.machine()
    const state = await world.open()
    state.fs.writeFileSync('/a', '1')
    await state.sync()
    // As after a crash between the two renames: the holder is dead, its author is in its lock.
    const fence = (await state.status()).fence
    fs.renameSync('/data/state', `/data/state.old-${fence}`)
    fs.mkdirSync(`/data/state.new-${fence}`)
    fs.writeFileSync(`/data/state.new-${fence}/half`, 'x')
    world.processes.kill(100)
    const again = await world.open()
    expect(world.tree('m1')).toEqual({ a: '1' })
    expect((fs.readdirSync('/data') as string[]).filter((name) => /new|old/.test(name))).toEqual([])
    await again.close()
  })

  it('open: a directory that cannot be renamed is found before anybody is fenced', async () => {
    const world = new World()
    const owner = await world.open('m1')
    const fs = world.machine('m2')
    fs.mkdirSync('/data/state')
    const renameSync = fs.renameSync.bind(fs)
    fs.renameSync = (from, to) => {
      if (from === '/data/state') throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' })
      renameSync(from, to)
    }
    await expect(world.open('m2')).rejects.toThrow(failing('UNAVAILABLE', { dir: '/data/state' }))
    expect((fs.readdirSync('/data') as string[]).filter((name) => /new|old/.test(name))).toEqual([])
    owner.fs.writeFileSync('/a', 'still the owner')
    await owner.sync()
    await owner.close()
  })
})

describe('a durable directory: adoption', () => {
  function withFiles(): World {
    const world = new World()
    const fs = world.machine()
    fs.mkdirSync('/data/state/sub', { recursive: true })
    fs.writeFileSync('/data/state/mine', 'x'.repeat(10_000))
    fs.writeFileSync('/data/state/sub/other', 'y')
    return world
  }

  it('adopt: the files are recorded in place, and the directory is ours from then on', async () => {
    const world = withFiles()
    const before = world.tree('m1')
    const state = await world.open('m1', { adopt: true })
    await state.close()
    expect(world.tree('m1')).toEqual(before)
    await (await world.open('m2')).close()
    expect(world.tree('m2')).toEqual(before)
    await (await world.open('m1')).close()
    expect(world.tree('m1')).toEqual(before)
  })

  it('adopt: into a log that holds operations is refused, before anything is appended', async () => {
    const world = withFiles()
    await (await world.open('m2')).close()
    const { offset } = await world.journal.head()
    await expect(world.open('m1', { adopt: true })).rejects.toThrow(failing('LOG_TAKEN', { log: 'the/log' }))
    expect((await world.journal.head()).offset).toBe(offset)
  })

  it('adopt: one that was cut short is taken back, and made anew', async () => {
    const world = withFiles()
    const fs = world.machine()
    const before = world.tree('m1')
    const renameSync = fs.renameSync.bind(fs)
    fs.renameSync = (from, to) => {
      if (String(to).endsWith('.recoverylog')) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
      renameSync(from, to)
    }
    await expect(world.open('m1', { adopt: true })).rejects.toMatchObject({ code: 'ENOSPC' })
    fs.renameSync = renameSync
    await expect(world.open('m1')).rejects.toThrow(failing('TARGET_NOT_EMPTY'))
    fs.unlinkSync('/data/state/mine')
    delete before['mine']
    await (await world.open('m1', { adopt: true })).close()
    expect(world.tree('m1')).toEqual(before)
    await (await world.open('m2')).close()
    expect(world.tree('m2')).toEqual(before)
  })

  it('adopt: changes nothing for a directory that is ours', async () => {
    const world = new World()
    await (await world.open('m1')).close()
    await (await world.open('m1', { adopt: true })).close()
  })
})

describe('a durable directory: fencing and failure', () => {
  it('fence: a new owner fences the old one, whose first cause is told by everything', async () => {
    const world = new World()
    const old = await world.open('m1')
    old.fs.writeFileSync('/a', '1')
    await old.sync()
    const next = await world.open('m2')
    old.fs.writeFileSync('/a', 'lost')
    const waiting = old.committedAt(old.position)
    await expect(old.sync()).rejects.toThrow(failing('FENCED'))
    await expect(waiting).rejects.toThrow(failing('FENCED'))
    expect(() => {
      old.fs.writeFileSync('/b', '')
    }).toThrow()
    expect(old.fs.readFileSync('/a', 'utf8')).toBe('lost')
    expect(await old.closed).toMatchObject({ reason: 'fenced', error: { code: 'FENCED' } })
    await old.close()
    expect(next.fs.readFileSync('/a', 'utf8')).toBe('1')
    await next.close()
  })

  it('fence: a late save of hints fences too', async () => {
    const world = new World()
    const old = await world.open('m1')
    const next = await world.open('m2')
    world.told()
    await expect(old.checkpoint()).rejects.toThrow(failing('FENCED'))
    expect(world.told()).toEqual(['fenced'])
    await expect(old.sync()).rejects.toThrow(failing('FENCED'))
    await old.close()
    await next.checkpoint()
    await next.close()
  })

  it('failure: a journal that fails ends the recording, not the reading', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', '1')
    await state.sync()
    world.journal.append = () => Promise.reject(new Error('the disk is gone'))
    state.fs.writeFileSync('/a', '2')
    await expect(state.sync()).rejects.toThrow(failing('UNAVAILABLE'))
    expect(await state.closed).toMatchObject({ reason: 'failed', error: { code: 'UNAVAILABLE' } })
    expect(state.fs.readFileSync('/a', 'utf8')).toBe('2')
    await state.close()
  })
})

describe('a durable directory: hints', () => {
  it('hints: are written on a timer', async () => {
    const world = new World()
    await using state = await world.open('m1', { hintsIntervalMs: 1000 })
    state.fs.writeFileSync('/a', '1')
    await state.sync()
    world.told()
    await world.clock.advance(999)
    expect(world.told()).toEqual([])
    await world.clock.advance(1)
    expect(world.told()).toEqual(['hints_written'])
  })

  it('hints: are written by growth', async () => {
    const world = new World()
    await using state = await world.open('m1', { hintsGrowthBytes: 5000 })
    world.told()
    for (let i = 0; i < 10; i++) {
      state.fs.writeFileSync(`/f-${String(i)}`, new Uint8Array(1000))
      await state.sync()
      await settle()
    }
    expect(world.told()).toEqual(['hints_written', 'hints_written'])
  })

  it('hints: a failed write is told and tried again, and the recording goes on', async () => {
    const world = new World()
    await using state = await world.open('m1', { hintsIntervalMs: 60_000 })
    world.told()
    const save = world.hints.save.bind(world.hints)
    world.hints.save = () => Promise.reject(new RecoveryLogError('UNAVAILABLE', 'no network'))
    await world.clock.advance(60_000)
    expect(world.told()).toEqual(['hints_failed'])
    state.fs.writeFileSync('/a', '1')
    await state.sync()
    world.hints.save = save
    await world.clock.advance(5_000)
    expect(world.told()).toEqual(['hints_written'])
  })

  it('hints: what a foreign store or file system throws is told too, and stops nothing', async () => {
    const world = new World()
    await using state = await world.open('m1', { hintsIntervalMs: 60_000 })
    world.told()
    const save = world.hints.save.bind(world.hints)
    world.hints.save = () => Promise.reject(new TypeError('a bug of the store'))
    await world.clock.advance(60_000)
    world.hints.save = save
    expect(world.events.splice(0)).toEqual([
      {
        type: 'hints_failed',
        error: expect.objectContaining({
          code: 'UNAVAILABLE',
          cause: expect.any(TypeError) as unknown,
        }) as unknown,
      },
    ])
    state.fs.writeFileSync('/a', '1')
    await state.sync()
  })

  it('signal: is of the call that it was handed to, not of what that call has made', async () => {
    const world = new World()
    const aborter = new AbortController()
    const state = await world.open('m1', { signal: aborter.signal })
    const standby = await world.follow('m2', { signal: aborter.signal })
    await standby.caughtUp
    aborter.abort()
    state.fs.writeFileSync('/a', '1')
    await state.sync()
    await settle()
    const next = await standby.promote()
    expect(world.tree('m2')).toEqual({ a: '1' })
    await state.close().catch(() => undefined)
    await next.close()
    await expect(world.open('m3', { signal: aborter.signal })).rejects.toThrow(failing('ABORTED'))
    await expect(world.follow('m3', { signal: aborter.signal })).rejects.toThrow(failing('ABORTED'))
    await (await world.open('m3')).close()
  })

  it('hints: at close a failed write is an event, for everything has committed', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', '1')
    world.hints.save = () => Promise.reject(new RecoveryLogError('UNAVAILABLE', 'no network'))
    world.told()
    await state.close()
    expect(world.told()).toEqual(['hints_failed', 'closed'])
  })

  it('hints: an unreadable set falls through to the backup, and is told', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', '1')
    await state.close()
    const load = world.hints.load.bind(world.hints)
    world.hints.load = async () => {
      const stored = await load()
      return [
        { key: 'set-x', error: new RecoveryLogError('HINTS_INVALID', 'damaged', { key: 'set-x' }) },
        ...stored,
      ]
    }
    world.told()
    await (await world.open('m2')).close()
    expect(world.told().slice(0, 2)).toEqual(['hints_skipped', 'recovering'])
    expect(world.tree('m2')).toEqual({ a: '1' })
  })

  it('hints: without any the whole log is read', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', '1')
    await state.close()
    world.hints.load = () => Promise.resolve([])
    await (await world.open('m2')).close()
    expect(world.tree('m2')).toEqual({ a: '1' })
  })

  it('hints: what stops a store that cannot be reached ends open', async () => {
    const world = new World()
    world.hints.load = () => Promise.reject(new RecoveryLogError('UNAVAILABLE', 'no network'))
    await expect(world.open()).rejects.toThrow(failing('UNAVAILABLE'))
    expect((await world.journal.head()).offset).toBe(0)
  })

  it('hints: sets that were recovered from are kept as backups', async () => {
    const world = new World()
    for (const machine of ['m1', 'm2', 'm3', 'm4']) await (await world.open(machine)).close()
    expect(await world.hints.load()).toHaveLength(3)
    const sinces = (await world.hints.load()).map(({ set }) => set?.since[1] ?? -1)
    expect(sinces).toEqual([...sinces].sort((a, b) => b - a))
  })
})

describe('a durable directory: damage and loss', () => {
  /** A log whose last part, which had been acknowledged, is gone from the middle on. */
  async function withHole(world: World): Promise<MemoryJournal> {
    const state = await world.open()
    state.fs.writeFileSync('/a', 'old')
    await state.checkpoint()
    const { end: begin } = await state.sync()
    state.fs.writeFileSync('/b', 'gone')
    const { end } = await state.sync()
    state.fs.writeFileSync('/c', 'behind the hole')
    await state.sync()
    world.processes.kill(100)
    const chunks: { begin: number; bytes: Uint8Array }[] = []
    for await (const { offset, bytes } of world.journal.read({ offset: 0 })) {
      chunks.push({ begin: offset, bytes: bytes.slice() })
    }
    const content = chunks.flatMap(({ begin: at, bytes }) => [
      { begin: at, bytes: bytes.subarray(0, Math.max(0, begin - at)) },
      { begin: Math.max(at, end), bytes: bytes.subarray(Math.max(0, end - at)) },
    ])
    const { offset, registers } = await world.journal.head()
    return new MemoryJournal({
      name: 'the/log',
      id: 'id-1',
      content: content.filter(({ bytes }) => bytes.length > 0),
      head: offset,
      registers,
    })
  }

  it('loss: what was acknowledged and is gone stops open before any hand-off', async () => {
    const world = new World()
    const journal = await withHole(world)
    const { offset } = await journal.head()
    await expect(world.open('m2', { journal })).rejects.toThrow(failing('DATA_LOSS'))
    expect((await journal.head()).offset).toBe(offset)
    expect(world.machine('m2').readdirSync('/data')).not.toContain('state')
    const standby = await world.follow('m3', { journal })
    await expect(standby.promote()).rejects.toThrow(failing('DATA_LOSS'))
    await expect(
      DurableDirectory.recover({ ...world.options('m4', journal), dir: '/data/copy' }),
    ).rejects.toThrow(failing('DATA_LOSS'))
  })

  it('loss: accepted, it goes on from the older state, in a new generation, and the next open does not ask again', async () => {
    const world = new World()
    const journal = await withHole(world)
    const state = await world.open('m2', { journal, acceptDataLoss: true })
    expect(world.tree('m2')).toEqual({ a: 'old' })
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'recovered', lossAccepted: true }))
    state.fs.writeFileSync('/d', 'new')
    await state.close()
    expect((await world.hints.load())[0]?.set?.since[0]).toBe(1)
    const next = await world.open('m3', { journal })
    expect(world.tree('m3')).toEqual({ a: 'old', d: 'new' })
    await next.close()
  })

  it('loss: a journal that was made anew is another one', async () => {
    const world = new World()
    await (await world.open()).close()
    const journal = new MemoryJournal({ name: 'the/log', id: 'id-2' })
    await expect(world.open('m2', { journal })).rejects.toThrow(
      failing('DATA_LOSS', { id: 'id-2', expectedId: 'id-1' }),
    )
  })

  it('loss: a journal that ends before what had committed', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', 'x')
    await state.close()
    const journal = new MemoryJournal({ name: 'the/log', id: 'id-1' })
    await expect(world.open('m2', { journal })).rejects.toThrow(failing('DATA_LOSS', { offset: 0 }))
  })

  it('point in time: the nearest one is named when what led there has been pruned', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', new Uint8Array(5000))
    const at = await state.sync()
    for (let i = 0; i < 10; i++) {
      state.fs.writeFileSync('/a', new Uint8Array(5000))
      await state.sync()
    }
    await state.checkpoint()
    const nearest = (await world.hints.load())[0]?.set?.end
    await state.prune()
    await expect(DurableDirectory.recover({ ...world.options('m2'), dir: '/data/copy', at })).rejects.toThrow(
      failing('DATA_LOSS', { nearest }),
    )
    await state.close()
  })
})

describe('a durable directory: a change of logs', () => {
  function second(): MemoryJournal {
    return new MemoryJournal({ name: 'second/log', id: 'id-2' })
  }

  it('change: what was recorded in two logs is there, hints name the new one, the old owner is fenced', async () => {
    const world = new World()
    const old = await world.open('m1')
    old.fs.writeFileSync('/a', 'in the old log')
    await old.sync()
    const journal = second()
    const journals = (name: string) => (name === 'the/log' ? world.journal : undefined)
    const state = await world.open('m2', { journal, journals })
    state.fs.writeFileSync('/b', 'in the new log')
    await state.close()
    expect((await world.hints.load())[0]?.set?.hints.log).toBe('second/log')
    old.fs.writeFileSync('/a', 'late')
    await expect(old.sync()).rejects.toThrow(failing('FENCED'))
    const again = await world.open('m3', { journal, journals })
    expect(world.tree('m3')).toEqual({ a: 'in the old log', b: 'in the new log' })
    await again.close()
    await old.close()
  })

  it('change: into a log that has an owner is refused', async () => {
    const world = new World()
    await (await world.open('m1')).close()
    const other = new World()
    const journal = second()
    await (await other.open('m1', { journal })).close()
    await expect(world.open('m2', { journal, journals: () => world.journal })).rejects.toThrow(
      failing('LOG_TAKEN'),
    )
  })

  it('change: of two who leave one log at once one is fenced, and the hints are those of the other', async () => {
    const world = new World()
    const first = await world.open('m1')
    first.fs.writeFileSync('/a', '1')
    await first.close()
    const journals = (name: string) => (name === 'the/log' ? world.journal : undefined)
    const results = await Promise.allSettled([
      world.open('m2', { journal: second(), journals }),
      world.open('m3', { journal: new MemoryJournal({ name: 'third/log', id: 'id-3' }), journals }),
    ])
    const owners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(owners).toHaveLength(1)
    const log = (await owners[0]?.status())?.log
    expect((await world.hints.load())[0]?.set?.hints.log).toBe(log)
    await owners[0]?.close()
  })

  it('change: left-over bytes with a magic word forbid a hand-off, and a new log is the way out', async () => {
    const world = new World()
    const state = await world.open('m1')
    state.fs.writeFileSync('/a', 'x')
    await state.close()
    await world.journal.append({ content: new Uint8Array([0x66, 0x33, 0x93, 0x36, 50, 0, 0, 0, 1, 2]) })
    await expect(world.open('m2')).rejects.toThrow(failing('CORRUPT'))
    const journal = second()
    const journals = (name: string) => (name === 'the/log' ? world.journal : undefined)
    const next = await world.open('m2', { journal, journals, acceptDataLoss: true })
    expect(world.tree('m2')).toEqual({ a: 'x' })
    next.fs.writeFileSync('/b', 'y')
    await next.close()
    await (await world.open('m3', { journal, journals })).close()
    expect(world.tree('m3')).toEqual({ a: 'x', b: 'y' })
  })
})

describe('a durable directory: what is made without owning', () => {
  it('recover, plan and verify append nothing', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', 'x')
    await state.sync()
    const { offset } = await world.journal.head()
    const plan = await DurableDirectory.plan(world.options())
    expect(plan.bytes).toBeGreaterThan(0)
    expect(plan.bytes).toBeLessThanOrEqual(offset)
    expect(plan.reachable).toHaveLength(1)
    expect(await DurableDirectory.verify(world.options())).toMatchObject({ files: 1, missed: [] })
    expect(await state.verify()).toMatchObject({ files: 1 })
    await DurableDirectory.recover({ ...world.options('m2'), dir: '/data/copy' })
    expect((await world.journal.head()).offset).toBe(offset)
    expect(await world.hints.pins()).toEqual([])
    await state.close()
  })

  it('recover: a directory that is not empty is refused', async () => {
    const world = new World()
    await (await world.open()).close()
    await expect(DurableDirectory.recover({ ...world.options('m1'), dir: '/data' })).rejects.toThrow(
      failing('TARGET_NOT_EMPTY'),
    )
  })

  it('recover: tells how far it is', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', new Uint8Array(100_000))
    await state.close()
    const done: number[] = []
    await DurableDirectory.recover({
      ...world.options('m2'),
      dir: '/data/copy',
      onProgress: ({ bytesDone, bytesTotal }) => {
        done.push(bytesDone / (bytesTotal ?? 1))
      },
    })
    expect(done.at(-1)).toBe(1)
  })

  it('recover: an abort leaves nothing behind', async () => {
    const world = new World()
    const state = await world.open()
    state.fs.writeFileSync('/a', 'x')
    await state.close()
    await expect(
      DurableDirectory.recover({ ...world.options('m2'), dir: '/data/copy', signal: AbortSignal.abort() }),
    ).rejects.toThrow(failing('ABORTED'))
    expect(world.machine('m2').readdirSync('/data')).toEqual([])
    expect(await world.hints.pins()).toEqual([])
  })

  it('plan: without hints the whole log', async () => {
    const world = new World()
    await (await world.open()).close()
    world.hints.load = () => Promise.resolve([])
    const { offset } = await world.journal.head()
    expect(await DurableDirectory.plan(world.options())).toMatchObject({ key: undefined, bytes: offset })
  })
})

describe('a durable directory: pruning while it lives', () => {
  it('prune: the log of a churned directory stays short, and recovers', async () => {
    const world = new World()
    await using state = await world.open('m1')
    for (let i = 0; i < 200; i++) {
      state.fs.writeFileSync(`/f-${String(i % 5)}`, `${String(i)}:`.padEnd(1000, 'x'))
      await state.sync()
    }
    await state.checkpoint()
    const dry = await state.prune({ dryRun: true })
    expect(dry.logs[0]?.removedBytes).toBeGreaterThan(150_000)
    expect(dry.oldest[0]?.paths).toEqual([expect.stringMatching(/^\/(f-\d|\.emptydir)$/)])
    const real = await state.prune()
    expect(real.logs[0]?.removedBytes).toBe(dry.logs[0]?.removedBytes)
    await DurableDirectory.recover({ ...world.options('m2'), dir: '/data/copy' })
    expect(world.tree('m2', '/data/copy')).toEqual(world.tree('m1'))
  })

  it.each([
    [1000, false, 'is not read, and can be pruned'],
    [1e9, false, 'is read, for the gap is not worth a cut'],
  ])(
    'cuts: what lies between two writes of a file (gaps from %i bytes, goReadable %j) %s',
    async (segmentGapBytesMin, goReadable) => {
      const world = new World()
      const options = { segmentGapBytesMin, goReadable }
      const first = await world.open('m1', options)
      first.fs.writeFileSync('/seldom', 'first')
      for (let i = 0; i < 100; i++) {
        first.fs.writeFileSync('/often', `${String(i)}:`.padEnd(1000, 'x'))
        await first.sync()
      }
      first.fs.appendFileSync('/seldom', ', and again')
      await first.close()
      // Played once, so that the ends of segments are known.
      const second = await world.open('m2', options)
      const { bytes } = await DurableDirectory.plan(world.options())
      await second.prune({ bytesMax: 20_000 }) // the set of the first owner knows no ends, and keeps all
      const kept = (await world.journal.fragments()).reduce((sum, { begin, end }) => sum + end - begin, 0)
      await second.close()
      const isCut = segmentGapBytesMin === 1000
      expect(bytes < 10_000).toBe(isCut)
      expect(kept < 30_000).toBe(isCut)
      await (await world.open('m3', options)).close()
      expect(world.tree('m3')).toEqual(world.tree('m1'))
    },
  )

  it('history: a file that is updated in place for ever is recorded anew, so that its log can be pruned', async () => {
    const world = new World()
    await using state = await world.open('m1', { hintsIntervalMs: 1000 })
    state.fs.writeFileSync('/db', new Uint8Array(10_000))
    const fd = state.fs.openSync('/db', 'r+')
    for (let i = 0; i < 2000; i++) {
      state.fs.writeSync(fd, new Uint8Array(1000).fill(i), 0, 1000, (i % 10) * 1000)
    }
    await state.sync()
    const before = (await DurableDirectory.plan(world.options())).bytes
    expect(before).toBeGreaterThan(2_000_000)
    await world.clock.advance(1000)
    await settle()
    const after = (await DurableDirectory.plan(world.options())).bytes
    expect(after).toBeLessThan(100_000)
    state.fs.writeSync(fd, 'still open', 0)
    state.fs.closeSync(fd)
    await state.sync()
    await DurableDirectory.recover({ ...world.options('m2'), dir: '/data/copy' })
    expect(world.tree('m2', '/data/copy')).toEqual(world.tree('m1'))
  })
})
