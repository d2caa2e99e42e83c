import { close, fstatSync, open, read } from 'node:fs'
import type { Stats } from 'node:fs'
import { promisify } from 'node:util'
import { RecoveryLogError } from '../../errors/index.ts'
import type { ByteRange } from '../blob-store.ts'
import { contentBytes } from './blob-file.ts'

/**
 * Files kept open for reading ranges: opening costs as much as reading. The least recently used one is closed when
 * there are too many, as soon as nobody reads from it.
 */

interface WarmFile {
  readonly fd: number
  /** Of the content, in bytes: a blob never changes. */
  readonly size: number
  readers: number
  /** To be closed by its last reader. */
  isDropped: boolean
}

const openFile = promisify(open)

export class WarmFiles {
  readonly #openFilesMax: number
  /** By key, the least recently used first. */
  readonly #files = new Map<string, WarmFile>()
  /** The last: when there is none left, V8 forgets what it has compiled for them, and one read in a hundred waits. */
  #stats: Stats | undefined

  constructor(openFilesMax: number) {
    this.#openFilesMax = openFilesMax
  }

  /** How many descriptors are open. */
  get openFiles(): number {
    return this.#files.size
  }

  /** Reads a range of the blob `key`, opening its file, which lies where `locate` says, when it is not open. */
  async read(key: string, locate: (key: string) => string, range: ByteRange): Promise<Uint8Array> {
    const file = this.#files.get(key)
    if (file !== undefined) {
      const reading = this.#readFrom(file, key, range)
      // Another process may have replaced or removed it: then its inode has no name any more. Asked while it is read.
      this.#stats = fstatSync(file.fd)
      if (this.#stats.nlink > 0) {
        this.#files.delete(key)
        this.#files.set(key, file)
        return reading
      }
      this.drop(key)
      await Promise.allSettled([reading]) // before the same memory is read into again
    }
    return this.#readFrom(await this.#open(key, locate(key)), key, range)
  }

  /** Forgets the file of a blob: the next read opens what is there then. */
  drop(key: string): void {
    const file = this.#files.get(key)
    if (file === undefined) return
    this.#files.delete(key)
    file.isDropped = true
    closeUnread(file)
  }

  dropAll(): void {
    for (const key of [...this.#files.keys()]) this.drop(key)
  }

  async #readFrom(file: WarmFile, key: string, range: ByteRange): Promise<Uint8Array> {
    file.readers++
    try {
      const length = Math.max(0, Math.min(range.length, file.size - range.offset))
      const bytes = range.into?.subarray(0, length) ?? new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
      for (let at = 0; at < length;) {
        const count = await readInto(file.fd, bytes, at, range.offset + at)
        if (count === 0) {
          throw new RecoveryLogError('CORRUPT', `the file of the blob ${key} is cut`, {
            key,
            offset: range.offset + at,
          })
        }
        at += count
      }
      return bytes
    } finally {
      file.readers--
      if (file.isDropped) closeUnread(file)
    }
  }

  async #open(key: string, path: string): Promise<WarmFile> {
    const fd = await openFile(path, 'r')
    let size: number
    try {
      size = contentBytes(key, fstatSync(fd).size)
    } catch (error) {
      close(fd)
      throw error
    }
    const file: WarmFile = { fd, size, readers: 0, isDropped: false }
    this.drop(key) // somebody else may have opened it meanwhile
    this.#files.set(key, file)
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= this.#openFilesMax) break
      this.drop(oldest)
    }
    return file
  }
}

function closeUnread(file: WarmFile): void {
  if (file.readers === 0) close(file.fd)
}

/** The callback costs less than a FileHandle does. */
async function readInto(fd: number, bytes: Uint8Array, at: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, bytes, at, bytes.length - at, position, (error, count) => {
      if (error === null) resolve(count)
      else reject(error)
    })
  })
}
