import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { encodeDescriptor, encodeLogEntry } from '../../src/wire/logdog/index.ts'
import { faultyStreamStore } from '../../src/testing/index.ts'
import { LEASE_RULES } from '../../src/log-archive/writer-lease.ts'
import { Processes } from '../support/directory.ts'
import { entriesOf, lineOf, LogWorld, PATH, textOf } from './log-world.ts'

const LEASE_MS = 30_000
const OTHER = 'build/1/+/stderr'

describe('log archive: a stream goes on', () => {
  it.each([
    ['text', 'one\ntwo\n', { nextIndex: 2, sequence: 2, lineBytes: 0 }],
    ['text', 'one\ntw', { nextIndex: 2, sequence: 1, lineBytes: 2 }],
    ['text', 'aaaabbbbcc', { nextIndex: 3, sequence: 0, lineBytes: 10 }],
    ['binary', 'one', { nextIndex: 1, sequence: 3, lineBytes: 0 }],
    ['datagram', 'a long one', { nextIndex: 3, sequence: 1, lineBytes: 0 }],
  ] as const)('%s %j is gone on with behind it, at %j', async (type, data, position) => {
    const world = new LogWorld()
    const options = { writer: { entryBytesMax: 4 } }
    const first = await world.open(options)
    await (await first.openStream({ path: PATH, type })).write(data)
    await first.close()
    await using archive = await world.open(options)
    await using stream = await archive.openStream({ path: PATH, type })
    expect(stream.resumedAt).toEqual(position)
    await stream.write(data)
    await stream.flush()
    const last = (await entriesOf(archive)).slice(position.nextIndex)
    expect(last[0]?.sequence).toBe(position.sequence)
    if (type !== 'datagram') expect(await textOf(archive)).toBe(data + data)
  })

  it('what it was registered as stays; another type is CONFLICT', async () => {
    const world = new LogWorld()
    await using archive = await world.open()
    await (await archive.openStream({ path: PATH, tags: { a: '1' } })).leave()
    const wrong = archive.openStream({ path: PATH, type: 'binary' })
    await expect(wrong).rejects.toMatchObject({ code: 'CONFLICT' })
    await (await archive.openStream({ path: PATH, tags: { a: '2' } })).leave()
    const { stream } = await archive.logs.tail({ project: 'default', path: PATH })
    expect(stream.descriptor.tags).toEqual(new Map([['a', '1']]))
  })

  it('a terminated one is CLOSED, a purged one PURGED, a bad name NAME_INVALID', async () => {
    const world = new LogWorld()
    await using archive = await world.open()
    const stream = await archive.openStream({ path: PATH })
    await stream.write('a\n')
    await stream.close()
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code: 'CLOSED' })
    const { stream: known } = await archive.logs.tail({ project: 'default', path: PATH })
    await archive.coordinator.purgeStream(known)
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code: 'PURGED' })
    await expect(archive.openStream({ path: 'no name' })).rejects.toMatchObject({ code: 'NAME_INVALID' })
    const tagged = archive.openStream({ path: OTHER, tags: { 'no key': '' } })
    await expect(tagged).rejects.toMatchObject({ code: 'DESCRIPTOR_INVALID' })
  })

  it('a purged one can be begun anew after 30 days', async () => {
    const world = new LogWorld()
    const dayMs = 24 * 60 * 60 * 1000
    await using archive = await world.open({
      settings: { archiveDelayMs: 0, storageCleanupDelayMs: 0, prefixExpirationMs: 99 * dayMs },
    })
    const first = await archive.openStream({ path: PATH })
    await first.write('a\n')
    await first.close()
    const { stream: known } = await archive.logs.tail({ project: 'default', path: PATH })
    await archive.coordinator.purgeStream(known)
    for (let day = 0; day < 30; day++) {
      await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code: 'PURGED' })
      await archive.archiveDue()
      await world.clock.advance(dayMs)
    }
    const stream = await archive.openStream({ path: PATH })
    expect(stream.resumedAt.nextIndex).toBe(0)
    await stream.write('b\n')
    await world.settled(stream.close())
    await archive.archiveDue()
    expect(await textOf(archive)).toBe('b\n')
  })

  it('a last entry that is none is CORRUPT, and the stream is free again', async () => {
    const world = new LogWorld()
    await using archive = await world.open()
    await (await archive.openStream({ path: PATH })).leave()
    const name = { project: 'default', path: PATH }
    await world.storage.put({ stream: name, from: 0, entries: [Uint8Array.of(0xff)] })
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({
      code: 'CORRUPT',
      data: { index: 0 },
    })
    await world.storage.expunge(name)
    await using stream = await archive.openStream({ path: PATH })
    expect(stream.resumedAt.nextIndex).toBe(0)
  })

  it('an abort while it is opened leaves no lease behind', async () => {
    const world = new LogWorld()
    await using archive = await world.open()
    let call = -1
    for (let isOpened = false; !isOpened;) {
      call++
      const controller = new AbortController()
      const streamStore = faultyStreamStore(world.streamStore, ({ index }) => {
        if (index === call) controller.abort()
        return undefined
      })
      await using other = await world.open({ coordinator: { streamStore, taskQueue: world.taskQueue } })
      const opening = other.openStream({ path: PATH, signal: controller.signal })
      isOpened = await opening.then(
        async (stream) => stream.leave().then(() => true),
        (error: unknown) => !RecoveryLogError.is(error, 'ABORTED'),
      )
      await (await archive.openStream({ path: PATH })).leave()
    }
    expect(call).toBeGreaterThan(5)
  })
})

