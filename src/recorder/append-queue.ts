/**
 * The way from recorded calls to appends (recovery-log spec, section 4; durable-directory spec, section 2): calls are
 * encoded straight into a chunk, and chunks go to the journal one after the other.
 *
 * - *Group commit.* One append is under way at a time. What is recorded meanwhile goes out together with the next; with
 *   the journal idle, everything that is recorded in one turn goes out at the end of it. The next append is only made
 *   when the one before has committed: so none can land behind one that is missing.
 * - *Atomic.* A call lies in one chunk, and a chunk is one append. A call that outgrows its chunk takes a larger one, up
 *   to `maxAppendBytes`; beyond that it is split between whole operations.
 * - *Bounded.* Never more than `queueBytesMax` are queued, but for one call larger than that in an empty queue.
 * - *Crash only.* The first append that fails ends the queue: nothing is appended after it.
 */

import { Deferred } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { Commit, Journal, LabelSelector } from '../journal/index.ts'
import { BufferPool, Chunk } from './chunk.ts'
import { appendFenced, appendFencedSync } from './fenced-append.ts'
import { RoomLine } from './room-line.ts'

/**
 * Who waits for room is let in while fewer full chunks than this wait for their append. More would only be more memory:
 * with one under way and one to go on with, the journal always has work, and buffers are used again.
 */
const WAITING_CHUNKS_MAX = 2

export interface AppendQueueOptions {
  readonly journal: Journal
  /** What every append requires of the registers. */
  readonly check: LabelSelector
  /** The write head at which recording begins. */
  readonly head: number
  readonly chunkBytes: number
  readonly queueBytesMax: number
  /** Told after each append up to which position all has committed. */
  readonly onCommitted?: (position: number) => void
}

export class AppendQueue {
  /** The chunk that is being filled, to be written up to `limit` without asking; owned by the queue. */
  buffer: Uint8Array
  /** Where its free bytes begin. Whoever encodes moves it. */
  fill = 0
  /** Up to where `fill` may go before `makeRoom` is to be asked: -1 when recording has ended. */
  limit = 0
  /** Whether an append is under way, or will be made at the end of this turn. Else: `schedule()`. */
  scheduled = false
  readonly queueBytesMax: number
  /** The write head after the last append that has committed. */
  head: number
  /** Up to which position all has committed. */
  committed = 0
  /** Why recording has failed. */
  failure: RecoveryLogError | undefined
  /** Resolves when recording has ended: with the failure, or with nothing after `close`. */
  readonly ended = new Deferred<RecoveryLogError | undefined>()

  readonly #journal: Journal
  readonly #check: LabelSelector
  readonly #onCommitted: ((position: number) => void) | undefined
  readonly #pool: BufferPool
  /** Chunks that wait for their append, oldest first. */
  readonly #full: Chunk[] = []
  /** The one whose append is under way. */
  #inFlight: Chunk | undefined
  /** Of the chunk that is being filled: see `Chunk.committed`. */
  #committedHere: Deferred<number> | undefined
  /** The position at which `buffer` begins. */
  #base = 0
  /** How many `begin` are open, and where in `buffer` the outermost of them began. */
  #depth = 0
  #callBegin = 0
  readonly #roomLine = new RoomLine((bytes) => this.#full.length < WAITING_CHUNKS_MAX && this.fits(bytes))
  /** Somebody has been told of the failure, so that `close` need not tell it again. */
  #failureTold = false
  #closing: Promise<void> | undefined

  constructor(options: AppendQueueOptions) {
    this.#journal = options.journal
    this.#check = options.check
    this.#onCommitted = options.onCommitted
    this.head = options.head
    this.#pool = new BufferPool(Math.min(options.chunkBytes, options.journal.maxAppendBytes))
    this.queueBytesMax = options.queueBytesMax
    this.buffer = this.#pool.take()
    this.#setLimit()
  }

  /** Bytes recorded, counted from 0. */
  get position(): number {
    return this.#base + this.fill
  }

  get queuedBytes(): number {
    return this.#base + this.fill - this.committed
  }

  /** The most bytes of an append. */
  get appendBytesMax(): number {
    return this.#journal.maxAppendBytes
  }

  /** Whether `bytes` may be recorded now. */
  fits(bytes: number): boolean {
    return this.queuedBytes === 0 || this.queuedBytes + bytes <= this.queueBytesMax
  }

  /** Throws the first cause when recording has failed. */
  throwIfFailed(): void {
    if (this.failure !== undefined) throw this.#tell(this.failure)
  }

