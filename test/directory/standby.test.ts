import { describe, expect, it } from 'vitest'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { Journal, ReadRequest } from '../../src/journal/index.ts'
import { settle } from '../support/directory.ts'
import { World } from '../support/world.ts'

function failing(code: string): Error {
  return expect.objectContaining({ code }) as Error
}

/** The journal as another process has it, with a look at what is read. */
function watched(journal: MemoryJournal): { journal: Journal; reads: ReadRequest[]; bytes: () => number } {
  const reads: ReadRequest[] = []
  let bytes = 0
  const shared = journal.share()
  const read = shared.read.bind(shared)
  shared.read = (request) => {
    reads.push(request)
    const chunks = read(request)
    return {
      async *[Symbol.asyncIterator]() {
        for await (const chunk of chunks) {
          bytes += chunk.bytes.length
          yield chunk
        }
      },
    }
  }
  return { journal: shared, reads, bytes: () => bytes }
}

describe('a standby', () => {
  it('standby: follows, leaves the directory untouched, and takes over without reading anything twice', async () => {
    const world = new World()
    const owner = await world.open('m1')
    owner.fs.writeFileSync('/a', '1')
    await owner.sync()
    await (
      await world.open('m2', { journal: new MemoryJournal({ name: 'an/other' }), hints: new World().hints })
    ).close()
    const watch = watched(world.journal)
    const standby = await world.follow('m2', { journal: watch.journal })
    await standby.caughtUp
    expect(standby.lag).toBe(0)
    owner.fs.writeFileSync('/b', '2')
    await owner.sync()
    await settle()
    expect(world.tree('m2')).toEqual({})
    expect(world.machine('m2').readdirSync('/data')).toContain('state')
    const next = await standby.promote()
    expect(world.tree('m2')).toEqual({ a: '1', b: '2' })
    expect(await standby.closed).toEqual({ reason: 'promoted' })
    next.fs.writeFileSync('/c', '3')
    await next.sync()
    const { offset } = await world.journal.head()
    expect(watch.bytes()).toBeLessThanOrEqual(offset)
    owner.fs.writeFileSync('/a', 'late')
    await expect(owner.sync()).rejects.toThrow(failing('FENCED'))
    await owner.close()
    await next.close()
  })

  it('standby: locks its directory, and gives the lock back', async () => {
    const world = new World()
    const standby = await world.follow('m2')
    await expect(world.open('m2')).rejects.toThrow(failing('DIRECTORY_IN_USE'))
    await standby.close()
    await standby.close()
    expect(await standby.closed).toEqual({ reason: 'closed' })
    expect(
      (world.machine('m2').readdirSync('/data') as string[]).filter((name) => !name.includes('.lock-')),
    ).toEqual([])
    await (await world.open('m2')).close()
  })

  it('standby: closed before it has caught up, what waits for it is told', async () => {
    const world = new World()
    await (await world.open('m1')).close()
    const standby = await world.follow('m2')
    const { caughtUp } = standby
    await Promise.all([expect(caughtUp).rejects.toThrow(failing('CLOSED')), standby.close()]).catch(
      async () => {
        await caughtUp // it was faster
      },
    )
    await expect(standby.promote()).rejects.toThrow(failing('CLOSED'))
  })

  it('standby: pins what it reads, and lets go', async () => {
    const world = new World()
    const owner = await world.open('m1')
    const standby = await world.follow('m2')
    await standby.caughtUp
    expect(await world.hints.pins()).toHaveLength(1)
    const next = await standby.promote()
    expect(await world.hints.pins()).toEqual([])
    await owner.close().catch(() => undefined)
    await next.close()
  })

  it('standby: of two that are promoted at once one ends as the owner, and the other is fenced', async () => {
    const world = new World()
    const owner = await world.open('m1')
    owner.fs.writeFileSync('/a', '1')
    await owner.sync()
    const standbys = [await world.follow('m2'), await world.follow('m3')]
    const results = await Promise.allSettled(standbys.map((standby) => standby.promote()))
    const owners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const outcomes = []
    for (const each of owners) {
      each.fs.writeFileSync('/b', '')
      outcomes.push(
        await each.sync().then(
          () => 'owner',
          (error: unknown) => (error as { code: string }).code,
        ),
      )
      await each.close()
    }
    expect(outcomes.filter((outcome) => outcome === 'owner')).toHaveLength(1)
    await owner.close().catch(() => undefined)
  })

  it('standby: a log that was left for another one is followed there', async () => {
    const world = new World()
    const owner = await world.open('m1')
    owner.fs.writeFileSync('/a', '1')
    await owner.close()
    const second = new MemoryJournal({ name: 'second/log', id: 'id-2' })
    const journals = (name: string) =>
      name === 'the/log' ? world.journal : name === 'second/log' ? second : undefined
    const standby = await world.follow('m2', { journal: second, journals })
    await standby.caughtUp
    expect(standby.position?.log).toBe('the/log')
    const mover = await world.open('m3', { journal: second, journals })
    mover.fs.writeFileSync('/b', '2')
    await mover.sync()
    const next = await standby.promote()
    expect(world.tree('m2')).toEqual({ a: '1', b: '2' })
    await mover.close().catch(() => undefined)
    await next.close()
  })

  it('standby: no progress while the head moves is told', async () => {
    const world = new World()
    const owner = await world.open('m1')
    const shared = world.journal.share()
    const read = shared.read.bind(shared)
    // A reader that the engine has forgotten: it ends nothing, and yields nothing more.
    shared.read = (request) =>
      request.block === true
        ? { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) }
        : read(request)
    const standby = await world.follow('m2', { journal: shared, stallMs: 3000 })
    await standby.caughtUp
    owner.fs.writeFileSync('/a', '1')
    await owner.sync()
    world.told()
    for (let i = 0; i < 6; i++) await world.clock.advance(1000)
    expect(world.told()).toContain('STALLED')
    await owner.close()
  })

  it('standby: what it needs was pruned, so it begins again from newer hints', async () => {
    const world = new World()
    const owner = await world.open('m1')
    owner.fs.writeFileSync('/a', '1')
    await owner.sync()
    const shared = world.journal.share()
    const read = shared.read.bind(shared)
    let isHeld = true
    const held: (() => void)[] = []
    // The standby sleeps while its pin runs out, and the log goes on without it.
    shared.read = (request) => {
      const chunks = read(request)[Symbol.asyncIterator]()
      return {
        [Symbol.asyncIterator]: () => ({
          next: async () => {
            if (isHeld && request.block === true) await new Promise<void>((resolve) => held.push(resolve))
            return chunks.next()
          },
          return: async () => (await chunks.return?.()) ?? { done: true, value: undefined },
        }),
      }
    }
    const standby = await world.follow('m2', { journal: shared })
    await standby.caughtUp
    for (let i = 0; i < 50; i++) {
      owner.fs.writeFileSync('/a', `${String(i)}:`.padEnd(1000, 'x'))
      await owner.sync()
    }
    await owner.checkpoint()
    await world.hints.unpin((await world.hints.pins())[0]?.id ?? '')
    await owner.prune()
    world.told()
    isHeld = false
    for (const resume of held) resume()
    for (let i = 0; i < 20; i++) await settle()
    expect(world.told()).toContain('restarted')
    const next = await standby.promote()
    expect(world.tree('m2')).toEqual(world.tree('m1'))
    await owner.close().catch(() => undefined)
    await next.close()
  })

  it('standby: a failure that newer hints do not heal ends it', async () => {
    const world = new World()
    await (await world.open('m1')).close()
    const shared = world.journal.share()
    shared.read = () => {
      throw new Error('the engine is gone')
    }
    const standby = await world.follow('m2', { journal: shared })
    await expect(standby.caughtUp).rejects.toMatchObject({})
    expect(await standby.closed).toMatchObject({ reason: 'failed' })
    await standby.close()
    await (await world.open('m2')).close()
  })
})
