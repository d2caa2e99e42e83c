/**
 * Group commit and take-over. The order of things in a batch is what keeps every promise: write, sync, head, look for a
 * later epoch, answer. What a crash after each step leaves behind:
 *
 * 1. after the write: whole groups may be counted by whoever claims next, and nobody was answered: allowed;
 * 2. after the sync, after the head: the same;
 * 3. a claim before the look: the seal decides, here as for everybody;
 * 4. a claim after the look: its claimant finds our groups, for they were written before it looked.
 */
import { RecoveryLogError } from '../../errors/index.ts'
import { failedBehind } from '../append-rules.ts'
import type { Label } from '../journal.ts'
import { changeRegisters, checkRegisters } from '../registers.ts'
import type { CommittedView } from './committed-view.ts'
import type { Seal } from './epoch-end.ts'
import { EpochWriter } from './epoch-writer.ts'
import type { Progress } from './epoch-writer.ts'
import type { Epochs } from './epochs.ts'
import { mapFileError } from './file-error.ts'
import type { JournalFolder } from './journal-folder.ts'
import type { PendingAppend } from './pending-append.ts'

/** Bounds what one write and one sync cover, and so how long the first of a batch waits. One larger append goes alone. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024
const BATCH_APPENDS_MAX = 4096

interface AppenderParts {
  readonly folder: JournalFolder
  readonly epochs: Epochs
  readonly view: CommittedView
  readonly boot: string
  readonly segmentBytes: number
  /** Something has committed: readers of this object may go on. */
  readonly onCommit: () => void
}

interface Failure {
  readonly error: unknown
}

interface FailedAppend extends Failure {
  readonly append: PendingAppend
}

/** Appends that are written together, and answered together. */
interface Batch {
  /** Written whole, or empty; in call order. */
  readonly appends: PendingAppend[]
  readonly wroteBytes: boolean
  /** The one behind them that failed, and fails all that are queued behind it. */
  readonly failed: FailedAppend | undefined
  /** How far the epoch has got with it. */
  readonly end: Progress
  isSettled: boolean
}

export class Appender {
  readonly #parts: AppenderParts
  readonly #name: string
  /** Undefined until an append claims an epoch, and after that was taken over. */
  #writer: EpochWriter | undefined
  #queue: PendingAppend[] = []
  /** Written, and being synced in the background. */
  #flight: readonly Batch[] = []
  /** Written while that sync runs, to go out with the next one. */
  readonly #ahead: Batch[] = []
  #idle: Promise<void> = Promise.resolve()
  #isRunning = false
  /** A failure whose answers have not been delivered yet: what is called meanwhile fails too (J10). */
  #failure: Failure | undefined
  /** Nobody knows what landed: this object takes no more appends (J5). */
  #dead: RecoveryLogError | undefined

  constructor(parts: AppenderParts) {
    this.#parts = parts
    this.#name = parts.folder.identity.name
  }

  /** Takes an append in call order; it goes out with the next sync. */
  push(append: PendingAppend): void {
    if (!this.#enqueue(append)) return
    if (!this.#isRunning) {
      this.#isRunning = true
      this.#idle = this.#run()
    } else if (this.#flight.length > 0 && this.#queue.length === 1) {
      // While the disk is busy, the processor is not: what is called in this turn is written in the next.
      queueMicrotask(() => {
        this.#writeAhead()
      })
    }
  }

  /** Writes, syncs and answers this append and all before it, without waiting for anything asynchronous. */
  pushSync(append: PendingAppend): void {
    if (!this.#enqueue(append)) return
    while (this.#queue.length > 0) this.#commitNow()
  }

  /** Resolves when nothing is under way, then lets go of the files. */
  async close(): Promise<void> {
    await this.#idle
    this.#writer?.close()
    this.#writer = undefined
  }

  #enqueue(append: PendingAppend): boolean {
    const error = this.#dead ?? (this.#failure && failedBehind(this.#failure.error, this.#name))
    if (error === undefined) this.#queue.push(append)
    else append.reject(error)
    return error === undefined
  }

  async #run(): Promise<void> {
    await Promise.resolve() // what is called in this turn goes out together
    while (this.#queue.length > 0 || this.#ahead.length > 0) {
      const batches = this.#writeMore(this.#ahead.splice(0))
      let failure: Failure | undefined
      if (this.#parts.folder.isDisk && batches.some(({ wroteBytes }) => wroteBytes)) {
        this.#flight = batches
        failure = await this.#writer?.sync().then(succeeded, failedWith)
        this.#flight = []
      }
      // A synchronous append meanwhile may have synced and answered these with its own.
      this.#settle(batches.filter(isOpen), failure)
    }
    this.#isRunning = false
  }

  #writeAhead(): void {
    const writer = this.#writer
    const under = [...this.#flight, ...this.#ahead]
    const first = under[0]
    if (writer === undefined || first === undefined || writer.isSegmentFull || !under.every(isWhole)) return
    if (this.#queue.length > 0 && writer.written.offset - first.end.offset < BATCH_BYTES_MAX) {
      this.#ahead.push(this.#write(writer))
    }
  }

  #commitNow(): void {
    const batches = this.#writeMore([...this.#flight.filter(isOpen), ...this.#ahead.splice(0)])
    let failure: Failure | undefined
    try {
      if (batches.some(({ wroteBytes }) => wroteBytes)) this.#writer?.syncNow()
    } catch (error) {
      failure = { error }
    }
    this.#settle(batches, failure)
  }

