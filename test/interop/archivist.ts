import assert from 'node:assert/strict'
import { ArchiveIndex, archiveLocation } from '../../src/archive/index.ts'
import { ArchiveTaskRun } from '../../src/archivist/index.ts'
import type { ArchivistParts, TaskReport } from '../../src/archivist/index.ts'
import type { BlobStore } from '../../src/blob/index.ts'
import { readBlob } from '../../src/blob/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import {
  Coordinator,
  newStreamRecord,
  streamDocument,
  streamDocumentId,
  STREAM_KIND,
} from '../../src/coordinator/index.ts'
import type {
  ArchiveDispatcher,
  ArchiveStreamRequest,
  CoordinatorSettings,
  StreamPhase,
  StreamRecord,
} from '../../src/coordinator/index.ts'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { projectFault } from '../../src/names/index.ts'
import type { IntermediateStorage, StoredEntry } from '../../src/storage/index.ts'
import { MemoryStorage } from '../../src/storage/memory/index.ts'
import { decodeLogEntry, encodeDescriptor } from '../../src/wire/logdog/index.ts'
import { ManualClock, seededRandom } from '../support/directory.ts'
import {
  casesOf,
  descriptorFrom,
  expectKeys,
  fromHex,
  hexOf,
  sha256,
  sha256Hex,
  typedError,
} from './archive-cases.ts'
import type { DescriptorFields } from './archive-cases.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/archivist.json'

interface Faults {
  readonly ranges_override?: Ranges
  readonly load_stream?: string
  readonly settings?: string
  readonly blob_client?: string
  readonly new_writer?: string
  readonly write?: string
  readonly close?: string
  readonly rename?: string
  readonly delete?: string
  readonly storage_get?: string
  readonly storage_get_from_index_2?: string
  readonly storage_expunge?: string
  readonly archive_stream?: string
  readonly kind?: string
  readonly times?: number
}

interface Ranges {
  readonly streamIndexRange: number
  readonly prefixIndexRange: number
  readonly byteRange: number
}

interface Situation {
  readonly project: string
  readonly stream_id: string
  readonly realm: string
  readonly descriptor: DescriptorFields
  readonly descriptor_hex: string
  readonly state: {
    readonly proto_version: string
    readonly secret: string
    readonly terminal_index: number
    readonly archived: boolean
    readonly purged: boolean
  }
  readonly base: string
  readonly staging: string
  readonly ranges: Ranges
  readonly storage: readonly { readonly index: number; readonly hex: string }[] | null
  readonly faults?: Faults
  readonly objects_before?: Readonly<Record<string, string>>
}

interface Expected {
  readonly acknowledged: boolean
  readonly archive_request: {
    readonly project: string
    readonly id: string
    readonly log_entry_count: number
    readonly terminal_index: number
    readonly error: string
    readonly stream_url: string
    readonly stream_size: number
    readonly index_url: string
    readonly index_size: number
  } | null
  readonly objects_after: readonly {
    readonly path: string
    readonly bytes: number
    readonly sha256: string
    readonly hex: string
  }[]
  readonly storage_left: readonly number[]
}

interface ArchivistCase {
  readonly name: string
  readonly given: Situation | { readonly as: string }
  readonly expected: Expected
  readonly doubtful?: string
}

const HOUR_MS = 60 * 60 * 1000
const LEASE_MS = 600_000

/** The time passes for whoever waits for the end of a stream that is not terminated, or for entries that never come. */
const LONG_MS = 48 * HOUR_MS

const GIVEN_KEYS = [
  ...['project', 'stream_id', 'realm', 'descriptor', 'descriptor_hex', 'state', 'base', 'staging', 'ranges'],
  ...['storage', 'faults', 'objects_before'],
]
const FAULT_KEYS = [
  ...['ranges_override', 'load_stream', 'settings', 'blob_client', 'new_writer', 'write', 'close', 'rename'],
  ...[
    'delete',
    'storage_get',
    'storage_get_from_index_2',
    'storage_expunge',
    'archive_stream',
    'kind',
    'times',
  ],
]
/** Texts, and the order and number of calls inside a task, are not compared. */
const EXPECTED_KEYS = [
  ...['acknowledged', 'archive_request', 'objects_after', 'storage_left'],
  ...[
    'error',
    'error_transient',
    'blob_operations',
    'storage_get_indices',
    'storage_expunge_calls',
    'client_closed',
  ],
]

