import { createHash, randomBytes } from 'node:crypto'
import { resolve as resolvePath } from 'node:path'
import { crc32 } from 'node:zlib'
import { raceAbort, throwIfAborted } from '../../async/index.ts'
import { CallGate } from '../../blob/index.ts'
import { RecoveryLogError } from '../../errors/index.ts'
import type { ErrorCode } from '../../errors/index.ts'
import { systemBootId, systemClock } from '../../journal/file/index.ts'
import type { Clock } from '../../parts/index.ts'
import { systemErrorCode } from '../../parts/index.ts'
import { checkPut, rangeOf } from '../rules.ts'
import type {
  IntermediateStorage,
  PutOutcome,
  StorageGet,
  StoragePut,
  StorageTail,
  StoredEntry,
  StreamName,
  WithSignal,
} from '../storage.ts'
import { CommitLine } from './commit-line.ts'
import type { Call } from './commit-line.ts'
import { OrderKind } from './order-record.ts'
import { Publisher } from './publisher.ts'
import { StorageFolder } from './storage-folder.ts'
import { StorageView } from './storage-view.ts'

export interface FileStorageOptions {
  /** Where the storage lies, on a local disk. Made when it is missing. Any number of processes may share it. */
  readonly dir: string
  /** Tells when entries came. Default: the system's. */
  readonly clock?: Pick<Clock, 'now'>
  /** `process` survives a kill, but no power loss: nothing is synced. Default `disk`. */
  readonly durability?: 'process' | 'disk'
  /** How long a segment file gets, in bytes. One is removed when nothing in it is needed. Default 64 MiB. */
  readonly segmentBytes?: number
  /** How long a file of the order log gets, in bytes, before a snapshot takes its place. Default 16 MiB. */
  readonly orderBytes?: number
  /** So many segment files are kept open for reading. Default 64. */
  readonly openFilesMax?: number
  /** A segment in which nothing lies is removed when nobody has written to it for so long. Default 1 h. */
  readonly leftoverMs?: number
  /**
   * Names this boot of the machine: what another one wrote last may not have reached the disk, and is judged by its
   * checksums. Default: as the system says.
   */
  readonly bootId?: string
}

const DEFAULTS = {
  clock: systemClock,
  durability: 'disk',
  segmentBytes: 64 * 1024 * 1024,
  orderBytes: 16 * 1024 * 1024,
  openFilesMax: 64,
  leftoverMs: 60 * 60 * 1000,
} as const

/** The system's errors that say more than "later it may work". */
const CODES: Readonly<Partial<Record<string, ErrorCode>>> = {
  EACCES: 'DENIED',
  EPERM: 'DENIED',
  EROFS: 'DENIED',
}

/**
 * Intermediate storage in files, for any number of processes on one folder of a local disk.
 *
 * Each process appends entries to segment files of its own. That they are there says a record in the order log, which
 * all processes append to, and in which seals and removals stand too: so all agree on what came first. Memory grows with
 * the number of runs of entries that are there (about 150 bytes each) and of seals (about 100), not with the entries.
 */
export class FileStorage implements IntermediateStorage {
  readonly durability: 'process' | 'disk'
  readonly #view: StorageView
  readonly #publisher: Publisher
  readonly #line: CommitLine
  readonly #gate = new CallGate('the intermediate storage')
  #closing: Promise<void> | undefined

  /**
   * Opens the storage in `dir`, and removes what writers have left that died.
   *
   * @throws RecoveryLogError `DENIED`, `UNAVAILABLE`; `CORRUPT` when its snapshot is damaged
   */
  static async open(options: FileStorageOptions): Promise<FileStorage> {
    try {
      const storage = new FileStorage({ ...DEFAULTS, bootId: systemBootId(), ...options })
      await storage.#publisher.tidy()
      return storage
    } catch (error) {
      throw storageError(error, 'open the storage')
    }
  }

