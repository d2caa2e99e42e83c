/** The shape of `node:fs`: the same operations with results, with callbacks, and with promises. */
import type * as nodeFs from 'node:fs'
import type { Calls } from './calls.ts'
import { argumentError, unsupported } from './errors.ts'
import { FileHandle } from './file-handle.ts'
import { leanCalls } from './lean-calls.ts'
import { isOptions } from './operations/arguments.ts'
import { OPERATIONS, type OperationName } from './operations/index.ts'
import { exists } from './operations/read.ts'
import { locate } from './paths.ts'
import { createReadStream } from './read-stream.ts'
import { PROMISED } from './support.ts'
import { gathered } from './write-source.ts'
import { createWriteStream } from './write-stream.ts'

/** The type of `node:fs`, so that a recorded file system goes wherever an `fs` is asked for. */
export type NodeFileSystem = typeof nodeFs

type Face = Record<string, unknown>
type Callback = (...results: unknown[]) => void

/** What a callback gets behind the count, and the names of both in the answer of a promisified call. */
const PAIRED: Readonly<Partial<Record<OperationName, readonly [count: string, data: string]>>> = {
  read: ['bytesRead', 'buffer'],
  readv: ['bytesRead', 'buffers'],
  write: ['bytesWritten', 'buffer'],
  writev: ['bytesWritten', 'buffers'],
}

const CUSTOM_PROMISE = Symbol.for('nodejs.util.promisify.custom')

/** Data of the underlying file system that is good here too. */
const SHARED = ['constants', 'F_OK', 'R_OK', 'W_OK', 'X_OK', 'Stats', 'Dirent', 'Dir', '_toUnixTimestamp']

/** The whole face. Over a file system with promises only it has no synchronous functions. */
export function makeFaces(calls: Calls): NodeFileSystem {
  const { disk } = calls.context
  const fs: Face = {}
  for (const name of SHARED) if (disk.member(name) !== undefined) fs[name] = disk.member(name)
  for (const name of Object.keys(OPERATIONS) as OperationName[]) {
    // Node on Linux has no lchmod, and whoever asks whether it is there is told the truth.
    if (name === 'lchmod' && typeof disk.member('lchmod') !== 'function') continue
    fs[name] = callbackForm(calls, name)
    if (disk.isSync) fs[`${name}Sync`] = synchronousForm(calls, name)
  }
  Object.assign(fs, existence(calls), streams(calls), watching(calls), leanCalls(calls))
  const promises = promisesFace(calls)
  fs['promises'] = promises
  refuseOthers(fs, disk.members())
  refuseOthers(promises, disk.promiseMembers())
  return fs as unknown as NodeFileSystem
}

function synchronousForm(calls: Calls, name: OperationName): unknown {
  if (name === 'read') return (...args: unknown[]) => calls.now('read', calls.readArguments(args))
  const call = (...args: unknown[]): unknown => calls.now(name, args)
  return name === 'realpath' ? Object.assign(call, { native: call }) : call
}

function callbackForm(calls: Calls, name: OperationName): unknown {
  const pair = PAIRED[name]
  const argumentsOf = (args: unknown[]): readonly unknown[] =>
    name === 'read' ? calls.readArguments(args) : args
  const call = (...args: unknown[]): void => {
    const callback = takeCallback(args)
    const given = argumentsOf(args)
    deliver(
      calls.later(name, given),
      (value) => {
        if (value === undefined) callback(null)
        else if (pair === undefined) callback(null, value)
        else callback(null, value, given[1])
      },
      callback,
    )
  }
  if (name === 'realpath') return Object.assign(call, { native: call })
  if (pair === undefined) return call
  const promised = async (...args: unknown[]): Promise<unknown> => {
    const given = argumentsOf(args)
    return { [pair[0]]: await calls.later(name, given), [pair[1]]: given[1] }
  }
  return Object.assign(call, { [CUSTOM_PROMISE]: promised })
}

function takeCallback(args: unknown[]): Callback {
  const callback = args.pop()
  if (typeof callback === 'function') return callback as Callback
  throw argumentError('ERR_INVALID_ARG_TYPE', 'The "cb" argument must be of type function.')
}

