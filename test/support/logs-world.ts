import { createHash } from 'node:crypto'
import { archiveLocation, ArchiveFile, writeArchive } from '../../src/archive/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { Coordinator } from '../../src/coordinator/index.ts'
import type { StreamId } from '../../src/coordinator/index.ts'
import { Logs } from '../../src/coordinator/logs/index.ts'
import type { LogsParts } from '../../src/coordinator/logs/index.ts'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import { splitStreamPath } from '../../src/names/index.ts'
import type { Sha256Factory } from '../../src/parts/index.ts'
import { MemoryStorage } from '../../src/storage/memory/index.ts'
import { decodeLogEntry, encodeDescriptor, encodeLogEntry, StreamType } from '../../src/wire/logdog/index.ts'
import type { LogEntry, LogStreamDescriptor } from '../../src/wire/logdog/index.ts'

export const sha256: Sha256Factory = () => {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) }
}

/** What is to be archived a stream of. */
const ATTEMPT = 'attempt'
const LEASE_MS = 60_000

/** Streams in memory, with everything that reads them, and the archivist's steps one by one. */
export class LogsWorld {
  now = 1_000_000
  readonly project = 'proj'
  readonly store = new MemoryStreamStore()
  readonly storage = new MemoryStorage()
  readonly blobs = new MemoryBlobStore()
  readonly coordinator: Coordinator
  readonly logs: Logs
  readonly #secrets = new Map<string, Uint8Array>()
  #count = 0

  constructor(parts: Partial<LogsParts> = {}) {
    const clock = { now: () => this.now }
    this.coordinator = new Coordinator({
      streamStore: this.store,
      taskQueue: new MemoryTaskQueue({ clock }),
      clock,
      random: (count) => new Uint8Array(count).fill(++this.#count),
      sha256,
    })
    this.logs = new Logs({
      streamStore: this.store,
      storage: this.storage,
      blobs: this.blobs,
      coordinator: this.coordinator,
      sha256,
      clock: { sleep: async (ms) => void (this.now += ms) },
      ...parts,
    })
  }

  async registerPrefix(prefix: string): Promise<Uint8Array> {
    const known = this.#secrets.get(prefix)
    if (known !== undefined) return known
    const { secret } = await this.coordinator.registerPrefix({ project: this.project, prefix })
    this.#secrets.set(prefix, secret)
    return secret
  }

  async register(
    path: string,
    rest: Partial<LogStreamDescriptor> = {},
    terminalIndex = -1,
  ): Promise<StreamId> {
    const { project } = this
    const { prefix, name } = splitStreamPath(path)
    const secret = await this.registerPrefix(prefix)
    const descriptor = encodeDescriptor({ ...DESCRIPTOR, prefix, name, ...rest })
    const { id } = await this.coordinator.registerStream({ project, secret, descriptor, terminalIndex })
    return { project, id }
  }

  async terminate(path: string, { id }: StreamId, terminalIndex: number): Promise<void> {
    const { project } = this
    const secret = await this.registerPrefix(splitStreamPath(path).prefix)
    await this.coordinator.terminateStream({ project, id, secret, terminalIndex })
  }

  async put(path: string, entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) {
      const stream = { project: this.project, path }
      await this.storage.put({ stream, from: entry.streamIndex, entries: [encodeLogEntry(entry)] })
    }
  }

  /** What an archivist does, up to its report: entries still lie in intermediate storage then. */
  async archive(path: string, { project, id }: StreamId): Promise<void> {
    const stream = { project, path }
    const { revision, record } = await this.coordinator.dispatchArchival({ project, id })
    await this.storage.seal(stream, ATTEMPT)
    const { prefix, name } = splitStreamPath(path)
    const { final } = archiveLocation(
      { project, prefix, name },
      { base: 'archive', staging: 'staging' },
      sha256,
    )
    const { storage } = this
    const manifest = await writeArchive({
      blobs: this.blobs,
      sha256,
      folder: final,
      descriptor: record.descriptor,
      terminalIndex: record.terminalIndex,
      entries: (async function* () {
        for await (const batch of storage.get({ stream })) {
          yield batch
            .filter(({ index }) => record.terminalIndex < 0 || index <= record.terminalIndex)
            .map(({ bytes }) => decodeLogEntry(bytes))
        }
      })(),
      settings: { streamIndexRange: 2 },
    })
    await this.coordinator.claim({ project, id, revision, attempt: ATTEMPT, manifest, leaseMs: LEASE_MS })
    await this.coordinator.archiveStream({
      ...{ project, id, attempt: ATTEMPT },
      terminalIndex: record.terminalIndex < 0 ? manifest.lastIndex : record.terminalIndex,
      lastIndex: manifest.lastIndex,
      entryCount: manifest.entryCount,
      entriesUrl: `${final}/${ArchiveFile.entries}`,
      entriesBytes: manifest.files[ArchiveFile.entries]?.size ?? 0,
      indexUrl: `${final}/${ArchiveFile.index}`,
      indexBytes: manifest.files[ArchiveFile.index]?.size ?? 0,
    })
  }

  /** Takes the entries out of intermediate storage. */
  async clean(path: string, stream: StreamId): Promise<void> {
    await this.storage.expunge({ project: this.project, path })
    await this.coordinator.streamCleaned(stream)
  }
}

export const DESCRIPTOR: LogStreamDescriptor = {
  prefix: '',
  name: '',
  streamType: StreamType.text,
  contentType: 'text/plain',
  timestamp: { seconds: 1, nanos: 0 },
  tags: new Map(),
  binaryFileExt: '',
}

export function textEntry(streamIndex: number, text = `line ${streamIndex}`): LogEntry {
  return {
    timeOffset: { seconds: streamIndex, nanos: 0 },
    prefixIndex: streamIndex,
    streamIndex,
    sequence: streamIndex,
    content: { kind: 'text', lines: [{ value: new TextEncoder().encode(text), delimiter: '\n' }] },
  }
}
