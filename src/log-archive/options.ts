import type { ArchivistSettings, SweepSettings, TaskReport } from '../archivist/index.ts'
import type { BlobStore } from '../blob/index.ts'
import type { OwnSettings, StreamStore, TaskQueue } from '../coordinator/index.ts'
import type { Closable, ProcessIdentity } from '../directory/index.ts'
import type { RecoveryLogError } from '../errors/index.ts'
import type { Clock, Random, Sha256Factory } from '../parts/index.ts'
import type { IntermediateStorage, WithSignal } from '../storage/index.ts'
import type { WriterSettings } from './settings.ts'

/** What the embedded coordinator keeps its state on. */
export interface CoordinatorBackEnds {
  readonly streamStore: StreamStore
  readonly taskQueue: TaskQueue
}

/** What a log archive works with. Any number of them, in any number of processes, may share it. */
export interface LogArchiveParts {
  /** Where archives are kept for good. */
  readonly blobs: BlobStore
  /** Where entries lie until they are archived. */
  readonly storage: IntermediateStorage
  readonly coordinator: CoordinatorBackEnds
  readonly clock: Clock
  readonly random: Random
  readonly sha256: Sha256Factory
  /** Tells whether the process of another writer still runs. Default: only the clock says, when its lease is over. */
  readonly identity?: ProcessIdentity
}

export interface LogArchiveOptions extends LogArchiveParts {
  /** The project of streams that name none. Default `default`. */
  readonly project?: string
  /**
   * What the service says where the state store does not: delays, ranges, where archives lie. When a stream is due is
   * stored by whoever changes it: so either all processes say the same here, or `coordinator.setSettings` says it for all.
   */
  readonly settings?: OwnSettings
  readonly writer?: Partial<WriterSettings>
  /** How its own archivist works; false: there is none, others do the work, or `archiveDue`. */
  readonly archivist?: Partial<ArchivistSettings> | false
  /** How its own sweep works; false: there is none. */
  readonly sweep?: Partial<SweepSettings> | false
  /** How often a followed stream is looked at. Default 500 ms. */
  readonly pollMs?: number
  /** Is told of every task that the archivist has ended. Must not throw. */
  readonly onTask?: (report: TaskReport) => void
  /** Is told of what went wrong where nobody waits for an answer; it is tried again. Must not throw. */
  readonly onError?: (error: RecoveryLogError) => void
  /** Closed with the archive, in this order. */
  readonly closeWith?: readonly Closable[]
}

export interface OpenStreamOptions extends WithSignal {
  /** Default: the archive's. */
  readonly project?: string
  /** `prefix/+/name`. */
  readonly path: string
  /** Default `text`. */
  readonly type?: 'text' | 'binary' | 'datagram'
  /** Default: LogDog's for the type, such as `text/plain; charset=utf-8`. */
  readonly contentType?: string
  readonly tags?: Readonly<Record<string, string>>
  /** Of the archive's data file, without a dot. Default: as the renderer says. */
  readonly binaryFileExt?: string
}

export interface ReadOptions extends WithSignal {
  /** Default: the archive's. */
  readonly project?: string
  /** The first stream index, from 0. Default 0. Not with `tail`. */
  readonly from?: number
  /** Begins so many indexes before the end: `tail: 1` with the last entry there is. */
  readonly tail?: number
  /** How many entries at most. Default: all. */
  readonly limit?: number
  /** Goes on with what comes, until the stream's last entry. Default false: ends with what is there, over gaps. */
  readonly follow?: boolean
}

/** Which stream. */
export interface NameStreamOptions extends WithSignal {
  /** Default: the archive's. */
  readonly project?: string
}
