import * as nodeFs from 'node:fs'
import type { FileStat, SyncFileSystem } from '../../parts/index.ts'

type Answer<T extends unknown[]> = (error: Error | null, ...results: T) => void

/** What a file journal calls of `node:fs`. Handed in, so that a test can let each call fail. */
export interface JournalFileSystem extends SyncFileSystem {
  statSync(path: string): FileStat
  /** Undefined when there is no such file; every other failure is thrown. */
  statSync(path: string, options: { readonly throwIfNoEntry: false }): FileStat | undefined
  writevSync(fd: number, buffers: readonly Uint8Array[], position: number): number
  read(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    answer: Answer<[bytesRead: number]>,
  ): void
  fdatasync(fd: number, answer: Answer<[]>): void
  /** Tells of any change in a folder. */
  watch(path: string, listener: () => void): FolderWatch
}

export interface FolderWatch {
  close(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

export const nodeJournalFileSystem: JournalFileSystem = nodeFs

/** Writes all of `buffers` at `position`, through short writes; answers how much was written, and what stopped it. */
export function writeFully(
  fs: JournalFileSystem,
  fd: number,
  buffers: readonly Uint8Array[],
  position: number,
): { readonly written: number; readonly error?: unknown } {
  let left = buffers
  let written = 0
  try {
    while (left.length > 0) {
      const count = fs.writevSync(fd, left, position + written)
      if (count === 0) throw new Error('the system took no byte of a write')
      written += count
      left = dropBytes(left, count)
    }
    return { written }
  } catch (error) {
    return { written, error }
  }
}

function dropBytes(buffers: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let index = 0
  let left = count
  for (const buffer of buffers) {
    if (left < buffer.length) break
    left -= buffer.length
    index++
  }
  const [first, ...rest] = buffers.slice(index)
  return first === undefined ? [] : [first.subarray(left), ...rest]
}

/** Reads until `target` is full or the file ends; answers how much was read. */
export function readFully(fs: JournalFileSystem, fd: number, target: Uint8Array, position: number): number {
  let length = 0
  while (length < target.length) {
    const count = fs.readSync(fd, target, length, target.length - length, position + length)
    if (count === 0) break
    length += count
  }
  return length
}

/** Lets go of a descriptor. What must last has been synced by then, so a failure here means nothing to anybody. */
export function release(fs: JournalFileSystem, fd: number): void {
  try {
    fs.closeSync(fd)
  } catch {
    // deliberately nothing: the system has taken the descriptor back all the same
  }
}
