import { describe, expect, it } from 'vitest'
import type { ArchivistParts } from '../../src/archivist/index.ts'
import type { ArchiveDispatcher } from '../../src/coordinator/index.ts'
import type { BlobStore } from '../../src/blob/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import type { IntermediateStorage } from '../../src/storage/index.ts'
import { encodeLogEntry } from '../../src/wire/logdog/index.ts'
import { entryAt, upTo } from '../archive/archive-fixture.ts'
import { ArchiveWorld, descriptorOf, HOUR_MS, LEASE_MS, PATH, PROJECT } from './archive-world.ts'

const DAY_MS = 24 * HOUR_MS
const STREAM = { project: PROJECT, path: PATH }

/** The part with some of its calls replaced. */
function withCalls<Part extends object>(part: Part, calls: Partial<Part>): Part {
  return new Proxy(part, {
    get(target, name) {
      if (name in calls) return Reflect.get(calls, name) as unknown
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}

async function later(): Promise<never> {
  throw new RecoveryLogError('UNAVAILABLE', 'later')
}

function withCoordinator(world: ArchiveWorld, calls: Partial<ArchiveDispatcher>): ArchivistParts {
  return { ...world.parts, coordinator: withCalls<ArchiveDispatcher>(world.coordinator, calls) }
}

function withStorage(world: ArchiveWorld, calls: Partial<IntermediateStorage>): ArchivistParts {
  return { ...world.parts, storage: withCalls<IntermediateStorage>(world.storage, calls) }
}

function withBlobs(world: ArchiveWorld, calls: Partial<BlobStore>): ArchivistParts {
  return { ...world.parts, blobs: withCalls<BlobStore>(world.blobs, calls) }
}

describe('task: from a finished stream to its archive', () => {
  it('a complete stream: archived, cleaned, acknowledged', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
    const report = await world.run()
    expect(report).toMatchObject({ ending: 'acknowledged', path: PATH, error: undefined })
    expect(await world.archived()).toEqual(upTo(5))
    expect(await world.record(id)).toMatchObject({
      phase: 'cleaned',
      terminalIndex: 4,
      claim: null,
      archive: {
        entryCount: 5,
        lastIndex: 4,
        entriesUrl: `${world.folder()}/logstream.entries`,
        indexUrl: `${world.folder()}/logstream.index`,
        dataUrl: null,
      },
    })
    expect(await world.stored()).toEqual([])
    expect(await world.isSealed()).toBe(true)
    expect(await world.keys('staging/')).toEqual([])
    expect(await world.tasks(id)).toBe(false)
  })

  it('with a data file: it is reported too', async () => {
    const world = new ArchiveWorld({ renderData: true })
    const id = await world.stream({ terminalIndex: 1, stored: upTo(2) })
    await world.run()
    const { archive } = await world.record(id)
    expect(archive).toMatchObject({ dataUrl: `${world.folder()}/data.bin`, dataBytes: 14 })
  })

  it('storageCleanupDelay: entries stay until the clean-up task, which looks at the archive itself', async () => {
    const world = new ArchiveWorld({ storageCleanupDelayMs: HOUR_MS })
    const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
    expect(await world.stored()).toEqual(upTo(5))
    expect(await world.record(id)).toMatchObject({ phase: 'archived' })
    await world.clock.advance(HOUR_MS)
    await world.task(id, 'clean')
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
    expect(await world.stored()).toEqual([])
    expect(await world.record(id)).toMatchObject({ phase: 'cleaned' })
    expect(await world.isSealed()).toBe(true)
  })

  it('archived already: what is due is cleaned up, and nothing is written', async () => {
    const world = new ArchiveWorld({ storageCleanupDelayMs: HOUR_MS })
    const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
    await world.run()
    await world.task(id)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged', what: /stay for a while/ })
    await world.clock.advance(HOUR_MS)
    await world.task(id)
    const untouched = withBlobs(world, { put: later, move: later, remove: later })
    expect(await world.run(untouched)).toMatchObject({ ending: 'acknowledged', error: undefined })
    expect(await world.stored()).toEqual([])
    await world.task(id)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged', what: 'cleaned already' })
  })

  it.each(['clean', 'purge'] as const)(
    'a task to %s what is not archived: nothing happens',
    async (reason) => {
      const world = new ArchiveWorld()
      const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
      await world.run(withCoordinator(world, { loadStream: later }))
      await world.task(id, reason)
      expect(await world.run()).toMatchObject({ ending: 'acknowledged', what: /nothing to remove/ })
      expect(await world.stored()).toEqual(upTo(5))
    },
  )

  it('an empty stream that nobody has ended: an empty archive, when nothing has come for long', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream()
    expect(await world.run()).toMatchObject({ ending: 'released', afterMs: 48 * HOUR_MS })
    await world.clock.advance(48 * HOUR_MS)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
    expect(await world.archived()).toEqual([])
    expect(await world.record(id)).toMatchObject({ phase: 'cleaned', terminalIndex: -1 })
  })

  it('no such stream: acknowledged', async () => {
    const world = new ArchiveWorld()
    await world.task('0'.repeat(64))
    expect(await world.run()).toMatchObject({
      ending: 'acknowledged',
      what: 'no such stream',
      path: undefined,
    })
  })
})

describe('task: entries that are not there', () => {
  it.each([
    ['the last one', 5, [0, 1, 2, 3, 4]],
    ['one in the middle', 4, [0, 1, 3, 4]],
    ['the first one', 4, [1, 2, 3, 4]],
    ['all', 4, []],
  ])(
    '%s missing: released, unsealed, nothing staged; sparse when the time is over',
    async (_, terminalIndex, stored) => {
      const world = new ArchiveWorld()
      const id = await world.stream({ terminalIndex, stored })
      const report = await world.run()
      expect(report).toMatchObject({
        ending: 'released',
        what: 'complete archival asked for, entries missing',
      })
      expect(report.afterMs).toBeGreaterThan(0)
      expect(report.afterMs).toBeLessThanOrEqual(5000)
      expect(await world.isSealed()).toBe(false)
      expect(await world.keys()).toEqual([])
      expect(await world.record(id)).toMatchObject({ phase: 'pending', claim: null })
      await world.clock.advance(48 * HOUR_MS)
      expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
      expect(await world.archived()).toEqual(stored)
      const { complete, missingCount } = await world.manifest()
      expect({ complete, missingCount }).toEqual({
        complete: false,
        missingCount: terminalIndex + 1 - stored.length,
      })
      expect(await world.record(id)).toMatchObject({ phase: 'cleaned', terminalIndex })
      expect(await world.stored()).toEqual([])
    },
  )

  it('the missing entry comes: the archive is complete', async () => {
    const world = new ArchiveWorld()
    await world.stream({ terminalIndex: 2, stored: [0, 2] })
    await world.run()
    await world.put(PATH, 1)
    await world.clock.advance(5000)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
    expect(await world.archived()).toEqual(upTo(3))
    expect((await world.manifest()).complete).toBe(true)
  })

  it('back-off: doubled with each release, never past the time when what is there will do', async () => {
    const world = new ArchiveWorld()
    await world.stream({ terminalIndex: 2, stored: [0, 2] })
    const waits: number[] = []
    let waitedMs = 0
    for (;;) {
      const { ending, afterMs = 0 } = await world.run()
      if (ending !== 'released') break
      waits.push(afterMs)
      waitedMs += afterMs
      await world.clock.advance(afterMs)
    }
    expect(waitedMs).toBe(48 * HOUR_MS)
    for (const [at, wait] of waits.slice(0, -1).entries()) {
      expect(wait).toBeGreaterThanOrEqual(2500 * 2 ** at)
      expect(wait).toBeLessThanOrEqual(5000 * 2 ** at)
    }
  })

  it.each([
    ['archiveSettleDelay', { archiveSettleDelayMs: HOUR_MS }, HOUR_MS],
    ['archiveMaxDelay since the last change', { archiveSettleDelayMs: 10 * DAY_MS }, 48 * HOUR_MS],
  ])('best effort after %s', async (_, settings, afterMs) => {
    const world = new ArchiveWorld(settings)
    await world.stream({ terminalIndex: 2, stored: [0, 2] })
    await world.clock.advance(afterMs - 1)
    expect(await world.run()).toMatchObject({ ending: 'released', afterMs: 1 })
    await world.clock.advance(1)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
  })

  it('beyond the terminal index: left out, counted, and purged with the rest', async () => {
    const world = new ArchiveWorld()
    await world.stream({ terminalIndex: 2, stored: upTo(5) })
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
    expect(await world.archived()).toEqual(upTo(3))
    expect((await world.manifest()).beyondTerminalCount).toBe(2)
    expect(await world.stored()).toEqual([])
  })

  it('unterminated and young: released until it is not, and unsealed', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ stored: upTo(3) })
    await world.clock.advance(HOUR_MS)
    await world.put(PATH, 3)
    await world.clock.advance(HOUR_MS)
    expect(await world.run()).toMatchObject({
      ending: 'released',
      what: /still being written/,
      afterMs: 47 * HOUR_MS,
    })
    expect(await world.isSealed()).toBe(false)
    await world.clock.advance(47 * HOUR_MS)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
    expect(await world.archived()).toEqual(upTo(4))
    expect(await world.record(id)).toMatchObject({ terminalIndex: 3 })
  })

  it('terminated while it was being staged: the claim is lost, and made again with the end known', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ stored: upTo(3) })
    await world.clock.advance(48 * HOUR_MS)
    let staged = 0
    const parts = withStorage(world, {
      tail: async (stream) => {
        staged++
        if (staged === 1) await world.change(id, { terminalIndex: 2, terminatedMs: world.clock.now() })
        return world.storage.tail(stream)
      },
    })
    expect(await world.run(parts)).toMatchObject({ ending: 'acknowledged' })
    expect(staged).toBe(2)
    expect((await world.manifest()).terminalIndex).toBe(2)
    expect(await world.keys('staging/')).toEqual([])
  })
})

