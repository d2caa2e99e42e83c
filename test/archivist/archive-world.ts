import { archiveLocation, ArchiveReader, decodeManifest, verifyArchive } from '../../src/archive/index.ts'
import type { ArchiveManifest } from '../../src/archive/index.ts'
import type { ArchivistParts, TaskReport } from '../../src/archivist/index.ts'
import { ArchiveTaskRun } from '../../src/archivist/index.ts'
import { readBlob } from '../../src/blob/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import {
  Coordinator,
  newStreamRecord,
  streamDocument,
  streamDocumentId,
  STREAM_KIND,
} from '../../src/coordinator/index.ts'
import type { CoordinatorSettings, StreamRecord, TaskReason } from '../../src/coordinator/index.ts'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import { splitStreamPath, streamId } from '../../src/names/index.ts'
import { MemoryStorage } from '../../src/storage/memory/index.ts'
import { encodeDescriptor, encodeLogEntry } from '../../src/wire/logdog/index.ts'
import { entryAt, sha256 } from '../archive/archive-fixture.ts'
import { ManualClock, seededRandom } from '../support/directory.ts'

export const HOUR_MS = 60 * 60 * 1000
export const PROJECT = 'proj'
export const PATH = 'build/1/+/stdout'

/** How long leases are. */
export const LEASE_MS = 600_000

export interface StreamOptions {
  readonly path?: string
  readonly descriptor?: Uint8Array
  readonly terminalIndex?: number
  /** The indexes that are stored. */
  readonly stored?: readonly number[]
  readonly record?: Partial<StreamRecord>
}

/** All that archivists share: streams, tasks, entries, blobs and the time. */
export class ArchiveWorld {
  readonly clock = new ManualClock()
  readonly random
  readonly streams = new MemoryStreamStore()
  readonly queue
  readonly storage
  readonly blobs
  readonly coordinator

  constructor(settings: Partial<CoordinatorSettings> = {}, seed = 1) {
    const { clock } = this
    this.random = seededRandom(seed)
    this.queue = new MemoryTaskQueue({ clock })
    this.storage = new MemoryStorage({ clock })
    this.blobs = new MemoryBlobStore({ clock })
    this.coordinator = new Coordinator({
      streamStore: this.streams,
      taskQueue: this.queue,
      clock,
      random: this.random,
      sha256,
      settings: { storageCleanupDelayMs: 0, base: 'archive', staging: 'staging', ...settings },
    })
  }

  get parts(): ArchivistParts {
    const { coordinator, storage, blobs, clock, random } = this
    return { coordinator, storage, blobs, clock, random, sha256 }
  }

  /** A stream as its writers have left it, entries stored, and a task for it. Answers its id. */
  async stream(options: StreamOptions = {}): Promise<string> {
    const { path = PATH, terminalIndex = -1, stored = [] } = options
    const id = streamId(path, sha256)
    const nowMs = this.clock.now()
    const descriptor = options.descriptor ?? descriptorOf(path)
    const record: StreamRecord = {
      ...newStreamRecord({ project: PROJECT, path, id, protoVersion: '1', descriptor }, nowMs),
      terminalIndex,
      phase: terminalIndex < 0 ? 'streaming' : 'terminated',
      terminatedMs: terminalIndex < 0 ? null : nowMs,
      ...options.record,
    }
    await this.streams.create(streamDocumentId(record), streamDocument(record, null))
    await this.put(path, ...stored)
    await this.task(id)
    return id
  }

  /** Stores entries as their writer would. */
  async put(path: string, ...indexes: readonly number[]): Promise<void> {
    for (const index of indexes) {
      await this.storage.put({
        stream: { project: PROJECT, path },
        from: index,
        entries: [encodeLogEntry(entryAt(index))],
      })
    }
  }

  async task(id: string, reason: TaskReason = 'archive'): Promise<void> {
    const nowMs = this.clock.now()
    await this.queue.put({ project: PROJECT, id, reason, createdMs: nowMs }, nowMs)
  }

  /** Leases the next task and does it. */
  async run(parts: ArchivistParts = this.parts, signal?: AbortSignal): Promise<TaskReport> {
    const [lease] = await this.coordinator.leaseArchiveTasks({ max: 1, leaseMs: LEASE_MS })
    if (lease === undefined) throw new Error('no task is due')
    return new ArchiveTaskRun(parts, lease, {
      leaseMs: LEASE_MS,
      ...(signal === undefined ? {} : { signal }),
    }).run()
  }

  async record(id: string): Promise<StreamRecord> {
    return (await this.coordinator.loadStream({ project: PROJECT, id })).record
  }

  /** Changes a record behind everybody's back. */
  async change(id: string, change: Partial<StreamRecord>): Promise<void> {
    const key = streamDocumentId({ project: PROJECT, id })
    const stored = await this.streams.read(STREAM_KIND, key)
    if (stored === undefined) throw new Error('no such stream')
    const record = { ...(await this.record(id)), ...change }
    await this.streams.update(key, stored.revision, streamDocument(record, null))
  }

  /** How many tasks there are, due or not. */
  async tasks(id: string, reason: TaskReason = 'archive'): Promise<boolean> {
    return this.queue.has({ project: PROJECT, id, reason })
  }

  async stored(path = PATH): Promise<number[]> {
    const indexes: number[] = []
    for await (const batch of this.storage.get({ stream: { project: PROJECT, path }, keysOnly: true })) {
      indexes.push(...batch.map(({ index }) => index))
    }
    return indexes
  }

  /** Whether the stream takes no entries any more. */
  async isSealed(path = PATH): Promise<boolean> {
    try {
      await this.storage.put({ stream: { project: PROJECT, path }, from: 0, entries: [] })
      return false
    } catch {
      return true
    }
  }

  async keys(prefix = ''): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of this.blobs.list(prefix)) keys.push(key)
    return keys
  }

  folder(path = PATH): string {
    const { prefix, name } = splitStreamPath(path)
    const bases = { base: 'archive', staging: 'staging' }
    return archiveLocation({ project: PROJECT, prefix, name }, bases, sha256).final
  }

  /** The stream indexes in the archive, which must be good. */
  async archived(path = PATH): Promise<number[]> {
    const folder = this.folder(path)
    const report = await verifyArchive({ blobs: this.blobs, sha256, folder })
    if (!report.isGood) throw new Error(`the archive is not good: ${JSON.stringify(report.faults)}`)
    const reader = new ArchiveReader({
      blobs: this.blobs,
      entries: `${folder}/logstream.entries`,
      index: `${folder}/logstream.index`,
    })
    const indexes: number[] = []
    for await (const batch of reader.get()) indexes.push(...batch.map(({ streamIndex }) => streamIndex))
    return indexes
  }

  async manifest(path = PATH): Promise<ArchiveManifest> {
    return decodeManifest(await readBlob(this.blobs, `${this.folder(path)}/logstream.meta`))
  }
}

export function descriptorOf(path: string): Uint8Array {
  const { prefix, name } = splitStreamPath(path)
  return encodeDescriptor({
    prefix,
    name,
    streamType: 0,
    contentType: 'text/plain; charset=utf-8',
    timestamp: { seconds: 1_700_000_000, nanos: 0 },
    tags: new Map(),
    binaryFileExt: '',
  })
}
