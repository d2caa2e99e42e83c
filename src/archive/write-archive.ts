import { throwIfAborted } from '../async/index.ts'
import type { BlobStore, PutOptions } from '../blob/index.ts'
import { toHex } from '../names/index.ts'
import type { Sha256Factory } from '../parts/index.ts'
import { decodeDescriptor } from '../wire/logdog/index.ts'
import type { LogEntry } from '../wire/logdog/index.ts'
import { ArchiveEncoder } from './archive-encoder.ts'
import { ChunkPipe } from './chunk-pipe.ts'
import type { ChunkSink } from './chunk-sink.ts'
import { ArchiveFile, dataFileName } from './locations.ts'
import { encodeManifest, manifestOf } from './manifest.ts'
import type { ArchiveManifest, ManifestFile } from './manifest.ts'
import { archiveSettings } from './settings.ts'
import type { ArchiveSettings } from './settings.ts'

/** What the source of an archive yields beside entries: an index whose entry cannot be read, and is to be left out. */
export interface DamagedEntry {
  readonly damaged: true
  readonly streamIndex: number
}

/** The entries of a stream, in batches, in the order of their indexes. Each batch is borrowed until the next. */
export type EntrySource = AsyncIterable<Iterable<LogEntry | DamagedEntry>>

export interface WriteArchiveOptions {
  readonly blobs: BlobStore
  readonly sha256: Sha256Factory
  /** Where the files go, without a slash at its end. */
  readonly folder: string
  /** The stream's descriptor, encoded: it is written as it is. */
  readonly descriptor: Uint8Array
  /** The stream's terminal index; -1, the default: not known. */
  readonly terminalIndex?: number
  readonly entries: EntrySource
  readonly settings?: Partial<ArchiveSettings>
  /** The files are put as drafts: they will be moved (`PutOptions`). Default false. */
  readonly draft?: boolean
  readonly signal?: AbortSignal
}

/** Batches are gone through in steps: what the sinks hold at most, beside the chunks on their way. */
const FULL_BYTES_MAX = 1024 * 1024

/**
 * Writes the files of an archive into a folder of the blob store, `logstream.meta` last, in memory that does not depend
 * on the length of the stream. When it fails, files may be left in the folder: remove it.
 *
 * @throws RecoveryLogError what source and store throw; `CORRUPT` for a descriptor that cannot be decoded
 */
export async function writeArchive(options: WriteArchiveOptions): Promise<ArchiveManifest> {
  const { blobs, sha256, folder, descriptor, draft = false, signal } = options
  const putOptions = signal === undefined ? { draft } : { draft, signal }
  const settings = archiveSettings(options.settings)
  const encoder = new ArchiveEncoder({ descriptor, terminalIndex: options.terminalIndex ?? -1, settings })
  const files = [
    new FileOnItsWay(ArchiveFile.entries, encoder.entries, sha256),
    new FileOnItsWay(ArchiveFile.index, encoder.index, sha256),
  ]
  if (encoder.data !== undefined) {
    const { binaryFileExt } = decodeDescriptor(descriptor)
    files.push(new FileOnItsWay(dataFileName(binaryFileExt), encoder.data, sha256))
  }
  const puts = files.map((file) => file.store(blobs, `${folder}/${file.name}`, putOptions))
  const [produced, ...stored] = await Promise.allSettled([produce(encoder, files, options), ...puts])
  const failures = [...stored, produced].flatMap((part) =>
    part.status === 'rejected' ? [part.reason as unknown] : [],
  )
  // When a put fails, the producer fails with that its chunks are not taken, and the other puts with the producer.
  const consequence: unknown = produced.status === 'rejected' ? produced.reason : undefined
  if (failures.length > 0) throw failures.find((failure) => failure !== consequence) ?? consequence
  if (produced.status === 'rejected') throw consequence
  const manifest = manifestOf(
    produced.value,
    Object.fromEntries(files.map((file) => [file.name, file.finished()])),
  )
  await blobs.put(`${folder}/${ArchiveFile.meta}`, encodeManifest(manifest), putOptions)
  return manifest
}

async function produce(
  encoder: ArchiveEncoder,
  files: readonly FileOnItsWay[],
  { entries, signal }: WriteArchiveOptions,
): Promise<ReturnType<ArchiveEncoder['finish']>> {
  try {
    for await (const batch of entries) {
      throwIfAborted(signal)
      for (const entry of batch) {
        if ('damaged' in entry) encoder.addDamaged(entry.streamIndex)
        else encoder.add(entry)
        if (encoder.fullBytes >= FULL_BYTES_MAX) for (const file of files) await file.send()
      }
    }
    const summary = encoder.finish()
    for (const file of files) await file.send(true)
    for (const file of files) await file.end()
    return summary
  } catch (error) {
    for (const file of files) file.fail(error)
    throw error
  }
}

/** One file between encoder and store. */
class FileOnItsWay {
  readonly name: string
  readonly #sink: ChunkSink
  readonly #hash: ReturnType<Sha256Factory>
  readonly #pipe = new ChunkPipe()
  #size = 0
  /** The chunk before the next: while it is being stored, the next is being filled. */
  #onItsWay: Promise<void> = Promise.resolve()

  constructor(name: string, sink: ChunkSink, sha256: Sha256Factory) {
    this.name = name
    this.#sink = sink
    this.#hash = sha256()
  }

  async store(blobs: BlobStore, key: string, options: PutOptions): Promise<void> {
    try {
      await blobs.put(key, this.#pipe, options)
    } finally {
      this.#pipe.close()
    }
  }

  /** Sends what is full, with `all` the rest too. */
  async send(all = false): Promise<void> {
    for (const chunk of this.#sink.take(all)) {
      await this.#onItsWay
      this.#onItsWay = this.#pipe.write(chunk)
      // Whoever waits for it next is told.
      this.#onItsWay.catch(() => undefined)
      this.#hash.update(chunk)
      this.#size += chunk.length
      this.#recycleLater(chunk)
    }
  }

  async end(): Promise<void> {
    await this.#onItsWay
    this.#pipe.end()
  }

  fail(error: unknown): void {
    this.#pipe.fail(error)
  }

  finished(): ManifestFile {
    return { size: this.#size, sha256: toHex(this.#hash.digest()) }
  }

  #recycleLater(chunk: Uint8Array): void {
    this.#onItsWay.then(
      () => this.#sink.recycle(chunk),
      () => undefined,
    )
  }
}

/**
 * Reads a whole blob and answers what it is.
 *
 * @throws RecoveryLogError `NOT_FOUND`, `CORRUPT`
 */
export async function fileFacts(
  blobs: Pick<BlobStore, 'get'>,
  key: string,
  sha256: Sha256Factory,
  signal?: AbortSignal,
): Promise<ManifestFile> {
  const hash = sha256()
  let size = 0
  for await (const chunk of blobs.get(key, signal === undefined ? {} : { signal })) {
    hash.update(chunk)
    size += chunk.length
  }
  return { size, sha256: toHex(hash.digest()) }
}
