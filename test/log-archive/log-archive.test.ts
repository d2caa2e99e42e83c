import { describe, expect, it } from 'vitest'
import { readBlob } from '../../src/blob/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { Deferred } from '../../src/async/index.ts'
import type { LogArchive } from '../../src/log-archive/index.ts'
import type { StoragePut } from '../../src/storage/index.ts'
import { faultyBlobStore, faultyStorage } from '../../src/testing/index.ts'
import { settle } from '../support/directory.ts'
import { contentOf, entriesOf, lineOf, LogWorld, PATH, textOf } from './log-world.ts'

const PROJECT = 'default'

async function written(archive: LogArchive, text: string, path = PATH): Promise<void> {
  const stream = await archive.openStream({ path })
  await stream.write(text)
  await stream.close()
}

describe('log archive: a stream from its first line to its archive', () => {
  it('reads the same before and after archival, and the archive is good', async () => {
    const world = new LogWorld()
    await using archive = await world.open()
    const stream = await archive.openStream({ path: PATH, tags: { os: 'linux' } })
    for (let i = 0; i < 250; i++) await stream.write(`line ${i}\n`)
    await stream.write('without an end')
    await stream.close()
    const before = await entriesOf(archive)
    expect(before).toHaveLength(251)
    expect(before.map(({ streamIndex }) => streamIndex)).toEqual(before.map((_, i) => i))
    expect(before.map(({ sequence }) => sequence)).toEqual(before.map((_, i) => i))
    expect(lineOf(before[250] as (typeof before)[0])).toBe('without an end')

    expect(await archive.archiveDue()).toEqual({ dispatched: 1, done: 1 })
    expect(await entriesOf(archive)).toEqual(before)
    const report = await archive.verify(PATH)
    expect(report).toMatchObject({ isGood: true, entryCount: 251, manifest: { complete: true } })
    const { stream: described } = await archive.logs.tail({ project: PROJECT, path: PATH })
    expect(described).toMatchObject({ phase: 'cleaned', terminalIndex: 250 })
    expect(described.descriptor.tags).toEqual(new Map([['os', 'linux']]))
    expect(await world.storage.tail({ project: PROJECT, path: PATH })).toBeUndefined()
    expect(await textOf(archive)).toMatch(/^line 0\n.*line 249\nwithout an end$/s)
  })

  it('binary: the data comes back as it was, in entries whose sequence counts bytes', async () => {
    const world = new LogWorld()
    await using archive = await world.open({ writer: { entryBytesMax: 10 } })
    const stream = await archive.openStream({ path: PATH, type: 'binary', binaryFileExt: 'png' })
    const data = Uint8Array.from({ length: 25 }, (_, i) => i)
    await stream.write(data)
    await stream.write(new Uint8Array(0))
    await stream.write(data.subarray(0, 3))
    await stream.close()
    expect((await entriesOf(archive)).map(({ sequence }) => sequence)).toEqual([0, 10, 20, 25])
    await archive.archiveDue()
    expect([...(await contentOf(archive))]).toEqual([...data, 0, 1, 2])
    expect((await archive.verify(PATH)).manifest?.files).toHaveProperty(['data.png'])
  })

  it('datagrams: a large one is in parts that are stored together', async () => {
    const world = new LogWorld()
    const puts: number[] = []
    await using archive = await world.open({
      writer: { entryBytesMax: 4, batchEntriesMax: 2 },
      storage: faultyStorage(world.storage, ({ method, args }) => {
        if (method === 'put') puts.push((args[0] as StoragePut).entries.length)
        return undefined
      }),
    })
    const stream = await archive.openStream({ path: PATH, type: 'datagram' })
    await stream.write('abcd')
    await stream.write('abcdefghij')
    await stream.write('')
    await stream.close()
    expect(puts).toEqual([1, 3, 1])
    const entries = await entriesOf(archive)
    expect(entries.map(({ sequence }) => sequence)).toEqual([0, 1, 1, 1, 2])
    expect(entries.map(({ content }) => content?.kind === 'datagram' && content.partial)).toMatchObject([
      undefined,
      { index: 0, size: 10, last: false },
      { index: 1, size: 10, last: false },
      { index: 2, size: 10, last: true },
      undefined,
    ])
  })

  it('a datagram of more than 10 MiB is refused, and the stream goes on', async () => {
    await using archive = await new LogWorld().open()
    const stream = await archive.openStream({ path: PATH, type: 'datagram' })
    const refused = stream.write(new Uint8Array(10 * 1024 * 1024 + 1))
    await expect(refused).rejects.toMatchObject({ code: 'ENTRY_INVALID', data: { bytes: 10485761 } })
    await stream.write('good')
    await stream.close()
    expect((await entriesOf(archive)).map(({ sequence }) => sequence)).toEqual([0])
  })

  it('a stream without an entry has no end to name: it is closed, and can be opened again', async () => {
    await using archive = await new LogWorld().open()
    await (await archive.openStream({ path: PATH })).close()
    const stream = await archive.openStream({ path: PATH })
    expect(stream.resumedAt).toEqual({ nextIndex: 0, sequence: 0, lineBytes: 0 })
  })

  it('time offsets count from the registration, in a later life too', async () => {
    const world = new LogWorld()
    const first = await world.open()
    const stream = await first.openStream({ path: PATH })
    await world.clock.advance(1500)
    await stream.write('a\n')
    await first.close()
    await world.clock.advance(60_000)
    await using archive = await world.open()
    await using again = await archive.openStream({ path: PATH })
    await again.write('b\n')
    await again.flush()
    expect((await entriesOf(archive)).map(({ timeOffset }) => timeOffset)).toMatchObject([
      { seconds: 1, nanos: 500_000_000 },
      { seconds: 61, nanos: 500_000_000 },
    ])
  })
})

