/**
 * Follows a log into a tree beside the directory, and takes the log over when it is told to: what `open` does at once,
 * and a standby when it is promoted (durable-directory spec, section 1).
 */
import { throwIfAborted } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { Played } from '../player/index.ts'
import type { StoredHints } from './hints-store.ts'
import { reachHead, type Candidate, type Reached, type RecoveryOptions } from './recovery.ts'

/** Each lost round means that another owner took the log over meanwhile. */
const TAKE_OVER_ROUNDS_MAX = 32

export interface FollowerOptions extends RecoveryOptions {
  /** Throws when the tree could not take its place: asked before anybody is fenced. */
  readonly probe: () => void
  /** Removes a finished tree that is not wanted after all. */
  readonly discard: () => void
}

/** The log is ours, and the tree is rebuilt. */
export interface TakenOver {
  readonly played: Played
  readonly candidate: Candidate
  /** What was stored after the hand-off. */
  readonly stored: readonly StoredHints[]
  /**
   * Where the hand-off was appended. undefined when left-over bytes forbade it and the owner goes on in another log:
   * the old one is then fenced off by that change of logs.
   */
  readonly handoffOffset: number | undefined
  /** Operations in the log were dropped, as `acceptDataLoss` allowed. */
  readonly lossAccepted: boolean
}

export class Follower {
  readonly #options: FollowerOptions
  #reached: Reached | undefined
  #reaching: Promise<Reached> | undefined
  #abort = new AbortController()

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  /** Plays to the head, and goes on tailing from there. A second call begins anew, from newer hints. */
  async reach(): Promise<Reached> {
    await this.abandon()
    const { signal } = this.#options
    this.#abort = new AbortController()
    const signals = signal === undefined ? [this.#abort.signal] : [signal, this.#abort.signal]
    this.#reaching = reachHead({ ...this.#options, signal: AbortSignal.any(signals) })
    this.#reached = await this.#reaching
    return this.#reached
  }

  /** Ends the playback under way, and removes what it has made. */
  async abandon(): Promise<void> {
    this.#abort.abort()
    await this.#reaching?.catch(ignore)
    await this.#reached?.played.catch(ignore)
    this.#reached = undefined
  }

  /**
   * Appends the hand-off: from then on every older owner is fenced. Reads nothing twice, unless the log was left for
   * another one or another owner was faster. Where left-over bytes forbid a hand-off, and the log to record to is
   * another one, playback just ends at the head.
   * @throws `DATA_LOSS` before the hand-off when something was missed; `CONFLICT` when others are always faster.
   */
  async takeOver(author: number): Promise<TakenOver> {
    const { source, probe, discard, signal } = this.#options
    for (let round = 0; round < TAKE_OVER_ROUNDS_MAX; round++) {
      throwIfAborted(signal)
      const reached = this.#reached ?? (await this.reach())
      if (isLogLeft(reached, await source.hints.load({ signal }))) {
        await this.abandon()
        continue
      }
      probe()
      this.#reached = undefined
      const isRefused = this.#isHandoffRefused(reached)
      if (isRefused) reached.player.finishAtWriteHead()
      else reached.player.injectHandoff(author)
      let played: Played
      try {
        played = await reached.played
      } catch (error) {
        if (isLostRace(error)) continue
        throw error
      }
      const stored = await source.hints.load({ signal })
      const handoffOffset = reached.handoffOffset()
      if (isLogLeft(reached, stored) || (handoffOffset === undefined && !isRefused)) {
        discard()
        continue
      }
      const { candidate } = reached
      const lossAccepted = reached.lossAccepted || played.missed.length > 0
      return { played, candidate, stored, handoffOffset, lossAccepted }
    }
    throw new RecoveryLogError('CONFLICT', 'other owners keep taking the log over', {
      rounds: TAKE_OVER_ROUNDS_MAX,
    })
  }

  #isHandoffRefused({ player, candidate }: Reached): boolean {
    const isOtherLog = candidate.hints.log !== this.#options.source.journal.name
    return isOtherLog && player.state.leftOver?.holdsMagic === true
  }
}

/** Whether hints that were saved meanwhile name another log: nothing in the old one points to it. */
function isLogLeft(reached: Reached, stored: readonly StoredHints[]): boolean {
  const newest = stored.find(({ set }) => set !== undefined)
  if (newest?.set === undefined || reached.stored.some(({ key }) => key === newest.key)) return false
  return newest.set.hints.log !== reached.candidate.hints.log
}

function isLostRace(error: unknown): boolean {
  return RecoveryLogError.is(error, 'APPENDER_REPLACED') || RecoveryLogError.is(error, 'CONFLICT')
}

function ignore(): void {
  // an abandoned playback ends with ABORTED, which is what was asked for
}
