/** Copying files and trees: read here and written through, so that what is recorded is what was written. */
import { type Change, contentBytes, namesBytes } from '../change.ts'
import type { Context } from '../context.ts'
import { argumentError, operationError, type OperationErrorCode, retold, systemError } from '../errors.ts'
import { markerOf, parentOf } from '../names.ts'
import { locate, type Place } from '../paths.ts'
import { ask, type DiskStats, pass, reserve, type Steps } from '../steps.ts'
import { isOptions, isThenable, type Options } from './arguments.ts'
import { PIECE_BYTES, readRange, reading } from './content.ts'
import { makeDirectory, makeParents } from './directories.ts'
import { unlinkFile } from './names.ts'
import { closeFile, openFile, parse } from './open.ts'
import { writeAll } from './write.ts'

/** Of `fs.constants`, on every platform. */
const COPYFILE_EXCL = 1
const COPYFILE_FICLONE_FORCE = 4

const MODE_BITS = 0o7777

/** A new file at `path` with `size` bytes, or an old one that gives way to it. */
function fileBytes(context: Context, path: string, size: number): number {
  const names = [path, markerOf(parentOf(path)), ...context.tree.namesOf(path)]
  return namesBytes(names) + contentBytes(size) + contentBytes(0) * Math.ceil(size / PIECE_BYTES)
}

/** `fs.copyFile(from, to, mode?)`. */
export function* copyFile(context: Context, from: unknown, to: unknown, mode?: unknown): Steps<void> {
  const source = yield* locate(context, from, { syscall: 'copyfile', follow: true, changes: false })
  const target = yield* locate(context, to, { syscall: 'copyfile', follow: true, changes: true })
  const size = (yield* context.lookUp(source.path))?.size ?? 0
  yield* reserve(fileBytes(context, target.path, size))
  try {
    yield* context.changing((change) => copyOne(context, change, source, target, Number(mode ?? 0)))
  } catch (error) {
    throw retold(error, 'copyfile', source.shown, target.shown)
  }
}

/** As Node does: with the mode of the source, nothing for a copy onto itself, and no half copy after an error. */
function* copyOne(context: Context, change: Change, source: Place, target: Place, mode: number): Steps<void> {
  if ((mode & COPYFILE_FICLONE_FORCE) !== 0) throw systemError('ENOSYS', 'copyfile')
  const stats = yield* ask('stat', source.real)
  const isExclusive = (mode & COPYFILE_EXCL) !== 0
  const fnode = context.recorder.fsm.fnodeOf(source.path)
  if (!isExclusive && fnode !== undefined && fnode === context.recorder.fsm.fnodeOf(target.path)) return
  const bits = stats.mode & MODE_BITS
  yield* reading(context, source.path, function* (fd) {
    const file = yield* openFile(
      context,
      change,
      target.shown,
      parse(context, isExclusive ? 'wx' : 'w'),
      bits,
    )
    try {
      if (stats.isDirectory()) throw systemError('EISDIR', 'copyfile') // only now, as Linux does
      for (let at = 0; at < stats.size; at += PIECE_BYTES) {
        yield* writeAll(
          context,
          change,
          file,
          yield* readRange(fd, at, Math.min(stats.size, at + PIECE_BYTES)),
        )
        yield* change.spill()
      }
      yield* pass('fchmod', [file.fd, bits])
    } catch (error) {
      yield* unlinkFile(context, change, target)
      throw error
    } finally {
      yield* closeFile(context, change, file)
    }
  })
}

/** What is to be copied, in the order in which it is. */
interface CopyItem {
  readonly source: Place
  readonly target: Place
  readonly isDirectory: boolean
  readonly size: number
}

export type CopyFilter = (source: string, target: string) => unknown

function isWanted(filter: CopyFilter, source: Place, target: Place): boolean {
  const answer = filter(source.shown, target.shown)
  if (!isThenable(answer)) return Boolean(answer)
  const message = 'Expected boolean to be returned from the "filter" function but got an instance of Promise.'
  throw argumentError('ERR_INVALID_RETURN_VALUE', message)
}

/** Everything that a recursive copy may ask its filter for: pairs of paths, parents first. */
export function* copyPairs(context: Context, from: unknown, to: unknown): Steps<[string, string][]> {
  const source = yield* locate(context, from, { syscall: 'cp', follow: false, changes: false })
  const target = yield* locate(context, to, { syscall: 'cp', follow: false, changes: true })
  const pairs: [Place, Place][] = [[source, target]]
  for (const [here, there] of pairs) {
    if ((yield* context.lookUp(here.path))?.isDirectory() !== true) continue
    for (const name of yield* ask('readdir', here.real)) {
      pairs.push([below(context, here, name), below(context, there, name)])
    }
  }
  return pairs.map(([here, there]) => [here.shown, there.shown])
}

