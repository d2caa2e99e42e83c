/** How a durable directory is doing (durable-directory spec, section 1). */
import type { FSM } from '../fsm/index.ts'
import type { Durability } from '../journal/index.ts'
import { systemErrorCode, type SyncFileSystem } from '../parts/index.ts'

/** Plain data: it can be printed as JSON. */
export interface DirectoryStatus {
  readonly author: number
  /** The author as the fence register holds it. */
  readonly fence: string
  readonly log: string
  readonly durability: Durability
  /** Bytes of log recorded since open. */
  readonly position: number
  /** How many of them are durable. */
  readonly committed: number
  readonly queuedBytes: number
  readonly liveFiles: number
  readonly liveBytes: number
  /** Bytes of log that a recovery would read now; undefined while no hints have been written. */
  readonly recoveryBytes: number | undefined
  /** Since the newest hints; undefined while none have been written. */
  readonly hintsAgeMs: number | undefined
}

/** Files and bytes that are live. One that is removed while it is counted does not count. */
export function liveSize(
  fsm: FSM,
  fs: SyncFileSystem,
  dir: string,
): { readonly liveFiles: number; readonly liveBytes: number } {
  let liveFiles = 0
  let liveBytes = 0
  for (const { links } of fsm.liveNodes()) {
    try {
      liveBytes += fs.statSync(dir + (links[0] ?? '')).size
      liveFiles++
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error // the marker of an empty directory is on no disk
    }
  }
  return { liveFiles, liveBytes }
}
