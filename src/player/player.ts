/**
 * Rebuilds a directory from its log (recovery-log spec, section 7).
 */
import type { AtHead, LogEnd, LogPosition, Played, PlayerOptions } from './play-options.ts'

/**
 * Plays the log that hints name into a directory. One Player plays once.
 *
 * How it ends is asked for by one of three calls, before `play` or while it runs; until then playback reads to the head
 * and tails the log:
 *
 * ```ts
 * const player = new Player({ hints, journals, dir, fs })
 * const played = player.play({ signal })       // begins; nothing is appended
 * const { missed } = await player.atHead       // everything that the log holds has been played
 * player.injectHandoff(author)                 // takes the log over, and goes on from there
 * const { fsm } = await played
 * ```
 */
export class Player {
  constructor(options: PlayerOptions) {
    throw new Error(`not landed yet: ${String(options.dir)}`)
  }

  /**
   * Plays until the end that was asked for. The directory has its files when this resolves, and is as it was before
   * when it rejects.
   *
   * Throws what the hints' check throws (`HINTS_INVALID` and others), `NOT_FOUND` for a log without a journal,
   * `TARGET_NOT_EMPTY`, `DATA_LOSS`, `CORRUPT`, `PATH_REFUSED`, `CONFLICT` for a hand-off that others were always faster
   * with, `ABORTED`, what the journal throws, and `UNAVAILABLE` or `DENIED` for what the file system said.
   */
  play(_options: { readonly signal?: AbortSignal } = {}): Promise<Played> {
    throw new Error('not landed yet')
  }

  /** Ends by a no-op of `author` at the head, which takes the log over and sets the fence. Not zero, a uint32. */
  injectHandoff(_author: number): void {
    throw new Error('not landed yet')
  }

  /** Ends at the write head of the moment of this call. */
  finishAtWriteHead(): void {
    throw new Error('not landed yet')
  }

  /** Ends at the last whole operation before a point of the log that the hints name. Only before `play`. */
  finishAt(_point: LogEnd): void {
    throw new Error('not landed yet')
  }

  /** Resolves when the head has first been reached with all hints used up; rejects when playback fails before that. */
  get atHead(): Promise<AtHead> {
    throw new Error('not landed yet')
  }

  /** What has been missed so far, and how far playback has come: `atHead` at this moment. */
  get state(): AtHead {
    throw new Error('not landed yet')
  }

  /** Through where operations have been played. */
  get position(): LogPosition {
    throw new Error('not landed yet')
  }

  /** Bytes still to be read, up to the last known head. */
  get lag(): number {
    throw new Error('not landed yet')
  }

  /** Asks the journal for its head, and answers the lag behind it. */
  measureLag(_options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    throw new Error('not landed yet')
  }

  /** Resolves when nothing more is to be read at that moment. At once when it is so. */
  caughtUp(_options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    throw new Error('not landed yet')
  }
}
