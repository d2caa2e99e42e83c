/**
 * A synchronous SQLite VFS for wa-sqlite on any `node:fs`-shaped object, made for `state.fs` of a durable directory.
 * It has the shape of wa-sqlite's `VFS.Base`, without importing it: the engine stays an optional peer.
 */
import { systemErrorCode } from '../parts/index.ts'
import * as sqlite from './constants.ts'
import { FileLocks } from './file-locks.ts'
import { TemporaryFile } from './temporary-file.ts'

/** What the VFS calls: the sync forms of `node:fs`, so `state.fs`, `node:fs` and memfs. */
export interface DurableVFSFileSystem {
  openSync(path: string, flags: string): number
  closeSync(fd: number): void
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number
  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number
  fstatSync(fd: number): { readonly size: number }
  ftruncateSync(fd: number, length: number): void
  fdatasyncSync(fd: number): void
  unlinkSync(path: string): void
  existsSync(path: string): boolean
}

export interface DurableVFSOptions {
  readonly fs: DurableVFSFileSystem
  /** The name to open databases with. Default `recoverylog`. */
  readonly name?: string
  /** The folder of the database names, absolute. Default `/`, the root of `state.fs`. */
  readonly dir?: string
  /**
   * What `xSync` does. `true` (default): `fdatasyncSync`, so that a `COMMIT` is as durable as SQLite promises, where
   * the journal can append synchronously. `false`: nothing; SQLite's order of writes is the log's order anyway, a
   * recovery sees a prefix of it, and `await state.sync()` after a commit makes it durable, many commits at once.
   */
  readonly durable?: boolean
}

interface OpenFile {
  readonly name: string
  /** Below 0: the content is in `temporary`. */
  readonly fd: number
  readonly temporary: TemporaryFile | undefined
  readonly deleteOnClose: boolean
  readonly locks: FileLocks
}

/** Longer names are refused by SQLite before they come here. */
const PATH_BYTES_MAX = 512

/**
 * @example
 * ```ts
 * const module = await SQLiteESMFactory({ wasmBinary })
 * const sqlite3 = SQLite.Factory(module)
 * sqlite3.vfs_register(new DurableVFS({ fs: state.fs, durable: false }), false)
 * const db = await sqlite3.open_v2('orders.db', undefined, 'recoverylog')
 * await sqlite3.exec(db, 'INSERT INTO orders VALUES (1)')
 * await state.sync()
 * ```
 */
export class DurableVFS {
  readonly name: string
  /** wa-sqlite reads the bound of names from here. */
  readonly mxPathName = PATH_BYTES_MAX
  readonly #fs: DurableVFSFileSystem
  readonly #dir: string
  readonly #isDurable: boolean
  readonly #files = new Map<number, OpenFile>()
  readonly #locks = new Map<string, FileLocks>()
  #lastError: unknown

  constructor(options: DurableVFSOptions) {
    const { fs, name = 'recoverylog', dir = '/', durable = true } = options
    this.name = name
    this.#fs = fs
    this.#dir = dir.endsWith('/') ? dir : `${dir}/`
    this.#isDurable = durable
  }

  /** What the file system said last: SQLite itself can only tell a number. */
  get lastError(): unknown {
    return this.#lastError
  }