describe('log archive: reads', () => {
  async function fiveLines(world: LogWorld): Promise<LogArchive> {
    const archive = await world.open()
    await written(archive, 'a\nb\nc\nd\ne\n')
    return archive
  }

  it.each([
    [{}, 'abcde'],
    [{ from: 2 }, 'cde'],
    [{ from: 1, limit: 2 }, 'bc'],
    [{ limit: 0 }, ''],
    [{ tail: 1 }, 'e'],
    [{ tail: 2 }, 'de'],
    [{ tail: 9, limit: 1 }, 'a'],
    [{ from: 9 }, ''],
    [{ follow: true, from: 3 }, 'de'],
    [{ follow: true, tail: 3, limit: 2 }, 'cd'],
    [{ follow: true, limit: 0 }, ''],
  ])('%j yields %s, stored and archived', async (options, expected) => {
    await using archive = await fiveLines(new LogWorld())
    const lines = async (): Promise<string> =>
      (await entriesOf(archive, PATH, options)).map(lineOf).join('').replaceAll('\n', '')
    expect(await lines()).toBe(expected)
    await archive.archiveDue()
    expect(await lines()).toBe(expected)
  })

  it('tail of an empty stream, and of a page that is longer than one answer', async () => {
    await using archive = await new LogWorld().open()
    await using stream = await archive.openStream({ path: PATH, type: 'binary' })
    expect(await entriesOf(archive, PATH, { tail: 3 })).toEqual([])
    for (let i = 0; i < 20; i++) await stream.write(new Uint8Array(1024 * 1024))
    await stream.flush()
    let pages = 0
    let bytes = 0
    for await (const page of archive.read(PATH)) {
      pages++
      for (const { content } of page) bytes += content?.kind === 'binary' ? content.data.length : 0
    }
    expect([pages, bytes]).toEqual([2, 20 * 1024 * 1024])
  })

  it('follow: yields what comes, and ends behind the last entry', async () => {
    const world = new LogWorld()
    await using archive = await world.open()
    const stream = await archive.openStream({ path: PATH })
    const followed = entriesOf(archive, PATH, { follow: true })
    await stream.write('a\n')
    await stream.flush()
    await world.clock.advance(500)
    await stream.write('b\n')
    await stream.close()
    expect((await world.settled(followed)).map(lineOf)).toEqual(['a\n', 'b\n'])
  })

  it.each([
    [{ from: 1, tail: 1 }, TypeError],
    [{ from: -1 }, RangeError],
    [{ tail: -1 }, RangeError],
    [{ limit: 0.5 }, RangeError],
  ])('%j is refused', async (options, error) => {
    await using archive = await fiveLines(new LogWorld())
    await expect(entriesOf(archive, PATH, options)).rejects.toThrow(error)
  })

  it('an abort ends a reader with ABORTED, the end of the archive with CLOSED', async () => {
    const world = new LogWorld()
    const archive = await world.open()
    await archive.openStream({ path: PATH })
    const controller = new AbortController()
    const aborted = entriesOf(archive, PATH, { follow: true, signal: controller.signal })
    const closed = entriesOf(archive, PATH, { follow: true })
    await settle()
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
    const closing = archive.close()
    await expect(closed).rejects.toMatchObject({ code: 'CLOSED' })
    await closing
    await expect(entriesOf(archive)).rejects.toMatchObject({ code: 'CLOSED' })
    expect(world.clock.sleeping).toBe(0)
  })

  it('verify: a stream that is not archived is NOT_FOUND', async () => {
    await using archive = await fiveLines(new LogWorld())
    await expect(archive.verify(PATH)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(archive.verify('no/+/such')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('log archive: what goes on by itself', () => {
  it('sweep and archivist work by the clock until it is closed', async () => {
    const world = new LogWorld()
    const reports: string[] = []
    const archive = await world.open({
      archivist: { pollMs: 1000 },
      sweep: { everyMs: 60_000 },
      settings: { archiveDelayMs: 5 * 60_000, storageCleanupDelayMs: 10 * 60_000 },
      onTask: ({ task, ending }) => reports.push(`${task.reason} ${ending}`),
    })
    await written(archive, 'a\n')
    const phase = async (): Promise<string> =>
      (await archive.logs.tail({ project: PROJECT, path: PATH })).stream.phase
    for (let minute = 0; minute < 4; minute++) await world.clock.advance(60_000)
    expect(await phase()).toBe('terminated')
    for (let second = 0; second < 120; second++) await world.clock.advance(1000)
    expect(await phase()).toBe('archived')
    for (let second = 0; second < 720; second++) await world.clock.advance(1000)
    expect(await phase()).toBe('cleaned')
    expect(reports).toEqual(['archive acknowledged', 'clean acknowledged'])
    await archive.close()
    expect(world.clock.sleeping).toBe(0)
    expect(world.errors).toEqual([])
  })

  it('archiveDue waits for what the archivist has in hand', async () => {
    const world = new LogWorld()
    const held = new Deferred()
    const blobs = faultyBlobStore(world.blobs, ({ method }) =>
      method === 'put' ? { before: () => held.promise } : undefined,
    )
    await using archive = await world.open({ blobs, archivist: { pollMs: 1000 } })
    await written(archive, 'a\n')
    await archive.coordinator.dispatchDue()
    await world.clock.advance(1000)
    const state = { isDone: false }
    const done = archive.archiveDue().finally(() => (state.isDone = true))
    await settle()
    expect(state.isDone).toBe(false)
    held.resolve()
    expect(await done).toEqual({ dispatched: 0, done: 1 })
    expect((await archive.verify(PATH)).isGood).toBe(true)
  })

  it('what dead attempts have staged goes, wherever the settings have had it staged', async () => {
    const world = new LogWorld()
    await using archive = await world.open({ settings: { staging: 'gs://aside/s' } })
    const key = `aside/s/${PROJECT}/a/${'0'.repeat(64)}/attempt/logstream.entries`
    await world.blobs.put(key, new Uint8Array(1))
    await archive.archiveDue()
    expect(await readBlob(world.blobs, key)).toHaveLength(1)
    await world.clock.advance(25 * 60 * 60 * 1000)
    await archive.archiveDue()
    await expect(readBlob(world.blobs, key)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('a setting of the state store counts for what comes next, also where archives lie', async () => {
    const world = new LogWorld()
    await using archive = await world.open({ settings: { archiveDelayMs: 0, staging: 'gs://aside/s' } })
    await archive.coordinator.setSettings({ base: 'bucket/elsewhere' }, 'p2')
    const stream = await archive.openStream({ project: 'p2', path: PATH })
    await stream.write('a\n')
    await stream.close()
    await archive.archiveDue()
    const { stream: read } = await archive.logs.get({ project: 'p2', path: PATH })
    expect(read.archive?.entriesUrl).toMatch(/^bucket\/elsewhere\/p2\/build\/1\/\+\/stdout\//)
    expect((await archive.verify(PATH, { project: 'p2' })).isGood).toBe(true)
  })

  it('close: waits for what is under way, leaves open streams, may be called twice, and ends the rest', async () => {
    const world = new LogWorld()
    const parts: string[] = []
    const archive = await world.open({
      closeWith: [{ close: async () => void parts.push('a') }, { close: async () => void parts.push('b') }],
    })
    const stream = await archive.openStream({ path: PATH })
    await stream.write('a\nb')
    await Promise.all([archive.close(), archive.close()])
    expect(parts).toEqual(['a', 'b'])
    await expect(stream.write('c')).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(archive.archiveDue()).rejects.toMatchObject({ code: 'CLOSED' })
    await using again = await world.open()
    const next = await again.openStream({ path: PATH })
    expect(next.resumedAt).toEqual({ nextIndex: 2, sequence: 1, lineBytes: 1 })
  })

  it('close: tells the first thing that went wrong, and closes the rest all the same', async () => {
    const world = new LogWorld()
    let isClosed = false
    const archive = await world.open({
      closeWith: [
        { close: () => Promise.reject(new RecoveryLogError('UNAVAILABLE', 'the disk is gone')) },
        { close: async () => void (isClosed = true) },
      ],
    })
    await expect(archive.close()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(isClosed).toBe(true)
    expect(world.clock.sleeping).toBe(0)
  })

  it.each([
    [{ settings: { archiveDelayMs: -1 } }, { code: 'INVALID' }],
    [{ writer: { batchMs: 0 } }, { name: 'RangeError' }],
    [{ writer: { entryBytesMax: 10 * 1024 * 1024 + 1 } }, { name: 'RangeError' }],
    [{ archivist: { pollMs: 0 } }, { name: 'RangeError' }],
  ])('open refuses %j', async (options, error) => {
    await expect(new LogWorld().open(options)).rejects.toMatchObject(error)
  })
})
