import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const PIECE_BYTES = 1 << 20

/** The names of the files right in `folder`. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile())
}

/** What a file holds, in pieces of 1 MiB, one after the other in the same memory. */
export function* piecesOf(path: string): Generator<Uint8Array> {
  const buffer = new Uint8Array(PIECE_BYTES)
  const fd = openSync(path, 'r')
  for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) {
    yield buffer.subarray(0, count)
  }
  closeSync(fd)
}
