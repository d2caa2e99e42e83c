import { join, resolve } from 'node:path'
import { FileBlobStore } from '../blob/file/index.ts'
import { FileStreamStore, FileTaskQueue } from '../coordinator/file/index.ts'
import type { Closable } from '../directory/index.ts'
import { systemClock } from '../journal/file/index.ts'
import {
  LogArchive as PureLogArchive,
  type LogArchiveOptions as PureLogArchiveOptions,
} from '../log-archive/index.ts'
import { FileStorage } from '../storage/file/index.ts'
import { systemProcessIdentity } from './system-process-identity.ts'
import { systemRandom } from './system-random.ts'
import { systemSha256 } from './system-sha256.ts'

/** As those of the pure library, with the parts optional. */
export interface LogArchiveOptions extends Partial<PureLogArchiveOptions> {
  /**
   * A folder on a local disk, made when it is missing, in which those of `blobs`, `storage` and `coordinator` lie that are
   * not handed in. Any number of processes may share it.
   */
  readonly dir?: string
}

/** Streams that are written, archived and read; see `LogArchive` of the pure library. */
export type LogArchive = PureLogArchive

/**
 * @example
 * ```ts
 * await using archive = await LogArchive.open({ dir: 'logs' })
 * const stream = await archive.openStream({ path: 'build/1/+/stdout' })
 * await stream.write('first line\n')
 * await stream.close()
 * ```
 */
export const LogArchive = {
  /**
   * Opens the archive. What lies in `dir` is closed with it; what was handed in is not.
   *
   * @throws TypeError when neither a part nor `dir` is given; RecoveryLogError `DENIED`, `UNAVAILABLE`
   */
  async open(options: LogArchiveOptions): Promise<PureLogArchive> {
    const opened: Closable[] = []
    try {
      const parts = await openParts(options, opened)
      const closeWith = [...opened, ...(options.closeWith ?? [])]
      return await PureLogArchive.open({ ...SYSTEM, ...options, ...parts, closeWith })
    } catch (error) {
      for (const part of opened) await part.close()
      throw error
    }
  },
} as const

const SYSTEM = {
  clock: systemClock,
  random: systemRandom,
  sha256: systemSha256,
  identity: systemProcessIdentity,
}

/** The parts, those of `dir` opened. Each of these is told to `opened`, so that it is closed when the next cannot be opened. */
async function openParts(
  options: LogArchiveOptions,
  opened: Closable[],
): Promise<Pick<PureLogArchiveOptions, 'blobs' | 'storage' | 'coordinator'>> {
  const { clock = systemClock } = options
  const folder = (name: string): string => {
    if (options.dir !== undefined) return join(resolve(options.dir), name)
    throw new TypeError('expected dir, or all of blobs, storage and coordinator')
  }
  const kept = <Part extends Closable>(part: Part): Part => {
    opened.push(part)
    return part
  }
  const blobs = options.blobs ?? kept(await FileBlobStore.open({ dir: folder('blobs') }))
  const storage = options.storage ?? kept(await FileStorage.open({ dir: folder('storage'), clock }))
  const coordinator = options.coordinator ?? {
    streamStore: kept(await FileStreamStore.open({ dir: folder('streams'), clock })),
    taskQueue: kept(await FileTaskQueue.open({ dir: folder('tasks'), clock })),
  }
  return { blobs, storage, coordinator }
}
