import { describe, expect, it } from 'vitest'
import { abortedError } from '../../../src/async/index.ts'
import { IndexCache } from '../../../src/archive/index.ts'
import { RecoveryLogError } from '../../../src/errors/index.ts'
import type { StorageGet, StoredEntry } from '../../../src/storage/index.ts'
import { encodeLogEntry, StreamType } from '../../../src/wire/logdog/index.ts'
import { LogsWorld, textEntry } from '../../support/logs-world.ts'

const PATH = 'a/+/b'
const project = 'proj'
const request = { project, path: PATH }

const entries = (...indexes: readonly number[]): ReturnType<typeof textEntry>[] =>
  indexes.map((index) => textEntry(index))

/** A world that shares the stores of another, with parts of its own in between. */
function between(world: LogsWorld, parts: Partial<ConstructorParameters<typeof LogsWorld>[0]>): LogsWorld {
  const { store: streamStore, storage, blobs, coordinator } = world
  return new LogsWorld({ streamStore, storage, blobs, coordinator, ...parts })
}

/** The world's storage, with something that happens at the beginning of each `get`. */
function storageWith(world: LogsWorld, onGet: () => Promise<void>): LogsWorld['storage'] {
  const { storage } = world
  return Object.assign(Object.create(storage) as typeof storage, {
    async *get(get: StorageGet) {
      await onGet()
      yield* storage.get(get)
    },
    async tail(...args: Parameters<typeof storage.tail>) {
      await onGet()
      return storage.tail(...args)
    },
  })
}

describe('get', () => {
  it('get: answers the stream with its entries, and no secret anywhere', async () => {
    const world = new LogsWorld()
    await world.register(PATH, { contentType: 'text/x' })
    await world.put(PATH, entries(0, 1))
    const answer = await world.logs.get(request)
    expect(answer.entries).toEqual(entries(0, 1))
    expect(answer.stream).toMatchObject({ path: PATH, phase: 'streaming', terminalIndex: -1, archive: null })
    expect(answer.stream.descriptor).toMatchObject({ prefix: 'a', name: 'b', contentType: 'text/x' })
    expect(JSON.stringify(answer)).not.toMatch(/secret/i)
  })

  it.each([[{ index: -1 }], [{ index: 0.5 }], [{ limit: -1 }], [{ bytesMax: 0 }]])(
    'get: refuses a number that is none (%j)',
    async (numbers) => {
      const world = new LogsWorld()
      await expect(world.logs.get({ ...request, ...numbers })).rejects.toThrow(RangeError)
    },
  )

  it.each([
    [{ path: 'no/+/such' }, 'NOT_FOUND'],
    [{ path: 'a' }, 'NAME_INVALID'],
    [{ project: 'NO' }, 'NAME_INVALID'],
  ])('get: %j is %s', async (other, code) => {
    const world = new LogsWorld()
    await expect(world.logs.get({ ...request, ...other })).rejects.toMatchObject({ code })
  })

  it.each([false, true])(
    'get: what was stored behind the end is left out (archived: %s)',
    async (isArchived) => {
      const world = new LogsWorld()
      const stream = await world.register(PATH, {}, 1)
      await world.put(PATH, entries(0, 1, 2, 3))
      if (isArchived) await world.archive(PATH, stream)
      expect((await world.logs.get({ ...request, sparse: true })).entries).toEqual(entries(0, 1))
      for (const contiguous of [false, true]) {
        expect((await world.logs.tail({ ...request, contiguous })).entries).toEqual(entries(1))
      }
    },
  )

  it.each(['get', 'tail'] as const)(
    '%s: goes on in the archive when the entries go away meanwhile',
    async (call) => {
      const world = new LogsWorld()
      const stream = await world.register(PATH)
      await world.put(PATH, entries(0, 1, 2))
      const { logs } = between(world, {
        storage: storageWith(world, async () => {
          await world.archive(PATH, stream)
          await world.clean(PATH, stream)
        }),
      })
      const answer = await logs[call](request)
      expect(answer.entries).toEqual(call === 'get' ? entries(0, 1, 2) : entries(2))
      expect(answer.stream.phase).toBe('cleaned')
    },
  )

  it('get: reads the state once when all that was asked for is there', async () => {
    const world = new LogsWorld()
    await world.register(PATH)
    await world.put(PATH, entries(0, 1, 2))
    let reads = 0
    const { store } = world
    const streamStore = Object.assign(Object.create(store) as typeof store, {
      read: (...args: Parameters<typeof store.read>) => {
        reads++
        return store.read(...args)
      },
    })
    const { logs } = between(world, { streamStore })
    expect((await logs.get({ ...request, limit: 2 })).entries).toEqual(entries(0, 1))
    expect(reads).toBe(1)
    await logs.get({ ...request, limit: 4 })
    expect(reads).toBe(3)
  })

  it("get: entries are the reader's, though storage uses its memory again", async () => {
    const world = new LogsWorld()
    await world.register(PATH)
    const { storage } = world
    const memory = new Uint8Array(1000)
    const borrowing = Object.assign(Object.create(storage) as typeof storage, {
      async *get(): AsyncGenerator<readonly StoredEntry[]> {
        for (const index of [0, 1]) {
          const bytes = encodeLogEntry(textEntry(index))
          memory.fill(0).set(bytes)
          yield [{ index, bytes: memory.subarray(0, bytes.length) }]
        }
      },
    })
    const { logs } = between(world, { storage: borrowing })
    expect((await logs.get(request)).entries).toEqual(entries(0, 1))
  })

  it.each([
    ['no entry', Uint8Array.of(0xff)],
    ["another's", encodeLogEntry(textEntry(7))],
  ])('get: a stored value that is %s is CORRUPT with its place', async (_name, bytes) => {
    const world = new LogsWorld()
    await world.register(PATH)
    await world.put(PATH, entries(0))
    await world.storage.put({ stream: request, from: 1, entries: [bytes] })
    await expect(world.logs.get(request)).rejects.toMatchObject({
      code: 'CORRUPT',
      data: { path: PATH, index: 1 },
    })
    expect((await world.logs.get({ ...request, limit: 1 })).entries).toEqual(entries(0))
  })
})

