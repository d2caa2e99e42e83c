import { existsSync, linkSync, renameSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { link, mkdir, open, readdir, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { throwIfAborted } from '../../async/index.ts'
import { RecoveryLogError } from '../../errors/index.ts'
import { systemErrorCode } from '../../parts/index.ts'
import type {
  BlobBody,
  BlobInfo,
  BlobStore,
  BlobSupports,
  ByteRange,
  ListOptions,
  PutOptions,
} from '../blob-store.ts'
import { CallGate } from '../call-gate.ts'
import { alreadyThere, checkKey, checkRange, notFound } from '../key.ts'
import { contentBytes, readBlobFile, syncDraft, writeBlobFile } from './blob-file.ts'
import { AsideFolder, removeLeftovers } from './aside-folder.ts'
import { FolderSyncs, makeFolder, removeEmptyFolders, syncFolder } from './folders.ts'
import { bytesOfKey, keyOfBytes, keyPartOf, pathOfKey } from './key-path.ts'
import { blobError, ifThere, isMissing } from './system-error.ts'
import { WarmFiles } from './warm-files.ts'

export interface FileBlobStoreOptions {
  /** Where the store lies. Made when it is missing. Any number of processes may share it. */
  readonly dir: string
  /** So many descriptors are kept open for reading ranges. Default 64. */
  readonly openFilesMax?: number
  /** What a dead writer has left is removed on opening when it was not written to for so long. Default 24 h. */
  readonly leftoverMs?: number
}

interface WithSignal {
  readonly signal?: AbortSignal
}

/** A key of 1,024 bytes takes at most 3,200 bytes of path. */
const MAX_KEY_BYTES = 1024
const DEFAULT_OPEN_FILES_MAX = 64
const DEFAULT_LEFTOVER_MS = 24 * 60 * 60 * 1000

/** A folder may be removed as empty between being made and being used, by whoever has emptied it. */
const FOLDER_TRIES = 100

/**
 * A blob store of files. A blob becomes visible by: written aside, synced, renamed or linked into its place, its folder
 * synced. `dir/tmp` holds what is being written, in a folder for each writer, `dir/blobs` what has been.
 */
export class FileBlobStore implements BlobStore, AsyncDisposable {
  readonly maxKeyBytes = MAX_KEY_BYTES
  readonly supports: BlobSupports
  readonly #blobs: string
  readonly #aside: AsideFolder
  readonly #warm: WarmFiles
  readonly #syncs = new FolderSyncs()
  readonly #gate = new CallGate('the blob store')

  /**
   * Opens the store in `dir`, finds out what its file system can do, and removes what writers have left that died.
   *
   * @throws RecoveryLogError `DENIED`, `UNAVAILABLE`
   */
  static async open(options: FileBlobStoreOptions): Promise<FileBlobStore> {
    const { openFilesMax = DEFAULT_OPEN_FILES_MAX, leftoverMs = DEFAULT_LEFTOVER_MS } = options
    if (!Number.isSafeInteger(openFilesMax) || openFilesMax < 1) {
      throw new RangeError(`expected an integer from 1 for openFilesMax, got ${openFilesMax}`)
    }
    const dir = resolve(options.dir)
    try {
      await mkdir(join(dir, 'blobs'), { recursive: true })
      await mkdir(join(dir, 'tmp'), { recursive: true })
      await syncFolder(dir)
      const conditionalPut = await probeLinks(new AsideFolder(join(dir, 'tmp')))
      await removeLeftovers(join(dir, 'tmp'), leftoverMs)
      return new FileBlobStore(dir, openFilesMax, { conditionalPut })
    } catch (error) {
      throw blobError(error, 'open', dir)
    }
  }

  private constructor(dir: string, openFilesMax: number, supports: BlobSupports) {
    this.supports = supports
    this.#blobs = join(dir, 'blobs')
    this.#aside = new AsideFolder(join(dir, 'tmp'))
    this.#warm = new WarmFiles(openFilesMax)
  }

  /** How many descriptors are kept open. */
  get openFiles(): number {
    return this.#warm.openFiles
  }

  async put(key: string, body: BlobBody, options: PutOptions = {}): Promise<void> {
    await this.#call('put', key, async () => {
      const path = this.#path(key)
      const { draft: isDraft = false } = options
      throwIfAborted(options.signal)
      if (options.ifAbsent === true) {
        if (!this.supports.conditionalPut) {
          throw new RecoveryLogError('INVALID', 'this file system has no links: ifAbsent cannot be kept', {
            key,
          })
        }
        // To save reading a body in vain. What decides is the link.
        if (existsSync(path)) throw alreadyThere(key)
      }
      const aside = this.#aside.newPath()
      let isRenamed = false
      try {
        await writeBlobFile(aside, body, { isDraft, signal: options.signal })
        await this.#place(path, () => {
          if (options.ifAbsent === true) linkSync(aside, path)
          else renameSync(aside, path)
        })
        isRenamed = options.ifAbsent !== true
        this.#warm.drop(key)
      } catch (error) {
        throw systemErrorCode(error) === 'EEXIST' ? alreadyThere(key) : error
      } finally {
        if (!isRenamed) await ifThere(unlink(aside))
      }
      if (!isDraft) await ifThere(this.#syncs.sync(dirname(path)))
    })
  }

  get(key: string, options?: WithSignal): AsyncIterable<Uint8Array>
  get(key: string, options: ByteRange & WithSignal): Promise<Uint8Array>
  get(
    key: string,
    options: Partial<ByteRange> & WithSignal = {},
  ): AsyncIterable<Uint8Array> | Promise<Uint8Array> {
    const { offset, length, into, signal } = options
    if (offset === undefined || length === undefined) return this.#stream(key, signal)
    return this.#range(key, into === undefined ? { offset, length } : { offset, length, into }, signal)
  }

  async stat(key: string, options: WithSignal = {}): Promise<BlobInfo> {
    return this.#call('stat', key, async () => {
      throwIfAborted(options.signal)
      const stats = statSync(this.#path(key), { throwIfNoEntry: false })
      if (stats === undefined) throw notFound(key)
      return infoOf(key, stats)
    })
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<BlobInfo, void, undefined> {
    this.#gate.enter()
    try {
      const after = options.after === undefined ? undefined : bytesOfKey(options.after)
      const walk: Walk = { prefix: bytesOfKey(prefix), after, signal: options.signal }
      for await (const [bytes, path] of keysIn(this.#blobs, '', walk)) {
        const stats = await ifThere(stat(path))
        if (stats !== undefined) yield infoOf(keyOfBytes(bytes), stats)
      }
    } catch (error) {
      throw blobError(error, 'list', prefix)
    } finally {
      this.#gate.leave()
    }
  }

  async move(from: string, to: string, options: WithSignal = {}): Promise<void> {
    await this.#call('move', from, async () => {
      const source = this.#path(from)
      const target = this.#path(to)
      throwIfAborted(options.signal)
      try {
        await syncDraft(source)
        await this.#place(target, () => {
          renameSync(source, target)
        })
      } catch (error) {
        if (!isMissing(error)) throw error
        if (existsSync(target)) return // moved before, or by another meanwhile
        removeEmptyFolders(dirname(target), this.#blobs)
        throw notFound(from)
      }
      this.#warm.drop(from)
      this.#warm.drop(to)
      // A rename is one change of both folders: that of the target makes it durable.
      await ifThere(this.#syncs.sync(dirname(target)))
      removeEmptyFolders(dirname(source), this.#blobs)
    })
  }

  async remove(key: string, options: WithSignal = {}): Promise<void> {
    await this.#call('remove', key, async () => {
      const path = this.#path(key)
      throwIfAborted(options.signal)
      await ifThere(unlink(path))
      this.#warm.drop(key)
      await this.#tidy(dirname(path))
    })
  }

  async close(): Promise<void> {
    await this.#gate.close()
    this.#warm.dropAll()
    this.#aside.remove()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #range(key: string, range: ByteRange, signal: AbortSignal | undefined): Promise<Uint8Array> {
    this.#gate.enter()
    try {
      checkRange(range)
      throwIfAborted(signal)
      return await this.#warm.read(key, this.#path, range)
    } catch (error) {
      throw blobError(error, 'get', key)
    } finally {
      this.#gate.leave()
    }
  }

  async *#stream(key: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    this.#gate.enter()
    try {
      yield* readBlobFile(this.#path(key), key, signal)
    } catch (error) {
      throw blobError(error, 'get', key)
    } finally {
      this.#gate.leave()
    }
  }

  async #call<T>(what: string, key: string, body: () => Promise<T>): Promise<T> {
    return this.#gate.run(async () => {
      try {
        return await body()
      } catch (error) {
        throw blobError(error, what, key)
      }
    })
  }

  readonly #path = (key: string): string => {
    checkKey(key, MAX_KEY_BYTES)
    return `${this.#blobs}/${pathOfKey(key)}`
  }

  /** Runs `body`, which gives a file its place at `path`; when the folder is missing, it is made first. */
  async #place(path: string, body: () => void): Promise<void> {
    const folder = dirname(path)
    let wasThere = false
    for (let tries = 1; ; tries++) {
      try {
        body()
        return
      } catch (error) {
        if (!isMissing(error) || tries === FOLDER_TRIES) throw error
        // The folder is there, so it is the source that is not.
        if (wasThere && existsSync(folder)) throw error
      }
      // One that is removed while it is being made is made again.
      wasThere = (await ifThere(makeFolder(folder, this.#blobs, this.#syncs))) === false
    }
  }

  /** After a name was taken out of `folder`: makes that durable, and removes what is empty now. */
  async #tidy(folder: string): Promise<void> {
    await ifThere(this.#syncs.sync(folder))
    removeEmptyFolders(folder, this.#blobs)
  }
}

interface Walk {
  readonly prefix: string
  readonly after: string | undefined
  readonly signal: AbortSignal | undefined
}

/** What lies in a folder: a file with the bytes of its key, or a folder with those that all keys in it begin with. */
interface Place {
  readonly bytes: string
  readonly isFile: boolean
  readonly path: string
}

/**
 * The keys in `folder`, which stands for those that begin with `begin`, each with the path of its file; among them those of
 * `beside`, files beside the folder whose keys begin so too.
 */
async function* keysIn(
  folder: string,
  begin: string,
  walk: Walk,
  beside: readonly Place[] = [],
): AsyncGenerator<[string, string], void, undefined> {
  throwIfAborted(walk.signal)
  const names = (await ifThere(readdir(folder))) ?? []
  const places = names.map((name): Place => {
    const { bytes, isFile } = keyPartOf(name)
    return { bytes: begin + bytes, isFile, path: `${folder}/${name}` }
  })
  places.push(...beside)
  places.sort((a, b) => (a.bytes < b.bytes ? -1 : a.bytes > b.bytes ? 1 : 0))
  for (let at = 0; at < places.length;) {
    const { bytes, isFile, path } = places[at++] as Place
    if (isFile) {
      const isBehind = walk.after === undefined || bytes > walk.after
      if (isBehind && bytes.startsWith(walk.prefix)) yield [bytes, path]
      continue
    }
    const first = at
    while (places[at]?.bytes.startsWith(bytes) === true) at++
    if (mayHold(bytes, walk)) yield* keysIn(path, bytes, walk, places.slice(first, at))
  }
}

function infoOf(key: string, { size, mtimeMs }: Stats): BlobInfo {
  return { key, size: contentBytes(key, size), modifiedMs: mtimeMs }
}

/** Whether keys that begin with `begin` can be among those asked for. */
function mayHold(begin: string, { prefix, after }: Walk): boolean {
  if (!begin.startsWith(prefix) && !prefix.startsWith(begin)) return false
  return after === undefined || begin > after || after.startsWith(begin)
}

/** Whether the file system makes links, and refuses a second one of the same name. */
async function probeLinks(folder: AsideFolder): Promise<boolean> {
  const file = folder.newPath()
  const second = folder.newPath()
  await (await open(file, 'wx')).close()
  try {
    await link(file, second)
    await link(file, second)
    return false
  } catch (error) {
    return systemErrorCode(error) === 'EEXIST'
  } finally {
    await ifThere(unlink(second))
    await ifThere(unlink(file))
    folder.remove()
  }
}
