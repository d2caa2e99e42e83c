/** Making and removing directories, and whole trees of them. */
import { type Change, pathBytes } from '../change.ts'
import type { Context } from '../context.ts'
import { operationError, systemError } from '../errors.ts'
import { markerOf, parentOf } from '../names.ts'
import { locate, normalise, pathText, type Place } from '../paths.ts'
import { ask, pass, reserve, type Steps } from '../steps.ts'
import { isOptions } from './arguments.ts'
import { unlinkFile } from './names.ts'
import { walk } from './walk.ts'

/** A directory's marker, and that of its parent. */
function directoryBytes(path: string): number {
  return pathBytes(markerOf(path)) + pathBytes(markerOf(parentOf(path)))
}

/** `fs.mkdir(path, options?)`. With `recursive` it answers the first directory that it made, if any. */
export function* mkdir(context: Context, path: unknown, options?: unknown): Steps<string | undefined> {
  const { recursive, mode } = isOptions(options) ? options : { mode: options, recursive: undefined }
  const place = yield* locate(context, path, { syscall: 'mkdir', follow: false, changes: true })
  yield* reserve(directoryBytes(place.path))
  return yield* context.changing(function* (change) {
    if (recursive === true) return yield* makeParents(context, change, place, mode)
    yield* makeDirectory(change, place, mode)
    return undefined
  })
}

export function* makeDirectory(change: Change, place: Place, mode: unknown): Steps<void> {
  yield* ask('mkdir', place.real, mode === undefined || mode === null ? {} : { mode })
  change.add(directoryBytes(place.path), (tree) => {
    tree.makeDirectory(place.path)
  })
}

/** The path's directories, from above. One that is there is passed over, whoever made it. */
export function* makeParents(
  context: Context,
  change: Change,
  place: Place,
  mode: unknown,
): Steps<string | undefined> {
  let first: string | undefined
  const pieces = place.path === '/' ? [] : place.path.slice(1).split('/')
  for (const index of pieces.keys()) {
    const path = `/${pieces.slice(0, index + 1).join('/')}`
    if (context.tree.kindOf(path) === 'directory') continue
    const isLast = path === place.path
    try {
      yield* makeDirectory(
        change,
        { path, real: isLast ? place.real : context.disk.real(path), shown: path },
        mode,
      )
      first ??= isLast ? place.shown : path
    } catch (error) {
      const stats = yield* context.lookUp(path)
      if (stats?.isDirectory() === true) continue
      if (stats === undefined || (isLast && !place.shown.endsWith('/'))) throw error
      throw systemError('ENOTDIR', 'mkdir', place.shown)
    }
  }
  return first
}

export function* rmdir(context: Context, path: unknown, options?: unknown): Steps<void> {
  const place = yield* locate(context, path, { syscall: 'rmdir', follow: false, changes: true })
  if (isOptions(options) && options['recursive'] === true) {
    yield* removeTree(context, place, 'rmdir')
    return
  }
  if (place.path === '/') throw systemError('EBUSY', 'rmdir', '/')
  yield* reserve(directoryBytes(place.path))
  yield* context.changing((change) => removeDirectory(change, place))
}

function* removeDirectory(change: Change, place: Place): Steps<void> {
  yield* ask('rmdir', place.real)
  change.add(directoryBytes(place.path), (tree) => {
    tree.removeDirectory(place.path)
  })
}

/** `fs.rm(path, { recursive, force })`. */
export function* rm(context: Context, path: unknown, options?: unknown): Steps<void> {
  const { recursive, force } = isOptions(options) ? options : { recursive: false, force: false }
  const place = yield* locate(context, path, { syscall: 'rm', follow: false, changes: true })
  let isDirectory = false
  try {
    isDirectory = (yield* ask('lstat', place.real)).isDirectory()
  } catch (error) {
    if (force === true && (error as { code?: unknown }).code === 'ENOENT') return
    throw error
  }
  if (isDirectory && recursive !== true) {
    throw operationError('ERR_FS_EISDIR', 'rm', 'EISDIR', 'is a directory', place.shown)
  }
  yield* removeTree(context, place, 'rm')
}

/** Everything in it, then itself. What was removed before an error is recorded as removed. */
function* removeTree(context: Context, place: Place, syscall: string): Steps<void> {
  const { tree, disk } = context
  if (place.path === '/') throw systemError('EBUSY', syscall, '/')
  const isKnown = tree.kindOf(place.path) === 'directory'
  const entries = isKnown
    ? yield* walk(context, place.path)
    : [{ path: place.path, kind: tree.kindOf(place.path) }]
  const property = entries.find(({ kind }) => kind === 'property')
  if (property !== undefined) throw systemError('EPERM', syscall, property.path)
  yield* reserve(entries.reduce((bytes, { path }) => bytes + directoryBytes(path) + pathBytes(path), 0))
  yield* context.changing(function* (change) {
    for (const { path, kind } of entries.reverse()) {
      const entry: Place = { path, real: disk.real(path), shown: path }
      if (kind === 'directory') yield* removeDirectory(change, entry)
      // What is on the disk only has nothing to record, and whatever it is the underlying one removes it.
      else if (kind === undefined) yield* pass('rm', [entry.real, { recursive: true }])
      else yield* unlinkFile(context, change, entry)
      yield* change.spill()
    }
  })
}

/** `fs.mkdtemp(prefix)`: six characters are put behind what the caller gave. */
export function* mkdtemp(context: Context, prefix: unknown): Steps<string> {
  const text = pathText(prefix, 'mkdtemp')
  const place = yield* locate(context, `${text}X`, { syscall: 'mkdtemp', follow: false, changes: false })
  const real = place.real.slice(0, -1)
  yield* reserve(2 * directoryBytes(`${place.path}XXXXX`))
  return yield* context.changing(function* (change) {
    const suffix = (yield* ask('mkdtemp', real)).slice(real.length)
    const path = normalise(text + suffix)
    change.add(directoryBytes(path), (tree) => {
      tree.makeDirectory(path)
    })
    return text + suffix
  })
}