describe('log archive: one writer a stream', () => {
  it('another one is STREAM_BUSY until it leaves, or its lease is over', async () => {
    const world = new LogWorld()
    await using first = await world.open()
    await using second = await world.open()
    const stream = await first.openStream({ path: PATH })
    const busy = { code: 'STREAM_BUSY', data: { untilMs: world.clock.now() + LEASE_MS } }
    await expect(second.openStream({ path: PATH })).rejects.toMatchObject(busy)
    await expect(first.openStream({ path: PATH })).rejects.toMatchObject(busy)
    await stream.leave()
    const next = await second.openStream({ path: PATH })
    for (let i = 0; i < 5; i++) await world.clock.advance(LEASE_MS / 2) // it is made longer meanwhile
    await expect(first.openStream({ path: PATH })).rejects.toMatchObject({ code: 'STREAM_BUSY' })
    await next.close()
  })

  it('one that has died holds the stream until its lease is over', async () => {
    const world = new LogWorld()
    // Its clock has stopped for it: it makes nothing last longer, and closes nothing.
    const clock = { now: () => world.clock.now(), sleep: () => new Promise<never>(() => undefined) }
    const dead = await world.open({ clock })
    const stream = await dead.openStream({ path: PATH })
    await stream.write('a\n')
    await stream.flush()
    await using archive = await world.open()
    await world.clock.advance(LEASE_MS - 1)
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code: 'STREAM_BUSY' })
    await world.clock.advance(1)
    await using next = await archive.openStream({ path: PATH })
    expect(next.resumedAt).toEqual({ nextIndex: 1, sequence: 1, lineBytes: 0 })
  })

  it('a process that is known to be dead holds nothing', async () => {
    const world = new LogWorld()
    const processes = new Processes()
    const dead = await world.open({ identity: processes.start(7) })
    const stream = await dead.openStream({ path: PATH })
    await stream.write('a\n')
    await stream.flush()
    await using archive = await world.open({ identity: processes.start(8) })
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ data: { pid: 7 } })
    processes.kill(7)
    await using next = await archive.openStream({ path: PATH })
    expect(next.resumedAt.nextIndex).toBe(1)
    // It was not dead after all: it is told before it stores anything.
    await stream.write('b\n')
    await world.clock.advance(LEASE_MS)
    await expect(stream.flush()).rejects.toMatchObject({ code: 'STREAM_BUSY' })
    await expect(stream.close()).rejects.toMatchObject({ code: 'STREAM_BUSY' })
    await expect(dead.openStream({ path: PATH })).rejects.toMatchObject({ data: { pid: 8 } })
    await next.write('c\n')
    await next.flush()
    expect((await entriesOf(archive)).map(lineOf)).toEqual(['a\n', 'c\n'])
    await dead.close()
  })

  it('one that slept through the end of its lease goes on when nobody has taken it', async () => {
    const world = new LogWorld()
    const offset = { ms: 0 }
    const clock = { now: () => world.clock.now() + offset.ms, sleep: world.clock.sleep.bind(world.clock) }
    await using archive = await world.open({ clock })
    const stream = await archive.openStream({ path: PATH })
    offset.ms = 10 * LEASE_MS
    await stream.write('a\n')
    await stream.close()
    expect(await textOf(archive)).toBe('a\n')
  })

  it('a lease that cannot be made longer now is told, and tried again', async () => {
    const world = new LogWorld()
    let isDown = false
    const streamStore = faultyStreamStore(world.streamStore, () => (isDown ? { fails: 'before' } : undefined))
    await using archive = await world.open({ coordinator: { streamStore, taskQueue: world.taskQueue } })
    const stream = await archive.openStream({ path: PATH })
    isDown = true
    await world.clock.advance(LEASE_MS / 3)
    expect(world.errors.map(({ code }) => code)).toEqual(['UNAVAILABLE'])
    isDown = false
    await world.clock.advance(LEASE_MS / 3)
    await stream.write('a\n')
    isDown = true
    const closing = world.settled(stream.leave())
    await closing // stored; the lease could not be given back
    expect(world.errors.map(({ code }) => code)).toContain('UNAVAILABLE')
    isDown = false
  })

  it.each(
    [true, false].flatMap((isOwn) =>
      [true, false].flatMap((isOver) =>
        [true, false].map((isHolderDead) => ({ isOwn, isOver, isHolderDead })),
      ),
    ),
  )('the rules judge %j', (facts) => {
    const rule = LEASE_RULES.find(({ when }) => when(facts))
    expect(rule?.then).toBe(facts.isOwn || facts.isOver || facts.isHolderDead ? 'ours' : 'busy')
  })

  it('a damaged document is CORRUPT', async () => {
    const world = new LogWorld()
    await using archive = await world.open()
    const stream = await archive.openStream({ path: PATH })
    await stream.leave()
    const [document] = await world.streamStore.query({ kind: 'writer', project: 'default', limit: 1 })
    if (document === undefined) throw new Error('there is no lease')
    const { id, revision, ...rest } = document
    await world.streamStore.update(id, revision, { ...rest, value: { holder: 1 } })
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code: 'CORRUPT' })
  })
})

