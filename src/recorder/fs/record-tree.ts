/** Taking over files that are there: a tree of the disk is recorded in place, nothing of it is changed. */
import { throwIfAborted } from '../../async/index.ts'
import { RecoveryLogError } from '../../errors/index.ts'
import { contentBytes, pathBytes } from './change.ts'
import type { Context } from './context.ts'
import { isBrokenText, isReservedName, isTooLong, markerOf, parentOf } from './names.ts'
import { newInode } from './open-files.ts'
import { PIECE_BYTES, readRange, reading } from './operations/content.ts'
import { ask, type DiskStats, reserve, type Steps } from './steps.ts'

export interface RecordTreeOptions {
  /** Called after each file, with what has been recorded so far. */
  readonly onProgress?: (progress: { readonly files: number; readonly bytes: number }) => void
  readonly signal?: AbortSignal
}

/** What was recorded. `left` names what is on the disk only: symbolic links, sockets, pipes and devices. */
export interface RecordedTree {
  readonly files: number
  readonly directories: number
  readonly bytes: number
  readonly left: readonly string[]
}

interface Found {
  readonly path: string
  readonly stats: DiskStats
}

/** `PATH_REFUSED`, before anything is recorded, when a name could not be recovered. */
export function* recordTree(
  context: Context,
  { onProgress, signal }: RecordTreeOptions,
): Steps<RecordedTree> {
  const found = yield* survey(context)
  const recorded = { files: 0, directories: 0, bytes: 0, left: [] as string[] }
  const names = new Map<string, string>()
  for (const { path, stats } of found) {
    throwIfAborted(signal)
    if (stats.isDirectory()) {
      recorded.directories++
      yield* recordDirectory(context, path)
      continue
    }
    if (!stats.isFile()) {
      recorded.left.push(path)
      continue
    }
    const identity = `${String(stats.dev)}:${String(stats.ino)}`
    const other = stats.nlink > 1 ? names.get(identity) : undefined
    names.set(identity, path)
    if (other === undefined) recorded.bytes += yield* recordFile(context, path)
    else yield* recordLink(context, other, path)
    recorded.files++
    onProgress?.({ files: recorded.files, bytes: recorded.bytes })
  }
  return recorded
}

/** All that is below the root, parents first. */
function* survey(context: Context): Steps<Found[]> {
  const found: Found[] = []
  const folders = ['/']
  for (const folder of folders) {
    for (const name of yield* ask('readdir', context.disk.real(folder))) {
      const path = folder === '/' ? `/${name}` : `${folder}/${name}`
      // A name that is not UTF-8 is read with replacements, and nothing is there by that name.
      const stats = yield* context.lookUp(path)
      if (
        stats === undefined ||
        isReservedName(path, context.platform) ||
        isBrokenText(path) ||
        isTooLong(path)
      ) {
        throw new RecoveryLogError('PATH_REFUSED', 'no player would make a file of this name', { path })
      }
      found.push({ path, stats })
      if (stats.isDirectory()) folders.push(path)
    }
  }
  return found
}

function nameBytes(path: string): number {
  return pathBytes(path) + pathBytes(markerOf(parentOf(path))) + pathBytes(markerOf(path))
}

function* recordDirectory(context: Context, path: string): Steps<void> {
  yield* reserve(nameBytes(path))
  yield* context.changing(function* (change) {
    change.add(nameBytes(path), (tree) => {
      tree.makeDirectory(path)
    })
  })
}

function* recordLink(context: Context, existing: string, path: string): Steps<void> {
  yield* reserve(nameBytes(path))
  yield* context.changing(function* (change) {
    change.add(nameBytes(path), (tree) => {
      tree.link(existing, path)
    })
  })
}

/** Answers its size. */
function* recordFile(context: Context, path: string): Steps<number> {
  const inode = newInode()
  yield* reserve(nameBytes(path))
  yield* context.changing(function* (change) {
    change.add(nameBytes(path), (tree) => {
      tree.create(path, inode)
    })
  })
  return yield* reading(context, path, function* (fd) {
    for (let at = 0; ;) {
      const bytes = yield* readRange(fd, at, at + PIECE_BYTES)
      if (bytes.length === 0) return at
      yield* reserve(contentBytes(bytes.length))
      yield* context.changing(function* (change) {
        change.addContent(inode, at, bytes)
      })
      at += bytes.length
    }
  })
}
