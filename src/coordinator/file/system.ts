import { fsync } from 'node:fs'
import * as nodeFs from 'node:fs'
import { promisify } from 'node:util'
import { throwIfAborted } from '../../async/index.ts'
import type { CallGate } from '../../blob/index.ts'
import { RecoveryLogError } from '../../errors/index.ts'
import type { ErrorCode } from '../../errors/index.ts'
import { syncFolderAside, systemErrorCode } from '../../parts/index.ts'
import type { WithSignal } from '../../storage/index.ts'

/**
 * What both file back ends ask of the system. Small files are read and named by synchronous calls, which are the
 * cheapest; what waits for the disk, syncs and removals, is waited for.
 */

/** Waits until what was written to `fd` is on the disk. */
export const syncFile = promisify(fsync)

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  await syncFolderAside(nodeFs, syncFile, path)
}

/** Syncs that are asked for while one is under way are one sync, the next. */
export class GroupedSync {
  readonly #sync: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(sync: () => Promise<void>) {
    this.#sync = sync
  }

  async sync(): Promise<void> {
    if (this.#running === undefined) return this.#run()
    this.#next ??= this.#running.then(
      () => this.#run(),
      () => this.#run(),
    )
    return this.#next
  }

  async #run(): Promise<void> {
    this.#next = undefined
    this.#running = this.#sync()
    const mine = this.#running
    try {
      await mine
    } finally {
      if (this.#running === mine) this.#running = undefined
    }
  }
}

/** Answers undefined instead of throwing when the file or folder is not there. */
export function ifThere<T>(body: () => T): T | undefined {
  try {
    return body()
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Runs a call of a back end: not when it is closed or aborted, and with its failures as errors of ours. */
export async function guarded<T>(
  gate: CallGate,
  what: string,
  { signal }: WithSignal,
  body: () => Promise<T>,
): Promise<T> {
  return gate.run(async () => {
    throwIfAborted(signal)
    try {
      return await body()
    } catch (error) {
      throw storeError(error, what)
    }
  })
}

/** Throws RangeError for what is no time from 0. */
export function checkRefreshMs(refreshMs: number): void {
  if (refreshMs >= 0) return
  throw new RangeError(`expected milliseconds from 0 for refreshMs, got ${refreshMs}`)
}

/** What a call of the file system threw, as an error of ours. What is none of the system's stays as it is. */
export function storeError(error: unknown, what: string): unknown {
  const code = systemErrorCode(error)
  if (code === undefined || error instanceof RecoveryLogError) return error
  const ours: ErrorCode = ['EACCES', 'EPERM', 'EROFS'].includes(code) ? 'DENIED' : 'UNAVAILABLE'
  return new RecoveryLogError(ours, `cannot ${what}: ${code}`, { code }, { cause: error })
}
