import { RecoveryLogError } from '../errors/index.ts'
import type { WithSignal } from '../storage/index.ts'

/** What has to be done with a stream (adapters spec, Q1 to Q3). A lease is advice: effects are fenced by the state. */

export const TASK_REASONS = ['archive', 'clean', 'purge'] as const

export type TaskReason = (typeof TASK_REASONS)[number]

export interface ArchiveTask {
  readonly project: string
  /** The stream's id. */
  readonly id: string
  readonly reason: TaskReason
  /** When it was put first, in milliseconds since 1970: what `archiveSettleDelayMs` counts from. */
  readonly createdMs: number
}

/** What makes a task the same as another (Q3). */
export type TaskKey = Pick<ArchiveTask, 'project' | 'id' | 'reason'>

/** A task that is this holder's until the lease runs out. */
export interface TaskLease {
  readonly task: ArchiveTask
  /** Names this lease; a lapsed one is answered `CONFLICT`. */
  readonly lease: string
  /** How many leases of it have lapsed before. */
  readonly tries: number
  /** How often it was released before: what its holder's back-off grows with. */
  readonly releases: number
  readonly expiresMs: number
}

/** A task that has been tried too often. */
export interface DeadLetter {
  readonly task: ArchiveTask
  readonly tries: number
  readonly reason: string
  readonly diedMs: number
}

export interface ReleaseOptions extends WithSignal {
  /** It can be leased again after so many milliseconds, from 0; more than 7 days count as 7 days. */
  readonly afterMs: number
  /** Why: kept with the task, and shown when it dies. */
  readonly reason: string
  /** Counts as a try, as a lapsed lease does. Default false. */
  readonly countsAsTry?: boolean
}

export interface TaskQueue extends AsyncDisposable {
  /**
   * One task per stream and reason, however often it is put (Q3). Answers whether it was new; a dead letter stays one, and
   * what is there keeps its times.
   */
  put(task: ArchiveTask, dueMs: number, options?: WithSignal): Promise<boolean>
  /** Leases what is due, longest due first. A lapsed lease counts as a try; after the last it is a dead letter. */
  lease(
    request: { readonly max: number; readonly leaseMs: number } & WithSignal,
  ): Promise<readonly TaskLease[]>
  /** @throws RecoveryLogError `CONFLICT` for a lapsed lease; so the next two */
  extend(lease: TaskLease, leaseMs: number, options?: WithSignal): Promise<TaskLease>
  acknowledge(lease: TaskLease, options?: WithSignal): Promise<void>
  release(lease: TaskLease, options: ReleaseOptions): Promise<void>
  /** Whether there is such a task, or a dead letter of it. */
  has(task: TaskKey, options?: WithSignal): Promise<boolean>
  deadLetters(options?: WithSignal): AsyncIterable<DeadLetter>
  /** Makes a dead letter a task again, with no tries counted. Answers false when there is none. */
  revive(task: TaskKey, options?: WithSignal): Promise<boolean>
  close(): Promise<void>
}

/** After so many tries a task is a dead letter, unless the queue is told otherwise. */
export const TASK_TRIES_MAX = 10

/** No task waits longer for its next try. */
const RELEASE_MS_MAX = 7 * 24 * 60 * 60 * 1000

/** When a task that is released now can be leased again. Throws RangeError for what is no time from 0. */
export function releasedUntil(nowMs: number, { afterMs }: Pick<ReleaseOptions, 'afterMs'>): number {
  if (Number.isNaN(afterMs) || afterMs < 0) {
    throw new RangeError(`expected milliseconds from 0 for afterMs, got ${afterMs}`)
  }
  return nowMs + Math.min(Math.ceil(afterMs), RELEASE_MS_MAX)
}

/** Throws RangeError unless `value` is an integer from 1. */
export function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return
  throw new RangeError(`expected an integer from 1 for ${name}, got ${value}`)
}

/** The error for a lease that has run out, or was given back. */
export function leaseLapsed({ task, lease }: TaskLease): RecoveryLogError {
  const { project, id, reason } = task
  const message = `the lease of the task to ${reason} the stream ${id} is over`
  return new RecoveryLogError('CONFLICT', message, { project, id, reason, lease })
}

/** Why a task is a dead letter that nobody has given back. */
export function lapsedReason(tries: number, lastReason: string): string {
  const last = lastReason === '' ? '' : `; released before: ${lastReason}`
  return `its lease has run out, ${tries} tries${last}`
}