describe('purged', () => {
  it('purged: is PURGED, also when the files go away while they are read, and its index is forgotten', async () => {
    const world = new LogsWorld()
    const stream = await world.register(PATH)
    await world.put(PATH, entries(0, 1))
    await world.archive(PATH, stream)
    const indexes = new IndexCache()
    const { blobs } = world
    const going = Object.assign(Object.create(blobs) as typeof blobs, {
      get: async () => {
        await world.coordinator.purgeStream(stream)
        throw new RecoveryLogError('NOT_FOUND', 'gone')
      },
    })
    await between(world, { indexes }).logs.get(request)
    expect(indexes.bytes).toBeGreaterThan(0)
    await expect(between(world, { blobs: going, indexes }).logs.get(request)).rejects.toMatchObject({
      code: 'PURGED',
    })
    expect(indexes.bytes).toBe(0)
    const read = world.logs.follow(request).next()
    await expect(read).rejects.toMatchObject({ code: 'PURGED' })
  })

  it('purged: files that are missing otherwise are NOT_FOUND', async () => {
    const world = new LogsWorld()
    const stream = await world.register(PATH)
    await world.put(PATH, entries(0))
    await world.archive(PATH, stream)
    for await (const { key } of world.blobs.list('')) await world.blobs.remove(key)
    await expect(world.logs.get(request)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(world.logs.follow(request).next()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('query', () => {
  const paths = ['a/+/x', 'a/+/x/1', 'a/+/x/2', 'a/+/x-1', 'a/+/y', 'ab/+/x']

  async function world(): Promise<LogsWorld> {
    const made = new LogsWorld()
    for (const path of paths) {
      made.now += 1000
      await made.register(path, { streamType: path.endsWith('y') ? StreamType.binary : StreamType.text })
    }
    return made
  }

  const pathsOf = async (logs: LogsWorld['logs'], query: object): Promise<string[]> =>
    (await logs.query({ project, path: 'a', ...query })).streams.map(({ path }) => path)

  it('query: answers in byte order, and the stream whose name is the beginning of others', async () => {
    const { logs } = await world()
    expect(await pathsOf(logs, {})).toEqual(['a/+/x', 'a/+/x-1', 'a/+/x/1', 'a/+/x/2', 'a/+/y'])
    expect(await pathsOf(logs, { path: 'a/+/x/**' })).toEqual(['a/+/x', 'a/+/x/1', 'a/+/x/2'])
    expect(await pathsOf(logs, { path: 'a/+/x' })).toEqual(['a/+/x'])
    expect(await pathsOf(logs, { path: 'a/+/no' })).toEqual([])
  })

  it('query: by phase and time', async () => {
    const { logs, coordinator } = await world()
    const { streams } = await logs.query({ project, path: 'a/+/y' })
    const [stream] = streams
    await coordinator.purgeStream({ project, id: stream?.id ?? '' })
    expect(await pathsOf(logs, { phases: ['purged'], purged: 'with' })).toEqual(['a/+/y'])
    expect(await pathsOf(logs, { phases: ['streaming'], path: 'a/+/x/*' })).toEqual(['a/+/x/1', 'a/+/x/2'])
    const [x1] = (await logs.query({ project, path: 'a/+/x/1' })).streams
    const createdMs = x1?.createdMs ?? 0
    expect(await pathsOf(logs, { createdFromMs: createdMs, path: 'a/+/x/*' })).toEqual(['a/+/x/1', 'a/+/x/2'])
    expect(await pathsOf(logs, { createdBeforeMs: createdMs })).toEqual(['a/+/x'])
  })

  it.each([1, 2, 3, 4])('query: pages go through all, without an empty one (%i)', async (limit) => {
    const { logs } = await world()
    const seen: string[][] = []
    for (let pageToken: string | undefined = ''; pageToken !== undefined;) {
      const token = pageToken === '' ? {} : { pageToken }
      const page = await logs.query({ project, path: 'a/+/x/**', limit, ...token })
      seen.push(page.streams.map(({ path }) => path))
      pageToken = page.nextPageToken
    }
    expect(seen.flat()).toEqual(['a/+/x', 'a/+/x/1', 'a/+/x/2'])
    expect(seen).toHaveLength(Math.ceil(3 / limit))
  })

  it('query: a page has 500 streams at most, also of more than are asked of the store at once', async () => {
    const made = new LogsWorld()
    for (let i = 0; i < 501; i++) await made.register(`a/+/${i}`)
    const first = await made.logs.query({ project, path: 'a', limit: 1000 })
    expect(first.streams).toHaveLength(500)
    const { nextPageToken: pageToken = '' } = first
    expect(await made.logs.query({ project, path: 'a', pageToken })).toMatchObject({
      streams: [{ path: 'a/+/99' }],
      nextPageToken: undefined,
    })
    const narrow = await made.logs.query({ project, path: 'a', limit: 1, tags: { none: '' } })
    expect(narrow).toEqual({ streams: [], nextPageToken: undefined })
  })

  it.each([
    [{ pageToken: '!' }, 'INVALID'],
    [{ pageToken: btoa('ab/+/x') }, 'INVALID'],
    [{ streamType: 3 }, 'INVALID'],
    [{ tags: { 'a b': '' } }, 'NAME_INVALID'],
    [{ project: 'NO' }, 'NAME_INVALID'],
  ])('query: refuses %j with %s', async (query, code) => {
    await expect(new LogsWorld().logs.query({ ...request, path: 'a', ...query })).rejects.toMatchObject({
      code,
    })
  })

  it.each([0, -1, 0.5])('query: refuses a limit that is none (%s)', async (limit) => {
    await expect(new LogsWorld().logs.query({ ...request, limit })).rejects.toThrow(RangeError)
  })
})

describe('follow', () => {
  it('follow: ends behind the last entry of a terminated stream, without an archive', async () => {
    const world = new LogsWorld()
    await world.register(PATH, {}, 1)
    await world.put(PATH, entries(0, 1, 2))
    const seen = []
    for await (const batch of world.logs.follow(request)) seen.push(...batch)
    expect(seen).toEqual(entries(0, 1))
    for await (const batch of world.logs.follow({ ...request, index: 2 })) seen.push(...batch)
    expect(seen).toHaveLength(2)
  })

  it('follow: waits as long as it is told between its looks', async () => {
    const sleeps: number[] = []
    const world = new LogsWorld()
    await world.register(PATH)
    const clock = {
      sleep: async (ms: number) => {
        sleeps.push(ms)
        if (sleeps.length === 3) await world.put(PATH, entries(0))
      },
    }
    const first = await between(world, { clock, pollMs: 70 }).logs.follow(request).next()
    expect(first.value).toEqual(entries(0))
    expect(sleeps).toEqual([70, 70, 70])
  })

  it('follow: ends by the signal', async () => {
    const world = new LogsWorld()
    await world.register(PATH)
    const controller = new AbortController()
    const { signal } = controller
    const clock = {
      sleep: async (ms: number, given?: AbortSignal) => {
        expect([ms, given]).toEqual([500, signal])
        controller.abort()
        throw abortedError(signal)
      },
    }
    const read = between(world, { clock })
      .logs.follow({ ...request, signal })
      .next()
    await expect(read).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(world.logs.get({ ...request, signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(world.logs.query({ project, path: 'a', signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('follow: refuses an index that is none at once', () => {
    expect(() => new LogsWorld().logs.follow({ ...request, index: -1 })).toThrow(RangeError)
  })

  it('follow: what is whole before damage is given first', async () => {
    const world = new LogsWorld()
    await world.register(PATH)
    await world.put(PATH, entries(0))
    await world.storage.put({ stream: request, from: 1, entries: [Uint8Array.of(0xff)] })
    const follow = world.logs.follow(request)
    expect((await follow.next()).value).toEqual(entries(0))
    await expect(follow.next()).rejects.toMatchObject({ code: 'CORRUPT' })
  })
})

describe('deletePrefix', () => {
  it('deletePrefix: purges the streams of that prefix alone, many too, and says how many', async () => {
    const world = new LogsWorld()
    for (let i = 0; i < 501; i++) await world.register(`a/+/${i}`)
    await world.register('ab/+/c')
    await world.coordinator.purgeStream(await world.register('a/+/gone'))
    expect(await world.logs.deletePrefix({ project, prefix: 'a' })).toBe(501)
    expect(await world.logs.deletePrefix({ project, prefix: 'a' })).toBe(0)
    expect((await world.logs.query({ project, path: 'a' })).streams).toEqual([])
    expect((await world.logs.query({ project, path: 'ab' })).streams).toHaveLength(1)
  })

  it('deletePrefix: a prefix that looks like an ID is a prefix too', async () => {
    const world = new LogsWorld()
    const prefix = 'ab'.repeat(32)
    await world.register(`${prefix}/+/c`)
    expect(await world.logs.deletePrefix({ project, prefix })).toBe(1)
  })

  it.each([
    [{ prefix: 'no' }, 'NOT_FOUND'],
    [{ prefix: 'a//b' }, 'NAME_INVALID'],
    [{ project: 'NO' }, 'NAME_INVALID'],
  ])('deletePrefix: %j is %s', async (other, code) => {
    const world = new LogsWorld()
    await expect(world.logs.deletePrefix({ project, prefix: 'a', ...other })).rejects.toMatchObject({ code })
  })
})
