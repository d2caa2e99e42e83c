import { FSM } from '../../src/fsm/index.ts'
import { decodeRecordedOp, FRAME_HEADER_BYTES, readFrameHeader, RecordedOp } from '../../src/wire/index.ts'

/**
 * What was used last stays in use, as in a service: when a collection finds no instance of a class, V8 forgets what it
 * has learned of it, and the harness collects before each run.
 */
const kept: { fsm?: FSM; op?: RecordedOp } = {}

/** Decodes, checks and applies a whole log, as the player does without its files. */
export function applyLog(log: Uint8Array): FSM {
  const fsm = new FSM({ log: 'bench/log', liveNodes: [], properties: [] })
  const op = new RecordedOp()
  kept.fsm = fsm
  kept.op = op
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