function transient(): RecoveryLogError {
  return new RecoveryLogError('UNAVAILABLE', 'a transient fault')
}

/** What is wrong for good with what is asked, or with what is stored. */
function permanent(): RecoveryLogError {
  return new RecoveryLogError('INVALID', 'a permanent fault')
}

function faultOf(kind: string | undefined): RecoveryLogError {
  return kind?.startsWith('transient') === true ? transient() : permanent()
}

/** One stream with its archivist's world around it. */
class Scene {
  readonly given: Situation
  readonly clock = new ManualClock()
  readonly streams = new MemoryStreamStore()
  readonly queue: MemoryTaskQueue
  readonly storage: MemoryStorage
  readonly blobs: MemoryBlobStore
  readonly coordinator: Coordinator
  readonly reports: ArchiveStreamRequest[] = []
  #renamesLeft: number

  constructor(given: Situation) {
    const { clock } = this
    this.given = given
    this.#renamesLeft = given.faults?.times ?? Infinity
    this.queue = new MemoryTaskQueue({ clock })
    this.storage = new MemoryStorage({ clock })
    this.blobs = new MemoryBlobStore({ clock })
    const parts = { streamStore: this.streams, taskQueue: this.queue, clock, random: seededRandom(1), sha256 }
    this.coordinator = new Coordinator({ ...parts, settings: this.#settings })
  }

  get #settings(): Partial<CoordinatorSettings> {
    const { base, staging, ranges, faults } = this.given
    return { base, staging, ...(faults?.ranges_override ?? ranges), storageCleanupDelayMs: 0 }
  }

  get stream(): { readonly project: string; readonly id: string; readonly path: string } {
    const { project, stream_id: id, descriptor } = this.given
    return { project, id, path: `${descriptor.prefix}/+/${descriptor.name}` }
  }

  async setUp(): Promise<void> {
    const { given } = this
    for (const [path, hex] of Object.entries(given.objects_before ?? {})) {
      await this.blobs.put(path.slice('gs://'.length), fromHex(hex))
    }
    if (projectFault(given.project) === undefined) await this.#register()
    const { archived, purged, terminal_index } = given.state
    // An archive without a terminal index is empty: what is in storage came late.
    if (!archived || terminal_index >= 0) await this.#store()
    if (terminal_index < 0) await this.clock.advance(LONG_MS)
    if (archived) await this.#archiveFirst()
    if (archived && terminal_index < 0) await this.#store()
    if (purged) await this.coordinator.purgeStream(this.stream)
    if (given.faults?.load_stream === 'without descriptor') await this.#loseDescriptor()
  }

  async run(): Promise<TaskReport> {
    const { project, id } = this.stream
    const nowMs = this.clock.now()
    const task = { project, id, reason: 'archive', createdMs: nowMs } as const
    await this.queue.put(task, nowMs)
    await this.clock.advance(HOUR_MS) // whatever back-off is over
    const lease = (await this.queue.lease({ max: 2, leaseMs: LEASE_MS })).find(
      ({ task }) => task.reason === 'archive',
    )
    assert(lease !== undefined)
    return new ArchiveTaskRun(this.parts(), lease, { leaseMs: LEASE_MS }).run()
  }

  parts(): ArchivistParts {
    const { clock } = this
    const random = seededRandom(2 + this.reports.length)
    return {
      coordinator: this.#coordinator(),
      storage: this.#storage(),
      blobs: this.#blobs(),
      clock,
      random,
      sha256,
    }
  }

  async phase(): Promise<StreamPhase> {
    return (await this.coordinator.loadStream(this.stream)).record.phase
  }

  async left(): Promise<number[]> {
    const indexes: number[] = []
    for await (const batch of this.storage.get({ stream: this.stream, keysOnly: true })) {
      indexes.push(...batch.map(({ index }) => index))
    }
    return indexes
  }

  /** The objects as the vectors spell them, our manifest apart. */
  async objects(): Promise<Expected['objects_after']> {
    const objects: Expected['objects_after'][number][] = []
    for await (const { key } of this.blobs.list('')) {
      if (key.endsWith('/logstream.meta')) continue
      const bytes = await readBlob(this.blobs, key)
      objects.push({ path: `gs://${key}`, bytes: bytes.length, sha256: sha256Hex(bytes), hex: hexOf(bytes) })
    }
    return objects
  }

  async #register(): Promise<void> {
    const { given, stream } = this
    const nowMs = this.clock.now()
    const { terminal_index: terminalIndex, proto_version: protoVersion } = given.state
    const record: StreamRecord = {
      ...newStreamRecord({ ...stream, protoVersion, descriptor: fromHex(given.descriptor_hex) }, nowMs),
      terminalIndex,
      phase: terminalIndex < 0 ? 'streaming' : 'terminated',
      terminatedMs: terminalIndex < 0 ? null : nowMs,
    }
    await this.streams.create(streamDocumentId(record), streamDocument(record, null))
  }

