import { removeFolder } from '../archive/index.ts'
import { throwIfAborted } from '../async/index.ts'
import type { BlobInfo, BlobStore } from '../blob/index.ts'
import type { ArchiveDispatcher } from '../coordinator/index.ts'
import { DEFAULT_COORDINATOR_SETTINGS } from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { Clock } from '../parts/index.ts'
import type { WithSignal } from '../storage/index.ts'

/** Plain data. */
export interface SweepSettings {
  /** Where attempts are staged: the `staging` of every project's settings. Default: that of the service's. */
  readonly staging: readonly string[]
  /** A staged folder without a claim is removed when nothing was put into it for so long. Default 24 h. */
  readonly stagedMaxMs: number
  /** How often `run` sweeps. Default 1 min. */
  readonly everyMs: number
  /** Streams that are dispatched at a time. Default 1,000. */
  readonly streamsMax: number
  /** Staged files that one pass looks at; the next one goes on behind them. Default 10,000. */
  readonly filesMax: number
}

export const DEFAULT_SWEEP_SETTINGS: SweepSettings = {
  staging: [DEFAULT_COORDINATOR_SETTINGS.staging],
  stagedMaxMs: 24 * 60 * 60 * 1000,
  everyMs: 60 * 1000,
  streamsMax: 1000,
  filesMax: 10_000,
}

export interface SweepOptions extends Partial<SweepSettings> {
  readonly coordinator: Pick<ArchiveDispatcher, 'dispatchDue' | 'loadStream'>
  readonly blobs: Pick<BlobStore, 'list' | 'remove'>
  readonly clock: Clock
  /** Is told of what went wrong in a pass of `run`: the next one tries again. Must not throw. */
  readonly onError?: (error: RecoveryLogError) => void
}

/** What a pass has done. */
export interface SweepReport {
  /** Tasks that were put. */
  readonly dispatched: number
  /** Staged folders that were removed. */
  readonly removed: number
}

/** `<staging>/<project>/a/<stream ID>/<attempt>/<file>`. */
const STAGED_KEY = /^([^/]+)\/a\/([^/]+)\/([^/]+)\/[^/]+$/

/**
 * Finds what is due, and puts tasks for it; removes what dead attempts have staged (log-archive spec, sections 6 and 8).
 * Idempotent: any number of sweeps may run, on a timer or called by the embedding service, and one after a long sleep
 * catches up, as due times are stored.
 */
export class Sweep {
  readonly #options: SweepOptions
  readonly #settings: SweepSettings
  /** Where the next pass goes on, by staging area. */
  readonly #after = new Map<string, string>()

  constructor(options: SweepOptions) {
    this.#options = options
    this.#settings = { ...DEFAULT_SWEEP_SETTINGS, ...options }
  }

  /** Sweeps now, and again whenever `everyMs` are over. @throws RecoveryLogError `ABORTED` */
  async run(options: { readonly signal: AbortSignal }): Promise<void> {
    for (;;) {
      try {
        await this.sweep(options)
      } catch (error) {
        throwIfAborted(options.signal)
        this.#options.onError?.(RecoveryLogError.from(error))
      }
      await this.#options.clock.sleep(this.#settings.everyMs, options.signal)
    }
  }

  /** One pass: everything that is due now, and a bounded number of staged files. @throws what coordinator and store throw */
  async sweep(options: WithSignal = {}): Promise<SweepReport> {
    const dispatched = await this.#dispatch(options)
    let removed = 0
    for (const staging of this.#settings.staging) removed += await this.#removeStaged(staging, options)
    return { dispatched, removed }
  }

  async #dispatch(options: WithSignal): Promise<number> {
    let dispatched = 0
    for (;;) {
      throwIfAborted(options.signal)
      const count = await this.#options.coordinator.dispatchDue({
        max: this.#settings.streamsMax,
        ...options,
      })
      if (count === 0) return dispatched
      dispatched += count
    }
  }

  async #removeStaged(staging: string, options: WithSignal): Promise<number> {
    const root = `${staging.replace(/^gs:\/\//, '').replace(/\/+$/, '')}/`
    const { folders, last } = await this.#stagedFolders(root, options)
    if (last === undefined) this.#after.delete(root)
    else this.#after.set(root, last)
    let removed = 0
    for (const [folder, { project, id, attempt, newestMs }] of folders) {
      if (newestMs + this.#settings.stagedMaxMs > this.#options.clock.now()) continue
      if (await this.#isClaimed({ project, id, ...options }, attempt)) continue
      await removeFolder({ blobs: this.#options.blobs, ...options }, folder)
      removed++
    }
    return removed
  }

  /** The folders of the next files, whole ones only, and where the pass after this one goes on. */
  async #stagedFolders(
    root: string,
    options: WithSignal,
  ): Promise<{ folders: ReadonlyMap<string, StagedFolder>; last: string | undefined }> {
    const folders = new Map<string, StagedFolder>()
    const after = this.#after.get(root)
    let files = 0
    let open = ''
    let last: string | undefined
    for await (const info of this.#options.blobs.list(root, {
      ...options,
      ...(after === undefined ? {} : { after }),
    })) {
      const folder = info.key.slice(0, info.key.lastIndexOf('/'))
      if (files >= this.#settings.filesMax && folder !== open) return { folders, last }
      open = folder
      files++
      last = info.key
      const staged = stagedFolder(root, info, folders.get(folder))
      if (staged !== undefined) folders.set(folder, staged)
    }
    return { folders, last: undefined }
  }

  async #isClaimed(stream: { project: string; id: string } & WithSignal, attempt: string): Promise<boolean> {
    try {
      const { record } = await this.#options.coordinator.loadStream(stream)
      return record.claim?.attempt === attempt
    } catch (error) {
      if (RecoveryLogError.is(error, 'NOT_FOUND')) return false
      throw error
    }
  }
}

interface StagedFolder {
  readonly project: string
  readonly id: string
  readonly attempt: string
  readonly newestMs: number
}

/** What a file tells of its folder; undefined for one that no archivist has put there. */
function stagedFolder(
  root: string,
  info: BlobInfo,
  known: StagedFolder | undefined,
): StagedFolder | undefined {
  const match = STAGED_KEY.exec(info.key.slice(root.length))
  if (match === null) return undefined
  const [, project, id, attempt] = match as unknown as [string, string, string, string]
  return { project, id, attempt, newestMs: Math.max(known?.newestMs ?? 0, info.modifiedMs) }
}
