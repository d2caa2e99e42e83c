import { RecoveryLogError } from '../errors/index.ts'
import type { FSMHints, Property, Segment } from './hints.ts'

/** Of the halves of surrogate pairs this sees only those that have lost the other one: they have no UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** A field by its name in the message, and what is in it. */
type Wrong = readonly [name: string, value: unknown]

/** Whether an int64 can be written. */
export function isInt64(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** Whether a fixed32 can be written. */
export function isUint32(value: number): boolean {
  return value >>> 0 === value
}

/**
 * The error for hints that cannot be written, for somebody who has found out that they cannot: `HINTS_INVALID`, with path
 * and value of the first number out of its range, or text with half a surrogate pair.
 */
export function unwritable({ log, liveNodes, properties }: FSMHints): RecoveryLogError {
  if (!isText(log)) return invalid('', ['log', log])
  for (const [i, { fnode, segments }] of liveNodes.entries()) {
    if (!isInt64(fnode)) return invalid(`live_nodes[${i}].`, ['fnode', fnode])
    for (const [k, segment] of segments.entries()) {
      const wrong = wrongInSegment(segment)
      if (wrong !== undefined) return invalid(`live_nodes[${i}].segments[${k}].`, wrong)
    }
  }
  const i = properties.findIndex((property) => wrongInProperty(property) !== undefined)
  return invalid(`properties[${i}].`, wrongInProperty(properties[i] as Property) as Wrong)
}

function wrongInSegment(segment: Segment): Wrong | undefined {
  if (!isUint32(segment.author)) return ['author', segment.author]
  if (!isInt64(segment.firstSeqNo)) return ['first_seq_no', segment.firstSeqNo]
  if (!isInt64(segment.firstOffset)) return ['first_offset', segment.firstOffset]
  if (!isUint32(segment.firstChecksum)) return ['first_checksum', segment.firstChecksum]
  if (!isInt64(segment.lastSeqNo)) return ['last_seq_no', segment.lastSeqNo]
  if (!isInt64(segment.lastOffset)) return ['last_offset', segment.lastOffset]
  if (!isText(segment.log)) return ['log', segment.log]
  return undefined
}

function wrongInProperty(property: Property): Wrong | undefined {
  if (!isText(property.path)) return ['path', property.path]
  if (!isText(property.content)) return ['content', property.content]
  return undefined
}

function isText(value: string): boolean {
  return !LONE_SURROGATE.test(value)
}

function invalid(parent: string, [name, value]: Wrong): RecoveryLogError {
  const path = parent + name
  return new RecoveryLogError('HINTS_INVALID', `${path} cannot be written`, { path, value })
}
