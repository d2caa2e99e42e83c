import { createHash } from 'node:crypto'
import { ArchiveFile, verifyArchive } from '../../../src/archive/index.ts'
import { readBlob } from '../../../src/blob/index.ts'
import type { BlobBody, BlobStore, ByteRange, PutOptions } from '../../../src/blob/index.ts'
import { MemoryBlobStore } from '../../../src/blob/memory/index.ts'
import { DEFAULT_COORDINATOR_SETTINGS, STREAM_KIND, streamRecord } from '../../../src/coordinator/index.ts'
import type { CoordinatorSettings, StateDocument, StreamRecord } from '../../../src/coordinator/index.ts'
import { MemoryStreamStore } from '../../../src/coordinator/memory/index.ts'
import type { StreamName } from '../../../src/storage/index.ts'
import { MemoryStorage } from '../../../src/storage/memory/index.ts'
import { sha256 } from '../../archive/archive-fixture.ts'
import type { ManualClock } from '../../support/directory.ts'

/**
 * Stores that see what really reaches them, in its order, and find fault with it at once: an archive is reported only when
 * it is good and was read back, once, and stays as it is; entries are removed only then, or after a purge.
 */
export class Witness {
  readonly blobs: BlobStore
  readonly rawBlobs: MemoryBlobStore
  readonly storage: MemoryStorage
  readonly streams: MemoryStreamStore
  /** What is wrong. */
  readonly faults: string[] = []
  readonly records = new Map<string, StreamRecord>()
  #time = 0
  readonly #changedAt = new Map<string, number>()
  readonly #readAt = new Map<string, number>()
  /** The sha256 of each file of an archive that was reported. */
  readonly #reported = new Map<string, { readonly path: string; readonly sha256: string }>()
  readonly #archivals = new Map<string, number>()

  readonly #clock: ManualClock
  readonly #settings: Pick<CoordinatorSettings, 'archiveMaxDelayMs' | 'archiveSettleDelayMs'>

  constructor(clock: ManualClock, settings: Partial<CoordinatorSettings>) {
    this.#clock = clock
    this.#settings = { ...DEFAULT_COORDINATOR_SETTINGS, ...settings }
    this.rawBlobs = new MemoryBlobStore({ clock })
    this.blobs = this.#watchedBlobs()
    this.storage = this.#watchedStorage(clock)
    this.streams = this.#watchedStreams()
  }