describe('task: what can never be archived as it is', () => {
  const odd: readonly [string, Uint8Array, number, RegExp][] = [
    ['a value that cannot be decoded', Uint8Array.of(0xff, 0xff), 2, /at 2:/],
    ['an index unlike its key', encodeLogEntry(entryAt(7)), 2, /at 2 says that it is 7/],
  ]

  it.each(odd)(
    '%s: quarantined, nothing purged; released with skipDamaged it is a named gap',
    async (_, bytes, at, reason) => {
      const world = new ArchiveWorld()
      const id = await world.stream({ terminalIndex: 4, stored: [0, 1, 3, 4] })
      await world.storage.put({ stream: STREAM, from: at, entries: [bytes] })
      expect(await world.run()).toMatchObject({ ending: 'acknowledged', error: { code: 'CORRUPT' } })
      expect(await world.record(id)).toMatchObject({ phase: 'quarantined', claim: null, archive: null })
      expect((await world.record(id)).reason).toMatch(reason)
      expect(await world.stored()).toEqual(upTo(5))
      expect(await world.keys()).toEqual([])
      expect(await world.isSealed()).toBe(false)

      await world.coordinator.releaseQuarantined({ project: PROJECT, id })
      expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
      expect(await world.record(id)).toMatchObject({ phase: 'quarantined' })
      await world.coordinator.releaseQuarantined({ project: PROJECT, id, skipDamaged: true })
      expect(await world.run()).toMatchObject({ ending: 'acknowledged', error: undefined })
      expect(await world.archived()).toEqual([0, 1, 3, 4])
      expect((await world.manifest()).damaged.listed).toEqual([[at, at]])
      expect(await world.record(id)).toMatchObject({ phase: 'cleaned' })
      expect(await world.stored()).toEqual([])
    },
  )

  it.each([
    ['an undecodable descriptor', { descriptor: Uint8Array.of(0xff, 0xff) }],
    ['a nameless descriptor', { descriptor: descriptorOf('testing/+/') }],
    ['no descriptor', { descriptor: new Uint8Array(0) }],
    ['another protocol', { record: { protoVersion: '2' } }],
    ['a path that is too long', { path: `${'long/'.repeat(270)}x/+/stdout` }],
  ])('%s: quarantined with the reason, its entries kept', async (_, options) => {
    const world = new ArchiveWorld()
    const { path = PATH } = options as { path?: string }
    const id = await world.stream({ terminalIndex: 1, stored: [0, 1], ...options })
    const report = await world.run()
    expect(report).toMatchObject({ ending: 'acknowledged', what: /^quarantined/ })
    const { phase, reason } = await world.record(id)
    expect({ phase, reason }).toEqual({ phase: 'quarantined', reason: report.error?.message })
    expect(await world.stored(path)).toEqual([0, 1])
    expect(await world.keys()).toEqual([])
    await world.task(id)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged', what: /^quarantined: the release/ })
  })

  it('quarantined: takes entries again, whoever has sealed it and died', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 1, stored: [0] })
    await world.storage.put({ stream: STREAM, from: 1, entries: [Uint8Array.of(0xff)] })
    const { storage, coordinator } = world
    const quarantine = coordinator.quarantine.bind(coordinator)
    coordinator.quarantine = async (request) => {
      await storage.seal(STREAM, 'another one, that is never heard of again')
      await quarantine(request)
    }
    expect(await world.run()).toMatchObject({ ending: 'acknowledged', what: /^quarantined/ })
    expect(await world.isSealed()).toBe(false)
    await storage.seal(STREAM, 'a third one')
    await world.task(id)
    await world.run()
    expect(await world.isSealed()).toBe(false)
  })

  it('a blob store that refuses the files for good: quarantined', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 1, stored: [0, 1] })
    const refuse = async (): Promise<never> => {
      throw new RecoveryLogError('INVALID', 'no such keys here')
    }
    expect(await world.run(withBlobs(world, { put: refuse }))).toMatchObject({ ending: 'acknowledged' })
    expect(await world.record(id)).toMatchObject({ phase: 'quarantined' })
    expect(await world.stored()).toEqual([0, 1])
  })

  it('quarantine that the coordinator does not take: released, to be tried again', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 1, stored: [0, 1], descriptor: new Uint8Array(0) })
    const report = await world.run(withCoordinator(world, { quarantine: later }))
    expect(report).toMatchObject({ ending: 'released', what: /^to be quarantined/ })
    expect(await world.record(id)).toMatchObject({ phase: 'pending' })
  })

  it('final files that differ on read-back: not reported, a new attempt; quarantined after three', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 1, stored: [0, 1] })
    let reports = 0
    const spoil: ArchivistParts = {
      ...withBlobs(world, {
        move: async (from, to) => {
          await world.blobs.move(from, to)
          if (to.endsWith('.entries')) world.blobs.damage(to, 3)
        },
      }),
      coordinator: withCalls<ArchiveDispatcher>(world.coordinator, {
        archiveStream: async (request) => {
          reports++
          return world.coordinator.archiveStream(request)
        },
      }),
    }
    expect(await world.run(spoil)).toMatchObject({ ending: 'acknowledged', what: /^quarantined/ })
    expect(reports).toBe(0)
    expect(await world.record(id)).toMatchObject({ phase: 'quarantined', differedCount: 3, claim: null })
    expect(await world.stored()).toEqual([0, 1])
    await world.coordinator.releaseQuarantined({ project: PROJECT, id })
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
    expect(await world.archived()).toEqual([0, 1])
  })
})

