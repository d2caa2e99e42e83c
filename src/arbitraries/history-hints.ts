import { FSM } from '../fsm/index.ts'
import type { FSMOptions } from '../fsm/index.ts'
import { decodeRecordedOp, RecordedOp } from '../wire/index.ts'
import type { FSMHints } from '../wire/index.ts'
import type { History } from './histories.ts'

export interface HintsMoment extends FSMOptions {
  /** How many operations of the history had been recorded. */
  readonly recorded: number
  /**
   * Whether they are the hints of a reader, who knows all offsets. Those of the recorder in office have lower bounds, and
   * unknown ends, for what it has recorded itself. Default true.
   */
  readonly isReader?: boolean
}

/**
 * The hints of a moment of a history, taken in its last log. Undefined where nobody could take them then: before that
 * log was begun, or while no live file has its last segment in it.
 */
export function hintsAt(history: History, moment: HintsMoment): FSMHints | undefined {
  const { recorded, isReader = true, ...options } = moment
  const records = history.records.slice(0, recorded).filter((record) => record.isApplied)
  const last = records.at(-1)
  const lastLog = history.logs.length - 1
  if (last?.log !== lastLog) return undefined
  const log = nameOf(history, lastLog)
  const fsm = new FSM({ log: nameOf(history, 0), liveNodes: [], properties: [] }, options)
  const op = new RecordedOp()
  for (const record of records) {
    const isOwn = !isReader && record.operation.author === last.operation.author
    const { bytes } = history.logs[record.log] as History['logs'][number]
    decodeRecordedOp(bytes, record.messageBegin, record.messageEnd, op)
    op.firstOffset = isOwn && record.log === lastLog ? record.knownHead : record.begin
    op.lastOffset = isOwn && record.log === lastLog ? 0 : record.end
    op.log = nameOf(history, record.log)
    fsm.apply(op, bytes, record.messageBegin, record.messageEnd)
  }
  const isTakeable = fsm.liveCount === 0 ? lastLog === 0 : fsm.endsIn(log)
  return isTakeable ? fsm.buildHints(log) : undefined
}

function nameOf(history: History, log: number): string {
  return (history.logs[log] as History['logs'][number]).name
}
