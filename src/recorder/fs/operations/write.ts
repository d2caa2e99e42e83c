/** Writing to what is open, and whole files. */
import { type Change, contentBytes } from '../change.ts'
import type { Context } from '../context.ts'
import { argumentError, systemError } from '../errors.ts'
import type { OpenFile } from '../open-files.ts'
import { ask, Durable, reserve, type Steps } from '../steps.ts'
import { isOptions, sliceOf, viewOf } from './arguments.ts'
import { readWhole } from './content.ts'
import { closeFile, openFile, parse } from './open.ts'
import { propertyText, recordProperty } from './property.ts'

/** `fs.write(fd, buffer, offset?, length?, position?)`, with an options object, or `(fd, string, position?, encoding?)`. */
export function write(context: Context, fd: unknown, data: unknown, ...rest: unknown[]): Steps<number> {
  if (typeof data === 'string') {
    return writeOnce(context, fd, context.native.encode(data, rest[1]), positionOf(rest[0]))
  }
  const [offset, length, position] = isOptions(rest[0])
    ? [rest[0]['offset'], rest[0]['length'], rest[0]['position']]
    : rest
  const bytes = sliceOf(viewOf(data, 'buffer'), offset, length)
  return writeOnce(context, fd, owned(context, bytes), positionOf(position))
}

function* writeOnce(
  context: Context,
  fd: unknown,
  bytes: Uint8Array,
  position: number | null,
): Steps<number> {
  const file = writable(context, fd, 'write')
  yield* reserve(contentBytes(bytes.length))
  return yield* context.changing((change) => writeSome(context, change, file, bytes, position))
}

/** `fs.writev(fd, buffers, position?)`. */
export function writev(context: Context, fd: unknown, buffers: unknown, position?: unknown): Steps<number> {
  if (!Array.isArray(buffers)) {
    throw argumentError(
      'ERR_INVALID_ARG_TYPE',
      'The "buffers" argument must be an instance of ArrayBufferView[].',
    )
  }
  const views = buffers.map((buffer) => viewOf(buffer, 'buffers'))
  const bytes = views.reduce((sum, view) => sum + view.length, 0)
  const own = context.runner.isImmediate(bytesOf(views)) ? views : views.map((view) => new Uint8Array(view))
  return writeAllAtOnce(context, fd, own, bytes, positionOf(position))
}

function bytesOf(views: readonly Uint8Array[]): number {
  return views.reduce((sum, view) => sum + contentBytes(view.length), 0)
}

function* writeAllAtOnce(
  context: Context,
  fd: unknown,
  views: readonly Uint8Array[],
  length: number,
  position: number | null,
): Steps<number> {
  if (views.length === 0) return 0
  const file = writable(context, fd, 'write')
  yield* reserve(bytesOf(views))
  return yield* context.changing(function* (change) {
    if (file.inode.property !== undefined) {
      return yield* writeSome(context, change, file, joined(views, length), position)
    }
    const at = yield* placeOf(file, position)
    const count = yield* ask('writev', file.fd, views, file.append ? null : at)
    if (position === null) file.position = at + count
    let begin = 0
    for (const view of views) {
      change.addContent(file.inode, at + begin, view.subarray(0, Math.max(0, count - begin)))
      begin += view.length
    }
    return count
  })
}

/** One write of the disk, recorded as far as it went. */
function* writeSome(
  context: Context,
  change: Change,
  file: OpenFile,
  bytes: Uint8Array,
  position: number | null,
): Steps<number> {
  const at = yield* placeOf(file, position)
  if (file.inode.property !== undefined) yield* checkProperty(context, file.inode.property, at, bytes)
  const count = yield* ask('write', file.fd, bytes, 0, bytes.length, file.append ? null : at)
  if (position === null) file.position = at + count
  if (file.inode.property !== undefined) yield* recordProperty(context, change, file.inode.property)
  else change.addContent(file.inode, at, bytes.subarray(0, count))
  return count
}

/** Where the next write goes: to the end of a file that appends, wherever it is asked for. */
function* placeOf(file: OpenFile, position: number | null): Steps<number> {
  if (file.append) return (yield* ask('fstat', file.fd)).size
  return position ?? file.position
}

function* checkProperty(context: Context, path: string, at: number, bytes: Uint8Array): Steps<void> {
  const before = yield* readWhole(context, path)
  const after = new Uint8Array(Math.max(before.length, at + bytes.length))
  after.set(before)
  after.set(bytes, at)
  propertyText(after, path)
}

function writable(context: Context, fd: unknown, syscall: string): OpenFile {
  const file = context.files.get(fd, syscall)
  if (!file.writable) throw systemError('EBADF', syscall)
  return file
}

/** The caller's bytes themselves when they are written before the call returns, else a copy: `slice` of a Buffer is none. */
function owned(context: Context, bytes: Uint8Array): Uint8Array {
  return context.runner.isImmediate(contentBytes(bytes.length)) ? bytes : new Uint8Array(bytes)
}

function joined(views: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const view of views) {
    bytes.set(view, at)
    at += view.length
  }
  return bytes
}

/** Anything but a position means the file's own, as in Node. */
function positionOf(position: unknown): number | null {
  return typeof position === 'number' && position >= 0 ? position : null
}

export function writeFile(
  context: Context,
  target: unknown,
  data: unknown,
  options?: unknown,
): Steps<unknown> {
  return writeWhole(context, target, data, options, 'w')
}

export function appendFile(
  context: Context,
  target: unknown,
  data: unknown,
  options?: unknown,
): Steps<unknown> {
  return writeWhole(context, target, data, options, 'a')
}

/** To a path with `flag`, or to an open file from its position on. */
function writeWhole(
  context: Context,
  target: unknown,
  data: unknown,
  options: unknown,
  flag: string,
): Steps<unknown> {
  const { encoding, mode, flush, flag: asked } = isOptions(options) ? options : { encoding: options }
  const bytes =
    typeof data === 'string' ? context.native.encode(data, encoding) : owned(context, viewOf(data, 'data'))
  return writeWholeSteps(context, target, bytes, { flags: asked ?? flag, mode, flush: flush === true })
}

function* writeWholeSteps(
  context: Context,
  target: unknown,
  bytes: Uint8Array,
  options: { flags: unknown; mode: unknown; flush: boolean },
): Steps<unknown> {
  const { flags, mode, flush } = options
  yield* reserve(contentBytes(bytes.length))
  yield* context.changing(function* (change) {
    if (typeof target === 'number') {
      yield* writeAll(context, change, writable(context, target, 'write'), bytes)
      return
    }
    const file = yield* openFile(context, change, target, parse(context, flags), mode)
    try {
      if (!file.writable && bytes.length > 0) throw systemError('EBADF', 'write')
      yield* writeAll(context, change, file, bytes)
    } finally {
      yield* closeFile(context, change, file)
    }
  })
  return flush ? new Durable(undefined) : undefined
}

/** As many writes as it takes, from the file's position on. */
export function* writeAll(context: Context, change: Change, file: OpenFile, bytes: Uint8Array): Steps<void> {
  for (let at = 0; at < bytes.length;) {
    at += yield* writeSome(context, change, file, bytes.subarray(at), null)
  }
}
