import type { Layout, Progress } from './epoch-writer.ts'
import type { PendingAppend } from './pending-append.ts'

export interface Failure {
  readonly error: unknown
}

export interface FailedAppend extends Failure {
  readonly append: PendingAppend
}

/** Appends that are written together, and answered together. */
export interface Batch {
  /** Written whole, or empty; in call order. */
  readonly appends: readonly PendingAppend[]
  readonly wroteBytes: boolean
  /** They are being written, or will be, in the background: what is to be written. */
  readonly unwritten: Layout | undefined
  /** The one behind them that failed, and fails all that are queued behind it. */
  readonly failed: FailedAppend | undefined
  /** How far the epoch has got with it. */
  readonly end: Progress
  isSettled: boolean
}

export function isOpen(batch: Batch): boolean {
  return !batch.isSettled
}

export function isWhole(batch: Batch): boolean {
  return batch.failed === undefined
}

/** What became of something: undefined when it succeeded. */
export function failureOf(work: Promise<void>): Promise<Failure | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
}