/**
 * `fs.cp(from, to, options?)`. First all that is to be copied is found and checked, so that most errors come before
 * anything is changed; then it is copied as one call. Symbolic links are refused with `EPERM`, for they are not recorded.
 */
export function* cp(context: Context, from: unknown, to: unknown, options?: unknown): Steps<void> {
  const settings = isOptions(options) ? options : {}
  const items: CopyItem[] = []
  const source = yield* locate(context, from, { syscall: 'cp', follow: false, changes: false })
  const target = yield* locate(context, to, { syscall: 'cp', follow: false, changes: true })
  yield* collect(context, source, target, settings, items)
  yield* reserve(
    items.reduce((bytes, { target: { path }, size }) => bytes + fileBytes(context, path, size), 0),
  )
  yield* context.changing(function* (change) {
    for (const item of items) {
      yield* copyItem(context, change, item, settings)
      yield* change.spill()
    }
  })
}

function* collect(
  context: Context,
  source: Place,
  target: Place,
  settings: Options,
  items: CopyItem[],
): Steps<void> {
  const stats = yield* ask(settings['dereference'] === true ? 'stat' : 'lstat', source.real)
  const onto = yield* existing(target)
  const isDirectory = stats.isDirectory()
  const refused = (
    code: OperationErrorCode,
    systemCode: 'EINVAL' | 'EISDIR' | 'ENOTDIR',
    detail: string,
    path: string,
  ): Error => operationError(code, 'cp', systemCode, detail, path)
  if (onto?.ino === stats.ino && onto.dev === stats.dev) {
    throw refused('ERR_FS_CP_EINVAL', 'EINVAL', 'src and dest cannot be the same', target.shown)
  }
  if (onto !== undefined && isDirectory && !onto.isDirectory()) {
    const detail = `cannot overwrite non-directory ${target.shown} with directory ${source.shown}`
    throw refused('ERR_FS_CP_DIR_TO_NON_DIR', 'EISDIR', detail, target.shown)
  }
  if (onto !== undefined && !isDirectory && onto.isDirectory()) {
    const detail = `cannot overwrite directory ${target.shown} with non-directory ${source.shown}`
    throw refused('ERR_FS_CP_NON_DIR_TO_DIR', 'ENOTDIR', detail, target.shown)
  }
  if (isDirectory && `${target.path}/`.startsWith(`${source.path}/`)) {
    const detail = `cannot copy ${source.shown} to a subdirectory of self ${target.shown}`
    throw refused('ERR_FS_CP_EINVAL', 'EINVAL', detail, target.shown)
  }
  const filter = settings['filter'] as CopyFilter | undefined
  if (filter !== undefined && !isWanted(filter, source, target)) return
  if (isDirectory && settings['recursive'] !== true) {
    throw refused('ERR_FS_EISDIR', 'EISDIR', `${source.shown} is a directory (not copied)`, source.shown)
  }
  if (!isDirectory && !stats.isFile()) throw systemError('EPERM', 'cp', source.shown, target.shown)
  items.push({ source, target, isDirectory, size: isDirectory ? 0 : stats.size })
  if (!isDirectory) return
  for (const name of yield* ask('readdir', source.real)) {
    yield* collect(context, below(context, source, name), below(context, target, name), settings, items)
  }
}

/** What is there already, not following a link. */
function* existing({ real }: Place): Steps<DiskStats | undefined> {
  try {
    return yield* ask('lstat', real)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}

function below(context: Context, { path }: Place, name: string): Place {
  const inside = path === '/' ? `/${name}` : `${path}/${name}`
  return { path: inside, real: context.disk.real(inside), shown: inside }
}

function* copyItem(context: Context, change: Change, item: CopyItem, settings: Options): Steps<void> {
  const { source, target, isDirectory } = item
  const stats = yield* ask('stat', source.real)
  const onto = yield* context.lookUp(target.path)
  const parent = parentOf(target.path)
  if (onto === undefined) {
    yield* makeParents(
      context,
      change,
      { path: parent, real: context.disk.real(parent), shown: parent },
      undefined,
    )
  }
  if (isDirectory) {
    if (onto === undefined) yield* makeDirectory(change, target, stats.mode & MODE_BITS)
    return
  }
  if (onto !== undefined) {
    if (settings['force'] === false) {
      if (settings['errorOnExist'] !== true) return
      throw operationError('ERR_FS_CP_EEXIST', 'cp', 'EEXIST', `${target.shown} already exists`, target.shown)
    }
    yield* unlinkFile(context, change, target)
  }
  try {
    yield* copyOne(context, change, source, target, Number(settings['mode'] ?? 0))
  } catch (error) {
    throw retold(error, 'cp', source.shown, target.shown)
  }
  if (settings['preserveTimestamps'] === true) yield* ask('utimes', target.real, stats.atime, stats.mtime)
}
