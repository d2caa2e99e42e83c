import type { Journal } from '../journal/index.ts'
import {
  decodeRecordedOp,
  findMagic,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  readFrameHeader,
  RecordedOp,
} from '../wire/index.ts'

/**
 * Whether the history in a log can be read from number 1 on: its first operation has that number, and no fragment
 * from there on is gone. Then hints without a segment say where to begin (recovery-log spec, section 6).
 */
export async function beginsAtOne(journal: Journal, signal: AbortSignal | undefined): Promise<boolean> {
  if (await hasHoles(journal)) return false
  const reading = { offset: 0, ...(signal !== undefined && { signal }) }
  let bytes: Uint8Array = new Uint8Array(0)
  for await (const chunk of journal.read(reading)) {
    if (chunk.offset !== bytes.length) return false // the beginning, or what follows it, is gone
    bytes = joined(bytes, chunk.bytes)
    const seqNo = firstSeqNo(bytes)
    if (seqNo !== undefined) return seqNo === 1
    if (bytes.length > FRAME_BYTES_MAX) return false
  }
  return false
}

async function hasHoles(journal: Journal): Promise<boolean> {
  if (!journal.supports.prune || journal.fragments === undefined) return false
  let end = 0
  for (const fragment of await journal.fragments()) {
    if (fragment.begin !== end) return true
    end = fragment.end
  }
  return false
}

/** Of the first whole operation. Undefined when there is none yet. */
function firstSeqNo(bytes: Uint8Array): number | undefined {
  const at = findMagic(bytes, 0, bytes.length)
  if (at + FRAME_HEADER_BYTES > bytes.length) return undefined
  const end = at + FRAME_HEADER_BYTES + readFrameHeader(bytes, at)
  if (end > bytes.length) return undefined
  const op = new RecordedOp()
  decodeRecordedOp(bytes, at + FRAME_HEADER_BYTES, end, op)
  return op.seqNo
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
