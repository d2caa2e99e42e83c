import { FSM } from '../../src/fsm/index.ts'
import { decodeRecordedOp, FRAME_HEADER_BYTES, readFrameHeader, RecordedOp } from '../../src/wire/index.ts'

/** Decodes, checks and applies a whole log, as the player does without its files. */
export function applyLog(log: Uint8Array): FSM {
  const fsm = new FSM({ log: 'bench/log', liveNodes: [], properties: [] })
  const op = new RecordedOp()
  op.log = 'bench/log'
  let offset = 0
  while (offset < log.length) {
    const begin = offset + FRAME_HEADER_BYTES
    const end = begin + readFrameHeader(log, offset)
    decodeRecordedOp(log, begin, end, op)
    op.firstOffset = offset
    op.lastOffset = end + op.length
    const outcome = fsm.apply(op, log, begin, end)
    if (outcome !== 'OK') throw new Error(`${outcome} at ${String(offset)}`)
    offset = op.lastOffset
  }
  return fsm
}
