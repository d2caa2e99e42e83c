/**
 * A contiguous run of operations of one author in one log (recovery-log spec, section 5). Plain data, never changed
 * once made. Sequence numbers and offsets are safe integers; `author` and `firstChecksum` are uint32.
 */
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
