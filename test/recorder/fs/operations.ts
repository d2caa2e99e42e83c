import type { Journal } from '../../../src/journal/index.ts'
import {
  decodeRecordedOp,
  FRAME_HEADER_BYTES,
  OpKind,
  RecordedOp,
  readFrameHeader,
} from '../../../src/wire/index.ts'

export interface Operation {
  readonly kind: OpKind
  readonly fnode: number
  readonly path: string
  readonly offset: number
  readonly length: number
}

/** Every operation of a log, in its order. */
export async function operationsOf(journal: Journal): Promise<Operation[]> {
  const chunks: Uint8Array[] = []
  for await (const { bytes } of journal.read({ offset: 0 })) chunks.push(bytes.slice())
  const bytes = new Uint8Array(Buffer.concat(chunks))
  const operations: Operation[] = []
  const op = new RecordedOp()
  for (let at = 0; at < bytes.length;) {
    const begin = at + FRAME_HEADER_BYTES
    const end = begin + readFrameHeader(bytes, at)
    decodeRecordedOp(bytes, begin, end, op)
    const { kind, fnode, offset, length } = op
    const hasPath = kind === OpKind.create || kind === OpKind.link || kind === OpKind.unlink
    operations.push({ kind, fnode, offset, length, path: hasPath ? op.path : '' })
    at = end + (kind === OpKind.write ? length : 0)
  }
  return operations
}
