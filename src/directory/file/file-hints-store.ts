/**
 * Hints in a folder of files. A set becomes visible by: write aside, fsync, link to its final name (which fails when
 * another process was faster), fsync the folder. So a set is whole or not there, after a power loss too.
 */
import { RecoveryLogError } from '../../errors/index.ts'
import {
  readSmallFile,
  syncFolder,
  systemErrorCode,
  unlinkIfThere,
  writeNewFile,
  type Random,
  type SyncFileSystem,
} from '../../parts/index.ts'
import { HintsStore, type HintsBackend, type HintsStoreOptions } from '../hints-store.ts'

export interface FileHintsStoreOptions extends Omit<HintsStoreOptions, 'backend'> {
  /** The folder, made when it is missing. It belongs to the store alone. */
  readonly dir: string
  readonly fs: SyncFileSystem
  /** Names what is written aside, so that two processes never write to one file. */
  readonly random: Random
}

/** Hints in files, for any number of processes on one machine. */
export class FileHintsStore extends HintsStore {
  constructor(options: FileHintsStoreOptions) {
    super({ ...options, backend: new FileHintsBackend(options) })
  }
}

class FileHintsBackend implements HintsBackend {
  readonly #dir: string
  readonly #fs: SyncFileSystem
  readonly #random: Random

  constructor(options: FileHintsStoreOptions) {
    this.#dir = options.dir
    this.#fs = options.fs
    this.#random = options.random
  }

  names(): Promise<readonly string[]> {
    return this.#attempt('list', () => {
      try {
        return this.#fs.readdirSync(this.#dir).map(String)
      } catch (error) {
        if (systemErrorCode(error) === 'ENOENT') return []
        throw error
      }
    })
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#attempt(name, () => readSmallFile(this.#fs, this.#path(name)))
  }

  create(name: string, bytes: Uint8Array): Promise<boolean> {
    return this.#attempt(name, () => {
      const aside = this.#writeAside(bytes)
      try {
        this.#fs.linkSync(aside, this.#path(name))
      } catch (error) {
        if (systemErrorCode(error) === 'EEXIST') return false
        throw error
      } finally {
        unlinkIfThere(this.#fs, aside)
      }
      syncFolder(this.#fs, this.#dir)
      return true
    })
  }

  replace(name: string, bytes: Uint8Array): Promise<void> {
    return this.#attempt(name, () => {
      const aside = this.#writeAside(bytes)
      this.#fs.renameSync(aside, this.#path(name))
      syncFolder(this.#fs, this.#dir)
    })
  }

  remove(name: string): Promise<void> {
    return this.#attempt(name, () => {
      unlinkIfThere(this.#fs, this.#path(name))
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #path(name: string): string {
    return `${this.#dir}/${name}`
  }

  #writeAside(bytes: Uint8Array): string {
    this.#fs.mkdirSync(this.#dir, { recursive: true })
    const unique = [...this.#random(8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    const aside = this.#path(`aside-${unique}`)
    try {
      writeNewFile(this.#fs, aside, bytes)
    } catch (error) {
      unlinkIfThere(this.#fs, aside)
      throw error
    }
    return aside
  }

  /** The one place where this back end's system errors become this package's. */
  #attempt<T>(name: string, body: () => T): Promise<T> {
    try {
      return Promise.resolve(body())
    } catch (error) {
      const code = systemErrorCode(error)
      const isDenied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
      return Promise.reject(
        new RecoveryLogError(
          isDenied ? 'DENIED' : 'UNAVAILABLE',
          `hints store ${this.#dir}: ${name}: ${code ?? String(error)}`,
          { dir: this.#dir, name, code },
          { cause: error },
        ),
      )
    }
  }
}
