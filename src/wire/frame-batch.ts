import { decodeCanonicalOp } from './canonical-op-decoder.ts'
import { FRAME_HEADER_BYTES, readFrameHeader } from './frame.ts'
import { RecordedOp } from './recorded-op.ts'

/** About as many reads of memory as a processor has under way at a time. */
const OPS_MAX = 8

/**
 * The next operations of a log, decoded ahead, so that a state machine can ask for the memory of all of them at once
 * (`FSM.prefetch`). Only for what is written as Go writes it, which is nearly everything.
 */
export class FrameBatch {
  /** Reused by each `decode`; those from `count` on are worth nothing. */
  readonly ops: readonly RecordedOp[] = Array.from({ length: OPS_MAX }, () => new RecordedOp())
  count = 0

  /** Sets the log that is read. */
  set log(log: string) {
    for (const op of this.ops) op.log = log
  }

  /**
   * Decodes the operations of which the frames lie one behind the other in `bytes[begin, end)`, each after the content of
   * the one before, up to what is no whole frame or not written as Go writes it. `begin` is at `offset` in the log. The
   * content of the last one may reach beyond `end`.
   */
  decode(bytes: Uint8Array, begin: number, end: number, offset: number): void {
    const { ops } = this
    const base = offset - begin
    let count = 0
    let at = begin
    while (count < OPS_MAX && at + FRAME_HEADER_BYTES <= end) {
      const length = readFrameHeader(bytes, at)
      const messageBegin = at + FRAME_HEADER_BYTES
      const messageEnd = messageBegin + length
      const op = ops[count] as RecordedOp
      if (length < 0 || messageEnd > end || !decodeCanonicalOp(bytes, messageBegin, messageEnd, op)) break
      op.firstOffset = base + at
      at = messageEnd + op.length
      op.lastOffset = base + at
      count++
    }
    this.count = count
  }
}
