/**
 * The recorder (recovery-log spec, sections 4 and 9): what is done to the files of one directory, as operations in one
 * log. Recording is synchronous: a call has been framed, applied to the state machine and queued when it returns; that
 * it has committed is told by `barrier`, `committedAt` and `hints`.
 */

import { raceAbort, throwIfAborted } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { FSM } from '../fsm/index.ts'
import type { Journal } from '../journal/index.ts'
import { pathFrameBytesMax, propertyFrameBytesMax } from '../wire/index.ts'
import type { FSMHints } from '../wire/index.ts'
import { AppendQueue } from './append-queue.ts'
import { beginRecording, confirmChange, hintsEmpty } from './begin-recording.ts'
import type { Begun } from './begin-recording.ts'
import { FnodeRewriter } from './fnode-rewriter.ts'
import type { ReadContent, RewriteOptions } from './fnode-rewriter.ts'
import { beginsAtOne } from './log-begin.ts'
import { OperationWriter } from './operation-writer.ts'
import { RecordablePaths } from './recordable-paths.ts'
import { settingsOf } from './recorder-options.ts'
import type {
  LogPosition,
  OpenFlags,
  RecorderOptions,
  RecorderSettings,
  WaitOptions,
} from './recorder-options.ts'

/**
 * Records what is done to a directory.
 *
 * ```ts
 * const recorder = await Recorder.open({ journal, fsm, author, dir: '/data' })
 * const fnode = recorder.create('/data/a')
 * recorder.write(fnode, 0, data)
 * const { end } = await recorder.barrier()
 * ```
 *
 * - One recorded call is one atomic append as long as it fits `journal.maxAppendBytes`; beyond that it is split between
 *   whole operations, and a write into several.
 * - A call that throws has recorded nothing. Every call throws the first cause once an append has failed (`FENCED` when
 *   a newer owner has taken over), `CLOSED` after `close`, and `BACKLOGGED` when the queue is full and the journal
 *   cannot append synchronously.
 * - Paths are absolute ones in `dir`; anything else is `PATH_REFUSED`. That a file and a directory do not have one name
 *   is for whoever has the files to see to.
 */
export class Recorder implements AsyncDisposable {
  readonly journal: Journal
  /** The recorder's state machine: to be read only. */
  readonly fsm: FSM
  /** uint32. */
  readonly author: number

  readonly #queue: AppendQueue
  readonly #operations: OperationWriter
  readonly #rewriter: FnodeRewriter
  readonly #paths: RecordablePaths
  /** Whether the log begins at number 1, as far as it is known. */
  #beginsAtOne: boolean | undefined

  /**
   * Learns the write head by an empty append. In a log that is not the one of `fsm` it first appends a no-op that sets
   * the fence, and does all that a change of logs asks for: until `open` resolves nothing counts as committed. What an
   * earlier owner left under `/.recoverylog/` is unlinked by the first append.
   *
   * - `FENCED`: the log, or the one that is left, has another owner.
   * - `LOG_TAKEN`: `journal` is not the log of `fsm` and has an owner: hand in a fresh one.
   * - `CONFLICT`: something came into the log that is left meanwhile: play on, and try again.
   * - `HINTS_EMPTY`: a change of logs without a live file.
   * - `INVALID`: `fsm` has hints left, or its log is another one and `change` is missing.
   * - `PATH_REFUSED`: `dir` is not absolute and normalised.
   */
  static async open(options: RecorderOptions): Promise<Recorder> {
    const paths = new RecordablePaths(options)
    const settings = settingsOf(options)
    const fromFirst = options.fsm.nextSeqNo === 1
    const begun = await beginRecording(options)
    const recorder = new Recorder(settings, paths, begun)
    if (fromFirst) recorder.#beginsAtOne = true
    recorder.#rewriter.dropLeftOver()
    if (begun.left !== undefined) await confirmChange(recorder, begun.left, options.signal)
    return recorder
  }

