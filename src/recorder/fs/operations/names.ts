/** Names of files and directories: link, unlink, rename. */
import { type Change, pathBytes } from '../change.ts'
import type { Context } from '../context.ts'
import { systemError } from '../errors.ts'
import { parentOf, markerOf } from '../names.ts'
import { locate, type Place } from '../paths.ts'
import { ask, reserve, type Steps } from '../steps.ts'
import { readWhole } from './content.ts'
import { propertyText } from './property.ts'
import { walk } from './walk.ts'

/** A name, and the markers of its parents that may come or go with it. */
function nameBytes(path: string): number {
  return pathBytes(path) + pathBytes(markerOf(parentOf(path)))
}

export function* link(context: Context, existing: unknown, created: unknown): Steps<void> {
  const from = yield* locate(context, existing, { syscall: 'link', follow: false, changes: true })
  const to = yield* locate(context, created, { syscall: 'link', follow: false, changes: true })
  const kind = context.tree.kindOf(from.path)
  // memfs would put a name below a file, and link a directory; and nobody could recover under a new name what is not
  // recorded.
  if (kind !== undefined && context.tree.kindOf(parentOf(to.path)) === 'file') {
    throw systemError('ENOTDIR', 'link', from.shown, to.shown)
  }
  const isRefused = kind !== 'file' && (yield* context.lookUp(from.path)) !== undefined
  if (isRefused && (yield* isFree(context, to))) {
    throw systemError(to.shown.endsWith('/') ? 'ENOENT' : 'EPERM', 'link', from.shown, to.shown)
  }
  yield* reserve(nameBytes(to.path))
  yield* context.changing(function* (change) {
    yield* ask('link', from.real, to.real)
    change.add(nameBytes(to.path), (tree) => {
      tree.link(from.path, to.path)
    })
  })
}

/** Whether a name can be made there; if not, the underlying file system says why. */
function* isFree(context: Context, { path }: Place): Steps<boolean> {
  return context.tree.kindOf(parentOf(path)) === 'directory' && (yield* context.lookUp(path)) === undefined
}

export function* unlink(context: Context, path: unknown): Steps<void> {
  const place = yield* locate(context, path, { syscall: 'unlink', follow: false, changes: true })
  yield* reserve(nameBytes(place.path))
  yield* context.changing((change) => unlinkFile(context, change, place))
}

/** `EPERM` for a property: it lives as long as its log. */
export function* unlinkFile(context: Context, change: Change, place: Place): Steps<void> {
  if (context.tree.kindOf(place.path) === 'property') throw systemError('EPERM', 'unlink', place.shown)
  yield* ask('unlink', place.real)
  change.add(nameBytes(place.path), (tree) => {
    if (tree.kindOf(place.path) === 'file') tree.unlink(place.path)
  })
}

export function* rename(context: Context, existing: unknown, renamed: unknown): Steps<void> {
  const from = yield* locate(context, existing, { syscall: 'rename', follow: false, changes: true })
  const to = yield* locate(context, renamed, { syscall: 'rename', follow: false, changes: true })
  const refusal = yield* renameRefusal(context, from, to)
  if (refusal !== undefined) throw systemError(refusal, 'rename', from.shown, to.shown)
  const { tree, recorder } = context
  if (tree.kindOf(from.path) === 'directory' && from.path !== to.path) {
    yield* renameDirectory(context, from, to)
    return
  }
  const fnode = recorder.fsm.fnodeOf(from.path)
  // Two names of one file: nothing happens. memfs would take one of them away.
  if (fnode !== undefined && fnode === recorder.fsm.fnodeOf(to.path)) {
    yield* ask('rename', from.real, context.disk.real(from.path) + (to.shown.endsWith('/') ? '/' : ''))
    return
  }
  if (tree.kindOf(to.path) === 'property') {
    yield* renameOntoProperty(context, from, to)
    return
  }
  yield* reserve(2 * nameBytes(to.path) + nameBytes(from.path))
  yield* context.changing(function* (change) {
    yield* ask('rename', from.real, to.real)
    if (fnode === undefined) return
    change.add(2 * nameBytes(to.path) + nameBytes(from.path), () => {
      tree.rename(from.path, to.path)
    })
  })
}