  private constructor(options: Required<FileStorageOptions>) {
    const folder = new StorageFolder(resolvePath(options.dir))
    this.durability = options.durability
    this.#view = new StorageView(folder, {
      owner: randomBytes(4).readUInt32LE(),
      boot: crc32(options.bootId),
      openFilesMax: options.openFilesMax,
    })
    this.#publisher = new Publisher(folder, this.#view, {
      ...options,
      isSynced: options.durability === 'disk',
    })
    this.#line = new CommitLine(this.#view, this.#publisher)
  }

  /** What cannot be read, though it was acknowledged: each `CORRUPT`, with segment and offset. Which streams is lost. */
  get damage(): readonly RecoveryLogError[] {
    return this.#view.damage
  }

  async put(put: StoragePut): Promise<PutOutcome> {
    checkPut(put)
    return this.#change(put.stream, { put }, put.signal)
  }

  async *get(get: StorageGet): AsyncGenerator<readonly StoredEntry[], void, undefined> {
    const key = keyOf(get.stream)
    let { from, limit } = rangeOf(get)
    while (limit > 0) {
      const batch = await this.#read(get.stream, get.signal, async () =>
        this.#view.entries(key, from, limit, get.keysOnly === true),
      )
      const last = batch[batch.length - 1]
      if (last === undefined) return
      yield batch
      from = last.index + 1
      limit -= batch.length
    }
  }

  async tail(stream: StreamName, options: WithSignal = {}): Promise<StorageTail | undefined> {
    return this.#read(stream, options.signal, async () => this.#view.tail(keyOf(stream)))
  }

  async seal(stream: StreamName, attempt: string, options: WithSignal = {}): Promise<void> {
    const order = { kind: OrderKind.seal, key: keyOf(stream), attempt: hashOf(attempt) }
    await this.#change(stream, { order }, options.signal)
  }

  async unseal(stream: StreamName, attempt: string, options: WithSignal = {}): Promise<void> {
    const order = { kind: OrderKind.unseal, key: keyOf(stream), attempt: hashOf(attempt) }
    await this.#change(stream, { order }, options.signal)
  }

  async expunge(stream: StreamName, options: WithSignal = {}): Promise<void> {
    await this.#change(stream, { order: { kind: OrderKind.expunge, key: keyOf(stream) } }, options.signal)
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    await this.#gate.close()
    await this.#line.idle()
    this.#publisher.close()
    this.#view.close()
  }

  /** Puts a call into the line. An abort ends the wait; what is under way then goes on. */
  async #change(
    stream: StreamName,
    change: Call['change'],
    signal: AbortSignal | undefined,
  ): Promise<PutOutcome> {
    return this.#gate.run(async () => {
      throwIfAborted(signal)
      const answer = new Promise<PutOutcome>((resolve, reject) => {
        this.#line.add({ key: keyOf(stream), change, signal, resolve, reject })
      })
      try {
        return await raceAbort(answer, signal)
      } catch (error) {
        throw storageError(error, 'write to', stream)
      }
    })
  }

  async #read<T>(stream: StreamName, signal: AbortSignal | undefined, body: () => Promise<T>): Promise<T> {
    return this.#gate.run(async () => {
      throwIfAborted(signal)
      try {
        return await raceAbort(body(), signal)
      } catch (error) {
        throw storageError(error, 'read', stream)
      }
    })
  }
}

/** A stream as 16 bytes, one a character. */
function keyOf({ project, path }: StreamName): string {
  return hashOf(`${project.length}:${project}${path}`)
}

/** The first half of a sha256: two texts of the same one will not be met. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest().toString('latin1', 0, 16)
}

/** What a call of the file system threw, as an error of ours; an error of ours learns which stream it was. */
function storageError(error: unknown, what: string, stream?: StreamName): unknown {
  if (error instanceof RecoveryLogError) {
    if (error.code !== 'CORRUPT' || stream === undefined) return error
    return new RecoveryLogError(
      'CORRUPT',
      `cannot ${what} ${stream.path}`,
      { ...stream, ...error.data },
      { cause: error },
    )
  }
  const code = systemErrorCode(error)
  if (code === undefined) return error
  const message = `cannot ${what}${stream === undefined ? '' : ` ${stream.path}`}: ${code}`
  return new RecoveryLogError(CODES[code] ?? 'UNAVAILABLE', message, { ...stream, code }, { cause: error })
}
