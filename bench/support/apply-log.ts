import { FSM } from '../../src/fsm/index.ts'
import {
  decodeRecordedOp,
  FRAME_HEADER_BYTES,
  FrameBatch,
  readFrameHeader,
  RecordedOp,
} from '../../src/wire/index.ts'

/**
 * What was used last stays in use, as in a service: when a collection finds no instance of a class, V8 forgets what it
 * has learned of it, and the harness collects before each run.
 */
const kept: { fsm?: FSM; op?: RecordedOp } = {}
const ahead = new FrameBatch()

/** Decodes, checks and applies a whole log, as the player does without its files. */
export function applyLog(log: Uint8Array): FSM {
  const fsm = new FSM({ log: 'bench/log', liveNodes: [], properties: [] })
  const ownOp = new RecordedOp()
  kept.fsm = fsm
  kept.op = ownOp
  ownOp.log = ahead.log = 'bench/log'
  let offset = 0
  let next = 0
  let count = 0
  while (offset < log.length) {
    const begin = offset + FRAME_HEADER_BYTES
    const end = begin + readFrameHeader(log, offset)
    if (next === count && fsm.wantsPrefetch) {
      ahead.decode(log, offset, log.length, offset)
      fsm.prefetch(ahead.ops, ahead.count)
      count = ahead.count
      next = 0
    }
    let op = ownOp
    if (next < count) {
      op = ahead.ops[next++] as RecordedOp
    } else {
      decodeRecordedOp(log, begin, end, op)
      op.firstOffset = offset
      op.lastOffset = end + op.length
    }
    const outcome = fsm.apply(op, log, begin, end)
    if (outcome !== 'OK') throw new Error(`${outcome} at ${String(offset)}`)
    offset = op.lastOffset
  }
  return fsm
}
