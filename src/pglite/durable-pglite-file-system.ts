/**
 * A PGlite file system on any `node:fs`-shaped object, made for `state.fs` of a durable directory: PGlite's own barrier
 * after each query becomes `state.sync()`, so that a query that has answered is in the journal.
 */
import { BaseFilesystem } from '@electric-sql/pglite/basefs'
import { systemErrorCode } from '../parts/index.ts'

/** What PostgreSQL's file layer here understands: numbers of WASI. Everything else is told as an input/output error. */
const ERRNO: Readonly<Record<string, number>> = {
  EACCES: 2,
  EBADF: 8,
  EBUSY: 10,
  EEXIST: 20,
  EFBIG: 22,
  EINVAL: 28,
  EIO: 29,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  ENAMETOOLONG: 37,
  ENOENT: 44,
  ENOSPC: 51,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  EPERM: 63,
  EROFS: 69,
  EXDEV: 75,
}
const EIO = 29

type Stats = ReturnType<BaseFilesystem['lstat']>

/** A file's facts as `node:fs` tells them. */
interface NodeStats extends Omit<Stats, 'atime' | 'mtime' | 'ctime'> {
  readonly atimeMs: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

/** What it calls: the sync forms of `node:fs`, so `state.fs`, `node:fs` and memfs. */
export interface PGliteFileSystem {
  chmodSync(path: string, mode: number): void
  closeSync(fd: number): void
  fstatSync(fd: number): NodeStats
  lstatSync(path: string): NodeStats
  mkdirSync(path: string, options?: { recursive?: boolean; mode?: number }): unknown
  openSync(path: string, flags: string, mode?: number): number
  readdirSync(path: string): unknown[]
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number
  renameSync(from: string, to: string): void
  rmdirSync(path: string): void
  truncateSync(path: string, length: number): void
  unlinkSync(path: string): void
  utimesSync(path: string, atime: number, mtime: number): void
  writeFileSync(path: string, data: string | Uint8Array, options?: { mode?: number; flag?: string }): void
  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number
}

export interface DurablePGliteOptions {
  readonly fs: PGliteFileSystem
  /** The barrier after each query: `() => state.sync()`. */
  readonly sync: () => Promise<unknown>
  /** The folder of the database, absolute; made when it is missing. Default `/pgdata`. */
  readonly dir?: string
}

/**
 * @example
 * ```ts
 * const db = await PGlite.create({ fs: new DurablePGliteFileSystem({ fs: state.fs, sync: () => state.sync() }) })
 * ```
 */
export class DurablePGliteFileSystem extends BaseFilesystem {
  readonly #fs: PGliteFileSystem
  readonly #sync: () => Promise<unknown>
  readonly #dir: string
  #lastError: unknown

  constructor(options: DurablePGliteOptions) {
    const { fs, sync, dir = '/pgdata' } = options
    super(dir)
    this.#fs = fs
    this.#sync = sync
    this.#dir = dir.replace(/\/+$/, '')
    fs.mkdirSync(`${this.#dir}/`, { recursive: true, mode: 0o700 })
  }

  /** What the file system said last: PostgreSQL itself can only tell a number. */
  get lastError(): unknown {
    return this.#lastError
  }

  /** After each query. With PGlite's `relaxedDurability` nobody waits: a failure then shows at the next query. */
  override async syncToFs(relaxedDurability?: boolean): Promise<void> {
    if (relaxedDurability !== true) {
      await this.#sync()
      return
    }
    this.#sync().catch((error: unknown) => {
      this.#lastError = error // the directory is poisoned: every later write and sync fails with the same cause
    })
  }

  override async closeFs(): Promise<void> {
    await this.#sync()
  }

  chmod(path: string, mode: number): void {
    this.#attempt(() => {
      this.#fs.chmodSync(this.#path(path), mode)
    })
  }

  close(fd: number): void {
    this.#attempt(() => {
      this.#fs.closeSync(fd)
    })
  }

  fstat(fd: number): Stats {
    return this.#attempt(() => statsOf(this.#fs.fstatSync(fd)))
  }

  lstat(path: string): Stats {
    return this.#attempt(() => statsOf(this.#fs.lstatSync(this.#path(path))))
  }

  mkdir(path: string, options?: { recursive?: boolean; mode?: number }): void {
    this.#attempt(() => {
      this.#fs.mkdirSync(this.#path(path), options)
    })
  }

  /** PGlite hands in no flags: the file was made by `writeFile` before. */
  open(path: string, flags = 'r+', mode?: number): number {
    return this.#attempt(() => this.#fs.openSync(this.#path(path), flags, mode))
  }

  readdir(path: string): string[] {
    return this.#attempt(() => this.#fs.readdirSync(this.#path(path)).map(String))
  }

  read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    return this.#attempt(() => this.#fs.readSync(fd, bytesOf(buffer), offset, length, position))
  }

  rename(from: string, to: string): void {
    this.#attempt(() => {
      this.#fs.renameSync(this.#path(from), this.#path(to))
    })
  }

  rmdir(path: string): void {
    this.#attempt(() => {
      this.#fs.rmdirSync(this.#path(path))
    })
  }

  truncate(path: string, length: number): void {
    this.#attempt(() => {
      this.#fs.truncateSync(this.#path(path), length)
    })
  }

  unlink(path: string): void {
    this.#attempt(() => {
      this.#fs.unlinkSync(this.#path(path))
    })
  }

  /** Times come in milliseconds; `node:fs` takes seconds. */
  utimes(path: string, atime: number, mtime: number): void {
    this.#attempt(() => {
      this.#fs.utimesSync(this.#path(path), atime / 1000, mtime / 1000)
    })
  }

  writeFile(path: string, data: string | Uint8Array, options?: { mode?: number; flag?: string }): void {
    this.#attempt(() => {
      this.#fs.writeFileSync(this.#path(path), data, options)
    })
  }

  write(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    return this.#attempt(() => this.#fs.writeSync(fd, bytesOf(buffer), offset, length, position))
  }

  #path(path: string): string {
    return `${this.#dir}/${path.replace(/^\/+/, '')}`
  }

  /** Errors must carry numbers here; the error itself is the cause, and kept in `lastError`. */
  #attempt<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      this.#lastError = error
      const code = ERRNO[systemErrorCode(error) ?? ''] ?? EIO
      throw Object.assign(new Error(String(error), { cause: error }), { code })
    }
  }
}

/** PGlite hands in the memory itself where its types say an array of bytes. */
function bytesOf(buffer: Uint8Array | ArrayBufferLike): Uint8Array {
  return ArrayBuffer.isView(buffer) ? buffer : new Uint8Array(buffer)
}

function statsOf(stats: NodeStats): Stats {
  const { dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks, atimeMs, mtimeMs, ctimeMs } = stats
  return {
    dev,
    ino,
    mode,
    nlink,
    uid,
    gid,
    rdev,
    size,
    blksize,
    blocks,
    atime: atimeMs,
    mtime: mtimeMs,
    ctime: ctimeMs,
  }
}