describe('task: what is in the way for a while', () => {
  const faults: readonly [string, (world: ArchiveWorld) => ArchivistParts][] = [
    ['loading', (world) => withCoordinator(world, { loadStream: later })],
    ['dispatching', (world) => withCoordinator(world, { dispatchArchival: later })],
    ['sealing', (world) => withStorage(world, { seal: later })],
    ['the tail', (world) => withStorage(world, { tail: later })],
    [
      'reading entries',
      (world) =>
        withStorage(world, {
          get: () => ({ [Symbol.asyncIterator]: () => ({ next: later }) }),
        }),
    ],
    ['writing files', (world) => withBlobs(world, { put: later })],
    ['claiming', (world) => withCoordinator(world, { claim: later })],
    ['moving', (world) => withBlobs(world, { move: later })],
    ['reading back', (world) => withBlobs(world, { stat: later })],
    ['reporting', (world) => withCoordinator(world, { archiveStream: later })],
  ]

  it.each(faults)('%s: released, and done by the next one', async (_, parts) => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
    expect(await world.run(parts(world))).toMatchObject({
      ending: 'released',
      error: { code: 'UNAVAILABLE' },
    })
    expect(await world.stored()).toEqual(upTo(5))
    await world.clock.advance(5000)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged', error: undefined })
    expect(await world.archived()).toEqual(upTo(5))
    expect(await world.record(id)).toMatchObject({ phase: 'cleaned' })
    expect(await world.keys('staging/')).toEqual([])
  })

  it('a failure before the claim: what was staged is removed, and the seal lifted', async () => {
    const world = new ArchiveWorld()
    await world.stream({ terminalIndex: 4, stored: upTo(5) })
    await world.run(withCoordinator(world, { claim: later }))
    expect(await world.keys()).toEqual([])
    expect(await world.isSealed()).toBe(false)
  })

  it('a claim whose answer was lost: left to the next one, sealed, its files kept', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
    const parts = withCoordinator(world, {
      claim: async (request) => {
        await world.coordinator.claim(request)
        return later()
      },
    })
    expect(await world.run(parts)).toMatchObject({ ending: 'released' })
    expect(await world.isSealed()).toBe(true)
    const { claim } = await world.record(id)
    expect(claim?.leaseUntilMs).toBe(world.clock.now())
    expect(await world.keys('staging/')).toHaveLength(3)
    await world.clock.advance(5000)
    expect(await world.run(withBlobs(world, { put: later }))).toMatchObject({ ending: 'acknowledged' })
    expect((await world.record(id)).archive?.attempt).toBe(claim?.attempt)
  })

  it('expunging: archived all the same, and cleaned by the next one', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
    expect(await world.run(withStorage(world, { expunge: later }))).toMatchObject({ ending: 'released' })
    expect(await world.record(id)).toMatchObject({ phase: 'archived' })
    await world.clock.advance(5000)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
    expect(await world.record(id)).toMatchObject({ phase: 'cleaned' })
    expect(await world.stored()).toEqual([])
  })

  it("a permanent error that is not the stream's fault: released", async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
    const refuse = async (): Promise<never> => {
      throw new RecoveryLogError('INVALID', 'not like this')
    }
    expect(await world.run(withCoordinator(world, { archiveStream: refuse }))).toMatchObject({
      ending: 'released',
    })
    expect(await world.record(id)).toMatchObject({ phase: 'pending' })
  })

  it('an error of a foreign part is transient', async () => {
    const world = new ArchiveWorld()
    await world.stream({ terminalIndex: 4, stored: upTo(5) })
    const oddly = async (): Promise<never> => {
      throw new TypeError('x is not a function')
    }
    for (const parts of [
      withStorage(world, { tail: oddly }),
      withCoordinator(world, { archiveStream: oddly }),
    ]) {
      expect(await world.run(parts)).toMatchObject({ ending: 'released', error: { code: 'UNAVAILABLE' } })
      await world.clock.advance(10_000)
    }
  })

  it('a coordinator that cannot be told: the task is left, and comes again when its lease runs out', async () => {
    const world = new ArchiveWorld()
    await world.stream({ terminalIndex: 4, stored: upTo(5) })
    expect(await world.run(withCoordinator(world, { acknowledgeTask: later }))).toMatchObject({
      ending: 'left',
      error: { code: 'UNAVAILABLE' },
    })
    await world.clock.advance(LEASE_MS)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged', what: 'cleaned already' })
  })

  it('abort: released at once, what was staged is removed', async () => {
    const world = new ArchiveWorld()
    await world.stream({ terminalIndex: 4, stored: upTo(5) })
    const controller = new AbortController()
    const parts = withBlobs(world, {
      put: async (key, body, options) => {
        controller.abort()
        return world.blobs.put(key, body, options)
      },
    })
    expect(await world.run(parts, controller.signal)).toMatchObject({
      ending: 'released',
      afterMs: 0,
      error: { code: 'ABORTED' },
    })
    expect(await world.keys()).toEqual([])
    expect(await world.isSealed()).toBe(false)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged', error: undefined })
  })

  it('aborted before it began: released at once', async () => {
    const world = new ArchiveWorld()
    await world.stream({ terminalIndex: 4, stored: upTo(5) })
    expect(await world.run(world.parts, AbortSignal.abort())).toMatchObject({
      ending: 'released',
      afterMs: 0,
    })
  })
})