  private constructor(settings: RecorderSettings, paths: RecordablePaths, { check, head }: Begun) {
    const { journal, fsm, author, contentChecksums = false } = settings
    this.journal = journal
    this.fsm = fsm
    this.author = author
    this.#paths = paths
    this.#queue = new AppendQueue({ ...settings, check, head })
    this.#operations = new OperationWriter({ journal, fsm, author, queue: this.#queue, contentChecksums })
    this.#rewriter = new FnodeRewriter(this.#operations, settings.countHistory ?? false)
  }

  /** The directory that paths are in. */
  get dir(): string {
    return this.#paths.dir
  }

  /** Bytes of log recorded since `open`. */
  get position(): number {
    return this.#queue.position
  }

  /** How many of them have committed. */
  get committed(): number {
    return this.#queue.committed
  }

  /** Bytes recorded that have not committed. */
  get queuedBytes(): number {
    return this.#queue.queuedBytes
  }

  /** How many of them there may be. */
  get queueBytesMax(): number {
    return this.#queue.queueBytesMax
  }

  /** The write head behind the last append that has committed. */
  get head(): number {
    return this.#queue.head
  }

  /** Why every call fails; undefined while none does. */
  get failure(): RecoveryLogError | undefined {
    return this.#queue.failure
  }

  /** Resolves, never rejects, when recording has ended: with the failure, or with nothing after `close`. */
  get ended(): Promise<RecoveryLogError | undefined> {
    return this.#queue.ended.promise
  }

