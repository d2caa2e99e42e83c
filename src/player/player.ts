/**
 * Rebuilds a directory from its log (recovery-log spec, section 7).
 */
import { Deferred } from '../async/index.ts'
import { fenceOf } from '../fsm/index.ts'
import { FRAME_BYTES_MAX } from '../wire/index.ts'
import type { AtHead, LogEnd, LogPosition, Played, PlayerOptions } from './play-options.ts'
import { Playback } from './playback.ts'
import type { Ending, PlaySettings } from './playback.ts'
import { StagingTarget } from './staging-target.ts'
import type { Target } from './target.ts'

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
 * player.injectHandoff(author)                 // takes the log over, going on from there
 * const { fsm } = await played
 * ```
 */
export class Player {
  readonly #settings: PlaySettings
  /** Settled by the run; there before it, so that it can be waited for first. */
  readonly #atHead = new Deferred<AtHead>()
  #ending: Ending | undefined
  #playback: Playback | undefined

  /** Throws TypeError and RangeError for options that cannot be. */
  constructor(options: PlayerOptions) {
    this.#settings = settingsOf(options)
    this.#atHead.promise.catch(ignore) // whoever waits for it is told, and who does not is told by `play`
  }

  /**
   * Plays until the end that was asked for. The directory has its files when this resolves, and is as it was before
   * when it rejects.
   *
   * Throws what the check of the hints throws (`HINTS_INVALID` and its like), `NOT_FOUND` for a log without a journal,
   * `TARGET_NOT_EMPTY`, `DATA_LOSS`, `CORRUPT`, `PATH_REFUSED`, `CONFLICT` for a hand-off that others were always faster
   * with, `ABORTED`, what the journal throws, and `UNAVAILABLE` or `DENIED` for what the file system said.
   */
  play(options: { readonly signal?: AbortSignal } = {}): Promise<Played> {
    if (this.#playback !== undefined) throw new TypeError('a Player plays once')
    this.#playback = new Playback(this.#settings, options.signal)
    this.#playback.atHead.promise.then(this.#atHead.resolve, this.#atHead.reject)
    if (this.#ending !== undefined) this.#playback.end(this.#ending)
    return this.#playback.run()
  }

  /**
   * Ends by taking the log over: a no-op of `author`, a uint32 that is not 0, is appended at the head, and the fence is
   * set. `play` resolves once the no-op has been read back as the next operation; when another writer was faster, it
   * plays on and tries again.
   */
  injectHandoff(author: number): void {
    fenceOf(author)
    this.#end({ kind: 'handoff', author })
  }

  /** Ends at the write head: that of this moment, or of the beginning of `play`. */
  finishAtWriteHead(): void {
    this.#end({ kind: 'head' })
  }

  /**
   * Ends at the last whole operation before a point of the log that the hints name. To be called before `play`, which
   * throws `DATA_LOSS` when the point lies past the head, and `INVALID` when it lies in another log, or before what the
   * hints name.
   */
  finishAt(point: LogEnd): void {
    if (this.#playback !== undefined) throw new TypeError('finishAt() is to be called before play()')
    if (!Number.isSafeInteger(point.end) || point.end < 0) {
      throw new RangeError(`an offset is a safe integer from 0, got ${point.end}`)
    }
    this.#end({ kind: 'point', point })
  }

  /** Resolves when the head has first been reached with all hints used up; rejects when playback fails before that. */
  get atHead(): Promise<AtHead> {
    return this.#atHead.promise
  }

  /** What `atHead` would tell at this moment: how far the log has been played, and what has been missed. */
  get state(): AtHead {
    return this.#started().state
  }

  /** Through where operations have been played. */
  get position(): LogPosition {
    return this.#started().position
  }

  /** Bytes still to be read, up to the head as far as it is known; undefined before any head is known. */
  get lag(): number | undefined {
    return this.#playback?.lag
  }

  /** Asks the journal for its head, and answers the lag behind it. To be called after `atHead` has resolved. */
  measureLag(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.#started().measureLag(options.signal)
  }

  /** Resolves when all that was in the log at this moment has been played; rejects when playback fails before that. */
  caughtUp(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#started().caughtUp(options.signal)
  }

  #end(ending: Ending): void {
    if (this.#ending !== undefined) throw new TypeError('the end of the playback has already been asked for')
    this.#ending = ending
    this.#playback?.end(ending)
  }

  #started(): Playback {
    if (this.#playback === undefined) throw new TypeError('play() has not been called')
    return this.#playback
  }
}

function settingsOf(options: PlayerOptions): PlaySettings {
  const {
    hints,
    journals,
    frameBytesMax = FRAME_BYTES_MAX,
    cuts = {},
    directoryMarkers = false,
    acceptDataLoss = true,
  } = options
  if (!Number.isSafeInteger(frameBytesMax) || frameBytesMax < 1) {
    throw new RangeError(`frameBytesMax is a number from 1, got ${frameBytesMax}`)
  }
  return {
    hints,
    journals,
    target: options.target ?? directoryOf(options),
    dir: options.target === undefined ? options.dir : undefined,
    directoryMarkers,
    acceptDataLoss,
    frameBytesMax,
    cuts,
    platform: options.platform ?? 'posix',
    clock: options.clock,
    onProgress: options.onProgress,
    onEvent: options.onEvent ?? ignore,
  }
}

function directoryOf({ dir, fs, replace = false }: PlayerOptions): Target {
  if (dir === undefined || fs === undefined) throw new TypeError('a Player needs dir and fs, or a target')
  if (!ABSOLUTE.test(dir)) throw new TypeError(`dir is to be an absolute path, got ${JSON.stringify(dir)}`)
  return new StagingTarget(fs, dir, replace)
}

/** With a drive, or a server, on Windows. */
const ABSOLUTE = /^(?:[/\\]|[A-Za-z]:[/\\])/

function ignore(): void {
  // deliberately empty: the default of a callback
}