  async #store(): Promise<void> {
    for (const { index, hex } of this.given.storage ?? []) {
      await this.storage.put({ stream: this.stream, from: index, entries: [fromHex(hex)] })
    }
  }

  /** Archives the stream, with its entries kept, and opens it again for those that come late. */
  async #archiveFirst(): Promise<void> {
    const { coordinator, storage, blobs, clock } = this
    await coordinator.setSettings({ ...this.#settings, storageCleanupDelayMs: HOUR_MS })
    const { project, id } = this.stream
    await this.queue.put({ project, id, reason: 'archive', createdMs: clock.now() }, clock.now())
    const [lease] = await this.queue.lease({ max: 1, leaseMs: LEASE_MS })
    assert(lease !== undefined)
    const parts = { coordinator, storage, blobs, clock, random: seededRandom(7), sha256 }
    const { ending } = await new ArchiveTaskRun(parts, lease, { leaseMs: LEASE_MS }).run()
    assert.equal(ending, 'acknowledged')
    const { record } = await coordinator.loadStream(this.stream)
    await storage.unseal(this.stream, record.archive?.attempt ?? '')
    await coordinator.setSettings(this.#settings)
  }

  async #loseDescriptor(): Promise<void> {
    const { record, revision } = await this.coordinator.loadStream(this.stream)
    const document = streamDocument({ ...record, descriptor: new Uint8Array(0) }, null)
    assert.equal(document.kind, STREAM_KIND)
    await this.streams.update(streamDocumentId(record), revision, document)
  }

  #coordinator(): ArchiveDispatcher {
    const { coordinator, given, reports } = this
    const { load_stream, settings, archive_stream, kind } = given.faults ?? {}
    return withCalls<ArchiveDispatcher>(coordinator, {
      loadStream: async (request) => {
        if (load_stream?.startsWith('transient') === true) throw transient()
        if (load_stream !== undefined && load_stream !== 'without descriptor') throw permanent()
        // The settings come with the stream.
        if (settings?.startsWith('transient') === true) throw transient()
        if (settings !== undefined) throw permanent()
        return coordinator.loadStream(request)
      },
      archiveStream: async (request) => {
        if (archive_stream !== undefined) throw faultOf(kind === undefined ? archive_stream : 'permanent')
        const archived = await coordinator.archiveStream(request)
        reports.push(request)
        return archived
      },
    })
  }

  #storage(): IntermediateStorage {
    const { storage } = this
    const { storage_get, storage_get_from_index_2, storage_expunge } = this.given.faults ?? {}
    return withCalls<IntermediateStorage>(storage, {
      async *get(request) {
        if (storage_get !== undefined) throw faultOf(storage_get)
        for await (const batch of storage.get(request)) {
          const readable = batch.filter(
            ({ index }: StoredEntry) => storage_get_from_index_2 === undefined || index < 2,
          )
          yield readable
          if (readable.length < batch.length) throw faultOf(storage_get_from_index_2)
        }
      },
      expunge: async (stream) => {
        if (storage_expunge !== undefined) throw faultOf(storage_expunge)
        await storage.expunge(stream)
      },
    })
  }

  #blobs(): BlobStore {
    const { blobs } = this
    const { blob_client, new_writer, write, close, rename, kind, delete: remove } = this.given.faults ?? {}
    const isHit = (fault: string | undefined, key: string): boolean =>
      fault !== undefined && (fault === 'every file' || key.endsWith(`/${fault}`))
    const noClient = async (): Promise<never> => {
      throw new RecoveryLogError('DENIED', 'a permanent fault')
    }
    if (blob_client !== undefined) {
      return withCalls<BlobStore>(blobs, { put: noClient, move: noClient, stat: noClient })
    }
    return withCalls<BlobStore>(blobs, {
      put: async (key, body, options) => {
        // Opening, writing and closing are one call of ours, which leaves nothing behind when it fails.
        if ([new_writer, write, close].some((fault) => isHit(fault, key))) throw faultOf(kind)
        await blobs.put(key, body, options)
      },
      move: async (from, to) => {
        if (isHit(rename, from) && this.#renamesLeft-- > 0) throw faultOf(kind)
        await blobs.move(from, to)
      },
      remove: async (key) => {
        if (remove !== undefined) throw transient()
        await blobs.remove(key)
      },
    })
  }
}