  #fault(what: string): void {
    this.faults.push(what)
  }

  #watchedBlobs(): BlobStore {
    const { rawBlobs } = this
    const changed = async (...keys: readonly string[]): Promise<void> => {
      for (const key of keys) {
        this.#changedAt.set(key, ++this.#time)
        await this.#expectUnchanged(key)
      }
    }
    const noted = (key: string): AsyncIterable<Uint8Array> => this.#noted(key)
    function get(key: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>
    function get(key: string, options: ByteRange): Promise<Uint8Array>
    function get(
      key: string,
      { offset, length }: Partial<ByteRange> & { readonly signal?: AbortSignal } = {},
    ): AsyncIterable<Uint8Array> | Promise<Uint8Array> {
      return offset === undefined || length === undefined ? noted(key) : rawBlobs.get(key, { offset, length })
    }
    return {
      maxKeyBytes: rawBlobs.maxKeyBytes,
      supports: rawBlobs.supports,
      get,
      stat: async (key) => rawBlobs.stat(key),
      list: (prefix, options) => rawBlobs.list(prefix, options),
      put: async (key: string, body: BlobBody, options?: PutOptions) => {
        await rawBlobs.put(key, body, options)
        await changed(key)
      },
      move: async (from, to) => {
        const isMoved = await isThere(rawBlobs, from)
        await rawBlobs.move(from, to)
        if (isMoved) await changed(from, to)
      },
      remove: async (key) => {
        await rawBlobs.remove(key)
        await changed(key)
      },
      close: async () => rawBlobs.close(),
    }
  }

  async *#noted(key: string): AsyncGenerator<Uint8Array, void, undefined> {
    yield* this.rawBlobs.get(key)
    this.#readAt.set(key, ++this.#time)
  }

  #watchedStorage(clock: ManualClock): MemoryStorage {
    const storage = new MemoryStorage({ clock })
    const expunge = storage.expunge.bind(storage)
    storage.expunge = async (stream, options) => {
      await this.#expectRemovable(stream, storage)
      await expunge(stream, options)
    }
    return storage
  }

  #watchedStreams(): MemoryStreamStore {
    const streams = new MemoryStreamStore()
    const create = streams.create.bind(streams)
    const update = streams.update.bind(streams)
    streams.create = async (id, document, options) => {
      const revision = await create(id, document, options)
      await this.#changed(document)
      return revision
    }
    streams.update = async (id, revision, document, options) => {
      const next = await update(id, revision, document, options)
      await this.#changed(document)
      return next
    }
    return streams
  }

  async #changed(document: StateDocument): Promise<void> {
    if (document.kind !== STREAM_KIND) return
    const record = streamRecord(document)
    const before = this.records.get(record.path)
    this.records.set(record.path, record)
    if (record.phase === 'archived' && before?.phase !== 'archived') await this.#archived(record)
    if (record.phase === 'purged') this.#forget(record.path)
  }

  async #archived(record: StreamRecord): Promise<void> {
    const { path } = record
    const count = (this.#archivals.get(path) ?? 0) + 1
    this.#archivals.set(path, count)
    if (count > 1) this.#fault(`${path} is archived ${count} times`)
    const folder = folderOf(record)
    const report = await verifyArchive({ blobs: this.rawBlobs, sha256, folder })
    if (!report.isGood) this.#fault(`${path} is reported, but not good: ${JSON.stringify(report.faults)}`)
    if ((report.manifest?.missingCount ?? 0) > 0 && !this.#isOld(record)) {
      this.#fault(`${path} is archived with gaps before its time`)
    }
    const files = [...Object.keys(report.manifest?.files ?? {}), ArchiveFile.meta]
    for (const key of files.map((file) => `${folder}/${file}`)) {
      if (!this.#isReadBack(key)) this.#fault(`${key} is reported, but was not read back`)
      if (!(await isThere(this.rawBlobs, key))) continue
      this.#reported.set(key, { path, sha256: await digestOf(this.rawBlobs, key) })
    }
  }

  /** Whether it is time to make do with what is there. */
  #isOld({ createdMs }: StreamRecord): boolean {
    const { archiveMaxDelayMs, archiveSettleDelayMs } = this.#settings
    return this.#clock.now() >= createdMs + Math.min(archiveMaxDelayMs, archiveSettleDelayMs ?? Infinity)
  }

  #isReadBack(key: string): boolean {
    return (this.#readAt.get(key) ?? 0) > (this.#changedAt.get(key) ?? Infinity)
  }

  async #expectUnchanged(key: string): Promise<void> {
    const reported = this.#reported.get(key)
    if (reported === undefined) return
    const isSame =
      (await isThere(this.rawBlobs, key)) && (await digestOf(this.rawBlobs, key)) === reported.sha256
    if (!isSame) this.#fault(`${key} was changed after it was reported`)
  }

  async #expectRemovable(stream: StreamName, storage: MemoryStorage): Promise<void> {
    const record = this.records.get(stream.path)
    if (record?.phase === 'purged' || record?.phase === 'cleaned') return
    if (record?.phase !== 'archived') {
      this.#fault(`${stream.path} is removed from storage while it is ${String(record?.phase)}`)
      return
    }
    const { manifest } = await verifyArchive({ blobs: this.rawBlobs, sha256, folder: folderOf(record) })
    let count = 0
    for await (const batch of storage.get({ stream })) count += batch.length
    const isAccounted = manifest !== undefined && count <= manifest.readCount
    if (!isAccounted) {
      this.#fault(`${stream.path}: ${count} entries are removed, ${String(manifest?.readCount)} were read`)
    }
  }

  #forget(path: string): void {
    for (const [key, file] of this.#reported) if (file.path === path) this.#reported.delete(key)
  }
}

function folderOf({ archive }: StreamRecord): string {
  const url = archive?.entriesUrl ?? ''
  return url.slice(0, url.lastIndexOf('/'))
}

async function isThere(blobs: BlobStore, key: string): Promise<boolean> {
  return blobs.stat(key).then(
    () => true,
    () => false,
  )
}

async function digestOf(blobs: BlobStore, key: string): Promise<string> {
  return createHash('sha256')
    .update(await readBlob(blobs, key))
    .digest('hex')
}