/** What Linux would say; memfs lets most of it pass. Undefined also where the underlying one will tell by itself. */
function* renameRefusal(
  context: Context,
  from: Place,
  to: Place,
): Steps<'EBUSY' | 'EINVAL' | 'EISDIR' | 'ENOTDIR' | 'ENOTEMPTY' | 'EPERM' | undefined> {
  const { tree } = context
  const kind = tree.kindOf(from.path)
  const onto = tree.kindOf(to.path)
  if (from.path === '/' || to.path === '/') return 'EBUSY'
  if (kind === 'property') return 'EPERM'
  // Nobody could recover under a new name what is not recorded.
  if (kind === undefined) return (yield* context.lookUp(from.path)) === undefined ? undefined : 'EPERM'
  if (from.path === to.path) return undefined
  if (kind === 'directory') {
    if (tree.kindOf(parentOf(to.path)) !== 'directory') return undefined
    if (to.path.startsWith(`${from.path}/`)) return 'EINVAL'
    if (onto === 'directory') return tree.isEmpty(to.path) ? undefined : 'ENOTEMPTY'
    return onto === undefined ? undefined : 'ENOTDIR'
  }
  // A slash behind a name asks for a directory.
  if (from.shown.endsWith('/') || to.shown.endsWith('/')) {
    return tree.kindOf(parentOf(to.path)) === 'directory' ? 'ENOTDIR' : undefined
  }
  if (from.path.startsWith(`${to.path}/`)) return 'ENOTEMPTY'
  return onto === 'directory' ? 'EISDIR' : undefined
}

/** A rename onto a property records it whole: the file's content by value. */
function* renameOntoProperty(context: Context, from: Place, to: Place): Steps<void> {
  if (context.tree.kindOf(from.path) !== 'file') {
    yield* ask('rename', from.real, to.real)
    return
  }
  const content = propertyText(yield* readWhole(context, from.path), to.path)
  const bytes = nameBytes(from.path) + nameBytes(to.path) + 3 * content.length
  yield* reserve(bytes)
  yield* context.changing(function* (change) {
    yield* ask('rename', from.real, to.real)
    change.add(bytes, (tree) => {
      tree.becomeProperty(from.path, to.path, content)
    })
  })
}

/** Every file in it gets a new name, in one append. `EXDEV` when that does not fit, as across devices: callers copy. */
function* renameDirectory(context: Context, from: Place, to: Place): Steps<void> {
  const { tree, recorder } = context
  const entries = yield* walk(context, from.path)
  const files = entries.filter(({ kind }) => kind === 'file').map(({ path }) => path)
  const directories = entries.filter(({ kind }) => kind === 'directory').map(({ path }) => path)
  if (entries.some(({ kind }) => kind === 'property')) {
    throw systemError('EPERM', 'rename', from.shown, to.shown)
  }
  const moved = (path: string): string => to.path + path.slice(from.path.length)
  const bytes = [...files, ...directories.map(markerOf)].reduce(
    (sum, path) => sum + nameBytes(path) + nameBytes(moved(path)),
    nameBytes(from.path) + nameBytes(to.path),
  )
  if (!recorder.fitsAppend(bytes)) throw systemError('EXDEV', 'rename', from.shown, to.shown)
  yield* reserve(bytes)
  yield* context.changing(function* (change) {
    yield* ask('rename', from.real, to.real)
    change.add(bytes, () => {
      for (const directory of directories) tree.makeDirectory(moved(directory))
      for (const file of files) tree.rename(file, moved(file))
      for (const directory of directories.reverse()) tree.removeDirectory(directory)
    })
  })
}