describe('task: what may be purged', () => {
  it.each([false, true])(
    'entries behind the size limit: only with purgeTruncated (%s)',
    async (purgeTruncated) => {
      const world = new ArchiveWorld({ sizeLimitBytes: 30, purgeTruncated })
      const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
      expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
      expect(await world.archived()).toEqual([0, 1])
      expect(await world.stored()).toEqual(purgeTruncated ? [] : upTo(5))
      expect(await world.record(id)).toMatchObject({ phase: purgeTruncated ? 'cleaned' : 'archived' })
      if (purgeTruncated) return
      await world.task(id, 'clean')
      expect(await world.run()).toMatchObject({
        ending: 'released',
        what: 'entries lie behind the size limit',
        afterMs: 7 * DAY_MS,
      })
      await world.coordinator.setSettings({ purgeTruncated: true }, PROJECT)
      await world.clock.advance(7 * DAY_MS)
      expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
      expect(await world.stored()).toEqual([])
    },
  )

  it('an entry that the archive does not account for: nothing is purged', async () => {
    const world = new ArchiveWorld({ storageCleanupDelayMs: HOUR_MS })
    const id = await world.stream({ stored: upTo(3) })
    await world.clock.advance(48 * HOUR_MS)
    await world.run()
    const { archive } = await world.record(id)
    await world.storage.unseal(STREAM, archive?.attempt ?? '')
    await world.put(PATH, 3)
    await world.task(id, 'clean')
    expect(await world.run()).toMatchObject({ ending: 'released', what: /does not account/ })
    expect(await world.stored()).toEqual(upTo(4))
  })

  it.each(['gone', 'cut', 'another', 'no json'])('an archive that is %s: nothing is purged', async (how) => {
    const world = new ArchiveWorld({ storageCleanupDelayMs: HOUR_MS })
    const id = await world.stream({ terminalIndex: 2, stored: upTo(3) })
    await world.run()
    const key = (file: string): string => `${world.folder()}/logstream.${file}`
    if (how === 'gone') await world.blobs.remove(key('index'))
    if (how === 'cut') await world.blobs.put(key('entries'), Uint8Array.of(1, 2, 3))
    if (how === 'no json') await world.blobs.put(key('meta'), Uint8Array.of(1, 2, 3))
    if (how === 'another') await world.change(id, { archive: null })
    await world.task(id, 'clean')
    expect(await world.run()).toMatchObject({ ending: 'released', what: /not as it was reported/ })
    expect(await world.stored()).toEqual(upTo(3))
  })

  it('an archive that cannot be looked at now: later', async () => {
    const world = new ArchiveWorld({ storageCleanupDelayMs: HOUR_MS })
    const id = await world.stream({ terminalIndex: 2, stored: upTo(3) })
    await world.run()
    await world.task(id, 'clean')
    expect(await world.run(withBlobs(world, { stat: later }))).toMatchObject({
      ending: 'released',
      error: { code: 'UNAVAILABLE' },
    })
  })

  it('settings that name another place: the archive is cleaned up where it was reported', async () => {
    const world = new ArchiveWorld({ storageCleanupDelayMs: HOUR_MS })
    const id = await world.stream({ terminalIndex: 2, stored: upTo(3) })
    await world.run()
    await world.coordinator.setSettings({ base: 'elsewhere', staging: 'other-staging' }, PROJECT)
    await world.task(id, 'clean')
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
    expect(await world.stored()).toEqual([])
  })
})

