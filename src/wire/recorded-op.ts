/**
 * One `RecordedOp` in memory (recovery-log spec, section 2): a flat object of numbers that a decoder fills again and
 * again, so that reading a log allocates nothing per operation.
 */

/** The kinds of operations, each with its field number in the message. */
export const OpKind = { none: 0, create: 4, link: 5, unlink: 6, write: 7, property: 8 } as const
export type OpKind = (typeof OpKind)[keyof typeof OpKind]

const NO_BYTES = new Uint8Array(0)
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class RecordedOp {
  seqNo = 0
  /** As int32: `>>> 0` is the number on the wire. Numbers beyond 2^31 would cost an allocation each. */
  checksum = 0
  /** As int32: `>>> 0` is the number on the wire. */
  author = 0
  kind: OpKind = OpKind.none
  /** Of a link, an unlink, and a write. */
  fnode = 0
  /** Of a write: where in the file its content goes. */
  offset = 0
  /** Of a write: how many bytes of content follow the frame. */
  length = 0
  /** The bytes in which path and content of the property lie: borrowed, valid until the buffer is used again. */
  bytes: Uint8Array = NO_BYTES
  pathBegin = 0
  pathEnd = 0
  /** The `pathHash` of those bytes. */
  pathHash = 0
  /** The content of a property. */
  contentBegin = 0
  contentEnd = 0
  /** Field 12, section 9: the crc32c of a write's content, as int32. Only when `hasContentChecksum`. */
  contentChecksum = 0
  hasContentChecksum = false
  /** Where the frame begins in its log, for whoever applies it. Never written. */
  firstOffset = 0
  /** Where the frame and its content end; 0 is unknown. Never written. */
  lastOffset = 0
  /** The log in which it was read. Never written. */
  log = ''

  /** The path of a create, link, unlink or property, decoded when asked for. */
  get path(): string {
    return utf8.decode(this.bytes.subarray(this.pathBegin, this.pathEnd))
  }

  /** The content of a property, decoded when asked for. */
  get content(): string {
    return utf8.decode(this.bytes.subarray(this.contentBegin, this.contentEnd))
  }
}
