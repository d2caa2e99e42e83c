import type { WithSignal } from '../storage/index.ts'

/** What has to be done with a stream (adapters spec, Q1 to Q3). A lease is advice: effects are fenced by the state. */

export type TaskReason = 'archive' | 'clean' | 'purge'

export interface ArchiveTask {
  readonly project: string
  /** The stream's id. */
  readonly id: string
  readonly reason: TaskReason
  /** When it was put first, in milliseconds since 1970: what `archiveSettleDelayMs` counts from. */
  readonly createdMs: number
}

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
  /** It can be leased again after so many milliseconds, 7 days at most. */
  readonly afterMs: number
  /** Why: kept with the task, and shown when it dies. */
  readonly reason: string
  /** Counts as a try, as a lapsed lease does. Default false. */
  readonly countsAsTry?: boolean
}

export interface TaskQueue extends AsyncDisposable {
  /** One task per stream and reason, however often it is put (Q3). Answers whether it was new; a dead letter stays one. */
  put(task: ArchiveTask, dueMs: number, options?: WithSignal): Promise<boolean>
  lease(
    request: { readonly max: number; readonly leaseMs: number } & WithSignal,
  ): Promise<readonly TaskLease[]>
  /** @throws RecoveryLogError `CONFLICT` for a lapsed lease; so the next two */
  extend(lease: TaskLease, leaseMs: number, options?: WithSignal): Promise<TaskLease>
  acknowledge(lease: TaskLease, options?: WithSignal): Promise<void>
  release(lease: TaskLease, options: ReleaseOptions): Promise<void>
  /** Whether there is such a task, or a dead letter of it. */
  has(task: Pick<ArchiveTask, 'project' | 'id' | 'reason'>, options?: WithSignal): Promise<boolean>
  deadLetters(options?: WithSignal): AsyncIterable<DeadLetter>
  /** Makes a dead letter a task again, with no tries counted. Answers false when there is none. */
  revive(task: Pick<ArchiveTask, 'project' | 'id' | 'reason'>, options?: WithSignal): Promise<boolean>
  close(): Promise<void>
}
