/**
 * One process's claim on a directory: its lock, the place of its new tree, and the follower that fills it. What `open`
 * and a standby have in common (durable-directory spec, section 1).
 */
import { RecoveryLogError } from '../errors/index.ts'
import { fenceOf } from '../fsm/index.ts'
import type { Random } from '../parts/index.ts'
import { DirectoryExchange } from './directory-exchange.ts'
import { DirectoryLock } from './directory-lock.ts'
import type { OpenOptions } from './directory-options.ts'
import { Follower, type TakenOver } from './follower.ts'
import type { ProcessIdentity } from './process-identity.ts'
import { ReaderPin } from './reader-pin.ts'
import type { RecoveryOptions } from './recovery.ts'

/** Enough for a file that is touched once in a while for years; few enough that hints stay small. */
const SEGMENTS_PER_FNODE_MAX = 32

/** A machine that tells nothing of its processes: its locks are judged by nobody. */
const UNKNOWN_IDENTITY: ProcessIdentity = {
  self: { machine: '', boot: '', pidNamespace: '', pid: 0, startTime: '' },
  startTimeOf: () => undefined,
}

export class DirectoryClaim {
  readonly author: number
  readonly follower: Follower
  readonly #options: OpenOptions
  readonly #lock: DirectoryLock
  readonly #exchange: DirectoryExchange
  readonly #pin: ReaderPin
  /** The directory holds files that are none of ours, and is recorded as it is. */
  readonly #isAdopting: boolean

  /**
   * Takes the lock, and clears what owners before have left beside the directory.
   * @throws `DIRECTORY_IN_USE`; `TARGET_NOT_EMPTY` for a directory that is none of ours; `LOG_TAKEN` when one is to be
   *   adopted into a log that is not empty.
   */
  static async take(
    options: OpenOptions,
    watch: Pick<RecoveryOptions, 'onPlayer' | 'onJump'> = {},
  ): Promise<DirectoryClaim> {
    const { dir, fs, clock, random, identity = UNKNOWN_IDENTITY, takeLock = false } = options
    checkDir(dir)
    const author = randomAuthor(random)
    const lock = DirectoryLock.take({ fs, dir, author, identity, time: clock.now(), takeLock })
    try {
      const exchange = new DirectoryExchange(fs, dir, author)
      exchange.clearBefore(lock.authorsBefore)
      lock.forgetBefore()
      const isAdopting = exchange.occupant() === 'foreign'
      if (isAdopting) await checkAdoption(exchange, options)
      return new DirectoryClaim(options, author, lock, exchange, isAdopting, watch)
    } catch (error) {
      lock.release()
      throw error
    }
  }

  private constructor(
    options: OpenOptions,
    author: number,
    lock: DirectoryLock,
    exchange: DirectoryExchange,
    isAdopting: boolean,
    watch: Pick<RecoveryOptions, 'onPlayer' | 'onJump'>,
  ) {
    const { dir, fs, clock, hints, pinMs, signal, onEvent = ignore, onProgress } = options
    this.author = author
    this.#options = options
    this.#lock = lock
    this.#exchange = exchange
    this.#isAdopting = isAdopting
    this.#pin = new ReaderPin({
      hints,
      clock,
      id: `reader-${fenceOf(author).value}`,
      reader: `a recovery of ${dir}`,
      pinMs,
      onError: (error) => {
        onEvent({ type: 'hints_failed', error })
      },
    })
    this.follower = new Follower({
      source: options,
      clock,
      pin: this.#pin,
      place: { dir: exchange.newDir, fs },
      cuts: {
        segmentsPerFnodeMax: SEGMENTS_PER_FNODE_MAX,
        segmentGapBytesMin: options.segmentGapBytesMin,
        goReadable: options.goReadable,
      },
      onEvent,
      onProgress,
      signal,
      ...watch,
      probe: () => {
        if (!isAdopting) exchange.probe()
      },
      discard: () => {
        exchange.discard()
      },
    })
  }

  /** Whether the files that are there are to be recorded, in place of those that the log holds. */
  get isAdopting(): boolean {
    return this.#isAdopting
  }

  /** Takes the log over, and puts the tree in its place. */
  async takeOver(): Promise<TakenOver> {
    const taken = await this.follower.takeOver(this.author)
    if (this.#isAdopting) {
      this.#exchange.discard()
      const { name: log, id } = this.#options.journal
      this.#exchange.beginAdoption({ log, id })
    } else {
      this.#exchange.exchange()
    }
    await this.#pin.release()
    return taken
  }

  /** All that was there has committed. */
  finishAdoption(): void {
    this.#exchange.finishAdoption()
  }

  /**
   * Ends the playback under way, removes what it has made, gives the lock back, and closes what was made for this
   * directory alone. May be called twice. Throws the first error, after all of it has been tried.
   */
  async release(): Promise<void> {
    const steps: readonly (() => Promise<void> | undefined)[] = [
      () => this.follower.abandon(),
      () => this.#pin.release(),
      () => {
        this.#exchange.discard()
        return undefined
      },
      () => {
        this.#lock.release()
        return undefined
      },
      ...(this.#options.closeWith ?? []).map((part) => () => part.close()),
    ]
    const errors: unknown[] = []
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw RecoveryLogError.from(errors[0])
  }
}

function checkDir(dir: string): void {
  const isNormal = dir.startsWith('/') && dir !== '/' && !/\/(\.{0,2})(\/|$)/.test(dir)
  if (!isNormal) throw new TypeError(`dir: expected an absolute, normalised path, got ${JSON.stringify(dir)}`)
}

/** A directory that is none of ours is taken only when asked for, and only into a log that holds nothing else. */
async function checkAdoption(exchange: DirectoryExchange, options: OpenOptions): Promise<void> {
  const { dir, journal, adopt = false, signal } = options
  if (!adopt) {
    throw new RecoveryLogError(
      'TARGET_NOT_EMPTY',
      `${dir} holds files, and is no durable directory: it is left alone (adopt: true takes it for an empty log)`,
      { dir },
    )
  }
  const head = await journal.head(signal === undefined ? {} : { signal })
  const half = exchange.adoption()
  const isHalfAdopted = half?.log === journal.name && half.id === journal.id
  if (head.offset === 0 || isHalfAdopted) return
  throw new RecoveryLogError(
    'LOG_TAKEN',
    `${dir} can be adopted into an empty log only, and ${journal.name} holds operations`,
    { dir, log: journal.name, offset: head.offset },
  )
}

function randomAuthor(random: Random): number {
  for (;;) {
    const bytes = random(4)
    const author = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
    if (author !== 0) return author
  }
}

function ignore(): void {
  // nobody listens
}
