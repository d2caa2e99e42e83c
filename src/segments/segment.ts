import { RecoveryLogError } from '../errors/index.ts'
import type { Segment } from '../wire/index.ts'
import { logNameFault } from './log-name.ts'

// The data of a segment is a message, so it is told in wire; what may be done with it is told in this room.
export type { Segment } from '../wire/index.ts'

/** Names whose spelling has been checked: a log is named in every segment, and there are few logs. */
const goodLogs = new Set<string>()
const GOOD_LOGS_MAX = 1024

/**
 * Throws `SEGMENT_INVALID`, with the field, its value and the segment, when the segment by itself cannot be one
 * (recovery-log spec, section 5). The first fault in the order of the fields is told.
 */
export function validateSegment(segment: Segment): void {
  const { author, firstSeqNo, firstOffset, firstChecksum, lastSeqNo, lastOffset, log } = segment
  if (!isUint32(author)) refuse(segment, 'author', 'is no uint32')
  if (author === 0) refuse(segment, 'author', 'is zero')
  if (!Number.isSafeInteger(firstSeqNo) || firstSeqNo <= 0) {
    refuse(segment, 'firstSeqNo', 'is no number from 1')
  }
  if (!Number.isSafeInteger(firstOffset) || firstOffset < 0) refuse(segment, 'firstOffset', 'is no offset')
  if (!isUint32(firstChecksum)) refuse(segment, 'firstChecksum', 'is no uint32')
  if (!Number.isSafeInteger(lastSeqNo) || lastSeqNo < firstSeqNo) {
    refuse(segment, 'lastSeqNo', 'is below firstSeqNo')
  }
  if (lastOffset !== 0 && (!Number.isSafeInteger(lastOffset) || lastOffset <= firstOffset)) {
    refuse(segment, 'lastOffset', 'is neither 0 nor above firstOffset')
  }
  if (!goodLogs.has(log)) validateLog(segment)
}

function validateLog(segment: Segment): void {
  const fault = logNameFault(segment.log)
  if (fault !== undefined) refuse(segment, 'log', `cannot name a log: ${fault}`)
  if (goodLogs.size >= GOOD_LOGS_MAX) goodLogs.clear()
  goodLogs.add(segment.log)
}

function isUint32(value: number): boolean {
  return value >>> 0 === value
}

function refuse(segment: Segment, field: keyof Segment, fault: string): never {
  const value = segment[field]
  throw new RecoveryLogError(
    'SEGMENT_INVALID',
    `the ${field} of a segment, ${JSON.stringify(value)}, ${fault}`,
    {
      field,
      value,
      segment,
    },
  )
}
