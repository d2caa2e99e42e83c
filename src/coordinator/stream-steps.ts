import type { ClaimOutcome } from '../archive/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { ArchiveStreamRequest, ClaimRequest } from './coordinator.ts'
import { PURGE_REPEAT_MS, stepOf } from './life-cycle.ts'
import type { StreamEvent } from './life-cycle.ts'
import type { StreamPhase, StreamRecord } from './stream-record.ts'

/** What the events of the life cycle do to a stream's record: pure, so that a lost race is simply judged anew. */

/**
 * The phase after `event`, or undefined when nothing is to happen.
 *
 * @throws RecoveryLogError with the code of the table
 */
export function phaseAfter(record: StreamRecord, event: StreamEvent): StreamPhase | undefined {
  const step = stepOf(record.phase, event)
  switch (step.kind) {
    case 'moves':
      return step.to
    case 'stays':
      return record.phase
    case 'ignored':
      return undefined
    case 'refused': {
      const { project, path, id, phase, reason } = record
      const message = `cannot ${event} the stream ${path}: it is ${phase}`
      throw new RecoveryLogError(step.code, message, { project, path, id, phase, event, reason })
    }
  }
}

/** A stream that its writers, or a registration, have ended. @throws RecoveryLogError `CONFLICT`, `PURGED`, `UNAVAILABLE` */
export function terminated(
  record: StreamRecord,
  terminalIndex: number,
  nowMs: number,
): StreamRecord | undefined {
  if (record.terminalIndex === terminalIndex) return undefined
  const { project, path, id, claim } = record
  if (record.terminalIndex >= 0 && record.phase !== 'purged') {
    const data = { project, path, id, terminalIndex: record.terminalIndex, value: terminalIndex }
    const message = `the stream ${path} ends at ${record.terminalIndex}, not at ${terminalIndex}`
    throw new RecoveryLogError('CONFLICT', message, data)
  }
  const phase = phaseAfter(record, 'terminate')
  if (phase === undefined) return undefined
  if (claim !== null && claim.manifest.lastIndex !== terminalIndex) {
    // The claimed files are on their way; whether they become the archive decides what the stream's end is.
    const message = `the stream ${path} is being archived: ask again when it has been`
    throw new RecoveryLogError('UNAVAILABLE', message, { project, path, id, attempt: claim.attempt })
  }
  return { ...record, phase, terminalIndex, terminatedMs: nowMs, changedMs: nowMs }
}

/** A purged stream whose name may be used again. */
export function isForgotten({ phase, purgedMs }: StreamRecord, nowMs: number): boolean {
  return phase === 'purged' && nowMs >= (purgedMs ?? 0) + PURGE_REPEAT_MS
}

/**
 * A stream that is registered although it is there: it stays as it is, but that its end may be known now. `first` is what
 * it would be if it were not there.
 *
 * @throws RecoveryLogError as `terminated`
 */
export function registeredAgain(
  record: StreamRecord,
  first: StreamRecord,
  nowMs: number,
): StreamRecord | undefined {
  if (phaseAfter(record, 'renew') !== undefined) return isForgotten(record, nowMs) ? first : undefined
  return first.terminalIndex < 0 ? undefined : terminated(record, first.terminalIndex, nowMs)
}

/** What becomes of a claim: the record when it changes, and what the claimant is told. */
export function claimed(
  record: StreamRecord,
  revision: number,
  request: ClaimRequest,
  nowMs: number,
): { readonly record?: StreamRecord; readonly outcome: ClaimOutcome } {
  if (phaseAfter(record, 'claim') === undefined) return { outcome: { kind: 'lost' } }
  const { attempt, manifest, leaseMs } = request
  const leaseUntilMs = nowMs + leaseMs
  const { claim } = record
  if (claim === null) {
    if (revision !== request.revision) return { outcome: { kind: 'lost' } }
    const ours = { attempt, manifest, leaseUntilMs, atRevision: revision }
    return { record: { ...record, claim: ours }, outcome: { kind: 'won' } }
  }
  const longer = { ...record, claim: { ...claim, leaseUntilMs } }
  const isOwn = claim.attempt === attempt && claim.atRevision === request.revision
  if (isOwn) return { record: longer, outcome: { kind: 'won' } }
  if (claim.leaseUntilMs > nowMs) return { outcome: { kind: 'lost' } }
  const taken = { attempt: claim.attempt, manifest: claim.manifest }
  return { record: longer, outcome: { kind: 'taken over', claim: taken } }
}

/** @throws RecoveryLogError `CONFLICT` */
export function extended(record: StreamRecord, attempt: string, leaseUntilMs: number): StreamRecord {
  phaseAfter(record, 'extend')
  const { claim } = record
  if (claim?.attempt !== attempt) throw notClaimed(record, attempt)
  return { ...record, claim: { ...claim, leaseUntilMs } }
}

export function abandoned(
  record: StreamRecord,
  attempt: string,
  differed: boolean,
): StreamRecord | undefined {
  if (phaseAfter(record, 'abandon') === undefined || record.claim?.attempt !== attempt) return undefined
  return { ...record, claim: null, differedCount: record.differedCount + (differed ? 1 : 0) }
}

/** @throws RecoveryLogError `CONFLICT`, `PURGED`, `QUARANTINED` */
export function archived(
  record: StreamRecord,
  request: ArchiveStreamRequest,
  nowMs: number,
): StreamRecord | undefined {
  const { attempt, lastIndex } = request
  const phase = phaseAfter(record, 'archive')
  if (phase === undefined) {
    if (record.archive?.attempt !== attempt) throw notClaimed(record, attempt)
    return undefined
  }
  if (record.claim?.attempt !== attempt) throw notClaimed(record, attempt)
  const known = record.terminalIndex
  const differs = request.terminalIndex >= 0 && request.terminalIndex !== known
  if (known >= 0 && (differs || lastIndex > known)) {
    const { project, path, id } = record
    const message = `the stream ${path} ends at ${known}; an archive to ${lastIndex} that ends at ${request.terminalIndex} is none of it`
    throw new RecoveryLogError('CONFLICT', message, { project, path, id, terminalIndex: known, lastIndex })
  }
  const archive = {
    attempt,
    entriesUrl: request.entriesUrl,
    entriesBytes: request.entriesBytes,
    indexUrl: request.indexUrl,
    indexBytes: request.indexBytes,
    dataUrl: request.dataUrl ?? null,
    dataBytes: request.dataBytes ?? 0,
    entryCount: request.entryCount,
    lastIndex,
  }
  const terminalIndex = known >= 0 ? known : lastIndex
  return { ...record, phase, claim: null, archive, terminalIndex, archivedMs: nowMs }
}

/** @throws RecoveryLogError `CONFLICT` when it is archived or purged, or a claim stands */
export function quarantined(record: StreamRecord, reason: string): StreamRecord | undefined {
  const phase = phaseAfter(record, 'quarantine')
  if (phase === undefined) return undefined
  if (record.claim !== null) {
    const { project, path, id, claim } = record
    const message = `the stream ${path} is claimed: its archive may still come`
    throw new RecoveryLogError('CONFLICT', message, { project, path, id, attempt: claim.attempt })
  }
  return { ...record, phase, reason }
}

function notClaimed({ project, path, id, phase }: StreamRecord, attempt: string): RecoveryLogError {
  const message = `the stream ${path} is not claimed by the attempt ${attempt}`
  return new RecoveryLogError('CONFLICT', message, { project, path, id, phase, attempt })
}
