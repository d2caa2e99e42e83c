import { RecoveryLogError } from '../errors/index.ts'
import type { FSMHints, Property, Segment } from './hints.ts'

const UINT32_MAX = 0xffff_ffff

/** Of the halves of surrogate pairs this sees only those that have lost the other one: they have no UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** A field by its name in the message, and what is in it. */
type Wrong = readonly [name: string, value: unknown]

/**
 * Refuses with `HINTS_INVALID`, path and value, hints that cannot be written: numbers outside of their ranges, and strings
 * with half a surrogate pair. Whether the hints make sense is not asked here.
 */
export function checkHints(hints: FSMHints): void {
  if (!isText(hints.log)) throw invalid('', ['log', hints.log])
  hints.liveNodes.forEach((node, i) => {
    if (!isSafe(node.fnode)) throw invalid(`live_nodes[${i}].`, ['fnode', node.fnode])
    node.segments.forEach((segment, k) => {
      const wrong = wrongInSegment(segment)
      if (wrong !== undefined) throw invalid(`live_nodes[${i}].segments[${k}].`, wrong)
    })
  })
  hints.properties.forEach((property, i) => {
    const wrong = wrongInProperty(property)
    if (wrong !== undefined) throw invalid(`properties[${i}].`, wrong)
  })
}

function wrongInSegment(segment: Segment): Wrong | undefined {
  if (!isUint32(segment.author)) return ['author', segment.author]
  if (!isSafe(segment.firstSeqNo)) return ['first_seq_no', segment.firstSeqNo]
  if (!isSafe(segment.firstOffset)) return ['first_offset', segment.firstOffset]
  if (!isUint32(segment.firstChecksum)) return ['first_checksum', segment.firstChecksum]
  if (!isSafe(segment.lastSeqNo)) return ['last_seq_no', segment.lastSeqNo]
  if (!isSafe(segment.lastOffset)) return ['last_offset', segment.lastOffset]
  if (!isText(segment.log)) return ['log', segment.log]
  return undefined
}

function wrongInProperty(property: Property): Wrong | undefined {
  if (!isText(property.path)) return ['path', property.path]
  if (!isText(property.content)) return ['content', property.content]
  return undefined
}

function isSafe(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function isUint32(value: number): boolean {
  return isSafe(value) && value <= UINT32_MAX
}

function isText(value: string): boolean {
  return value === '' || (typeof value === 'string' && !LONE_SURROGATE.test(value))
}

function invalid(parent: string, [name, value]: Wrong): RecoveryLogError {
  const path = parent + name
  return new RecoveryLogError('HINTS_INVALID', `${path} cannot be written`, { path, value })
}
