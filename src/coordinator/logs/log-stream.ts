import { decodeDescriptor } from '../../wire/logdog/index.ts'
import type { LogStreamDescriptor } from '../../wire/logdog/index.ts'
import type { ArchivedFiles, StreamPhase, StreamRecord } from '../stream-record.ts'

/** A stream as those who read it see it. All times are milliseconds since 1970; null: has not happened. */
export interface LogStream {
  readonly project: string
  readonly path: string
  readonly id: string
  readonly protoVersion: string
  readonly descriptor: LogStreamDescriptor
  readonly phase: StreamPhase
  /** -1 while unknown. */
  readonly terminalIndex: number
  /** Where its archive lies, once it has one. */
  readonly archive: ArchivedFiles | null
  /** Why it is quarantined. */
  readonly reason: string | null
  readonly createdMs: number
  readonly changedMs: number
  readonly terminatedMs: number | null
  readonly archivedMs: number | null
  readonly purgedMs: number | null
}

/** @throws RecoveryLogError `CORRUPT` for a descriptor that cannot be decoded */
export function logStreamOf(record: StreamRecord): LogStream {
  return {
    project: record.project,
    path: record.path,
    id: record.id,
    protoVersion: record.protoVersion,
    descriptor: decodeDescriptor(record.descriptor),
    phase: record.phase,
    terminalIndex: record.terminalIndex,
    archive: record.archive,
    reason: record.reason,
    createdMs: record.createdMs,
    changedMs: record.changedMs,
    terminatedMs: record.terminatedMs,
    archivedMs: record.archivedMs,
    purgedMs: record.purgedMs,
  }
}
