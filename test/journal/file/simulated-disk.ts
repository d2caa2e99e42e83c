import type { FolderWatch, JournalFileSystem } from '../../../src/journal/file/index.ts'
import type { FileStat } from '../../../src/parts/index.ts'

/** What a power loss leaves of what was not synced is decided by this: a number in [0, 1) each time. */
export type Chance = () => number

/** Sectors reach the disk whole, in any order. */
const SECTOR_BYTES = 64

interface Inode {
  data: Uint8Array
  /** What a power loss cannot take away. */
  synced: Uint8Array
  /** Counts syncs as they begin: one that began earlier and ends later takes nothing back. */
  version: number
  syncedVersion: number
  links: number
}

/**
 * A disk and the system's cache in front of it, in memory: one folder level, what a file journal calls and no more. It
 * loses what was not synced when the power goes: any part of it. `beforeCall` is told of each call, and may throw.
 */
export class SimulatedDisk {
  #names = new Map<string, Inode>()
  #syncedNames = new Map<string, Inode>()
  readonly #folders = new Set<string>()
  readonly #open = new Map<number, { readonly inode: Inode | undefined; readonly path: string }>()
  readonly #watchers = new Set<() => void>()
  #nextFd = 3

  /** One process's view of the disk. */
  view(beforeCall: (name: string, path: string) => void = () => undefined): JournalFileSystem {
    const pathOf = (at: unknown): string =>
      typeof at === 'number' ? (this.#open.get(at)?.path ?? '') : String(at)
    const guarded = <Args extends unknown[], T>(name: string, call: (...args: Args) => T) => {
      return (...args: Args): T => {
        beforeCall(name, pathOf(args[0]))
        return call(...args)
      }
    }
    const statSync = (path: string, options?: { readonly throwIfNoEntry: false }): FileStat | undefined => {
      const inode = this.#names.get(path)
      if (inode === undefined && !this.#folders.has(path)) {
        if (options?.throwIfNoEntry === false) return undefined
        throw systemError('ENOENT', path)
      }
      return stat(inode)
    }
    return {
      openSync: guarded('openSync', (path: string, flags: string | number) =>
        this.#openFile(path, String(flags)),
      ),
      closeSync: guarded('closeSync', (fd: number) => {
        if (!this.#open.delete(fd)) throw systemError('EBADF', String(fd))
      }),
      readSync: guarded('readSync', (fd, buffer, offset, length, position) =>
        this.#read(fd, buffer, offset, length, position ?? 0),
      ),
      read: (fd, buffer, offset, length, position, answer) => {
        settle(answer, () => {
          beforeCall('read', pathOf(fd))
          return this.#read(fd, buffer, offset, length, position)
        })
      },
      writeSync: guarded('writeSync', (fd, buffer, offset, length, position) =>
        this.#write(fd, [buffer.subarray(offset, offset + length)], position ?? 0),
      ),
      writevSync: guarded('writevSync', (fd, buffers, position) => this.#write(fd, buffers, position)),
      fsyncSync: guarded('fsyncSync', (fd) => this.#sync(fd)),
      fdatasyncSync: guarded('fdatasyncSync', (fd) => this.#sync(fd)),
      fdatasync: (fd, answer) => {
        const inode = this.#inode(fd)
        const [data, version] = [inode.data.slice(), ++inode.version]
        settle(answer, () => {
          beforeCall('fdatasync', pathOf(fd))
          this.#inode(fd) // a descriptor that was closed meanwhile may belong to another file by now
          if (version > inode.syncedVersion) Object.assign(inode, { synced: data, syncedVersion: version })
        })
      },
      ftruncateSync: guarded('ftruncateSync', (fd, length = 0) => {
        const inode = this.#inode(fd)
        inode.data = resized(inode.data, length)
      }),
      fstatSync: guarded('fstatSync', (fd) => stat(this.#open.get(fd)?.inode)),
      statSync: guarded('statSync', statSync) as JournalFileSystem['statSync'],
      lstatSync: guarded('lstatSync', statSync) as JournalFileSystem['lstatSync'],
      mkdirSync: guarded('mkdirSync', (path) => this.#folders.add(path)),
      readdirSync: guarded('readdirSync', (path) =>
        [...this.#names.keys()]
          .filter((name) => name.startsWith(`${path}/`))
          .map((name) => name.slice(path.length + 1)),
      ),
      linkSync: guarded('linkSync', (from, to) => {
        const inode = this.#named(from)
        if (this.#names.has(to)) throw systemError('EEXIST', to)
        inode.links++
        this.#names.set(to, inode)
        this.#tell()
      }),
      unlinkSync: guarded('unlinkSync', (path) => {
        this.#named(path).links--
        this.#names.delete(path)
        this.#tell()
      }),
      renameSync: notCalled,
      rmdirSync: notCalled,
      rmSync: notCalled,
      watch: (_path, listener): FolderWatch => {
        this.#watchers.add(listener)
        return { close: () => this.#watchers.delete(listener), on: () => undefined }
      },
    }
  }

  /** The power goes and comes back: of what was not synced, chance decides for each sector and each name. */
  losePower(chance: Chance): void {
    const kept = new Map(this.#syncedNames)
    for (const [name, inode] of this.#names) if (chance() < 0.5) kept.set(name, inode)
    for (const name of this.#syncedNames.keys()) {
      if (!this.#names.has(name) && chance() < 0.5) kept.delete(name)
    }
    for (const inode of new Set(kept.values())) {
      inode.data = afterPowerLoss(inode, chance)
      inode.synced = inode.data.slice()
      inode.links = [...kept.values()].filter((other) => other === inode).length
    }
    this.#names = kept
    this.#syncedNames = new Map(kept)
    this.#open.clear()
    this.#watchers.clear()
  }

  get openFiles(): string[] {
    return [...this.#open.values()].map(({ path }) => path)
  }

  #openFile(path: string, flags: string): number {
    const fd = this.#nextFd++
    if (this.#folders.has(path)) {
      this.#open.set(fd, { inode: undefined, path })
      return fd
    }
    let inode = this.#names.get(path)
    if (inode === undefined) {
      if (flags.startsWith('r')) throw systemError('ENOENT', path)
      inode = { data: new Uint8Array(0), synced: new Uint8Array(0), version: 0, syncedVersion: 0, links: 1 }
      this.#names.set(path, inode)
      this.#tell()
    } else if (flags === 'wx') {
      throw systemError('EEXIST', path)
    } else if (flags === 'w') {
      inode.data = new Uint8Array(0)
    }
    this.#open.set(fd, { inode, path })
    return fd
  }

  #named(path: string): Inode {
    const inode = this.#names.get(path)
    if (inode === undefined) throw systemError('ENOENT', path)
    return inode
  }

  #inode(fd: number): Inode {
    const inode = this.#open.get(fd)?.inode
    if (inode === undefined) throw systemError('EBADF', String(fd))
    return inode
  }

  #read(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    const found = this.#inode(fd).data.subarray(position, position + length)
    buffer.set(found, offset)
    return found.length
  }

  #write(fd: number, buffers: readonly Uint8Array[], position: number): number {
    const inode = this.#inode(fd)
    let at = position
    const end = buffers.reduce((sum, { length }) => sum + length, position)
    if (end > inode.data.length) inode.data = resized(inode.data, end)
    for (const buffer of buffers) {
      inode.data.set(buffer, at)
      at += buffer.length
    }
    this.#tell()
    return at - position
  }

  #sync(fd: number): void {
    const { inode } = this.#open.get(fd) ?? {}
    if (inode === undefined) this.#syncedNames = new Map(this.#names)
    else Object.assign(inode, { synced: inode.data.slice(), syncedVersion: ++inode.version })
  }

  #tell(): void {
    for (const listener of this.#watchers) listener()
  }
}

/** Answers in a later turn, as a thread pool does. */
function settle<T>(answer: (error: Error | null, result: T) => void, work: () => T): void {
  setImmediate(() => {
    let result: T
    try {
      result = work()
    } catch (error) {
      answer(error as Error, undefined as T)
      return
    }
    answer(null, result)
  })
}

function afterPowerLoss({ data, synced }: Inode, chance: Chance): Uint8Array {
  const size =
    chance() < 0.5 ? synced.length : synced.length + Math.floor(chance() * (data.length - synced.length + 1))
  const left = resized(synced, Math.max(0, size))
  for (let at = 0; at < Math.min(left.length, data.length); at += SECTOR_BYTES) {
    if (chance() < 0.5) left.set(data.subarray(at, Math.min(at + SECTOR_BYTES, left.length)), at)
  }
  return left
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  const sized = new Uint8Array(length)
  sized.set(bytes.subarray(0, length))
  return sized
}

function stat(inode: Inode | undefined): FileStat {
  return {
    size: inode?.data.length ?? 0,
    ino: 0,
    dev: 0,
    nlink: inode?.links ?? 1,
    isFile: () => inode !== undefined,
    isDirectory: () => inode === undefined,
    isSymbolicLink: () => false,
  }
}

export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

function notCalled(): never {
  throw new Error('a file journal does not call this')
}

/** A seeded sequence of numbers in [0, 1): mulberry32. */
export function chances(seed: number): Chance {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
