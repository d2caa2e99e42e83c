/**
 * `readSync` and `writeSync` in the form that databases use, an open file and a place in it: straight through, without
 * steps, objects or look-ups of paths. Everything else goes the general way.
 */
import { WRITE_FRAME_BYTES_MAX } from '../../wire/index.ts'
import type { Calls } from './calls.ts'

/** Of the underlying file system. Neither of them names a path in its errors. */
interface PlaceCalls {
  readSync(fd: number, buffer: unknown, offset: unknown, length: unknown, position: number): number
  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number
}

export interface LeanCalls {
  readSync(fd: number, buffer: unknown, offset?: unknown, length?: unknown, position?: unknown): number
  writeSync(fd: number, data: unknown, offset?: unknown, length?: unknown, position?: unknown): number
}

/** None over a file system that has no synchronous functions. */
export function leanCalls(calls: Calls): LeanCalls | undefined {
  const { disk, files, recorder, runner } = calls.context
  if (!disk.isSync) return undefined
  const under = disk.fs as PlaceCalls
  return {
    readSync(fd, buffer, offset, length, position) {
      const file = files.find(fd)
      if (file?.readable === true && typeof position === 'number' && position >= 0) {
        return under.readSync(fd, buffer, offset, length, position)
      }
      return calls.now('read', calls.readArguments([fd, buffer, offset, length, position])) as number
    },

    writeSync(fd, data, offset, length, position) {
      const file = files.find(fd)
      const isPlain =
        file !== undefined &&
        file.writable &&
        !file.append &&
        file.inode.fnode > 0 &&
        !runner.isBlocked &&
        data instanceof Uint8Array &&
        typeof offset === 'number' &&
        typeof length === 'number' &&
        typeof position === 'number' &&
        position >= 0
      if (!isPlain) return calls.now('write', [fd, data, offset, length, position]) as number
      recorder.admit(WRITE_FRAME_BYTES_MAX + length)
      const count = under.writeSync(fd, data, offset, length, position)
      if (count > 0) {
        const isWhole = offset === 0 && count === data.length
        recorder.write(file.inode.fnode, position, isWhole ? data : data.subarray(offset, offset + count))
      }
      return count
    },
  }
}
