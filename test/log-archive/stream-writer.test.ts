import { describe, expect, it } from 'vitest'
import type { LogArchive } from '../../src/log-archive/index.ts'
import type { IntermediateStorage, StoragePut } from '../../src/storage/index.ts'
import { faultyStorage } from '../../src/testing/index.ts'
import { settle } from '../support/directory.ts'
import { entriesOf, lineOf, LogWorld, PATH, textOf } from './log-world.ts'

/** Storage whose puts wait until they are let go, or fail. */
class HeldStorage {
  readonly puts: StoragePut[] = []
  readonly storage: IntermediateStorage
  isHolding = false
  /** So many of the next puts fail. */
  failing = 0
  readonly #held: (() => void)[] = []

  constructor(inner: IntermediateStorage) {
    this.storage = faultyStorage(inner, ({ method, args }) => {
      if (method !== 'put') return undefined
      this.puts.push(args[0] as StoragePut)
      if (this.isHolding) return { before: () => new Promise<void>((resolve) => this.#held.push(resolve)) }
      return this.failing-- > 0 ? { fails: 'before' } : undefined
    })
  }

  async release(): Promise<void> {
    this.isHolding = false
    for (const go of this.#held.splice(0)) go()
    await settle()
  }
}

function heldWorld(): LogWorld & { held: HeldStorage } {
  const world = new LogWorld()
  return Object.assign(world, { held: new HeldStorage(world.storage) })
}

describe('stream writer: batches', () => {
  async function opened(
    more: Parameters<LogWorld['open']>[0] = {},
  ): Promise<{ world: ReturnType<typeof heldWorld>; archive: LogArchive; sizes: () => number[] }> {
    const world = heldWorld()
    const archive = await world.open({ storage: world.held.storage, ...more })
    return { world, archive, sizes: () => world.held.puts.map(({ entries }) => entries.length) }
  }

  it('100 entries are stored at once, fewer after 100 ms', async () => {
    const { world, archive, sizes } = await opened()
    const stream = await archive.openStream({ path: PATH })
    for (let i = 0; i < 99; i++) await stream.write('a\n')
    await world.clock.advance(99)
    expect(sizes()).toEqual([])
    await stream.write('a\nb\n')
    await settle()
    expect(sizes()).toEqual([100])
    await world.clock.advance(99)
    expect(sizes()).toEqual([100])
    await world.clock.advance(1)
    expect(sizes()).toEqual([100, 1])
    await archive.close()
  })

  it('256 KiB of entries are stored at once', async () => {
    const { archive, sizes } = await opened()
    const stream = await archive.openStream({ path: PATH })
    await stream.write(`${'x'.repeat(200 * 1024)}\n`)
    await settle()
    expect(sizes()).toEqual([])
    await stream.write(`${'x'.repeat(60 * 1024)}\n`)
    await settle()
    // More than fits one: the second goes with what comes next.
    expect(sizes()).toEqual([1])
    await stream.flush()
    expect(sizes()).toEqual([1, 1])
    await archive.close()
  })

  it('one batch at a time, in order and without a gap; what came meanwhile goes with the next', async () => {
    const { world, archive } = await opened({ writer: { batchEntriesMax: 10 } })
    const stream = await archive.openStream({ path: PATH })
    world.held.isHolding = true
    await stream.write('a\n'.repeat(25))
    await settle()
    expect(world.held.puts).toHaveLength(1)
    await world.held.release()
    expect(world.held.puts.map(({ from }) => from)).toEqual([0, 10])
    await archive.close()
    expect(world.held.puts.map(({ from }) => from)).toEqual([0, 10, 20])
  })

  it('write waits while more than bufferBytesMax is not stored; an abort takes nothing', async () => {
    const { world, archive } = await opened({ writer: { bufferBytesMax: 1000, batchBytesMax: 500 } })
    const stream = await archive.openStream({ path: PATH })
    world.held.isHolding = true
    await stream.write(`${'x'.repeat(1500)}\n`)
    let isBuffered = false
    const waiting = stream.write('next\n').then(() => (isBuffered = true))
    await settle()
    expect(isBuffered).toBe(false)
    const controller = new AbortController()
    const aborted = stream.write('never\n', { signal: controller.signal })
    const behind = stream.write('last\n')
    await settle()
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
    await world.held.release()
    await waiting
    await behind
    await stream.close()
    expect((await entriesOf(archive)).map((entry) => lineOf(entry).slice(0, 5))).toEqual([
      'xxxxx',
      'next\n',
      'last\n',
    ])
    await archive.close()
  })

  it('calls that overlap take effect in their order', async () => {
    const { archive } = await opened()
    const stream = await archive.openStream({ path: PATH })
    const calls = [
      stream.write('a'),
      stream.write('b\nc'),
      stream.flush(),
      stream.write('d\n'),
      stream.close(),
    ]
    await expect(stream.write('e')).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(stream.flush()).rejects.toMatchObject({ code: 'CLOSED' })
    await Promise.all(calls)
    expect((await entriesOf(archive)).map(lineOf)).toEqual(['ab\n', 'c', 'd\n'])
    await archive.close()
  })

  it('flush stores a line without its end, and tells how far the stream is', async () => {
    const { archive } = await opened()
    const stream = await archive.openStream({ path: PATH })
    await stream.write('one\ntw')
    expect(await stream.flush()).toEqual({ nextIndex: 2, sequence: 1, lineBytes: 2 })
    expect(await textOf(archive)).toBe('one\ntw')
    await stream.write('o\n')
    expect(await stream.flush()).toEqual({ nextIndex: 3, sequence: 2, lineBytes: 0 })
    expect((await entriesOf(archive)).map(({ sequence }) => sequence)).toEqual([0, 1, 1])
    await archive.close()
  })

  it('an aborted flush ends the wait alone', async () => {
    const { world, archive } = await opened()
    const stream = await archive.openStream({ path: PATH })
    world.held.isHolding = true
    await stream.write('a\n')
    const controller = new AbortController()
    const flushing = stream.flush({ signal: controller.signal })
    await settle()
    controller.abort()
    await expect(flushing).rejects.toMatchObject({ code: 'ABORTED' })
    await world.held.release()
    await stream.close()
    expect(await textOf(archive)).toBe('a\n')
    await archive.close()
  })
})

describe('stream writer: what goes wrong', () => {
  it('what may go well later is tried again with the same bytes', async () => {
    const world = heldWorld()
    await using archive = await world.open({ storage: world.held.storage })
    const stream = await archive.openStream({ path: PATH })
    await stream.write('a\n')
    world.held.failing = 2
    await world.settled(stream.flush())
    expect(world.held.puts).toHaveLength(3)
    expect(world.held.puts[2]?.entries).toEqual(world.held.puts[0]?.entries)
    await stream.close()
    expect(await textOf(archive)).toBe('a\n')
  })

  it('after retryMs the stream has failed: whoever waits, and whoever comes, is told why', async () => {
    const world = heldWorld()
    const archive = await world.open({ storage: world.held.storage, writer: { retryMs: 1000 } })
    const stream = await archive.openStream({ path: PATH })
    world.held.failing = 50
    await stream.write('a\n')
    await expect(world.settled(stream.flush())).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(stream.write('b\n')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(stream.close()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await archive.close() // it has ended, and was told
    await using again = await world.open()
    const next = await again.openStream({ path: PATH })
    expect(next.resumedAt.nextIndex).toBe(0)
  })

  it('an error that will not go away fails the stream at once', async () => {
    const world = heldWorld()
    const archive = await world.open({ storage: world.held.storage })
    const stream = await archive.openStream({ path: PATH })
    await world.storage.put({
      stream: { project: 'default', path: PATH },
      from: 0,
      entries: [Uint8Array.of(1)],
    })
    await stream.write('a\n')
    await expect(stream.flush()).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(world.held.puts).toHaveLength(1)
    await expect(archive.close()).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('a seal that is taken off again is waited for', async () => {
    const world = heldWorld()
    await using archive = await world.open({ storage: world.held.storage })
    const name = { project: 'default', path: PATH }
    await using stream = await archive.openStream({ path: PATH })
    await world.storage.seal(name, 'attempt')
    await stream.write('a\n')
    const flushing = stream.flush()
    await settle()
    await world.clock.advance(100)
    expect(world.held.puts).toHaveLength(2)
    await world.storage.unseal(name, 'attempt')
    await world.settled(flushing)
    expect(await textOf(archive)).toBe('a\n')
  })

  it.each(['archived', 'purged'] as const)(
    'a stream that is %s meanwhile takes nothing more',
    async (what) => {
      const world = new LogWorld()
      const archive = await world.open({ settings: { archiveMaxDelayMs: 0, storageCleanupDelayMs: 0 } })
      const stream = await archive.openStream({ path: PATH })
      await stream.write('a\n')
      await stream.flush()
      const { stream: known } = await archive.logs.tail({ project: 'default', path: PATH })
      if (what === 'purged') await archive.coordinator.purgeStream(known)
      await archive.archiveDue()
      await stream.write('b\n')
      const code = what === 'purged' ? 'PURGED' : 'CLOSED'
      await expect(stream.flush()).rejects.toMatchObject({ code })
      await expect(stream.close()).rejects.toMatchObject({ code })
      await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code })
      await archive.close()
    },
  )
})

describe('stream writer: as a WritableStream', () => {
  it('writes chunks, and closes with the end', async () => {
    await using archive = await new LogWorld().open()
    const stream = await archive.openStream({ path: PATH })
    await new Blob(['one\ntw', 'o\n']).stream().pipeTo(stream.writable())
    expect((await entriesOf(archive)).map(lineOf)).toEqual(['one\n', 'two\n'])
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('is left by an abort', async () => {
    await using archive = await new LogWorld().open()
    const stream = await archive.openStream({ path: PATH })
    const writer = stream.writable().getWriter()
    await writer.write('one\n')
    await writer.abort(new Error('the source has died'))
    const again = await archive.openStream({ path: PATH })
    expect(again.resumedAt).toEqual({ nextIndex: 1, sequence: 1, lineBytes: 0 })
  })
})
