/**
 * How a recovered tree takes the place of a directory (durable-directory spec, section 1, steps 2 and 5).
 *
 * Beside `dir` lie, for a while: `<dir>.new-<author>`, the tree being rebuilt, and `<dir>.old-<author>`, the one that
 * it replaces. The marker `<dir>.recoverylog` says for good that `dir` is ours to replace. A crash leaves one of:
 *
 * | dir | old | new | means | then |
 * | --- | --- | --- | --- | --- |
 * | there | - | any | before the exchange | the new one is removed |
 * | - | there | any | between the two renames | the old one is named back, the new one is removed |
 * | there | there | - | after both | the old one is removed |
 *
 * Nothing of `dir` is needed to recover: the log is the truth. So undoing is as good as finishing, and simpler.
 */
import { fenceOf } from '../fsm/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import {
  readSmallFile,
  removeTree,
  syncFolder,
  systemErrorCode,
  unlinkIfThere,
  writeNewFile,
  type SyncFileSystem,
} from '../parts/index.ts'
import { parentOf } from './directory-lock.ts'

const MARKER = new TextEncoder().encode(
  'The folder beside this file is a durable directory: it is rebuilt from its log, and replaced, at each start.\n',
)

/** What lies at a directory's place. */
export type Occupant = 'nothing' | 'empty' | 'ours' | 'foreign'

/** The journal that a directory is being adopted into. */
export interface Adoption {
  readonly log: string
  readonly id: string
}

export class DirectoryExchange {
  readonly #fs: SyncFileSystem
  readonly #dir: string
  readonly #newDir: string
  readonly #oldDir: string

  constructor(fs: SyncFileSystem, dir: string, author: number) {
    this.#fs = fs
    this.#dir = dir
    this.#newDir = besidePath(dir, 'new', author)
    this.#oldDir = besidePath(dir, 'old', author)
  }

  /** Where the tree is rebuilt. */
  get newDir(): string {
    return this.#newDir
  }

  /** Undoes or finishes what owners before this one were in the middle of. */
  clearBefore(authors: readonly number[]): void {
    for (const author of authors) {
      const oldDir = besidePath(this.#dir, 'old', author)
      if (!this.#exists(this.#dir) && this.#exists(oldDir)) this.#fs.renameSync(oldDir, this.#dir)
      removeTree(this.#fs, oldDir)
      removeTree(this.#fs, besidePath(this.#dir, 'new', author))
    }
  }

  /** Who put there what is there. */
  occupant(): Occupant {
    if (this.#exists(markerPath(this.#dir))) return 'ours'
    try {
      return this.#fs.readdirSync(this.#dir).length === 0 ? 'empty' : 'foreign'
    } catch (error) {
      const code = systemErrorCode(error)
      if (code === 'ENOENT') return 'nothing'
      if (code === 'ENOTDIR') return 'foreign'
      throw error
    }
  }

  /** From here on the directory is ours to replace. Durable when it returns. */
  mark(): void {
    const path = markerPath(this.#dir)
    if (this.#exists(path)) return
    const aside = `${path}.aside`
    unlinkIfThere(this.#fs, aside)
    writeNewFile(this.#fs, aside, MARKER)
    this.#fs.renameSync(aside, path)
    syncFolder(this.#fs, parentOf(this.#dir))
  }

  /** Of a directory that is being adopted: which journal it is recorded to. Undefined when there is no such. */
  adoption(): Adoption | undefined {
    const bytes = readSmallFile(this.#fs, adoptionPath(this.#dir))
    if (bytes === undefined) return undefined
    try {
      const { log, id } = JSON.parse(new TextDecoder().decode(bytes)) as Adoption
      return { log, id }
    } catch {
      return undefined // cut short before anything was recorded: the adoption has not begun
    }
  }

  /** From here on the log may hold a part of the directory, which another adoption may take back. Durable. */
  beginAdoption(adoption: Adoption): void {
    const path = adoptionPath(this.#dir)
    unlinkIfThere(this.#fs, path)
    writeNewFile(this.#fs, path, new TextEncoder().encode(JSON.stringify(adoption)))
    syncFolder(this.#fs, parentOf(this.#dir))
  }

  /** All of the directory has committed: it is ours. */
  finishAdoption(): void {
    this.mark()
    unlinkIfThere(this.#fs, adoptionPath(this.#dir))
  }

  /**
   * Tries the first rename and takes it back, so that a mount point is found before anybody is fenced.
   * @throws `UNAVAILABLE` with the system's error when the directory cannot be renamed.
   */
  probe(): void {
    if (!this.#exists(this.#dir)) return
    try {
      this.#fs.renameSync(this.#dir, this.#oldDir)
    } catch (error) {
      throw new RecoveryLogError(
        'UNAVAILABLE',
        `${this.#dir} cannot be renamed (${systemErrorCode(error) ?? 'no code'}): is it a mount point?`,
        { dir: this.#dir },
        { cause: error },
      )
    }
    this.#fs.renameSync(this.#oldDir, this.#dir)
  }

  /** The new tree takes the place of the old one. */
  exchange(): void {
    this.mark()
    if (this.#exists(this.#dir)) this.#fs.renameSync(this.#dir, this.#oldDir)
    this.#fs.renameSync(this.#newDir, this.#dir)
    syncFolder(this.#fs, parentOf(this.#dir))
    removeTree(this.#fs, this.#oldDir)
  }

  /** Removes a tree that was not exchanged. */
  discard(): void {
    removeTree(this.#fs, this.#newDir)
  }

  #exists(path: string): boolean {
    try {
      this.#fs.lstatSync(path)
      return true
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false
      throw error
    }
  }
}

function besidePath(dir: string, what: 'new' | 'old', author: number): string {
  return `${dir}.${what}-${fenceOf(author).value}`
}

function adoptionPath(dir: string): string {
  return `${dir}.recoverylog-adopting`
}

function markerPath(dir: string): string {
  return `${dir}.recoverylog`
}