function withCalls<Part extends object>(part: Part, calls: Partial<Part>): Part {
  return new Proxy(part, {
    get(target, name) {
      if (name in calls) return Reflect.get(calls, name) as unknown
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}

/** What the task has done, beside whether it was acknowledged. */
async function expectEqual(scene: Scene, report: TaskReport, expected: Expected): Promise<void> {
  assert.equal(report.ending === 'acknowledged', expected.acknowledged, report.what)
  assert.deepEqual(await scene.left(), expected.storage_left)
  expectReport(scene, expected.archive_request)
}

function expectReport(scene: Scene, expected: Expected['archive_request']): void {
  const [report, ...more] = scene.reports
  assert.equal(more.length, 0)
  if (expected === null) {
    assert.equal(report, undefined)
    return
  }
  assert(report !== undefined)
  assert.equal(expected.error, '')
  assert.deepEqual(
    {
      project: report.project,
      id: report.id,
      log_entry_count: report.entryCount,
      terminal_index: report.terminalIndex,
      error: '',
      stream_url: `gs://${report.entriesUrl}`,
      stream_size: report.entriesBytes,
      index_url: `gs://${report.indexUrl}`,
      index_size: report.indexBytes,
    },
    expected,
  )
}

/** Nothing was archived, nothing is left behind, and every entry is still there. */
async function expectKept(scene: Scene, before: Expected['objects_after']): Promise<void> {
  assert.deepEqual(scene.reports, [])
  assert.deepEqual(await scene.objects(), before)
  assert.deepEqual(
    await scene.left(),
    (scene.given.storage ?? []).map(({ index }) => index),
  )
}

async function expectReleased(
  scene: Scene,
  report: TaskReport,
  before: Expected['objects_after'],
): Promise<void> {
  assert.equal(report.ending, 'released', report.what)
  await expectKept(scene, before)
}

async function expectQuarantined(
  scene: Scene,
  report: TaskReport,
  before: Expected['objects_after'],
): Promise<void> {
  assert.equal(report.ending, 'acknowledged', report.what)
  assert.equal(await scene.phase(), 'quarantined')
  await expectKept(scene, before)
}

/** Go's files, and a report of what they hold: what is not in them is not counted, a known terminal index stays. */
async function expectFiles(scene: Scene, expected: Expected): Promise<void> {
  assert.deepEqual(await scene.objects(), expected.objects_after)
  const index = expected.objects_after.find(({ path }) => path.endsWith('/logstream.index'))
  assert(index !== undefined)
  const { logEntryCount, lastStreamIndex } = ArchiveIndex.parse(fromHex(index.hex)).totals
  const known = scene.given.state.terminal_index
  const last = logEntryCount === 0 ? -1 : lastStreamIndex
  assert.equal(scene.reports.length, 1)
  assert.equal(scene.reports[0]?.entryCount, logEntryCount)
  assert.equal(scene.reports[0].lastIndex, last)
  assert.equal(scene.reports[0].terminalIndex, known >= 0 ? known : last)
}

type Sort = (
  scene: Scene,
  report: TaskReport,
  vector: ArchivistCase,
  before: Expected['objects_after'],
) => Promise<void>

/** What ours does in each sort of case where Go loses data or contradicts itself; the first that fits. */
const SORTS: readonly {
  readonly what: string
  readonly fits: (given: Situation) => boolean
  readonly check: Sort
}[] = [
  {
    what: 'settings that cannot be used: the task waits for better ones',
    fits: ({ faults }) => faults?.settings !== undefined,
    async check(scene, report, _, before) {
      const { faults, base, staging } = scene.given
      if (faults?.settings === 'base is empty') await expectRefused(scene, { base: '', staging })
      if (faults?.settings === 'staging has no bucket') await expectRefused(scene, { base, staging: 'gs://' })
      await expectReleased(scene, report, before)
    },
  },
  {
    what: 'purged: the entries go, whatever the terminal index',
    fits: ({ state }) => state.purged,
    async check(scene, report) {
      assert.equal(report.ending, 'acknowledged')
      assert.deepEqual(await scene.left(), [])
      assert.deepEqual(await scene.objects(), [])
    },
  },
  {
    what: 'archived, with entries that the archive does not account for: they stay',
    fits: ({ state }) => state.archived,
    async check(scene, report, _, before) {
      assert.equal(report.ending, 'acknowledged')
      await expectKept(scene, before)
    },
  },
  {
    what: 'a stream that can never be archived as it is: quarantined',
    fits: (given) => isHopeless(given) || hasDamage(given),
    check: async (scene, report, _, before) => expectQuarantined(scene, report, before),
  },
  {
    what: 'files that cannot be staged, or entries that cannot be read, for good: quarantined; for now: released',
    fits: ({ faults = {} }) =>
      [
        faults.new_writer,
        faults.write,
        faults.close,
        faults.storage_get,
        faults.storage_get_from_index_2,
      ].some((fault) => fault !== undefined),
    async check(scene, report, _, before) {
      const { kind, storage_get, storage_get_from_index_2 } = scene.given.faults ?? {}
      const fault = kind ?? storage_get ?? storage_get_from_index_2
      const isTransient = fault?.startsWith('transient') === true
      await (isTransient ? expectReleased : expectQuarantined)(scene, report, before)
    },
  },
  {
    what: 'a move that fails: the claim stands, and is taken over by the next',
    fits: ({ faults }) => faults?.rename !== undefined,
    async check(scene, report) {
      assert.equal(report.ending, 'released')
      assert.deepEqual(scene.reports, [])
      assert.equal((await scene.left()).length, scene.given.storage?.length)
    },
  },
  {
    what: 'a report that fails: the files are in their place, the entries kept',
    fits: ({ faults }) => faults?.archive_stream !== undefined,
    async check(scene, report, { expected }) {
      assert.equal(report.ending, 'released')
      assert.deepEqual(scene.reports, [])
      assert.deepEqual(await scene.objects(), expected.objects_after)
      assert.deepEqual(await scene.left(), expected.storage_left)
    },
  },
  {
    what: 'entries that cannot be removed: archived, and the task comes again',
    fits: ({ faults }) => faults?.storage_expunge !== undefined,
    async check(scene, report, { expected }) {
      assert.equal(report.ending, 'released')
      await expectFiles(scene, expected)
      assert.deepEqual(await scene.left(), expected.storage_left)
    },
  },
  {
    what: 'entries missing: waited for, and when that has taken too long, a sparse archive, with the terminal index kept',
    fits: isMissingSome,
    async check(scene, report, { expected }, before) {
      await expectReleased(scene, report, before)
      await scene.clock.advance(LONG_MS)
      assert.equal((await scene.run()).ending, 'acknowledged')
      await expectFiles(scene, expected)
      assert.deepEqual(await scene.left(), [])
    },
  },
  {
    what: 'everything else: the files of Go, and a report that says what they hold',
    fits: () => true,
    async check(scene, report, { expected }) {
      assert.equal(report.ending, 'acknowledged', report.what)
      await expectFiles(scene, expected)
      assert.deepEqual(await scene.left(), expected.storage_left)
    },
  },
]

async function expectRefused(scene: Scene, bases: { base: string; staging: string }): Promise<void> {
  const error = await typedError(async () => scene.coordinator.setSettings(bases))
  assert.equal(error.code, 'INVALID')
}

function isHopeless({
  state,
  descriptor,
  descriptor_hex,
  faults,
  project,
  base,
  staging,
}: Situation): boolean {
  const { prefix, name } = descriptor
  if (state.proto_version !== '1' || name === '' || faults?.load_stream === 'without descriptor') return true
  if (!isDescriptor(descriptor, descriptor_hex)) return true
  try {
    archiveLocation({ project, prefix, name }, { base, staging }, sha256)
    return false
  } catch (error) {
    return RecoveryLogError.is(error, 'PATH_REFUSED')
  }
}

/** Whether the bytes are those of the descriptor: tags may come in any order. */
function isDescriptor(fields: DescriptorFields, hex: string): boolean {
  return encodeDescriptor(descriptorFrom(fields)).length === hex.length / 2
}

function hasDamage({ storage }: Situation): boolean {
  return (storage ?? []).some(({ index, hex }) => {
    try {
      return decodeLogEntry(fromHex(hex)).streamIndex !== index
    } catch {
      return true
    }
  })
}

function isMissingSome({ storage, state }: Situation): boolean {
  const there = new Set((storage ?? []).map(({ index }) => index))
  for (let index = 0; index <= state.terminal_index; index++) if (!there.has(index)) return true
  return false
}

/** The second run of a task, where the first one has been run as its own case says. */
async function checkSecondRun(scene: Scene, first: ArchivistCase, second: ArchivistCase): Promise<void> {
  const report = await scene.run()
  assert.equal(report.ending, 'acknowledged')
  assert.deepEqual(await scene.left(), second.expected.storage_left)
  // Where nothing has failed the first time, Go's second archivist spoils the archive: the first one's stands.
  const isRace = (first.given as Situation).faults === undefined
  const { expected } = isRace ? first : second
  await expectFiles(scene, expected)
  expectReport(scene, expected.archive_request)
}

function ruleOf(vector: ArchivistCase): Rule {
  const { given } = vector
  if (!('as' in given) && given.faults?.settings === 'export to cloud logging on') return 'counted'
  return vector.doubtful === undefined ? 'equal to Go' : 'doubtful'
}

function expectKnownKeys({ given, expected, ...vector }: ArchivistCase): void {
  expectKeys(vector, 'name', 'doubtful')
  expectKeys(given, ...('as' in given ? ['as'] : GIVEN_KEYS))
  if (!('as' in given)) expectKeys(given.faults ?? {}, ...FAULT_KEYS)
  expectKeys(expected, ...EXPECTED_KEYS)
}

async function check(vector: ArchivistCase, cases: ReadonlyMap<string, ArchivistCase>): Promise<void> {
  expectKnownKeys(vector)
  const first = 'as' in vector.given ? cases.get(vector.given.as) : vector
  assert(first !== undefined && !('as' in first.given))
  const scene = new Scene(first.given)
  await scene.setUp()
  const before = await scene.objects()
  const report = await scene.run()
  if (vector !== first) return checkSecondRun(scene, first, vector)
  if (vector.doubtful !== undefined) {
    const sort = SORTS.find(({ fits }) => fits(scene.given))
    await (sort as (typeof SORTS)[number]).check(scene, report, vector, before)
    return
  }
  await expectEqual(scene, report, vector.expected)
  // What an archived stream's archive is, its own case does not say.
  const isArchived = scene.given.state.archived && !scene.given.state.purged
  assert.deepEqual(await scene.objects(), isArchived ? before : vector.expected.objects_after)
}

export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    const cases = casesOf<ArchivistCase>(run, FILE)
    const byName = new Map(cases.map((vector) => [vector.name, vector]))
    for (const vector of cases) {
      const rule = ruleOf(vector)
      await run.check(FILE, vector.name, rule, async () => {
        if (rule !== 'counted') await check(vector, byName)
      })
    }
  },
}