describe('task: purged streams', () => {
  it('archive, staging and entries go, the seal stays; streams beside it are not touched', async () => {
    const world = new ArchiveWorld({ storageCleanupDelayMs: HOUR_MS })
    const id = await world.stream({ terminalIndex: 2, stored: upTo(3) })
    await world.run()
    const beside = `${PATH}/data.bin`
    await world.stream({ path: beside, terminalIndex: 0, stored: [0] })
    await world.run()
    await world.blobs.put(`staging/${PROJECT}/a/${id}/dead/logstream.entries`, Uint8Array.of(1))
    await world.coordinator.purgeStream({ project: PROJECT, id })
    expect(await world.run()).toMatchObject({ ending: 'acknowledged', what: 'purged' })
    expect(await world.archived(beside)).toEqual([0])
    expect(await world.keys()).toHaveLength(3)
    expect(await world.stored()).toEqual([])
    expect(await world.stored(beside)).toEqual([0])
    expect(await world.isSealed()).toBe(true)
  })

  it.each([
    ['an undecodable descriptor', { descriptor: Uint8Array.of(0xff, 0xff) }],
    ['a path too long to be archived', { path: `${'long/'.repeat(270)}x/+/stdout` }],
  ])('with %s', async (_, options) => {
    const world = new ArchiveWorld()
    const { path = PATH } = options as { path?: string }
    const id = await world.stream({ stored: upTo(3), ...options })
    await world.coordinator.purgeStream({ project: PROJECT, id })
    expect(await world.run()).toMatchObject({ ending: 'acknowledged', what: 'purged' })
    expect(await world.stored(path)).toEqual([])
  })

  it.each(['moved', 'claimed', 'reported'])(
    'purged when an archivist had just %s: it removes what it moved',
    async (when) => {
      const world = new ArchiveWorld()
      const id = await world.stream({ terminalIndex: 2, stored: upTo(3) })
      const purge = (): Promise<void> => world.coordinator.purgeStream({ project: PROJECT, id })
      const parts = withCoordinator(world, {
        claim: async (request) => {
          const outcome = await world.coordinator.claim(request)
          if (when === 'claimed') await purge()
          return outcome
        },
        archiveStream: async (request) => {
          if (when === 'moved') await purge()
          const archived = await world.coordinator.archiveStream(request)
          if (when !== 'reported') return archived
          await purge()
          return world.coordinator.loadStream(request)
        },
      })
      expect(await world.run(parts)).toMatchObject({ ending: 'acknowledged', what: 'purged' })
      expect(await world.keys()).toEqual([])
      expect(await world.stored()).toEqual([])
      expect(await world.record(id)).toMatchObject({ phase: 'purged', claim: null })
    },
  )
})

