/**
 * A directory that is rebuilt: files are staged in `.fnodes/<fnode>` inside it, and get their names at the end
 * (recovery-log spec, sections 7.1, 7.8 and 7.9).
 */
import { RecoveryLogError } from '../errors/index.ts'
import { removeTree, systemErrorCode, unlinkIfThere } from '../parts/index.ts'
import { STAGING_FOLDER } from './confinement.ts'
import { fileError } from './file-error.ts'
import { FileWriter } from './file-writer.ts'
import type { Layout } from './layout.ts'
import type { PlayerFileSystem } from './play-options.ts'
import type { Target } from './target.ts'

const utf8 = new TextEncoder()

export class StagingTarget implements Target {
  readonly #fs: PlayerFileSystem
  readonly #dir: string
  readonly #replace: boolean
  readonly #staging: string
  readonly #writer: FileWriter
  #isPrepared = false
  #madeDir = false
  /** What has been given a name, for the case of a failure: last made, first removed. */
  readonly #made: { readonly place: string; readonly isFolder: boolean }[] = []

  /** `dir` is an absolute path. With `replace` it is emptied by `prepare`. */
  constructor(fs: PlayerFileSystem, dir: string, replace: boolean) {
    this.#fs = fs
    this.#dir = dir.replace(/(?<=.)\/+$/, '')
    this.#replace = replace
    this.#staging = `${this.#dir}/${STAGING_FOLDER}`
    this.#writer = new FileWriter(fs, (fnode) => `${this.#staging}/${fnode}`)
  }

  check(): void {
    if (this.#replace) return
    const names = this.#names()
    if (names !== undefined && names.length > 0) throw this.#notEmpty({ name: String(names[0]) })
  }

  prepare(): void {
    this.check()
    try {
      const names = this.#names()
      if (names === undefined) {
        this.#fs.mkdirSync(this.#dir, { recursive: true })
        this.#madeDir = true
      }
      this.#isPrepared = true
      for (const name of names ?? []) removeTree(this.#fs, `${this.#dir}/${String(name)}`)
      this.#fs.mkdirSync(this.#staging)
    } catch (error) {
      throw fileError(error, this.#dir)
    }
  }

  create(fnode: number): void {
    this.#writer.create(fnode)
  }

  write(fnode: number, offset: number, bytes: Uint8Array, begin: number, end: number): boolean {
    return this.#writer.write(fnode, offset, bytes, begin, end)
  }

  remove(fnode: number): void {
    this.#writer.remove(fnode)
  }

  room(): Promise<void> {
    return this.#writer.room()
  }

  release(bytes: Uint8Array): Promise<void> | undefined {
    return this.#writer.release(bytes)
  }

  sizeOf(fnode: number): number {
    return this.#writer.sizeOf(fnode)
  }

  flush(): Promise<void> {
    return this.#writer.flush()
  }

  /** Asks by making them: what a file system takes for one name only it can tell. */
  sameName(names: readonly string[]): readonly [string, string] | undefined {
    const probe = `${this.#staging}/names`
    const made: string[] = []
    try {
      this.#fs.mkdirSync(probe)
      for (const name of names) {
        if (!this.#makeEmpty(`${probe}/${name}`)) {
          const { ino } = this.#fs.lstatSync(`${probe}/${name}`)
          const other = made.find((other) => this.#fs.lstatSync(`${probe}/${other}`).ino === ino)
          return [other ?? (made[0] as string), name]
        }
        made.push(name)
      }
      return undefined
    } catch (error) {
      throw fileError(error, probe)
    } finally {
      removeTree(this.#fs, probe)
    }
  }

  finish(layout: Layout): void {
    for (const path of layout.folders) {
      this.#make(path, true, (place) => this.#fs.mkdirSync(place))
    }
    for (const { path, fnode } of layout.links) {
      this.#make(path, false, (place) => {
        this.#fs.linkSync(`${this.#staging}/${fnode}`, place)
      })
    }
    this.#writer.unlinkAll()
    try {
      this.#fs.rmdirSync(this.#staging)
    } catch (error) {
      throw fileError(error, this.#staging)
    }
    for (const { path, content } of layout.properties) this.#writeProperty(path, utf8.encode(content))
  }

  async discard(): Promise<void> {
    await this.#writer.discard()
    if (!this.#isPrepared) return
    try {
      for (const { place, isFolder } of this.#made.reverse()) {
        if (isFolder) this.#fs.rmdirSync(place)
        else unlinkIfThere(this.#fs, place)
      }
      removeTree(this.#fs, this.#staging)
      if (this.#madeDir) this.#fs.rmdirSync(this.#dir)
    } catch (error) {
      throw fileError(error, this.#dir)
    }
  }

  /**
   * Each folder and each file is new: one that is there already is another name for it, or somebody else's, perhaps a
   * symbolic link that leads out of the directory.
   */
  #make<Made>(path: string, isFolder: boolean, how: (place: string) => Made): Made {
    const place = this.#dir + path
    try {
      const made = how(place)
      this.#made.push({ place, isFolder })
      return made
    } catch (error) {
      throw fileError(error, place)
    }
  }

  #makeEmpty(path: string): boolean {
    try {
      this.#fs.closeSync(this.#fs.openSync(path, 'wx'))
      return true
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') return false
      throw error
    }
  }

  #writeProperty(path: string, bytes: Uint8Array): void {
    const fd = this.#make(path, false, (place) => this.#fs.openSync(place, 'wx', 0o666))
    try {
      try {
        for (let done = 0; done < bytes.length;) {
          done += this.#fs.writeSync(fd, bytes, done, bytes.length - done, done)
        }
      } finally {
        this.#fs.closeSync(fd)
      }
    } catch (error) {
      throw fileError(error, this.#dir + path)
    }
  }

  /** What lies in the directory; undefined when it is not there. */
  #names(): unknown[] | undefined {
    try {
      return this.#fs.readdirSync(this.#dir)
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined
      if (systemErrorCode(error) === 'ENOTDIR') throw this.#notEmpty({})
      throw fileError(error, this.#dir)
    }
  }

  #notEmpty(data: { readonly name?: string }): RecoveryLogError {
    return new RecoveryLogError('TARGET_NOT_EMPTY', `${this.#dir} is not an empty directory`, {
      dir: this.#dir,
      ...data,
    })
  }
}
