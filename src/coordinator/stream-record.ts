import type { ArchiveClaim } from '../archive/index.ts'

/** Where a stream stands in its life (log-archive spec, section 8). */
export const STREAM_PHASES = [
  'streaming',
  'terminated',
  'pending',
  'archived',
  'cleaned',
  'purged',
  'quarantined',
] as const

export type StreamPhase = (typeof STREAM_PHASES)[number]

/** Whose attempt is to be the archive, until when. */
export interface StreamClaim extends ArchiveClaim {
  readonly leaseUntilMs: number
  /** The revision of the stream that it was made on: so its maker, asking again, is told from who takes it over. */
  readonly atRevision: number
}

/** What became of an archived stream: keys of the blob store, sizes in bytes. */
export interface ArchivedFiles {
  readonly attempt: string
  readonly entriesUrl: string
  readonly entriesBytes: number
  readonly indexUrl: string
  readonly indexBytes: number
  readonly dataUrl: string | null
  readonly dataBytes: number
  readonly entryCount: number
  readonly lastIndex: number
}

/** A stream as the state store has it. All times are milliseconds since 1970; null: has not happened. */
export interface StreamRecord {
  readonly project: string
  readonly path: string
  readonly id: string
  readonly protoVersion: string
  /** The encoded descriptor, as it was registered. */
  readonly descriptor: Uint8Array
  /** -1 while unknown. */
  readonly terminalIndex: number
  readonly phase: StreamPhase
  readonly claim: StreamClaim | null
  readonly archive: ArchivedFiles | null
  /** Why it is quarantined. */
  readonly reason: string | null
  /** Stored values that cannot be decoded are to become named gaps. */
  readonly skipDamaged: boolean
  /** How often the files did not come out as their manifest says. */
  readonly differedCount: number
  readonly createdMs: number
  /** The last change of this record by its writers: registered or terminated. */
  readonly changedMs: number
  readonly terminatedMs: number | null
  readonly dispatchedMs: number | null
  readonly archivedMs: number | null
  readonly cleanedMs: number | null
  readonly purgedMs: number | null
}

/** The record of a stream that is registered now, as one that is still written to. */
export function newStreamRecord(
  stream: Pick<StreamRecord, 'project' | 'path' | 'id' | 'protoVersion' | 'descriptor'>,
  nowMs: number,
): StreamRecord {
  return {
    ...stream,
    terminalIndex: -1,
    phase: 'streaming',
    claim: null,
    archive: null,
    reason: null,
    skipDamaged: false,
    differedCount: 0,
    createdMs: nowMs,
    changedMs: nowMs,
    terminatedMs: null,
    dispatchedMs: null,
    archivedMs: null,
    cleanedMs: null,
    purgedMs: null,
  }
}
