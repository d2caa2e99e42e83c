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
import type { Epochs } from './epochs.ts'
import { mapFileError } from './file-error.ts'
import type { JournalFolder } from './journal-folder.ts'
import type { PendingAppend } from './pending-append.ts'

/** Bounds what one sync covers, and so how long the first of a batch waits. One larger append goes alone. */
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
  isSettled: boolean
}

export class Appender {
  readonly #parts: AppenderParts
  readonly #name: string
  /** Undefined until an append claims an epoch, and after that was taken over. */
  #writer: EpochWriter | undefined
  #queue: PendingAppend[] = []
  /** Written, and being synced in the background. */
  #flight: Batch | undefined
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

  /** Takes an append in call order; it is written in the next batch. */
  push(append: PendingAppend): void {
    if (!this.#enqueue(append) || this.#isRunning) return
    this.#isRunning = true
    this.#idle = this.#run()
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
    while (this.#queue.length > 0) {
      const batch = this.#writeBatch()
      if (batch === undefined) continue
      let failure: Failure | undefined
      if (batch.wroteBytes && this.#parts.folder.isDisk) {
        this.#flight = batch
        failure = await this.#writer?.sync().then(succeeded, failedWith)
        this.#flight = undefined
      }
      // A synchronous append meanwhile may have synced and answered this batch with its own.
      if (!batch.isSettled) this.#settle([batch], failure)
    }
    this.#isRunning = false
  }

  #commitNow(): void {
    const flight = this.#flight
    const batch = this.#writeBatch()
    if (batch === undefined) return
    let failure: Failure | undefined
    try {
      if (batch.wroteBytes || flight !== undefined) this.#writer?.syncNow()
    } catch (error) {
      failure = { error }
    }
    this.#settle(flight === undefined || flight.isSettled ? [batch] : [flight, batch], failure)
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
    if (error === undefined) {
      return { appends: accepted, wroteBytes: items.length > 0, failed, isSettled: false }
    }
    const broken = items[count] as PendingAppend
    const appends = accepted.slice(0, accepted.indexOf(broken))
    // What was accepted behind it goes back, to be failed with the rest of the queue.
    this.#queue.unshift(
      ...accepted.slice(appends.length + 1),
      ...(failed === undefined ? [] : [failed.append]),
    )
    return {
      appends,
      wroteBytes: count > 0,
      failed: { append: broken, error: this.#mapped(error) },
      isSettled: false,
    }
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
    const writer = this.#writer
    for (const batch of batches) batch.isSettled = true
    if (writer === undefined) throw new Error('a batch is settled without its epoch')
    if (syncFailure !== undefined) {
      this.#doubt(writer, batches, syncFailure.error)
      return
    }
    try {
      if (batches.some((batch) => batch.wroteBytes)) writer.publishHead()
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
    const [first] = batches
    this.#letGo(writer)
    if (batches.length === 1 && first?.wroteBytes === false && first.failed === undefined) {
      this.#queue.unshift(...first.appends) // empty ones need no epoch: they are answered by what anybody can see
      return
    }
    let seal: Seal
    try {
      seal = this.#parts.epochs.seal(writer.epoch + 1)
      this.#parts.folder.sync() // what we tell now must stay true: the seal may be somebody else's, linked just now
    } catch (error) {
      this.#die(batches, error)
      return
    }
    const replaced = new RecoveryLogError('APPENDER_REPLACED', 'another appender has taken over', {
      journal: this.#name,
      epoch: writer.epoch,
      offset: seal.begin,
    })
    this.#answer(batches, seal.begin, replaced)
  }

  /**
   * Something failed behind the write. This epoch is ended where it is known to be synced: so what a reader may have
   * seen is in, and what a failed sync has left in doubt is out. If that cannot be done either, or somebody else has
   * sealed above it, the outcome is unknown.
   */
  #doubt(writer: EpochWriter, batches: readonly Batch[], error: unknown): void {
    const { offset, registers } = writer.synced
    this.#letGo(writer)
    try {
      const seal = this.#parts.epochs.retire(writer.epoch, offset, registers)
      if (seal.begin === offset) this.#answer(batches, offset, this.#mapped(error))
      else this.#die(batches, error)
    } catch (reason) {
      this.#die(batches, RecoveryLogError.is(error, 'NOT_FOUND') ? error : reason)
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
