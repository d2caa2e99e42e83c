import type { ArchiveManifest, ClaimOutcome } from '../archive/index.ts'
import type { WithSignal } from '../storage/index.ts'
import type { CoordinatorSettings } from './settings.ts'
import type { StreamRecord } from './stream-record.ts'
import type { DeadLetter, TaskLease, TaskReason } from './task-queue.ts'

/** What a stream's writers are told of it (log-archive spec, section 8). */
export interface LogStreamState {
  readonly project: string
  readonly path: string
  /** Lower-case hex sha256 of the path. */
  readonly id: string
  readonly protoVersion: string
  /** The prefix's secret: given to those only who have shown it. */
  readonly secret: Uint8Array
  /** -1 while unknown. */
  readonly terminalIndex: number
  readonly archived: boolean
  readonly purged: boolean
}

export interface RegisterPrefixRequest extends WithSignal {
  readonly project: string
  readonly prefix: string
  /** How long streams may be registered under it, in milliseconds; 0: as project and service say. */
  readonly expirationMs?: number
  /** 32 bytes, or none: the same again within 15 minutes is answered the same secret. */
  readonly nonce?: Uint8Array
  /** Who registers: free text, kept. */
  readonly source?: readonly string[]
}

export interface RegisteredPrefix {
  readonly secret: Uint8Array
  /** When it expires, in milliseconds since 1970. */
  readonly expiresMs: number
}

export interface RegisterStreamRequest extends WithSignal {
  readonly project: string
  readonly secret: Uint8Array
  /** Default `"1"`. */
  readonly protoVersion?: string
  /** The descriptor, encoded; with its prefix. */
  readonly descriptor: Uint8Array
  /** -1, the default: not known; else the stream is terminated too. */
  readonly terminalIndex?: number
}

export interface TerminateStreamRequest extends WithSignal {
  readonly project: string
  readonly id: string
  readonly secret: Uint8Array
  readonly terminalIndex: number
}

/** What a collector needs of a coordinator, and what the cache wraps. LUCI's own is one (`RemoteCoordinator`). */
export interface StreamRegistrar {
  registerStream(request: RegisterStreamRequest): Promise<LogStreamState>
  terminateStream(request: TerminateStreamRequest): Promise<void>
}

export interface StreamId {
  readonly project: string
  readonly id: string
}

/** A stream as the coordinator has it, with the revision that claims and changes name. */
export interface LoadedStream {
  readonly record: StreamRecord
  readonly revision: number
  /** Those that count for its project now. */
  readonly settings: CoordinatorSettings
}

export interface ClaimRequest extends StreamId, WithSignal {
  readonly revision: number
  readonly attempt: string
  readonly manifest: ArchiveManifest
  readonly leaseMs: number
}

export interface ArchiveStreamRequest extends StreamId, WithSignal {
  /** Whose files these are: any other than the claimed one is `CONFLICT`. */
  readonly attempt: string
  /** The stream's terminal index; what was not known becomes the last archived index. */
  readonly terminalIndex: number
  readonly lastIndex: number
  readonly entryCount: number
  /** The file's key in the blob store; sizes in bytes. */
  readonly entriesUrl: string
  readonly entriesBytes: number
  readonly indexUrl: string
  readonly indexBytes: number
  readonly dataUrl?: string
  readonly dataBytes?: number
}

export interface ReleaseTaskOptions extends WithSignal {
  readonly afterMs: number
  readonly reason: string
  readonly countsAsTry?: boolean
}

/** What archivists and the sweep need of a coordinator. */
export interface ArchiveDispatcher {
  leaseArchiveTasks(request: {
    readonly max: number
    /** Default 10 min. */
    readonly leaseMs?: number
    readonly signal?: AbortSignal
  }): Promise<readonly TaskLease[]>
  extendTask(lease: TaskLease, leaseMs: number, options?: WithSignal): Promise<TaskLease>
  acknowledgeTask(lease: TaskLease, options?: WithSignal): Promise<void>
  releaseTask(lease: TaskLease, options: ReleaseTaskOptions): Promise<void>

  /** @throws RecoveryLogError `NOT_FOUND` */
  loadStream(stream: StreamId & WithSignal): Promise<LoadedStream>
  /** Makes a stream's archival pending when the archivist comes before the sweep's change of state. Idempotent. */
  dispatchArchival(stream: StreamId & WithSignal): Promise<LoadedStream>
  /**
   * By compare-and-set on the revision; takes over a claim whose lease has run out (section 6), also when asked with just
   * that claim's attempt and manifest. A lost race is `lost`, not an error.
   */
  claim(request: ClaimRequest): Promise<ClaimOutcome>
  /**
   * Lets the lease of a claim run out `leaseMs` from now; 0: at once, so that the next archivist takes it over.
   *
   * @throws RecoveryLogError `CONFLICT` when the claim is another's by now
   */
  extendClaim(
    request: StreamId & WithSignal & { readonly attempt: string; readonly leaseMs: number },
  ): Promise<void>
  /**
   * Gives a claim up; with `differed`, because its files did not come out as its manifest says, which is counted.
   * Idempotent; another attempt's claim stays.
   */
  abandonClaim(
    request: StreamId & WithSignal & { readonly attempt: string; readonly differed?: boolean },
  ): Promise<void>
  /** Only for a stream whose archival was dispatched; idempotent. Answers how the stream is then. */
  archiveStream(request: ArchiveStreamRequest): Promise<LoadedStream>
  /** Its entries are out of intermediate storage. Idempotent. */
  streamCleaned(stream: StreamId & WithSignal): Promise<void>
  /**
   * Idempotent.
   *
   * @throws RecoveryLogError `CONFLICT` when the stream is archived or purged, or somebody's claim stands
   */
  quarantine(request: StreamId & WithSignal & { readonly reason: string }): Promise<void>

  /** One pass over everything that is due, up to `max` streams; answers how many tasks were put (section 8). */
  dispatchDue(options?: WithSignal & { readonly max?: number }): Promise<number>
}

export interface ReleaseQuarantinedOptions extends StreamId, WithSignal {
  /** Stored values that cannot be decoded become named gaps. Default false. */
  readonly skipDamaged?: boolean
}

/** The whole: what the embedded coordinator is. */
export interface CoordinatorService extends StreamRegistrar, ArchiveDispatcher {
  registerPrefix(request: RegisterPrefixRequest): Promise<RegisteredPrefix>
  /** Sets `purged`, which voids claims; the removal is the purge task's. Idempotent. */
  purgeStream(stream: StreamId & WithSignal): Promise<void>
  quarantined(options?: WithSignal & { readonly project?: string }): AsyncIterable<StreamRecord>
  releaseQuarantined(options: ReleaseQuarantinedOptions): Promise<void>
  deadLetters(options?: WithSignal): AsyncIterable<DeadLetter>
  reviveTask(task: StreamId & WithSignal & { readonly reason: TaskReason }): Promise<boolean>
}
