/**
 * The underlying file system, any object of the shape of `node:fs`, with `/` mapped to one folder of it. Everything that
 * the recorded file system does to files goes through here, and no error leaves with a path of the underlying one.
 */
import { unsupported, withVirtualPaths, systemError } from './errors.ts'
import { flagNumbersOf, type FlagNumbers } from './flags.ts'

/** Whatever the object has under that name. */
type AnyFunction = (...args: unknown[]) => unknown

/** An object of the shape of `node:fs`: with synchronous functions, or with `promises` only. */
export type NodeShaped = object

/** The file handle of a file system that has promises only. */
type Handle = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>

/** Calls on a descriptor, and what they are called on a handle. */
const ON_HANDLES: Readonly<Record<string, string>> = {
  close: 'close',
  fchmod: 'chmod',
  fchown: 'chown',
  fstat: 'stat',
  ftruncate: 'truncate',
  futimes: 'utimes',
  read: 'read',
  readv: 'readv',
  write: 'write',
  writev: 'writev',
}

/** Where a handle's answer holds the count that a descriptor's call answers. */
const COUNTS: Readonly<Record<string, string>> = {
  read: 'bytesRead',
  readv: 'bytesRead',
  write: 'bytesWritten',
  writev: 'bytesWritten',
}

/** Descriptors that stand for handles begin here, as they do in a process. */
const FIRST_FD = 3

export class Disk {
  /** The folder that `/` is: absolute, without a slash at its end. Empty when it is the root of the underlying one. */
  readonly root: string
  readonly flagNumbers: FlagNumbers
  /** Whether it has synchronous functions: then every change is made by them. */
  readonly isSync: boolean
  /** The underlying object. */
  readonly fs: NodeShaped
  readonly #fs: Readonly<Record<string, unknown>>
  readonly #promises: Readonly<Record<string, unknown>>
  readonly #handles = new Map<number, Handle>()

  constructor(fs: NodeShaped, root: string) {
    this.fs = fs
    this.#fs = fs as Readonly<Record<string, unknown>>
    this.#promises = (this.#fs['promises'] ?? {}) as Readonly<Record<string, unknown>>
    this.isSync = typeof this.#fs['openSync'] === 'function'
    this.root = root === '/' ? '' : root
    const constants = this.#fs['constants'] ?? this.#promises['constants']
    this.flagNumbers = flagNumbersOf(constants as Partial<FlagNumbers> | undefined)
  }

  /** Makes the disk of a folder, which must be there; its path is resolved, so that no answer can name another one. */
  static async at(fs: NodeShaped, dir: string): Promise<Disk> {
    const disk = new Disk(fs, '/')
    return new Disk(fs, (await disk.callAsync('realpath', [dir])) as string)
  }

  /** A member of the underlying object. */
  member(name: string): unknown {
    return this.#fs[name]
  }

  /** The names of its functions. */
  members(): string[] {
    return functionsOf(this.#fs)
  }

  promiseMembers(): string[] {
    return functionsOf(this.#promises)
  }

  /** Calls a function that has no synchronous and no promise form, such as `watch`. */
  invoke(name: string, args: readonly unknown[]): unknown {
    try {
      return (this.#fs[name] as AnyFunction).apply(this.#fs, [...args])
    } catch (error) {
      throw this.#translated(error)
    }
  }

  /** Calls a function of `promises` that answers no promise. */
  invokePromise(name: string, args: readonly unknown[]): unknown {
    return this.#callPromise(name, args)
  }

  /** The path there of a `/`-rooted path. */
  real(path: string): string {
    return path === '/' && this.root !== '' ? this.root : this.root + path
  }

  /** The `/`-rooted path of one there; what lies outside keeps its name. */
  virtual(real: string): string {
    if (real === this.root) return '/'
    return real.startsWith(`${this.root}/`) ? real.slice(this.root.length) : real
  }

  call(method: string, args: readonly unknown[]): unknown {
    const call = this.#fs[`${method}Sync`]
    if (typeof call !== 'function') throw unsupported(`${method}Sync`)
    try {
      return call.apply(this.#fs, args)
    } catch (error) {
      throw this.#translated(error)
    }
  }

  async callAsync(method: string, args: readonly unknown[]): Promise<unknown> {
    try {
      if (this.isSync) return await this.#callEither(method, args)
      if (method === 'open') return this.#adopt((await this.#callPromise('open', args)) as Handle)
      if (method in ON_HANDLES) return await this.#callHandle(method, args)
      return await this.#callPromise(method, args)
    } catch (error) {
      throw this.#translated(error)
    }
  }

  /** By promises where it has them, by a callback, or by the synchronous function. */
  #callEither(method: string, args: readonly unknown[]): unknown {
    if (typeof this.#promises[method] === 'function') return this.#callPromise(method, args)
    const call = this.#fs[method]
    if (typeof call !== 'function') return this.call(method, args)
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null | undefined, value: unknown): void => {
        if (error === null || error === undefined) resolve(value)
        else reject(error)
      }
      call.call(this.#fs, ...args, settle)
    })
  }

  #callPromise(method: string, args: readonly unknown[]): Promise<unknown> {
    const call = this.#promises[method]
    if (typeof call !== 'function') throw unsupported(method)
    return call.apply(this.#promises, args) as Promise<unknown>
  }

  #adopt(handle: Handle): number {
    let fd = FIRST_FD
    while (this.#handles.has(fd)) fd++
    this.#handles.set(fd, handle)
    return fd
  }

  async #callHandle(method: string, args: readonly unknown[]): Promise<unknown> {
    const [fd, ...rest] = args as [number, ...unknown[]]
    const handle = this.#handles.get(fd)
    if (handle === undefined) throw systemError('EBADF', method)
    if (method === 'close') this.#handles.delete(fd)
    const call = handle[ON_HANDLES[method] as string]
    if (typeof call !== 'function') throw unsupported(method)
    const answer = await call.apply(handle, rest)
    const count = COUNTS[method]
    return count === undefined ? answer : (answer as Record<string, unknown>)[count]
  }

  #translated(error: unknown): unknown {
    return withVirtualPaths(error, (real) => this.virtual(real))
  }
}

/** Own or inherited: some file systems are objects of a class. */
function functionsOf(object: Readonly<Record<string, unknown>>): string[] {
  const names = new Set<string>()
  let at: object = object
  while (at !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name)
    at = (Object.getPrototypeOf(at) as object | null) ?? Object.prototype
  }
  names.delete('constructor')
  return [...names].filter((name) => typeof object[name] === 'function')
}