describe('log archive: what the streams of a prefix share', () => {
  it('prefix indexes rise in the order of the writes, and none comes twice from any process', async () => {
    const world = new LogWorld()
    const writer = { prefixIndexBlock: 5 }
    await using first = await world.open({ writer })
    await using second = await world.open({ writer })
    const out = await first.openStream({ path: PATH })
    const err = await first.openStream({ path: OTHER })
    const far = await second.openStream({ path: 'build/1/+/far' })
    for (let i = 0; i < 12; i++) {
      await out.write(`${i}\n`)
      await err.write(`${i}\n`)
      await far.write(`${i}\n`)
    }
    for (const stream of [out, err, far]) await stream.flush()
    const indexes = async (path: string): Promise<number[]> =>
      (await entriesOf(first, path)).map(({ prefixIndex }) => prefixIndex)
    const [ofOut, ofErr, ofFar] = [await indexes(PATH), await indexes(OTHER), await indexes('build/1/+/far')]
    const local = ofOut.flatMap((index, i) => [index, ofErr[i] ?? -1])
    expect(local).toEqual([...local].sort((a, b) => a - b))
    expect(new Set([...local, ...ofFar]).size).toBe(36)
    await out.leave()
    // The block of the other process may begin below what this stream has used.
    await using again = await second.openStream({ path: PATH })
    await again.write('more\n')
    await again.flush()
    const now = await indexes(PATH)
    expect(now).toEqual([...now].sort((a, b) => a - b))
    expect(new Set([...now, ...ofErr, ...ofFar]).size).toBe(37)
  })

  it('none falls below one that somebody else has used', async () => {
    const world = new LogWorld()
    await using archive = await world.open()
    await (await archive.openStream({ path: PATH })).leave()
    const entry = encodeLogEntry({
      ...{ prefixIndex: 1_000_000, streamIndex: 0, sequence: 0 },
      content: { kind: 'text', lines: [{ value: Uint8Array.of(65), delimiter: '\n' }] },
    })
    await world.storage.put({ stream: { project: 'default', path: PATH }, from: 0, entries: [entry] })
    await using stream = await archive.openStream({ path: PATH })
    await stream.write('b\n')
    await stream.flush()
    expect((await entriesOf(archive)).map(({ prefixIndex }) => prefixIndex)).toEqual([1_000_000, 1_000_001])
  })

  it('the secret is kept: days later the known streams go on, new ones are EXPIRED', async () => {
    const world = new LogWorld()
    const first = await world.open()
    await (await first.openStream({ path: PATH })).leave()
    await first.close()
    await world.clock.advance(48 * 60 * 60 * 1000)
    await using archive = await world.open()
    await using stream = await archive.openStream({ path: PATH })
    await stream.write('a\n')
    await expect(archive.openStream({ path: OTHER })).rejects.toMatchObject({ code: 'EXPIRED' })
  })

  it("somebody else's prefix is DENIED", async () => {
    const world = new LogWorld()
    await using archive = await world.open()
    await archive.coordinator.registerPrefix({ project: 'default', prefix: 'build/1' })
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code: 'DENIED' })
  })

  it('a collector takes what is sent with the kept secret, and the writer goes on behind it', async () => {
    const world = new LogWorld()
    await using archive = await world.open()
    await (await archive.openStream({ path: PATH })).leave()
    const [document] = await world.streamStore.query({ kind: 'source', project: 'default', limit: 1 })
    const secret = Uint8Array.from(atob((document?.value as { secret: string }).secret), (c) =>
      c.charCodeAt(0),
    )
    const descriptor = encodeDescriptor({
      ...{ prefix: 'build/1', name: 'far', streamType: 0, contentType: 'text/plain', binaryFileExt: '' },
      ...{ timestamp: { seconds: 1, nanos: 0 }, tags: new Map() },
    })
    const state = await archive.coordinator.registerStream({ project: 'default', secret, descriptor })
    expect(state.terminalIndex).toBe(-1)
  })

  it('a damaged document is CORRUPT, and a failed opening is tried anew', async () => {
    const world = new LogWorld()
    const first = await world.open()
    await (await first.openStream({ path: PATH })).leave()
    await first.close()
    const [document] = await world.streamStore.query({ kind: 'source', project: 'default', limit: 1 })
    if (document === undefined) throw new Error('there is no source')
    const { id, revision, ...rest } = document
    await world.streamStore.update(id, revision, { ...rest, value: null })
    await using archive = await world.open()
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code: 'CORRUPT' })
    await world.streamStore.update(id, revision + 1, rest)
    await using stream = await archive.openStream({ path: PATH })
    expect(stream.path).toBe(PATH)
  })

  it('when no prefix index can be had the stream fails, and nothing is misplaced', async () => {
    const world = new LogWorld()
    let isDown = false
    const streamStore = faultyStreamStore(world.streamStore, () => (isDown ? { fails: 'before' } : undefined))
    const archive = await world.open({
      coordinator: { streamStore, taskQueue: world.taskQueue },
      writer: { prefixIndexBlock: 2, retryMs: 1000 },
    })
    const stream = await archive.openStream({ path: PATH })
    isDown = true
    await expect(world.settled(stream.write('a\nb\nc\nd\n'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(stream.flush()).rejects.toBeInstanceOf(RecoveryLogError)
    isDown = false
    await world.settled(archive.close().catch(() => undefined))
    await using again = await world.open()
    await world.clock.advance(LEASE_MS)
    await using next = await again.openStream({ path: PATH })
    expect(await textOf(again)).toBe('a\nb\n'.slice(0, 2 * next.resumedAt.sequence))
  })
})
