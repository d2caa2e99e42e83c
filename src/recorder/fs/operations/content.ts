/** Reading the disk, to record what is there. */
import type { Context } from '../context.ts'
import { ask, type Steps } from '../steps.ts'

/** Read at a time: large enough to cost little, and no burden to memory. */
export const PIECE_BYTES = 1024 * 1024

/** Opens the file at `path` for as long as `body` takes. */
export function* reading<T>(context: Context, path: string, body: (fd: number) => Steps<T>): Steps<T> {
  const fd = yield* ask('open', context.disk.real(path), 0, 0)
  try {
    return yield* body(fd)
  } finally {
    yield* ask('close', fd)
  }
}

/** The bytes from `begin` to `end` of a file, as far as it has them. They belong to the caller. */
export function* readRange(fd: number, begin: number, end: number): Steps<Uint8Array> {
  const bytes = new Uint8Array(end - begin)
  let filled = 0
  while (filled < bytes.length) {
    const count = yield* ask('read', fd, bytes, filled, bytes.length - filled, begin + filled)
    if (count === 0) break
    filled += count
  }
  return bytes.subarray(0, filled)
}

export function* readWhole(context: Context, path: string): Steps<Uint8Array> {
  return yield* reading(context, path, function* (fd) {
    return yield* readRange(fd, 0, (yield* ask('fstat', fd)).size)
  })
}
