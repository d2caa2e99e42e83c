import { Deferred, raceAbort } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { Clock } from '../parts/index.ts'
import type { WriterSettings } from './settings.ts'

export interface BatchLineParts {
  readonly clock: Pick<Clock, 'sleep'>
  readonly settings: Pick<WriterSettings, 'batchEntriesMax' | 'batchBytesMax' | 'batchMs' | 'bufferBytesMax'>
  /** Stores a run of entries; what it throws ends the line. */
  readonly put: (entries: readonly Uint8Array[]) => Promise<void>
}

interface Waiter {
  readonly isMet: () => boolean
  readonly met: Deferred
}

/**
 * The entries of one stream on their way to intermediate storage: one batch at a time, so that they get there in order and
 * without a gap.
 */
export class BatchLine {
  readonly #parts: BatchLineParts
  /** Groups of entries that are stored together, or not at all. */
  #queue: (readonly Uint8Array[])[] = []
  #queuedEntries = 0
  #queuedBytes = 0
  /** Of the batch under way. */
  #storingBytes = 0
  /** Groups since the begin: those added, those stored, and those that are to be stored without further waiting. */
  #added = 0
  #stored = 0
  #hurried = 0
  #isStoring = false
  #timer: AbortController | undefined
  #waiters: Waiter[] = []
  #failure: RecoveryLogError | undefined

  constructor(parts: BatchLineParts) {
    this.#parts = parts
  }

  /** Why nothing is stored any more. */
  get failure(): RecoveryLogError | undefined {
    return this.#failure
  }

  /** Takes a group, which is the line's from now on. @throws RecoveryLogError the failure */
  add(group: readonly Uint8Array[]): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#queue.push(group)
    this.#added++
    this.#queuedEntries += group.length
    for (const entry of group) this.#queuedBytes += entry.length
    if (this.#isFull()) this.#start()
    else this.#startLater()
  }

  /** Waits while more is not stored than may be. @throws RecoveryLogError the failure, `ABORTED` */
  async room(signal: AbortSignal | undefined): Promise<void> {
    const { bufferBytesMax } = this.#parts.settings
    await this.#until(() => this.#queuedBytes + this.#storingBytes <= bufferBytesMax, signal)
  }

  /** Stores all that was added before, now. @throws as `room` */
  async flush(signal: AbortSignal | undefined): Promise<void> {
    const added = this.#added
    this.#hurried = added
    this.#start()
    await this.#until(() => this.#stored >= added, signal)
  }

  /** Ends the line: whoever waits, and whoever comes, is told why. */
  fail(error: RecoveryLogError): void {
    this.#failure ??= error
    this.#queue = []
    this.#timer?.abort()
    this.#wakeWaiters()
  }

  async #until(isMet: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (isMet()) return
    const waiter = { isMet, met: new Deferred() }
    this.#waiters.push(waiter)
    try {
      await raceAbort(waiter.met.promise, signal)
    } finally {
      this.#waiters = this.#waiters.filter((other) => other !== waiter)
    }
  }

  #isFull(): boolean {
    const { batchEntriesMax, batchBytesMax } = this.#parts.settings
    return this.#queuedEntries >= batchEntriesMax || this.#queuedBytes >= batchBytesMax
  }

  #startLater(): void {
    if (this.#timer !== undefined || this.#isStoring) return
    const timer = new AbortController()
    this.#timer = timer
    this.#parts.clock.sleep(this.#parts.settings.batchMs, timer.signal).then(
      () => {
        this.#hurried = this.#added
        this.#start()
      },
      () => undefined, // aborted: the batch did not have to wait so long
    )
  }

  #start(): void {
    this.#timer?.abort()
    this.#timer = undefined
    if (this.#isStoring || this.#failure !== undefined) return
    void this.#store()
  }

  async #store(): Promise<void> {
    this.#isStoring = true
    while (this.#queue.length > 0 && (this.#stored < this.#hurried || this.#isFull())) {
      const groups = this.#take()
      try {
        await this.#parts.put(groups.flat())
      } catch (error) {
        this.fail(RecoveryLogError.from(error))
        break
      }
      this.#stored += groups.length
      this.#storingBytes = 0
      this.#wakeWaiters()
    }
    this.#isStoring = false
    if (this.#queue.length > 0) this.#startLater()
  }

  /** As many groups as a batch holds, but always one. */
  #take(): (readonly Uint8Array[])[] {
    const { batchEntriesMax, batchBytesMax } = this.#parts.settings
    let groups = 0
    let entries = 0
    let bytes = 0
    for (const group of this.#queue) {
      const groupBytes = group.reduce((sum, entry) => sum + entry.length, 0)
      const isOver = entries + group.length > batchEntriesMax || bytes + groupBytes > batchBytesMax
      if (isOver && groups > 0) break
      groups++
      entries += group.length
      bytes += groupBytes
    }
    this.#queuedEntries -= entries
    this.#queuedBytes -= bytes
    this.#storingBytes = bytes
    return this.#queue.splice(0, groups)
  }

  #wakeWaiters(): void {
    for (const { isMet, met } of this.#waiters) {
      if (this.#failure !== undefined) met.reject(this.#failure)
      else if (isMet()) met.resolve()
    }
  }
}