describe('task: two archivists on one stream', () => {
  it('claimed by another: waits until its lease runs out, then takes over', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
    const stuck = withBlobs(world, { move: () => new Promise<never>(() => undefined) })
    void world.run(stuck)
    await world.clock.advance(0)
    expect((await world.record(id)).claim).not.toBeNull()
    await world.clock.advance(LEASE_MS - 1)
    await world.queue.put({ project: PROJECT, id, reason: 'archive', createdMs: 0 }, 0)
    await world.clock.advance(1)
    await world.change(id, {
      claim: {
        ...((await world.record(id)).claim as never as object),
        leaseUntilMs: world.clock.now() + 500,
      } as never,
    })
    expect(await world.run()).toMatchObject({ ending: 'released', what: 'another is at it', afterMs: 500 })
    expect(await world.isSealed()).toBe(true)
    await world.clock.advance(500)
    expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
    expect(await world.archived()).toEqual(upTo(5))
  })

  it("the other is faster: its result stands, this one's staging is removed", async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
    const [lease] = await world.coordinator.leaseArchiveTasks({ max: 1, leaseMs: 1 })
    expect(lease).toBeDefined()
    await world.clock.advance(1)
    // The first one has loaded the stream and staged its files when the second comes by and does it all.
    let isSecondDone = false
    const slow = withCoordinator(world, {
      claim: async (request) => {
        if (!isSecondDone) {
          isSecondDone = true
          await world.clock.advance(LEASE_MS)
          expect(await world.run()).toMatchObject({ ending: 'acknowledged' })
        }
        return world.coordinator.claim(request)
      },
    })
    const report = await world.run(slow)
    expect(report).toMatchObject({ ending: 'left', what: 'cleaned already', error: { code: 'CONFLICT' } })
    expect(await world.archived()).toEqual(upTo(5))
    expect(await world.keys('staging/')).toEqual([])
    expect(await world.isSealed()).toBe(true)
    expect(await world.record(id)).toMatchObject({ phase: 'cleaned' })
  })

  it('unsealed by another between staging and claim: the entry that came voids the claim, and is archived', async () => {
    const world = new ArchiveWorld()
    await world.stream({ stored: upTo(3) })
    await world.clock.advance(48 * HOUR_MS)
    let isFirst = true
    const parts = withCoordinator(world, {
      claim: async (request) => {
        if (isFirst) {
          isFirst = false
          await world.storage.seal(STREAM, 'other')
          await world.storage.unseal(STREAM, 'other')
          await world.put(PATH, 3)
        }
        return world.coordinator.claim(request)
      },
    })
    // The entry that came makes it one that is still being written.
    expect(await world.run(parts)).toMatchObject({ ending: 'released', what: /still being written/ })
    expect(await world.isSealed()).toBe(false)
    expect(await world.keys()).toEqual([])
    await world.clock.advance(48 * HOUR_MS)
    await world.run()
    expect(await world.archived()).toEqual(upTo(4))
  })

  it('claimed by another right after the seal: the seal is not lifted', async () => {
    const world = new ArchiveWorld()
    const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
    const other = new ArchiveWorld()
    await other.stream({ terminalIndex: 4, stored: upTo(5) })
    await other.run()
    const parts = withStorage(world, {
      seal: async (stream, attempt) => {
        await world.storage.seal(stream, attempt)
        const { revision } = await world.coordinator.loadStream({ project: PROJECT, id })
        const manifest = await other.manifest()
        const claim = { project: PROJECT, id, revision, attempt: 'other', manifest, leaseMs: 500 }
        await world.coordinator.claim(claim)
      },
    })
    expect(await world.run(parts)).toMatchObject({ ending: 'released', what: 'another is at it' })
    expect(await world.isSealed()).toBe(true)
  })

  it('others in between without end: released with back-off', async () => {
    const world = new ArchiveWorld()
    await world.stream({ terminalIndex: 4, stored: upTo(5) })
    const parts = withCoordinator(world, { claim: async () => ({ kind: 'lost' }) })
    expect(await world.run(parts)).toMatchObject({ ending: 'released', what: /too often/ })
    expect(await world.keys()).toEqual([])
    expect(await world.isSealed()).toBe(false)
  })
})
