/**
 * A directory that survives its machine (durable-directory spec): player, recorder, hints and the recorded file system
 * in one object.
 */
import { Deferred, throwIfAborted } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { fenceOf } from '../fsm/index.ts'
import type { LogEnd } from '../player/index.ts'
import type { Recorder } from '../recorder/index.ts'
import type { NodeFileSystem, RecordedFileSystem } from '../recorder/fs/index.ts'
import { plan, recover, verify, type RecoveryPlan, type VerifyReport } from './copies.ts'
import type { DirectoryCopy, PlanOptions, RecoverOptions } from './copies.ts'
import { DirectoryClaim } from './directory-claim.ts'
import type { DirectoryEnd } from './directory-end.ts'
import type { CopyOptions, FollowOptions, OpenOptions } from './directory-options.ts'
import type { HintsBuilder } from './hints-builder.ts'
import { rewriteOutweighed } from './horizon.ts'
import { HINTS_GROWTH_BYTES_DEFAULT, HINTS_INTERVAL_MS_DEFAULT, HintsWriter } from './hints-writer.ts'
import { beginOwning } from './owning.ts'
import { prune, type PruneOptions, type PruneReport } from './prune.ts'
import { journalsOf } from './recovery.ts'
import { Standby } from './standby.ts'
import { liveSize, type DirectoryStatus } from './status.ts'

interface Parts {
  readonly options: OpenOptions
  readonly claim: DirectoryClaim
  readonly recorder: Recorder
  readonly files: RecordedFileSystem
  readonly builder: HintsBuilder
  /** The set that the directory was recovered from. */
  readonly recoveredFrom: string | undefined
  /** Sets who is told after each append up to which position all has committed. */
  readonly onCommitted: (listener: (position: number) => void) => void
}

/**
 * @example
 * ```ts
 * await using state = await DurableDirectory.open({ dir, journal, hints })
 * state.fs.writeFileSync('/orders.db', bytes)
 * await state.sync()
 * ```
 */
export class DurableDirectory implements AsyncDisposable {
  /** The directory as a file system of node's shape; `/` is the directory. What is done through it is recorded. */
  readonly fs: NodeFileSystem
  readonly #files: RecordedFileSystem
  readonly #options: OpenOptions
  readonly #claim: DirectoryClaim
  readonly #recorder: Recorder
  readonly #hints: HintsWriter
  readonly #closed = new Deferred<DirectoryEnd>()
  #closing: Promise<void> | undefined

  /**
   * Recovers the directory or begins it, and owns it: the owner before is fenced. Nothing is appended before the log
   * has been played to its head.
   *
   * @throws `DIRECTORY_IN_USE` (naming the holder), `TARGET_NOT_EMPTY` (files that are none of ours), `DATA_LOSS`
   *   (unless `acceptDataLoss`), `LOG_TAKEN`, `FENCED` (a newer owner was faster), `CORRUPT`, `PATH_REFUSED`,
   *   `UNAVAILABLE` and whatever else the journal, the store and the file system say.
   */
  static async open(options: OpenOptions): Promise<DurableDirectory> {
    const claim = await DirectoryClaim.take(options)
    try {
      return await DurableDirectory.#own(options, claim)
    } catch (error) {
      await claim.release()
      throw error
    }
  }

  /** A standby: plays and tails the log beside `dir`, and leaves the tree of `dir` untouched until `promote`. */
  static async follow({ signal, ...options }: FollowOptions): Promise<Standby<DurableDirectory>> {
    throwIfAborted(signal) // the call's alone: what it starts goes on when the signal fires later
    const claim = await DirectoryClaim.take(options, {
      onPlayer: (player) => {
        standby.setPlayer(player)
      },
      onJump: () => {
        standby.noteJump()
      },
    })
    const standby = new Standby({ options, claim, own: () => DurableDirectory.#own(options, claim) })
    return standby.start()
  }

  /** A copy in another place, as of the head or of a point in time. Owns nothing and appends nothing. */
  static recover(options: RecoverOptions): Promise<DirectoryCopy> {
    return recover(options)
  }

  /** What a recovery would read, without reading it. */
  static plan(options: PlanOptions): Promise<RecoveryPlan> {
    return plan(options)
  }

  /** Plays without writing; throws what a recovery would throw. */
  static verify(options: CopyOptions): Promise<VerifyReport> {
    return verify(options)
  }

  /** Frees what no stored hints and no reader need, or says what it would free. */
  static prune(options: PruneOptions): Promise<PruneReport> {
    return prune(options)
  }

  static async #own(options: OpenOptions, claim: DirectoryClaim): Promise<DurableDirectory> {
    const directory = new DurableDirectory({ options, claim, ...(await beginOwning(options, claim)) })
    await directory.#begin()
    return directory
  }

  private constructor(parts: Parts) {
    const { options, claim, recorder, files, builder, recoveredFrom } = parts
    this.fs = files.fs
    this.#files = files
    this.#options = options
    this.#claim = claim
    this.#recorder = recorder
    this.#hints = new HintsWriter(
      {
        store: options.hints,
        clock: options.clock,
        build: (signal) => builder.build(signal),
        prepare: async (signal) => {
          if (options.boundHistory === false) return
          await rewriteOutweighed({ recorder, files, fs: options.fs, dir: options.dir }, signal)
        },
        intervalMs: options.hintsIntervalMs ?? HINTS_INTERVAL_MS_DEFAULT,
        growthBytes: options.hintsGrowthBytes ?? HINTS_GROWTH_BYTES_DEFAULT,
        onEvent: (event) => options.onEvent?.(event),
        onConflict: (error) => {
          recorder.fail(error)
        },
      },
      recoveredFrom,
    )
    parts.onCommitted((position) => {
      this.#hints.noteCommitted(position)
    })
  }

