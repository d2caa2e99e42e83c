import type { Context } from '../context.ts'
import { withVirtualPaths } from '../errors.ts'
import { locate } from '../paths.ts'
import { pass, type Steps } from '../steps.ts'
import { inVirtualFolder } from './read.ts'

/** What is used of `fs.Dir`. */
interface Dir {
  read(): Promise<unknown>
  readSync(): unknown
  close(): Promise<void>
  closeSync(): void
}

type EntryCallback = (error: unknown, entry?: unknown) => void

/** `fs.opendir(path, options?)`. */
export function* opendir(context: Context, path: unknown, ...rest: unknown[]): Steps<VirtualDir> {
  const place = yield* locate(context, path, { syscall: 'opendir', follow: true, changes: false })
  return new VirtualDir(context, place.path, (yield* pass('opendir', [place.real, ...rest])) as Dir)
}

/** An `fs.Dir` of the underlying file system, as if it were below `/`. */
class VirtualDir {
  readonly path: string
  readonly #context: Context
  readonly #dir: Dir

  constructor(context: Context, path: string, dir: Dir) {
    this.#context = context
    this.path = path
    this.#dir = dir
  }

  /** The next entry, null behind the last one; by a promise, or to a callback. */
  read(callback?: EntryCallback): Promise<unknown> | undefined {
    return told(
      this.#attempt(() => this.#dir.read()).then((entry) => this.#shown(entry)),
      callback,
    )
  }

  readSync(): unknown {
    return this.#shown(this.#dir.readSync())
  }

  close(callback?: EntryCallback): Promise<unknown> | undefined {
    return told(
      this.#attempt(() => this.#dir.close()),
      callback,
    )
  }

  closeSync(): void {
    this.#dir.closeSync()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator {
    try {
      for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry
    } finally {
      await this.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #attempt<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw withVirtualPaths(error, (real) => this.#context.disk.virtual(real))
    }
  }

  #shown(entry: unknown): unknown {
    inVirtualFolder(this.#context, entry)
    return entry
  }
}

function told(promise: Promise<unknown>, callback: EntryCallback | undefined): Promise<unknown> | undefined {
  if (callback === undefined) return promise
  promise.then(
    (entry) => {
      queueMicrotask(() => {
        callback(null, entry)
      })
    },
    (error: unknown) => {
      queueMicrotask(() => {
        callback(error)
      })
    },
  )
  return undefined
}
