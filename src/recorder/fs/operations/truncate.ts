/**
 * Truncation, which has no operation of its own (durable-directory spec, section 2). Growing: a zero byte at the new
 * end. Shrinking: a new fnode with what is left, under all the names of the file.
 */
import { type Change, contentBytes, namesBytes, pathBytes } from '../change.ts'
import type { Context } from '../context.ts'
import { argumentError, systemError } from '../errors.ts'
import type { OpenFile } from '../open-files.ts'
import { ask, reserve, type Steps } from '../steps.ts'
import { readRange, reading } from './content.ts'
import { closeFile, openFile, parse } from './open.ts'
import { recordProperty } from './property.ts'

const ZERO = new Uint8Array(1)
const NOTHING = new Uint8Array(0)

/** `fs.truncate(path, length?)`. */
export function* truncate(context: Context, path: unknown, length?: unknown): Steps<void> {
  const size = sizeOf(length)
  yield* context.changing(function* (change) {
    const file = yield* openFile(context, change, path, parse(context, 'r+'), undefined)
    try {
      yield* resize(context, change, file, size)
    } finally {
      yield* closeFile(context, change, file)
    }
  })
}

/** `fs.ftruncate(fd, length?)`. */
export function* ftruncate(context: Context, fd: unknown, length?: unknown): Steps<void> {
  const file = context.files.get(fd, 'ftruncate')
  const size = sizeOf(length)
  if (!file.writable) throw systemError('EINVAL', 'ftruncate')
  yield* context.changing((change) => resize(context, change, file, size))
}

/** As in Node: below 0 is 0. */
function sizeOf(length: unknown): number {
  if (length === undefined || length === null) return 0
  if (typeof length !== 'number') {
    throw argumentError('ERR_INVALID_ARG_TYPE', 'The "len" argument must be of type number.')
  }
  if (!Number.isSafeInteger(length)) {
    throw argumentError('ERR_OUT_OF_RANGE', `The value of "len" is out of range. Received ${String(length)}`)
  }
  return Math.max(0, length)
}

function* resize(context: Context, change: Change, file: OpenFile, size: number): Steps<void> {
  const { inode } = file
  const before = (yield* ask('fstat', file.fd)).size
  if (inode.property !== undefined) {
    yield* reserve(pathBytes(inode.property) + contentBytes(3 * Math.max(size, before)))
    yield* ask('ftruncate', file.fd, size)
    yield* recordProperty(context, change, inode.property)
  } else if (inode.fnode === 0 || size === before) {
    yield* ask('ftruncate', file.fd, size)
  } else if (size > before) {
    yield* reserve(contentBytes(1))
    yield* ask('ftruncate', file.fd, size)
    change.addContent(inode, size - 1, ZERO)
  } else {
    yield* shrink(context, change, file, size)
  }
}

/** What is left is read before anything is cut off, so that a failure of it has changed nothing. */
function* shrink(context: Context, change: Change, file: OpenFile, size: number): Steps<void> {
  const { recorder } = context
  const names = recorder.fsm.linksOf(file.inode.fnode)
  const name = names[0] as string
  yield* reserve(namesBytes(names) + contentBytes(size))
  const left = size === 0 ? NOTHING : yield* reading(context, name, (fd) => readRange(fd, 0, size))
  yield* ask('ftruncate', file.fd, size)
  change.add(namesBytes(names) + contentBytes(size), (tree) => {
    tree.replace(name, left)
  })
}
