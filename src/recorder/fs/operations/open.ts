/** Opening and closing. */
import { type Change, namesBytes, pathBytes } from '../change.ts'
import type { Context } from '../context.ts'
import { systemError } from '../errors.ts'
import { type OpenFlags, parseFlags } from '../flags.ts'
import { parentOf } from '../names.ts'
import { newInode, type OpenFile } from '../open-files.ts'
import { locate, type Place } from '../paths.ts'
import { ask, reserve, type Steps } from '../steps.ts'
import { recordProperty } from './property.ts'

const MODE = 0o666

const NOTHING = new Uint8Array(0)

export function* open(context: Context, path: unknown, flags?: unknown, mode?: unknown): Steps<number> {
  const file = yield* context.changing((change) =>
    openFile(context, change, path, parse(context, flags), mode),
  )
  return file.fd
}

export function parse(context: Context, flags: unknown): OpenFlags {
  return parseFlags(flags, context.disk.flagNumbers)
}

/**
 * Opens a file. That it was made, or lost its content, is recorded with `change`. `EPERM` for writing to a file that
 * somebody put there behind this file system's back: nobody could recover it.
 */
export function* openFile(
  context: Context,
  change: Change,
  path: unknown,
  flags: OpenFlags,
  mode: unknown,
): Steps<OpenFile> {
  const place = yield* locate(context, path, {
    syscall: 'open',
    follow: !flags.exclusive && !flags.noFollow,
    changes: flags.create || flags.truncate || flags.writable,
  })
  const effect = yield* prepare(context, place, flags)
  const fd = yield* ask('open', place.real, flags.number, mode ?? MODE)
  const { files, tree } = context
  const inode = effect === 'creates' ? newInode() : tree.inodeOf(place.path)
  const { readable, writable, append } = flags
  const file: OpenFile = { fd, path: place.path, inode, readable, writable, append, position: 0 }
  files.add(file)
  tree.opened(inode)
  if (effect === 'creates') {
    change.add(pathBytes(place.path) + pathBytes(parentOf(place.path)), () => {
      tree.create(place.path, inode)
    })
  } else if (effect === 'empties' && inode.property === undefined) {
    change.add(namesBytes(tree.namesOf(place.path)), () => {
      tree.replace(place.path, NOTHING)
    })
  } else if (effect === 'empties') {
    yield* recordProperty(context, change, place.path)
  }
  return file
}

/** What opening will do to the tree. Makes room for recording it. */
function* prepare(
  context: Context,
  place: Place,
  flags: OpenFlags,
): Steps<'creates' | 'empties' | 'nothing'> {
  const kind = context.tree.kindOf(place.path)
  if (kind === 'directory' || (kind !== undefined && !flags.truncate)) return 'nothing'
  if (kind === undefined && !flags.create && !flags.writable && !flags.truncate) return 'nothing'
  const stats = yield* context.lookUp(place.path)
  if (stats === undefined) {
    if (!flags.create) return 'nothing'
    yield* reserve(2 * pathBytes(place.path) + pathBytes(parentOf(place.path)))
    return 'creates'
  }
  if (kind === undefined) {
    if (!stats.isDirectory() && (flags.writable || flags.truncate)) {
      throw systemError('EPERM', 'open', place.shown)
    }
    return 'nothing'
  }
  if (stats.size === 0) return 'nothing'
  yield* reserve(namesBytes(context.tree.namesOf(place.path)))
  return 'empties'
}

export function* close(context: Context, fd: unknown): Steps<void> {
  const file = context.files.get(fd, 'close')
  context.tree.closed(file.inode)
  yield* closeDescriptor(context, file)
}

/** Closes what `openFile` opened for the same change. */
export function* closeFile(context: Context, change: Change, file: OpenFile): Steps<void> {
  change.close(file.inode)
  yield* closeDescriptor(context, file)
}

function* closeDescriptor(context: Context, file: OpenFile): Steps<void> {
  context.files.remove(file.fd)
  yield* ask('close', file.fd)
}