  /** Closes what SQLite has left open. */
  close(): void {
    for (const fileId of [...this.#files.keys()]) this.xClose(fileId)
  }

  xOpen(name: string | null, fileId: number, flags: number, outFlags: DataView): number {
    return this.#attempt(sqlite.SQLITE_CANTOPEN, () => {
      const path = name === null ? undefined : this.#path(name)
      const locks = (path === undefined ? undefined : this.#locks.get(path)) ?? new FileLocks()
      this.#files.set(fileId, {
        name: path ?? '',
        fd: path === undefined ? -1 : this.#openFile(path, flags),
        temporary: path === undefined ? new TemporaryFile() : undefined,
        deleteOnClose: path !== undefined && (flags & sqlite.SQLITE_OPEN_DELETEONCLOSE) !== 0,
        locks,
      })
      if (path !== undefined) this.#locks.set(path, locks)
      outFlags.setInt32(0, flags, true)
      return sqlite.SQLITE_OK
    })
  }

  xClose(fileId: number): number {
    const file = this.#files.get(fileId)
    if (file === undefined) return sqlite.SQLITE_OK
    this.#files.delete(fileId)
    file.locks.unlock(fileId, sqlite.SQLITE_LOCK_NONE)
    return this.#attempt(sqlite.SQLITE_IOERR_CLOSE, () => {
      if (file.temporary !== undefined) return sqlite.SQLITE_OK
      this.#fs.closeSync(file.fd)
      if (![...this.#files.values()].some(({ locks }) => locks === file.locks)) this.#locks.delete(file.name)
      if (file.deleteOnClose) this.#fs.unlinkSync(file.name)
      return sqlite.SQLITE_OK
    })
  }

  /** `data` is a view of SQLite's memory: filled here, never kept. */
  xRead(fileId: number, data: Uint8Array, offset: number): number {
    return this.#attempt(sqlite.SQLITE_IOERR_READ, () => {
      const file = this.#file(fileId)
      let length = 0
      if (file.temporary !== undefined) {
        length = file.temporary.read(data, offset)
      } else {
        while (length < data.length) {
          const count = this.#fs.readSync(file.fd, data, length, data.length - length, offset + length)
          if (count === 0) break
          length += count
        }
      }
      if (length === data.length) return sqlite.SQLITE_OK
      data.fill(0, length) // SQLite takes what was not read for zeros
      return sqlite.SQLITE_IOERR_SHORT_READ
    })
  }

  xWrite(fileId: number, data: Uint8Array, offset: number): number {
    return this.#attempt(sqlite.SQLITE_IOERR_WRITE, () => {
      const file = this.#file(fileId)
      if (file.temporary !== undefined) {
        file.temporary.write(data, offset)
        return sqlite.SQLITE_OK
      }
      let length = 0
      while (length < data.length) {
        length += this.#fs.writeSync(file.fd, data, length, data.length - length, offset + length)
      }
      return sqlite.SQLITE_OK
    })
  }

  xTruncate(fileId: number, size: number): number {
    return this.#attempt(sqlite.SQLITE_IOERR_TRUNCATE, () => {
      const file = this.#file(fileId)
      if (file.temporary !== undefined) file.temporary.truncate(size)
      else this.#fs.ftruncateSync(file.fd, size)
      return sqlite.SQLITE_OK
    })
  }

  xSync(fileId: number): number {
    return this.#attempt(sqlite.SQLITE_IOERR_FSYNC, () => {
      const file = this.#file(fileId)
      if (this.#isDurable && file.temporary === undefined) this.#fs.fdatasyncSync(file.fd)
      return sqlite.SQLITE_OK
    })
  }

  xFileSize(fileId: number, outSize: DataView): number {
    return this.#attempt(sqlite.SQLITE_IOERR_FSTAT, () => {
      const file = this.#file(fileId)
      const size = file.temporary?.size ?? this.#fs.fstatSync(file.fd).size
      outSize.setBigInt64(0, BigInt(size), true)
      return sqlite.SQLITE_OK
    })
  }

  xLock(fileId: number, level: number): number {
    return this.#file(fileId).locks.lock(fileId, level)
  }

  xUnlock(fileId: number, level: number): number {
    this.#file(fileId).locks.unlock(fileId, level)
    return sqlite.SQLITE_OK
  }

  xCheckReservedLock(fileId: number, outReserved: DataView): number {
    outReserved.setInt32(0, this.#file(fileId).locks.isReserved ? 1 : 0, true)
    return sqlite.SQLITE_OK
  }

  xFileControl(): number {
    return sqlite.SQLITE_NOTFOUND
  }

  xSectorSize(): number {
    return 4096
  }

  xDeviceCharacteristics(): number {
    return (
      sqlite.SQLITE_IOCAP_SAFE_APPEND |
      sqlite.SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN |
      sqlite.SQLITE_IOCAP_POWERSAFE_OVERWRITE
    )
  }

  xDelete(name: string): number {
    return this.#attempt(sqlite.SQLITE_IOERR_DELETE, () => {
      try {
        this.#fs.unlinkSync(this.#path(name))
        return sqlite.SQLITE_OK
      } catch (error) {
        if (systemErrorCode(error) === 'ENOENT') return sqlite.SQLITE_IOERR_DELETE_NOENT
        throw error
      }
    })
  }

  xAccess(name: string, _flags: number, outExists: DataView): number {
    return this.#attempt(sqlite.SQLITE_IOERR_ACCESS, () => {
      outExists.setInt32(0, this.#fs.existsSync(this.#path(name)) ? 1 : 0, true)
      return sqlite.SQLITE_OK
    })
  }

  /** wa-sqlite's asynchronous builds call it; this VFS never waits. */
  handleAsync(call: () => Promise<number>): Promise<number> {
    return call()
  }

  #path(name: string): string {
    return name.startsWith('/') ? name : this.#dir + name
  }

  #file(fileId: number): OpenFile {
    const file = this.#files.get(fileId)
    if (file === undefined) throw new RangeError(`SQLite file ${String(fileId)} is not open`)
    return file
  }

  #openFile(path: string, flags: number): number {
    if ((flags & sqlite.SQLITE_OPEN_READONLY) !== 0) return this.#fs.openSync(path, 'r')
    if ((flags & sqlite.SQLITE_OPEN_EXCLUSIVE) !== 0) return this.#fs.openSync(path, 'wx+')
    try {
      return this.#fs.openSync(path, 'r+')
    } catch (error) {
      const isMissing = systemErrorCode(error) === 'ENOENT'
      if (!isMissing || (flags & sqlite.SQLITE_OPEN_CREATE) === 0) throw error
      return this.#fs.openSync(path, 'wx+')
    }
  }

  /** SQLite's interface knows numbers only: the error itself is kept in `lastError`. */
  #attempt(failure: number, body: () => number): number {
    try {
      return body()
    } catch (error) {
      this.#lastError = error
      return systemErrorCode(error) === 'ENOSPC' ? sqlite.SQLITE_FULL : failure
    }
  }
}