  /** The author that records here; a newer one fences it. */
  get author(): number {
    return this.#claim.author
  }

  /** Bytes of log recorded since `open`. */
  get position(): number {
    return this.#recorder.position
  }

  /** How many of them are durable, as the journal declares it. */
  get committed(): number {
    return this.#recorder.committed
  }

  /** Resolves, never rejects, when the directory has ended, with the reason. */
  get closed(): Promise<DirectoryEnd> {
    return this.#closed.promise
  }

  /**
   * Resolves when all that was done before is committed, calls still in flight included. The answer is a point in time
   * for `recover({ at })`.
   * @throws the first cause, such as `FENCED`, when something could not be committed; `ABORTED`, which undoes nothing.
   */
  sync(options: { readonly signal?: AbortSignal } = {}): Promise<LogEnd> {
    if (this.#closing !== undefined && this.#recorder.failure === undefined) {
      return Promise.reject(
        new RecoveryLogError('CLOSED', 'the directory has been closed', { dir: this.#options.dir }),
      )
    }
    return this.#files.sync(options)
  }

  /** Resolves when the log has committed through `position`: rides the normal appends, and asks for none. */
  async committedAt(position: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#recorder.committedAt(position, options)
  }

  /** Writes hints now: a recovery then reads only what comes after. Answers the key of the stored set. */
  checkpoint(options: { readonly signal?: AbortSignal } = {}): Promise<string> {
    return this.#hints.write(options.signal)
  }

  /** Plays the log from the stored hints without writing. */
  verify(options: Pick<CopyOptions, 'onProgress' | 'signal'> = {}): Promise<VerifyReport> {
    return verify({ ...this.#options, ...options })
  }

  /** Frees what no stored hints and no reader need; the report names the paths that hold the oldest bytes. */
  prune(
    options: Pick<PruneOptions, 'dryRun' | 'goReadable' | 'bytesMax' | 'onProgress' | 'signal'> = {},
  ): Promise<PruneReport> {
    return prune({
      goReadable: this.#options.goReadable,
      ...options,
      hints: this.#options.hints,
      journals: journalsOf(this.#options),
      clock: this.#options.clock,
      pathsOf: (fnode) => this.#recorder.fsm.linksOf(fnode),
    })
  }

  /** How it is doing, as plain data. Looks at the size of every file. */
  async status(): Promise<DirectoryStatus> {
    const { journal, clock, dir, fs } = this.#options
    const saved = this.#hints.saved
    const planned = saved === undefined ? undefined : await plan(this.#options)
    return {
      author: this.author,
      fence: fenceOf(this.author).value,
      log: journal.name,
      durability: journal.durability,
      position: this.position,
      committed: this.committed,
      queuedBytes: this.#recorder.queuedBytes,
      ...liveSize(this.#recorder.fsm, fs, dir),
      recoveryBytes: planned?.bytes,
      hintsAgeMs: saved === undefined ? undefined : clock.now() - saved.time,
    }
  }

  /**
   * Stops, syncs, writes hints and unlocks. May be called twice. After a failure it just lets go.
   * @throws what the last sync throws, or the failure for which recording ended before, when nobody has been told of it.
   *   Hints that could not be written are an event: everything is committed.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #begin(): Promise<void> {
    const { onEvent } = this.#options
    void this.#recorder.ended.then((error) => {
      if (error === undefined) return
      const reason = error.kind === 'fenced' ? 'fenced' : 'failed'
      onEvent?.({ type: reason, error })
      this.#closed.resolve({ reason, error })
    })
    await this.#writeHints(this.#options.signal)
    this.#hints.start()
  }

  async #close(): Promise<void> {
    await this.#hints.stop()
    let failure: unknown
    try {
      if (this.#recorder.failure === undefined) {
        await this.#files.close()
        await this.#writeHints()
      }
    } catch (error) {
      failure = error
    }
    await this.#recorder.close().catch((error: unknown) => {
      failure ??= error // unless somebody has been told of it before
    })
    await this.#claim.release()
    this.#closed.resolve({ reason: 'closed' })
    this.#options.onEvent?.({ type: 'closed' })
    if (failure !== undefined) throw RecoveryLogError.from(failure)
  }

  /** Where failing does not matter: the log has everything, and the next hints are not far. */
  async #writeHints(signal?: AbortSignal): Promise<void> {
    try {
      await this.#hints.write(signal)
    } catch (caught) {
      const error = RecoveryLogError.from(caught)
      if (error.kind === 'fenced' || error.kind === 'aborted') throw error
      this.#options.onEvent?.({ type: 'hints_failed', error })
    }
  }
}
