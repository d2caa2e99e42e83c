/** What changes nothing, and what only the disk keeps: passed through, with places of the disk in and `/`-rooted paths out. */
import { type Context, UNLESS_MISSING } from '../context.ts'
import { systemError } from '../errors.ts'
import type { OpenFile } from '../open-files.ts'
import { locate, type Place } from '../paths.ts'
import { ask, pass, type Steps } from '../steps.ts'
import { isOptions, sliceOf, viewOf } from './arguments.ts'
import { readRange } from './content.ts'
import { parse } from './open.ts'

/** Calls on a path that go to the underlying one with all their arguments. `follow`: a symbolic link at the end. */
export function passPath(method: string, syscall: string, follow: boolean) {
  return function* (context: Context, path: unknown, ...rest: unknown[]): Steps<unknown> {
    const place = yield* locate(context, path, { syscall, follow, changes: false })
    return yield* pass(method, [place.real, ...rest])
  }
}

/** The same on a descriptor. */
export function passDescriptor(method: string) {
  return function* (context: Context, fd: unknown, ...rest: unknown[]): Steps<unknown> {
    return yield* pass(method, [context.files.get(fd, method).fd, ...rest])
  }
}

/** `fs.read(fd, buffer, offset?, length?, position?)`, also with options in the place of the last three. */
export function* read(context: Context, fd: unknown, buffer: unknown, ...rest: unknown[]): Steps<number> {
  const [offset, length, position] = isOptions(rest[0])
    ? [rest[0]['offset'], rest[0]['length'], rest[0]['position']]
    : rest
  const bytes = sliceOf(viewOf(buffer, 'buffer'), offset, length)
  if (bytes.length === 0) return 0
  const file = readable(context, fd)
  const at = placeOf(position)
  const count = yield* ask('read', file.fd, bytes, 0, bytes.length, at ?? file.position)
  if (at === undefined) file.position += count
  return count
}

/** `fs.readv(fd, buffers, position?)`. */
export function* readv(context: Context, fd: unknown, buffers: unknown, position?: unknown): Steps<number> {
  const file = readable(context, fd)
  const at = placeOf(position)
  const count = yield* ask('readv', file.fd, buffers as ArrayBufferView[], at ?? file.position)
  if (at === undefined) file.position += count
  return count
}

/** Whether a read moves the position of the file: then it has its place in the order of the calls. */
export function movesPosition(position: unknown): boolean {
  return placeOf(position) === undefined
}

/** `fs.readFile(target, options?)`: of an open file from its position on. */
export function* readFile(context: Context, target: unknown, options?: unknown): Steps<unknown> {
  if (typeof target === 'number') return yield* readOpenFile(context, readable(context, target), options)
  const flags = parse(context, isOptions(options) ? options['flag'] : undefined)
  if (flags.create || flags.truncate) {
    throw systemError('EPERM', 'open', String(target)) // reading is no way to make a file: nobody would record it
  }
  return yield* passPath('readFile', 'open', true)(
    context,
    target,
    ...(options === undefined ? [] : [options]),
  )
}

function* readOpenFile(context: Context, file: OpenFile, options: unknown): Steps<unknown> {
  const { size } = yield* ask('fstat', file.fd)
  const bytes = yield* readRange(file.fd, file.position, Math.max(size, file.position))
  file.position += bytes.length
  const encoding = isOptions(options) ? options['encoding'] : options
  if (encoding === undefined || encoding === null || encoding === 'buffer') {
    return context.native.buffer(bytes)
  }
  return context.native.decode(bytes, encoding)
}

/** `fs.exists(path)`, which has no errors. */
export function* exists(context: Context, path: unknown): Steps<boolean> {
  try {
    const place = yield* locate(context, path, { syscall: 'access', follow: true, changes: false })
    return (yield* pass('stat', [place.real, UNLESS_MISSING])) !== undefined
  } catch {
    return false
  }
}

interface DirentLike {
  parentPath?: string
  path?: string
}

/** `fs.readdir(path, options?)`. Entries name the `/`-rooted directory that they are in. */
export function* readdir(context: Context, path: unknown, ...rest: unknown[]): Steps<unknown> {
  const place = yield* locate(context, path, { syscall: 'scandir', follow: true, changes: false })
  const entries = (yield* pass('readdir', [place.real, ...rest])) as unknown[]
  for (const entry of entries) inVirtualFolder(context, entry)
  return entries
}

/** A `Dirent` as if it had been read below `/`; names are left as they are. */
export function inVirtualFolder(context: Context, entry: unknown): void {
  if (typeof entry !== 'object' || entry === null || !('isDirectory' in entry)) return
  const dirent = entry as DirentLike
  for (const field of ['parentPath', 'path'] as const) {
    const folder = Object.getOwnPropertyDescriptor(dirent, field)?.value as unknown
    if (typeof folder === 'string') dirent[field] = context.disk.virtual(folder)
  }
}

/** `fs.realpath(path, options?)`: without symbolic links, and something is there. */
export function* realpath(context: Context, path: unknown, options?: unknown): Steps<unknown> {
  const place = yield* locate(context, path, { syscall: 'realpath', follow: true, changes: false })
  yield* existing(place)
  return encoded(context, place.path, options)
}

function* existing(place: Place): Steps<void> {
  try {
    yield* ask('stat', place.real)
  } catch (error) {
    const { code } = error as { code?: string }
    throw code === 'ENOENT' || code === 'ENOTDIR' ? systemError(code, 'realpath', place.shown) : error
  }
}

/** `fs.readlink(path, options?)`. What leads into the root is told from there. */
export function* readlink(context: Context, path: unknown, options?: unknown): Steps<unknown> {
  const place = yield* locate(context, path, { syscall: 'readlink', follow: false, changes: false })
  return encoded(context, context.disk.virtual(yield* ask('readlink', place.real)), options)
}

/** A path as the caller wants it. */
export function encoded(context: Context, path: string, options: unknown): unknown {
  const encoding = isOptions(options) ? options['encoding'] : options
  const bytes = context.native.buffer(new TextEncoder().encode(path))
  if (encoding === 'buffer') return bytes
  return context.native.decode(bytes, encoding)
}

function readable(context: Context, fd: unknown): OpenFile {
  const file = context.files.get(fd, 'read')
  if (!file.readable) throw systemError('EBADF', 'read')
  return file
}

/** Undefined, null and what is below 0 mean the file's own position. */
function placeOf(position: unknown): number | undefined {
  const place = typeof position === 'bigint' ? Number(position) : position
  return typeof place === 'number' && place >= 0 ? place : undefined
}
