/**
 * The messages of the hints as plain data (recovery-log spec, sections 2, 5 and 6), never changed once made. Sequence
 * numbers, fnodes and offsets are safe integers; authors and checksums are uint32.
 */

/** A contiguous run of operations of one author in one log. */
export interface Segment {
  readonly author: number
  readonly firstSeqNo: number
  /** Where the first operation's frame begins, or a place before it. */
  readonly firstOffset: number
  readonly firstChecksum: number
  readonly lastSeqNo: number
  /** Where the last operation and its content end; 0 is unknown. */
  readonly lastOffset: number
  readonly log: string
}

/** A live fnode and the segments that hold its operations. An empty `segment.log` means `FSMHints.log`. */
export interface FnodeSegments {
  readonly fnode: number
  readonly segments: readonly Segment[]
}

/** A tiny file carried by value in the hints. */
export interface Property {
  readonly path: string
  readonly content: string
}

/** The manifest of live fnodes and the segments that hold them. */
export interface FSMHints {
  readonly log: string
  readonly liveNodes: readonly FnodeSegments[]
  readonly properties: readonly Property[]
}

/**
 * A list with one member more. Most fnodes have one segment, and a first `push` would make room for 17: half of what hints
 * take in memory.
 */
export function appended<T>(list: T[], member: T): T[] {
  if (list.length === 0) return [member]
  list.push(member)
  return list
}