/** Calls back outside of any promise, so that what a callback throws is thrown where it can be seen. */
function deliver(
  promise: Promise<unknown>,
  succeed: (value: unknown) => void,
  fail: (error: unknown) => void,
): void {
  promise.then(
    (value) => {
      queueMicrotask(() => {
        succeed(value)
      })
    },
    (error: unknown) => {
      queueMicrotask(() => {
        fail(error)
      })
    },
  )
}

function existence(calls: Calls): Face {
  const { context } = calls
  const promised = async (path: unknown): Promise<unknown> => context.runner.runFree(exists(context, path))
  return {
    exists: Object.assign(
      (path: unknown, callback: Callback) => {
        deliver(promised(path), callback, callback)
      },
      { [CUSTOM_PROMISE]: promised },
    ),
    ...(context.disk.isSync && {
      existsSync: (path: unknown) => context.runner.runFreeSync(exists(context, path)),
    }),
  }
}

function streams(calls: Calls): Face {
  const encodingOnly = (options: unknown): object =>
    isOptions(options) ? options : options === undefined ? {} : { encoding: options }
  // Not an arrow function: `new fs.ReadStream(path)` is taken too.
  function read(path: unknown, options?: unknown): unknown {
    return createReadStream(calls, path, encodingOnly(options))
  }
  function write(path: unknown, options?: unknown): unknown {
    return createWriteStream(calls, path, encodingOnly(options))
  }
  return {
    createReadStream: read,
    createWriteStream: write,
    ReadStream: read,
    WriteStream: write,
    FileReadStream: read,
    FileWriteStream: write,
  }
}

/** What works on a path as long as the process runs, so by the underlying file system itself. */
function watching(calls: Calls): Face {
  const { context } = calls
  const { disk, runner } = context
  const face: Face = {}
  for (const name of ['watch', 'watchFile', 'unwatchFile', 'openAsBlob']) {
    const member = disk.member(name)
    if (typeof member !== 'function') continue
    face[name] = (path: unknown, ...rest: unknown[]): unknown => {
      const place = runner.runFreeSync(locate(context, path, { syscall: name, follow: true, changes: false }))
      return disk.invoke(name, [(place as { real: string }).real, ...rest])
    }
  }
  return face
}

function promisesFace(calls: Calls): Face {
  const { context } = calls
  const face: Face = {}
  for (const name of PROMISED) {
    face[name] = async (target: unknown, ...rest: unknown[]) =>
      calls.later(name, [target instanceof FileHandle ? target.fd : target, ...rest])
  }
  face['open'] = async (...args: unknown[]) =>
    new FileHandle(calls, (await calls.later('open', args)) as number)
  for (const name of ['writeFile', 'appendFile'] as const) {
    face[name] = async (target: unknown, data: unknown, options?: unknown): Promise<void> => {
      const settings = isOptions(options) ? options : { encoding: options }
      ;(settings as { signal?: AbortSignal }).signal?.throwIfAborted()
      const to = target instanceof FileHandle ? target.fd : target
      let next: unknown = settings
      await gathered(calls, data, settings['encoding' as keyof typeof settings], async (piece) => {
        const piecewise = next
        next = { ...settings, flag: 'a' }
        await calls.later(name, [to, piece, piecewise])
      })
    }
  }
  face['watch'] = async function* (path: unknown, ...rest: unknown[]): AsyncGenerator {
    const place = await context.runner.runFree(
      locate(context, path, { syscall: 'watch', follow: true, changes: false }),
    )
    yield* context.disk.invokePromise('watch', [
      (place as { real: string }).real,
      ...rest,
    ]) as AsyncIterable<unknown>
  }
  face['constants'] = context.disk.member('constants')
  return face
}

/** Whatever else the underlying one can do would reach around this one: it says so when it is called. */
function refuseOthers(face: Face, names: readonly string[]): void {
  for (const name of names) {
    if (name in face) continue
    face[name] = (): never => {
      throw unsupported(name)
    }
  }
}