  /** The fnode that `path` is a name of. */
  fnodeOf(path: string): number | undefined {
    return this.fsm.fnodeOf(this.#paths.clean(path))
  }

  /** Whether `path` is carried by value: by `properties`, or because the log has it as one. */
  isProperty(path: string): boolean {
    return this.#paths.isProperty(this.#paths.clean(path))
  }

  /** Creates a file, in the place of one of that name. Answers its fnode. `PROPERTY_EXISTS` for a property. */
  create(path: string): number {
    const recorded = this.#paths.cleanFile(path)
    const before = this.fsm.fnodeOf(recorded)
    if (before === undefined) return this.#operations.create(recorded)
    this.begin(2 * pathFrameBytesMax(recorded.length))
    try {
      this.#operations.unlink(before, recorded)
      return this.#operations.create(recorded)
    } finally {
      this.end()
    }
  }

  /**
   * Opens a file, and answers its fnode. Only what it creates or truncates is recorded; a truncation is unlink and create
   * of this one name. `NOT_FOUND` for an unknown one without `create`, `ALREADY_EXISTS` for a known one with `exclusive`,
   * `PROPERTY_EXISTS` for a property.
   */
  open(path: string, flags: OpenFlags = {}): number {
    const fnode = this.checkOpen(path, flags)
    return fnode === undefined || flags.truncate === true ? this.create(path) : fnode
  }

  /** Throws what `open` would throw, and records nothing. Answers the fnode that has the path now. */
  checkOpen(path: string, { create = false, exclusive = false }: OpenFlags): number | undefined {
    this.#queue.throwIfEnded()
    const fnode = this.fsm.fnodeOf(this.#paths.cleanFile(path))
    if (fnode === undefined && !create) throw this.#paths.notFound(path)
    if (fnode !== undefined && exclusive) throw this.#paths.alreadyExists(path)
    return fnode
  }

  /** Gives the file `path` the further name `to`. `NOT_FOUND`, `LINK_EXISTS`, `PROPERTY_EXISTS`. */
  link(path: string, to: string): void {
    const target = this.#paths.cleanFile(to)
    this.#operations.link(this.#paths.fnodeOf(this.#paths.cleanFile(path), path), target)
  }

  /** Removes a name, and with its last name a file. `NOT_FOUND`, `PROPERTY_EXISTS`. */
  remove(path: string): void {
    const recorded = this.#paths.cleanFile(path)
    this.#operations.unlink(this.#paths.fnodeOf(recorded, path), recorded)
  }

  /**
   * Renames a file, in the place of one of the new name. To itself, or between two names of one file, it does nothing.
   * Onto a property it records `content`, which is then to be what the file holds. `NOT_FOUND`.
   */
  rename(from: string, to: string, content?: string): void {
    const source = this.#paths.clean(from)
    const target = this.#paths.clean(to)
    const fnode = this.#paths.fnodeOf(source, from)
    if (this.#paths.isProperty(target)) {
      this.#renameOntoProperty(fnode, source, target, content)
      return
    }
    const replaced = this.fsm.fnodeOf(target)
    if (replaced === fnode) return
    this.begin(2 * pathFrameBytesMax(target.length) + pathFrameBytesMax(source.length))
    try {
      if (replaced !== undefined) this.#operations.unlink(replaced, target)
      this.#operations.link(fnode, target)
      this.#operations.unlink(fnode, source)
    } finally {
      this.end()
    }
  }

  /** Records a property whole: what a write over one comes to. `INVALID` when `path` is none. */
  property(path: string, content: string): void {
    const recorded = this.#paths.clean(path)
    if (!this.#paths.isProperty(recorded)) {
      throw new RecoveryLogError('INVALID', 'the path is not that of a property', {
        path,
        log: this.journal.name,
      })
    }
    this.#operations.property(recorded, content)
  }

  /**
   * Records that `data`, which is copied, was written to the file at `offset` (from 0; the end below 2^53).
   * `FNODE_NOT_TRACKED` when it has no name any more.
   */
  write(fnode: number, offset: number, data: Uint8Array): void {
    this.#operations.write(fnode, offset, data)
  }

  /**
   * Records everything that `record` calls for as one call: one atomic append as long as it fits. `bytes` is about what
   * it will record, for the queue's bound. What was recorded before `record` threw stays recorded.
   */
  atomic<Answer>(record: () => Answer, bytes = 0): Answer {
    this.begin(bytes)
    try {
      return record()
    } finally {
      this.end()
    }
  }

  /** `atomic` without a closure: everything up to `end`, which must follow in the same turn, is one call. */
  begin(bytes = 0): void {
    this.#queue.begin(bytes)
  }

  end(): void {
    this.#queue.end()
  }

  /**
   * Whether a call of `bytes` is one atomic append. `pathFrameBytesMax` and `WRITE_FRAME_BYTES_MAX` of the wire folder
   * tell how much an operation takes at most.
   */
  fitsAppend(bytes: number): boolean {
    return bytes <= this.journal.maxAppendBytes
  }

  /** Whether a call of `bytes` has room in the queue now, without flushing or waiting. */
  fits(bytes: number): boolean {
    return this.#queue.fits(bytes)
  }

  /**
   * Makes sure that a call of `bytes` will not throw `BACKLOGGED`: for whoever changes a file before recording it. Flushes
   * when the queue is full and the journal can append synchronously, else throws it.
   */
  admit(bytes: number): void {
    this.#queue.admit(bytes)
  }

  /**
   * Waits until `bytes` may be recorded, in the order of the calls: record in the turn in which the promise resolves. A
   * call larger than the whole queue is let in alone into an empty one.
   */
  room(bytes: number, { signal }: WaitOptions = {}): Promise<void> {
    return this.#queue.room(bytes, signal)
  }

  /**
   * Appends everything that is queued before it returns, and waits for nothing asynchronous: it is durable as the
   * journal declares. `BACKLOGGED` where the journal has no `supports.appendSync`.
   */
  flushSync(): LogPosition {
    return { log: this.journal.name, end: this.#queue.flushSync() }
  }

  /**
   * Resolves when everything up to `position` has committed, with a place in the log behind it. RangeError for more than
   * has been recorded. All who wait for one append share a promise, so that waiting for each call costs little.
   */
  committedAt(position: number, { signal }: WaitOptions = {}): Promise<number> {
    if (position <= this.position) return raceAbort(this.#queue.committedAt(position), signal)
    return Promise.reject(new RangeError(`nothing has been recorded up to ${String(position)}`))
  }

  /** Resolves when everything recorded before this call has committed, with a place in the log behind it. */
  async barrier({ signal }: WaitOptions = {}): Promise<LogPosition> {
    throwIfAborted(signal)
    this.#queue.throwIfFailed()
    const end = await raceAbort(this.#queue.committedAt(this.position), signal)
    return { log: this.journal.name, end }
  }

  /**
   * Hints of what has been recorded up to now, when all of it has committed. When no live file has its last segment in
   * this log, zero bytes are written to the lowest one first, for Go refuses such hints. `HINTS_EMPTY` without a live
   * file in a log that does not begin at number 1.
   */
  async hints({ signal }: WaitOptions = {}): Promise<FSMHints> {
    throwIfAborted(signal)
    this.#queue.throwIfEnded()
    const { fsm, journal } = this
    while (fsm.liveCount === 0 && this.#beginsAtOne === undefined) {
      this.#beginsAtOne = await beginsAtOne(journal, signal)
    }
    if (fsm.liveCount > 0) {
      if (!fsm.endsIn(journal.name)) this.#operations.write(fsm.lowestFnode() as number, 0, NOTHING)
    } else if (this.#beginsAtOne === false) {
      throw hintsEmpty(journal.name)
    }
    const hints = fsm.buildHints(journal.name)
    await this.barrier(signal === undefined ? {} : { signal })
    return hints
  }

  /**
   * Makes a new fnode of a file, with the first `size` bytes that `read` answers and all its names: how a file is made
   * shorter. One append where that fits. Answers the new fnode. `FNODE_NOT_TRACKED`; `APPEND_TOO_LARGE` when not even its
   * names fit one.
   */
  replace(fnode: number, size: number, read: ReadContent<Uint8Array>): number {
    this.#operations.checkLive(fnode)
    return this.#rewriter.replace(fnode, size, read)
  }

  /**
   * The same while writing to the file goes on: so that a file updated in place for ever does not make its whole history
   * live. Resolves with the new fnode, or with nothing when the file has lost its names meanwhile. `CONFLICT` when
   * it is being rewritten already, `UNAVAILABLE` when it changes faster than it is read, `BACKLOGGED` when the queue
   * filled up meanwhile: the file goes on as it was then.
   */
  async rewrite(fnode: number, options: RewriteOptions): Promise<number | undefined> {
    this.#operations.checkLive(fnode)
    return this.#rewriter.rewrite(fnode, options)
  }

  /**
   * Whether a file of `size` bytes has so much history in the log that a rewrite is worth it: more than `HISTORY_FACTOR`
   * times its size, and than `HISTORY_BYTES_MIN`. Always false without `countHistory`.
   */
  outweighs(fnode: number, size: number): boolean {
    return this.#rewriter.history?.outweighs(fnode, size) ?? false
  }

  /** How much log a recovery reads for the file. 0 without `countHistory`. */
  historyBytes(fnode: number): number {
    return this.#rewriter.history?.bytesOf(fnode) ?? 0
  }

  /**
   * Ends recording with `cause`, as a failed append would: for whoever learns elsewhere that a newer owner has come.
   * Nothing is appended any more, and everything that waits fails with it.
   */
  fail(cause: RecoveryLogError): void {
    this.#queue.fail(cause)
  }

  /**
   * Takes no more calls and waits until everything recorded has committed; the journal stays open. May be called twice:
   * the first caller gets the failure, if nobody has been told of it yet.
   */
  close(): Promise<void> {
    return this.#queue.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #renameOntoProperty(fnode: number, source: string, target: string, content: string | undefined): void {
    if (content === undefined) throw new TypeError('a rename onto a property needs the content of the file')
    this.begin(propertyFrameBytesMax(target.length, content.length) + pathFrameBytesMax(source.length))
    try {
      this.#operations.property(target, content)
      this.#operations.unlink(fnode, source)
    } finally {
      this.end()
    }
  }
}

const NOTHING = new Uint8Array(0)