  /** The same, and `CLOSED` when it has been closed. */
  throwIfEnded(): void {
    this.throwIfFailed()
    if (this.#closing !== undefined) throw closedError(this.#journal)
  }

  /**
   * Makes sure that `bytes` may be recorded now, before anything is changed: flushes where the journal can append
   * synchronously, else throws `BACKLOGGED`. An empty queue takes any call.
   */
  admit(bytes: number): void {
    this.throwIfEnded()
    if (this.#depth > 0 || this.fits(bytes)) return
    if (!this.#journal.supports.appendSync) throw this.#backlogged('the queue of appends is full', bytes)
    this.flushSync()
  }

  /**
   * Makes room for one operation of `bytes` (its content counted) that does not fit below `limit`, and answers where it
   * goes. Throws as `admit` does, and `APPEND_TOO_LARGE` for what no append can hold.
   */
  makeRoom(bytes: number): number {
    this.throwIfEnded()
    const { name, maxAppendBytes } = this.#journal
    if (bytes > maxAppendBytes) {
      const data = { log: name, bytes, maxAppendBytes }
      throw new RecoveryLogError('APPEND_TOO_LARGE', 'the operation does not fit one append', data)
    }
    this.admit(bytes)
    if (this.fill + bytes > this.buffer.length) this.#nextChunk(bytes)
    return this.fill
  }

  /** Whether a call of several operations is under way. */
  get inCall(): boolean {
    return this.#depth > 0
  }

  /** Begins a call of several operations, of about `bytes`. A call within a call belongs to the outer one. */
  begin(bytes: number): void {
    this.admit(bytes)
    if (this.#depth++ > 0) return
    this.#callBegin = this.fill
    this.#setLimit()
  }

  /** In the middle of a call: what follows is an atomic call of its own, and room for it was made at the beginning. */
  cut(): void {
    this.#callBegin = this.fill
  }

  end(): void {
    if (--this.#depth > 0) return
    this.#setLimit()
    if (!this.scheduled) this.schedule()
  }

  /** Sees to it that what this turn records is appended at its end. */
  schedule(): void {
    this.scheduled = true
    void Promise.resolve().then(() => {
      this.#appendNext()
    })
  }

  /**
   * Resolves when everything up to `position` has committed, with the place in the log up to which that is known to be
   * so. All who wait for one append share a promise: waiting for each operation of many costs nearly nothing.
   */
  committedAt(position: number): Promise<number> {
    if (position <= this.committed) return Promise.resolve(this.head)
    if (this.failure !== undefined) return Promise.reject(this.#tell(this.failure))
    if (position > this.#base) return (this.#committedHere ??= new Deferred()).promise
    const inFlight = this.#inFlight
    const chunk =
      inFlight !== undefined && position <= inFlight.position
        ? inFlight
        : (this.#full.find((full) => position <= full.position) as Chunk)
    return (chunk.committed ??= new Deferred()).promise
  }

  /** Resolves when `bytes` may be recorded, in the order of the calls: record in the turn in which it resolves. */
  room(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.#tell(this.failure))
    if (this.#closing !== undefined) return Promise.reject(closedError(this.#journal))
    return this.#roomLine.wait(bytes, signal)
  }

  /**
   * Appends all that is queued without waiting for anything asynchronous, and answers where it ended. `BACKLOGGED` on a
   * journal that cannot.
   */
  flushSync(): number {
    this.throwIfEnded()
    if (!this.#journal.supports.appendSync) throw this.#backlogged('no append can be synchronous', 0)
    if (this.#depth > 0) throw new TypeError('flushSync was called in the middle of an atomic call')
    this.#sealOpenChunk()
    if (this.#full.length === 0 && this.queuedBytes > 0) this.#appendSync(new Chunk(NOTHING, 0, this.#base))
    this.#flushFull()
    this.#roomLine.grant()
    return this.head
  }

  /** Ends recording with `cause`: nothing is appended any more, and everything that waits fails with it. */
  fail(cause: unknown): RecoveryLogError {
    if (this.failure !== undefined) return this.failure
    const failure = failureOf(cause, this.#journal)
    this.failure = failure
    this.limit = -1
    for (const chunk of [this.#inFlight, ...this.#full]) this.#reject(chunk?.committed, failure)
    this.#reject(this.#committedHere, failure)
    if (this.#roomLine.rejectAll(failure) > 0) this.#failureTold = true
    this.#full.length = 0
    this.ended.resolve(failure)
    return failure
  }

  /** Takes no more calls and waits for what is queued. Its first caller gets a failure that nobody has been told. */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.catch(ignore)
    this.limit = -1
    this.#closing = this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    this.#roomLine.rejectAll(closedError(this.#journal))
    if (this.failure === undefined) await this.committedAt(this.position)
    else if (!this.#failureTold) throw this.#tell(this.failure)
    this.ended.resolve(undefined)
  }

  /** Between two commits the bound on queued bytes is one place of the chunk, so that one comparison tells it all. */
  #setLimit(): void {
    if (this.failure !== undefined || this.#closing !== undefined) return
    const bound = this.#depth > 0 ? Infinity : this.queueBytesMax + this.committed - this.#base
    this.limit = Math.min(this.buffer.length, bound)
  }

  /** Goes on in a chunk with room for `bytes`; what the call under way has written so far moves there. */
  #nextChunk(bytes: number): void {
    const { maxAppendBytes } = this.#journal
    const written = this.#depth > 0 ? this.fill - this.#callBegin : 0
    // When no append holds the call, the chunk ends here: between two operations of it.
    const moved = written + bytes <= maxAppendBytes ? written : 0
    // Doubled, so that a call that grows on and on is not moved for each of its operations.
    const doubled = moved > 0 ? Math.min(maxAppendBytes, 2 * this.buffer.length) : 0
    this.#pool.grow()
    const next = this.#pool.take(Math.max(moved + bytes, doubled))
    next.set(this.buffer.subarray(this.fill - moved, this.fill))
    this.#seal(this.fill - moved, next)
    this.fill = moved
    this.#callBegin = 0
    this.#setLimit()
    if (this.#journal.supports.appendSync && !this.fits(0)) this.#flushFull()
    this.#appendNext()
  }

  #sealOpenChunk(): void {
    if (this.fill === 0 || this.#depth > 0) return
    this.#seal(this.fill, this.#pool.take())
    this.fill = 0
    this.#setLimit()
  }

  /** Puts the first `fill` bytes into the line, and `next` in the place of the chunk. */
  #seal(fill: number, next: Uint8Array): void {
    if (fill === 0) {
      this.#pool.give(this.buffer)
    } else {
      this.#base += fill
      this.#full.push(new Chunk(this.buffer, fill, this.#base, this.#committedHere))
      this.#committedHere = undefined
    }
    this.buffer = next
  }

  /** With no append under way: appends the oldest full chunk, or what there is of the open one. */
  #appendNext(): void {
    if (this.#inFlight !== undefined || this.failure !== undefined) return
    if (this.#full.length === 0) this.#sealOpenChunk()
    const chunk = this.#full.shift()
    this.scheduled = chunk !== undefined
    if (chunk === undefined) return
    this.#inFlight = chunk
    appendFenced(this.#journal, { content: chunk.content, check: this.#check }).then(
      (commit) => {
        this.#onCommit(chunk, commit)
      },
      (cause: unknown) => {
        this.fail(cause)
      },
    )
  }

  #onCommit(chunk: Chunk, commit: Commit): void {
    if (this.failure !== undefined) return // of a synchronous append made meanwhile
    this.#inFlight = undefined
    this.#advance(chunk, commit.end)
    this.#pool.give(chunk.bytes)
    this.#appendNext()
    this.#roomLine.grant()
  }

  #advance(chunk: Chunk, end: number): void {
    if (chunk.position > this.committed) {
      this.committed = chunk.position
      this.head = end
      this.#setLimit()
    }
    chunk.committed?.resolve(end)
    this.#onCommitted?.(chunk.position)
  }

  #flushFull(): void {
    // It leaves the line when it has committed: what waits for it is told of a failure.
    for (let chunk = this.#full[0]; chunk !== undefined; chunk = this.#full[0]) {
      this.#appendSync(chunk)
      this.#full.shift()
      this.#pool.give(chunk.bytes)
    }
  }

  /**
   * An append still under way lies right before this one. If it does not, it may be missing: its answer may be on its
   * way, and after a failure a journal takes appends anew (J10). So the place of this one proves the one before.
   */
  #appendSync(chunk: Chunk): void {
    const before = this.#inFlight
    const begin =
      before === undefined || before.position <= this.committed ? this.head : this.head + before.fill
    try {
      const request = { content: chunk.content, check: this.#check }
      const commit = appendFencedSync(this.#journal as Required<Journal>, request)
      if (before !== undefined && commit.begin !== begin) {
        const data = { log: this.#journal.name, expected: begin, begin: commit.begin }
        throw new RecoveryLogError('OUTCOME_UNKNOWN', 'the append before this one may be missing', data)
      }
      if (before !== undefined) this.#advance(before, begin)
      this.#advance(chunk, commit.end)
    } catch (cause) {
      throw this.#tell(this.fail(cause))
    }
  }

  #tell(failure: RecoveryLogError): RecoveryLogError {
    this.#failureTold = true
    return failure
  }

  #reject(committed: Deferred<number> | undefined, failure: RecoveryLogError): void {
    if (committed !== undefined) committed.reject(this.#tell(failure))
  }

  #backlogged(message: string, bytes: number): RecoveryLogError {
    const { queuedBytes } = this
    const data = { log: this.#journal.name, bytes, queuedBytes, queueBytesMax: this.queueBytesMax }
    return new RecoveryLogError('BACKLOGGED', message, data)
  }
}

const NOTHING = new Uint8Array(0)

/** A register that is no longer ours means a new owner. */
function failureOf(cause: unknown, journal: Journal): RecoveryLogError {
  if (!RecoveryLogError.is(cause)) {
    const data = { log: journal.name }
    return new RecoveryLogError('UNAVAILABLE', 'an append has failed', data, { cause })
  }
  if (cause.code !== 'REGISTER_MISMATCH') return cause
  const data = { ...cause.data, log: journal.name }
  return new RecoveryLogError('FENCED', 'a newer owner has taken over the log', data, { cause })
}

function closedError(journal: Journal): RecoveryLogError {
  return new RecoveryLogError('CLOSED', 'the recorder has been closed', { log: journal.name })
}

function ignore(): void {
  // deliberately empty: the first caller of close has been told
}
