/** A standby: follows a log beside a directory, ready to take it over (durable-directory spec, section 1). */
import { Deferred, raceAbort } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { LogPosition, Player } from '../player/index.ts'
import type { DirectoryClaim } from './directory-claim.ts'
import type { DirectoryEnd } from './directory-end.ts'
import type { FollowOptions } from './directory-options.ts'
import type { Reached } from './recovery.ts'

/** Long enough for an engine that restarts, short enough that somebody hears of one that does not. */
const STALL_MS_DEFAULT = 30_000
/** How often the head is looked at while a stall is watched for, in each `stallMs`. */
const LOOKS = 3

export interface StandbyOptions<Owner> {
  readonly options: FollowOptions
  readonly claim: DirectoryClaim
  /** Makes an owner of a claim whose log can be taken over. */
  readonly own: () => Promise<Owner>
}

/**
 * Made by `DurableDirectory.follow`. The tree of `dir` is left untouched until `promote`.
 */
export class Standby<Owner> implements AsyncDisposable {
  readonly #options: FollowOptions
  readonly #claim: DirectoryClaim
  readonly #own: () => Promise<Owner>
  readonly #stop = new AbortController()
  readonly #caughtUp = new Deferred()
  readonly #ended = new Deferred<DirectoryEnd>()
  #player: Player | undefined
  /** Resolved when a part of the log was found to be gone. */
  #jumped = new Deferred()
  /** The newest set when hints were last found wanting. */
  #lastKey: string | undefined
  #following: Promise<void> = Promise.resolve()
  #promoting: Promise<Owner> | undefined
  #closing: Promise<void> | undefined

  constructor(parts: StandbyOptions<Owner>) {
    this.#options = parts.options
    this.#claim = parts.claim
    this.#own = parts.own
    this.#caughtUp.promise.catch(() => undefined) // whoever asks for it is told
  }

  /** For `DurableDirectory.follow`: which player plays now. */
  setPlayer(player: Player): void {
    this.#player = player
    this.#jumped = new Deferred()
  }

  /** For `DurableDirectory.follow`: a part of the log is gone that has not been read. */
  noteJump(): void {
    this.#jumped.resolve()
  }

  /** For `DurableDirectory.follow`: begins. */
  start(): this {
    this.#following = this.#follow()
    return this
  }

  /** Bytes of the log that are still to be read, up to the head that was last heard of. */
  get lag(): number {
    return this.#player?.lag ?? 0
  }

  /** Through where the log has been played; undefined before the first byte. */
  get position(): LogPosition | undefined {
    return this.#player?.position
  }

  /** Resolves when the head of the log has first been reached; rejects when this standby ends before. */
  get caughtUp(): Promise<void> {
    return this.#caughtUp.promise
  }

  /** Resolves, never rejects, when the standby has ended: promoted, closed or failed. */
  get closed(): Promise<DirectoryEnd> {
    return this.#ended.promise
  }

  /**
   * Takes the log over, puts the tree in its place, and answers its owner; what has been read is not read again.
   * The standby has ended then. When it fails, the standby goes on as before, unless the failure is one of following.
   */
  promote(options: { readonly signal?: AbortSignal } = {}): Promise<Owner> {
    this.#promoting ??= this.#promote().finally(() => {
      this.#promoting = undefined
    })
    return raceAbort(this.#promoting, options.signal)
  }

  /** Ends following, removes what it has made, and gives the lock back. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#end({ reason: 'closed' })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #promote(): Promise<Owner> {
    if (this.#closing !== undefined) throw new RecoveryLogError('CLOSED', 'the standby has ended')
    await this.caughtUp
    this.#stop.abort()
    await this.#following
    const owner = await this.#own().catch(async (error: unknown) => {
      this.#closing ??= this.#end({ reason: 'failed', error: RecoveryLogError.from(error) })
      await this.#closing
      throw error
    })
    this.#closing = Promise.resolve() // the claim is the owner's now
    this.#ended.resolve({ reason: 'promoted' })
    return owner
  }

  async #end(end: DirectoryEnd): Promise<void> {
    this.#stop.abort()
    await this.#following
    this.#caughtUp.reject(end.error ?? new RecoveryLogError('CLOSED', 'the standby has ended'))
    await this.#claim.release()
    this.#ended.resolve(end)
  }

  /** Follows until it is told to stop. What it needs may be pruned or left: then it begins again. */
  async #follow(): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      try {
        const reached = await raceAbort(this.#claim.follower.reach(), signal)
        this.#caughtUp.resolve()
        await this.#watch(reached, signal)
      } catch (error) {
        if (signal.aborted) return
        if (!RecoveryLogError.is(error, 'DATA_LOSS') || !(await this.#areHintsNewer())) {
          this.#fail(error)
          return
        }
        this.#options.onEvent?.({ type: 'restarted', error })
      }
    }
  }

  #fail(error: unknown): void {
    this.#closing ??= Promise.resolve().then(() =>
      this.#end({ reason: 'failed', error: RecoveryLogError.from(error) }),
    )
  }

  /** Newer than when this was asked last: only then another try can do better. */
  async #areHintsNewer(): Promise<boolean> {
    const key = await this.#newestKey()
    const areNewer = key !== undefined && key !== this.#lastKey
    this.#lastKey = key
    return areNewer
  }

  async #newestKey(): Promise<string | undefined> {
    const stored = await this.#options.hints.load()
    return stored.find(({ set }) => set !== undefined)?.key
  }

  /** Throws what ends the playback; tells of a stall. */
  async #watch(reached: Reached, signal: AbortSignal): Promise<void> {
    const { clock, stallMs = STALL_MS_DEFAULT } = this.#options
    let offset = reached.player.position.offset
    let since = clock.now()
    const failed = reached.played.then(() => undefined)
    failed.catch(() => undefined) // after this watch has ended, whoever promotes is told
    for (;;) {
      await Promise.race([failed, this.#jumped.promise, clock.sleep(stallMs / LOOKS, signal)])
      this.#jumped = new Deferred() // looked at below; without newer hints there is nothing to be done about it yet
      await this.#restartAfterJump(reached)
      const lag = await Promise.race([failed, reached.player.measureLag({ signal })])
      const position = reached.player.position
      if (position.offset !== offset || lag === 0) {
        offset = position.offset
        since = clock.now()
      } else if (clock.now() - since >= stallMs) {
        this.#options.onEvent?.({ type: 'STALLED', ...position, ms: clock.now() - since })
        since = clock.now()
      }
    }
  }

  /** What was pruned before it could be read is not missed when newer hints do without it. */
  async #restartAfterJump({ candidate, player }: Reached): Promise<void> {
    const jump = player.state.missed.find(({ kind }) => kind === 'jump')
    if (jump === undefined || (await this.#newestKey()) === candidate.key) return
    this.#lastKey = candidate.key
    throw new RecoveryLogError('DATA_LOSS', `a part of ${jump.log} was pruned before it was read`, {
      ...jump,
    })
  }
}
