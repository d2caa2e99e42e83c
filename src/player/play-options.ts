/**
 * What a Player is given, and what it answers (recovery-log spec, section 7).
 */
import type { FSM, FSMOptions, Outcome } from '../fsm/index.ts'
import type { Journal, JournalResolver, Label } from '../journal/index.ts'
import type { Clock, SyncFileSystem } from '../parts/index.ts'
import type { FSMHints } from '../wire/index.ts'
import type { PlayEvent } from './play-event.ts'
import type { LeftOver, LogRange, Missed } from './skipped.ts'
import type { Target } from './target.ts'

/** The journals that hints may name: a function, a Map, or a plain object. */
export type Journals = JournalResolver | ReadonlyMap<string, Journal> | Readonly<Record<string, Journal>>

/**
 * `fs.write` of node, callback form: what lets files be written while the log is read. `SyncFileSystem`s that have it
 * are used by it, others by `writeSync` alone.
 */
export interface PlayerFileSystem extends SyncFileSystem {
  write?(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    done: (error: Error | null, written: number) => void,
  ): void
}

/** How far playback has come. */
export interface PlayProgress {
  /** Bytes of the logs read or passed over so far. */
  readonly bytesDone: number
  /** Bytes that playback has to read in all, as the hints and the heads tell it; it rises while a log is tailed. */
  readonly bytesTotal: number
  /** Bytes per second since playback began, 0 without a clock. */
  readonly bytesPerSecond: number
}

/** What playback is made of, whatever it is done to. */
export interface PlaySource {
  /** Where to begin and what to look for. Checked before anything is read or touched: `HINTS_INVALID` and its like. */
  readonly hints: FSMHints
  /** Finds the journal of each log that the hints name. One that is not found is `NOT_FOUND`. Borrowed: never closed. */
  readonly journals: Journals
}

/** What a `Player` is made of. Either `dir` and `fs`, or a `target`. */
export interface PlayerOptions extends PlaySource {
  /** The directory to rebuild: an absolute path; missing or empty, else `TARGET_NOT_EMPTY`. */
  readonly dir?: string
  /** The file system that `dir` lies in: node:fs, memfs, or anything of their shape. */
  readonly fs?: PlayerFileSystem
  /** In place of `dir` and `fs`: `nullTarget()` plays without writing. */
  readonly target?: Target
  /** Empties `dir` once hints and heads have been checked, instead of refusing it. Default false. */
  readonly replace?: boolean
  /** Leaves out what lies under `/.recoverylog/`; empty `.emptydir` files make directories. Default false. */
  readonly directoryMarkers?: boolean
  /**
   * Whether to go on from an older state when something was missed after the last hinted segment, as Go does.
   * Default true; with false playback ends with `DATA_LOSS`, before any hand-off is appended and before `dir` has a
   * file.
   */
  readonly acceptDataLoss?: boolean
  /** The longest message taken, in bytes; a longer one is `CORRUPT`, before memory is taken. Default 16 MiB. */
  readonly frameBytesMax?: number
  /**
   * How the state machine that playback ends with cuts the segments of files that live long and are written seldom.
   * Default: not at all, as in Go.
   */
  readonly cuts?: FSMOptions
  /** The rules for names: Windows refuses more of them. Default `posix`. */
  readonly platform?: 'posix' | 'windows'
  /** Measures the rate of `onProgress`. */
  readonly clock?: Clock
  /** Called about four times a second (with every chunk read when there is no clock), and at the end. */
  readonly onProgress?: (progress: PlayProgress) => void
  /** Called with what is unusual, and with each step of the playback. What it throws ends the playback. */
  readonly onEvent?: (event: PlayEvent) => void
}

/** A place in a log. */
export interface LogPosition {
  readonly log: string
  readonly offset: number
}

/** A point in time: `end` of an append, as a sync answered it. */
export interface LogEnd {
  readonly log: string
  readonly end: number
}

/** What has been found out at the head of the log. */
export interface AtHead {
  /** Through where playback has come in the log that is played to its head, and the registers there. */
  readonly head: LogPosition & { readonly registers: readonly Label[] }
  /** What was missed after the last hinted segment: who goes on from here drops it. Empty when nothing was. */
  readonly missed: readonly Missed[]
  /** Bytes at the head that are no whole frame. */
  readonly leftOver: LeftOver | undefined
}

/** A finished playback. */
export interface Played extends AtHead {
  /** The machine, its hints used up: made for `Recorder.open`. */
  readonly fsm: FSM
  /** The directory that was rebuilt; undefined with a `target`. */
  readonly dir: string | undefined
  /** Spans that were deleted from a log, as reading came upon them. */
  readonly jumps: readonly LogRange[]
  /** Spans that were no frames. Touching ones are one, and what was left over at an append's end is among them. */
  readonly desyncs: readonly LogRange[]
  /** How many operations were read, by what came of them. */
  readonly outcomes: ReadonlyMap<Outcome, number>
}
