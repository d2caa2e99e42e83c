import type { FSM } from '../fsm/index.ts'
import type { Journal } from '../journal/index.ts'
import type { ChangeOfLogs } from './begin-recording.ts'
import type { Separator } from './recorded-path.ts'

/** 64 MiB: some hundred milliseconds of a disk, and little enough to hold in memory. */
export const QUEUE_BYTES_MAX = 64 * 1024 * 1024

/**
 * 2 MiB: what a disk syncs in the time of a few small ones. While the journal keeps up, appends are as small as what one
 * turn records. Larger ones need more new memory where no append ends meanwhile: with 4 MiB, SQLite in a loop without a
 * pause did 0.69 of its transactions without a directory, with 2 MiB it does 0.81.
 */
export const CHUNK_BYTES = 2 * 1024 * 1024

export interface RecorderOptions {
  /** Where operations go. The recorder does not close it. */
  readonly journal: Journal
  /** Played to the head of its log, and from now on changed by the recorder alone. */
  readonly fsm: FSM
  /** Who records: a uint32 but 0, whose hand-off in the log of `fsm` has been injected. */
  readonly author: number
  /** The directory that paths are in: absolute and normalised. Default `/`, so that paths are recorded as they are. */
  readonly dir?: string
  /** The separator of the platform. Default `/`; with `\` both are taken, and drive letters. */
  readonly separator?: Separator
  /** Paths of the directory that are properties, beside `/IDENTITY`; `none` makes ordinary files only. */
  readonly properties?: readonly string[] | 'none'
  /** Whether writes carry a checksum of their content (section 9). Default false: Go has none. */
  readonly contentChecksums?: boolean
  /** How many bytes may wait for their append. Default 64 MiB; a larger call is let in alone. */
  readonly queueBytesMax?: number
  /** Up to which size calls are gathered in one append. Default 2 MiB, at most the journal's `maxAppendBytes`. */
  readonly chunkBytes?: number
  /** Whether to count what is recorded for each file, for `outweighs`. Default false: it costs some time for each write. */
  readonly countHistory?: boolean
  /** Called after each append, with the position up to which all has committed. It must not throw. */
  readonly onCommitted?: (position: number) => void
  /** Where `fsm` was played in another log than `journal`, and has operations: how to leave that one. */
  readonly change?: ChangeOfLogs
  /** Ends the wait of `open`. */
  readonly signal?: AbortSignal
}

/** How to open a file. `exclusive` alone refuses a file that is there, as in Go. */
export interface OpenFlags {
  readonly create?: boolean
  readonly exclusive?: boolean
  readonly truncate?: boolean
}

/** A place in a log behind an append. */
export interface LogPosition {
  readonly log: string
  readonly end: number
}

export interface WaitOptions {
  /** Ends the wait with `ABORTED`; what is waited for goes on. */
  readonly signal?: AbortSignal
}

/** With its sizes filled in. */
export type RecorderSettings = RecorderOptions &
  Required<Pick<RecorderOptions, 'queueBytesMax' | 'chunkBytes'>>

/** RangeError for a size that is none. */
export function settingsOf(options: RecorderOptions): RecorderSettings {
  const settings = { queueBytesMax: QUEUE_BYTES_MAX, chunkBytes: CHUNK_BYTES, ...options }
  for (const name of ['queueBytesMax', 'chunkBytes'] as const) {
    if (Number.isSafeInteger(settings[name]) && settings[name] >= 1) continue
    throw new RangeError(`${name} is an integer from 1, not ${String(settings[name])}`)
  }
  return settings
}