  /** Adds a batch of what is queued, unless one before it has failed: that fails the queue, once it is answered. */
  #writeMore(batches: readonly Batch[]): readonly Batch[] {
    const batch = this.#queue.length > 0 && batches.every(isWhole) ? this.#writeBatch() : undefined
    return batch === undefined ? batches : [...batches, batch]
  }

  /** Writes what is queued, as far as one batch goes. Undefined when the queue was answered without writing. */
  #writeBatch(): Batch | undefined {
    try {
      this.#writer ??= this.#claimFor(this.#queue[0] as PendingAppend)
    } catch (error) {
      const [first] = this.#queue.splice(0, 1)
      if (first !== undefined) this.#fail([{ append: first, error: this.#mapped(error) }])
      return undefined
    }
    if (this.#writer !== undefined) return this.#write(this.#writer)
    this.#answerEmpty()
    return undefined
  }

  /** Claims an epoch, if this append needs one: one that will fail, or is empty, must not take over from anybody. */
  #claimFor(append: PendingAppend): EpochWriter | undefined {
    const { folder, epochs, view, boot, segmentBytes } = this.#parts
    if (append.refusal !== undefined) throw append.refusal
    if (append.content.length === 0) return undefined
    const committed = view.now()
    if (committed.damage !== undefined) throw committed.damage
    if (append.request.check !== undefined) {
      checkRegisters(this.#name, committed.registers(), append.request.check)
    }
    return new EpochWriter(folder, epochs.claim(), boot, segmentBytes)
  }

  /** The first append is empty and no epoch is ours: it is answered from what anybody can see. */
  #answerEmpty(): void {
    const append = this.#queue.shift() as PendingAppend
    try {
      const { offset, registers, damage } = this.#parts.view.now()
      if (damage !== undefined) throw damage
      checkRegisters(this.#name, registers(), append.request.check)
      append.commit = { begin: offset, end: offset, registers: registers() }
      append.resolve()
    } catch (error) {
      this.#fail([{ append, error: this.#mapped(error) }])
    }
  }

  #write(writer: EpochWriter): Batch {
    const { accepted, failed } = this.#accept(writer)
    const items = accepted.filter(({ content }) => content.length > 0)
    const { count, error } = items.length > 0 ? writer.write(items) : { count: 0 }
    const batch = { wroteBytes: count > 0, end: writer.written, isSettled: false }
    if (error === undefined) return { ...batch, appends: accepted, failed }
    const broken = items[count] as PendingAppend
    const appends = accepted.slice(0, accepted.indexOf(broken))
    // What was accepted behind it goes back, to be failed with the rest of the queue.
    this.#queue.unshift(
      ...accepted.slice(appends.length + 1),
      ...(failed === undefined ? [] : [failed.append]),
    )
    return { ...batch, appends, failed: { append: broken, error: this.#mapped(error) } }
  }

  /** Takes from the queue what goes into one batch, up to the first append that fails. */
  #accept(writer: EpochWriter): Pick<Batch, 'failed'> & { readonly accepted: PendingAppend[] } {
    const accepted: PendingAppend[] = []
    let failed: Batch['failed']
    let { offset, registers } = writer.written
    let bytes = 0
    for (const append of this.#queue) {
      const { length } = append.content
      if (accepted.length === BATCH_APPENDS_MAX || (bytes > 0 && bytes + length > BATCH_BYTES_MAX)) break
      try {
        registers = this.#registersAfter(append, registers)
      } catch (error) {
        failed = { append, error }
        break
      }
      append.commit = { begin: offset, end: offset + length, registers }
      accepted.push(append)
      offset += length
      bytes += length
    }
    this.#queue.splice(0, accepted.length + (failed === undefined ? 0 : 1))
    return { accepted, failed }
  }

  #registersAfter({ refusal, request }: PendingAppend, registers: readonly Label[]): readonly Label[] {
    if (refusal !== undefined) throw refusal
    checkRegisters(this.#name, registers, request.check)
    return changeRegisters(registers, request)
  }

  /** Batches that have been synced, or failed to be: head, look for a later epoch, answers. */
  #settle(batches: readonly Batch[], syncFailure: Failure | undefined): void {
    const [writer, last] = [this.#writer, batches.at(-1)]
    if (writer === undefined || last === undefined) return
    for (const batch of batches) batch.isSettled = true
    if (syncFailure !== undefined) {
      this.#doubt(writer, batches, syncFailure.error)
      return
    }
    try {
      if (batches.some(({ wroteBytes }) => wroteBytes)) writer.publishHead(last.end)
      this.#parts.folder.assertThere()
      if (this.#parts.epochs.isReplaced(writer.epoch)) {
        this.#replaced(writer, batches)
        return
      }
    } catch (error) {
      this.#doubt(writer, batches, error)
      return
    }
    for (const batch of batches) {
      for (const append of batch.appends) append.resolve()
      if (batch.failed !== undefined) this.#fail([batch.failed])
    }
    this.#parts.onCommit()
  }

  /** A later epoch was claimed: its seal tells what of these batches counts. */
  #replaced(writer: EpochWriter, batches: readonly Batch[]): void {
    this.#letGo(writer)
    const under = [...batches, ...this.#ahead.splice(0)]
    if (under.every((batch) => isWhole(batch) && !batch.wroteBytes)) {
      // Empty ones need no epoch: they are answered by what anybody can see.
      this.#queue.unshift(...under.flatMap(({ appends }) => appends))
      return
    }
    let seal: Seal
    try {
      seal = this.#parts.epochs.seal(writer.epoch + 1)
      this.#parts.folder.sync() // what we tell now must stay true: the seal may be somebody else's, linked just now
    } catch (error) {
      this.#die(under, error)
      return
    }
    const replaced = new RecoveryLogError('APPENDER_REPLACED', 'another appender has taken over', {
      journal: this.#name,
      epoch: writer.epoch,
      offset: seal.begin,
    })
    this.#answer(under, seal.begin, replaced)
  }

  /**
   * Something failed behind the write. This epoch is ended where it is known to be synced: so what a reader may have
   * seen is in, and what a failed sync has left in doubt is out. If that cannot be done either, or somebody else has
   * sealed above it, the outcome is unknown.
   */
  #doubt(writer: EpochWriter, batches: readonly Batch[], error: unknown): void {
    const { offset, registers } = writer.synced
    this.#letGo(writer)
    const under = [...batches, ...this.#ahead.splice(0)]
    try {
      const seal = this.#parts.epochs.retire(writer.epoch, offset, registers)
      if (seal.begin === offset) this.#answer(under, offset, this.#mapped(error))
      else this.#die(under, error)
    } catch (reason) {
      this.#die(under, RecoveryLogError.is(error, 'NOT_FOUND') ? error : reason)
    }
  }

  /** Answers what ends at or below `end`, and fails the rest, the queue included. */
  #answer(batches: readonly Batch[], end: number, error: Error): void {
    const failed: FailedAppend[] = []
    for (const batch of batches) {
      for (const append of batch.appends) {
        if (failed.length === 0 && append.commit !== undefined && append.commit.end <= end) append.resolve()
        else failed.push({ append, error })
      }
      if (batch.failed !== undefined) failed.push({ append: batch.failed.append, error })
    }
    this.#fail(failed)
    this.#parts.onCommit()
  }

  #die(batches: readonly Batch[], cause: unknown): void {
    this.#dead = RecoveryLogError.is(cause, 'NOT_FOUND')
      ? cause
      : new RecoveryLogError(
          'OUTCOME_UNKNOWN',
          'whether the append landed cannot be found out',
          { journal: this.#name },
          { cause },
        )
    this.#answer(batches, -1, this.#dead)
  }

  #letGo(writer: EpochWriter): void {
    this.#writer = undefined
    writer.close()
  }

  /** Fails these, and all that are queued behind them (J10). */
  #fail(failed: readonly FailedAppend[]): void {
    const [first] = failed
    if (first === undefined) return
    const behind = this.#queue
    this.#queue = []
    this.#failure = { error: first.error }
    // Runs before the answer reaches anybody: that is when this failure ends, and later calls are tried anew.
    queueMicrotask(() => (this.#failure = undefined))
    for (const { append, error } of failed) append.reject(error)
    for (const append of behind) append.reject(failedBehind(first.error, this.#name))
  }

  #mapped(error: unknown): Error {
    return mapFileError(error, this.#name)
  }
}

function succeeded(): undefined {
  return undefined
}

function failedWith(error: unknown): Failure {
  return { error }
}

function isOpen(batch: Batch): boolean {
  return !batch.isSettled
}

function isWhole(batch: Batch): boolean {
  return batch.failed === undefined
}
