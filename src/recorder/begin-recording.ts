/**
 * How a recorder begins (recovery-log spec, section 4): in the log that its state machine was played in, by an empty
 * append; in another one by a no-op that sets the fence there, with the care that a change of logs asks for.
 */

import { RecoveryLogError } from '../errors/index.ts'
import { fenceOf } from '../fsm/index.ts'
import type { FSM } from '../fsm/index.ts'
import type { AppendRequest, Commit, Journal, LabelSelector } from '../journal/index.ts'
import {
  decodeRecordedOp,
  encodeNoop,
  FRAME_HEADER_BYTES,
  NOOP_FRAME_BYTES_MAX,
  RecordedOp,
} from '../wire/index.ts'
import type { FSMHints } from '../wire/index.ts'

const NOTHING = new Uint8Array(0)

/** What sets a fence where left-over bytes forbid a hand-off: no reader takes it for anything. */
const ZERO_BYTE = new Uint8Array(1)

/** How to leave a log for another one. */
export interface ChangeOfLogs {
  /** The log that is left, with a hand-off to the author injected, or with left-over bytes at its head. */
  readonly from: Journal
  /**
   * Where left-over bytes forbade the hand-off: the head up to which the log was played. The fence is set by one zero
   * byte there, which is not read back: so it must begin right there.
   */
  readonly leftOverAt?: number
  /** Stores hints that name the new log. Nothing else points to it, so nothing counts as committed before. */
  readonly saveHints: (hints: FSMHints, end: number) => Promise<void>
}

export interface BeginOptions {
  readonly journal: Journal
  readonly fsm: FSM
  readonly author: number
  readonly change?: ChangeOfLogs
  readonly signal?: AbortSignal
}

export interface Begun {
  /** The write head of the log. */
  readonly head: number
  /** What every append is to require. */
  readonly check: LabelSelector
  /** The change of logs that is to be confirmed, if there is one. */
  readonly left: ChangeOfLogs | undefined
}

/** Learns the write head, and begins the log when it is another one than the state machine's. */
export async function beginRecording(options: BeginOptions): Promise<Begun> {
  const { journal, fsm, author, signal } = options
  if (fsm.hintedSegment !== undefined) {
    throw invalid('the state machine has hints left: it was not played to the head', journal, fsm)
  }
  const check = ownedBy(author)
  if (fsm.lastLog === journal.name) {
    const { end } = await append(journal, { content: NOTHING, check }, signal, 'FENCED')
    return { head: end, check, left: undefined }
  }
  const left = fsm.nextSeqNo === 1 ? undefined : options.change
  if (fsm.nextSeqNo > 1 && left === undefined) {
    throw invalid('the history is in another log, and nothing says how to leave that one', journal, fsm)
  }
  if (left !== undefined && fsm.liveCount === 0) throw hintsEmpty(journal.name)
  const unowned: LabelSelector = { exclude: [{ name: fenceOf(author).name, value: '' }] }
  await append(journal, { content: NOTHING, check: unowned }, signal, 'LOG_TAKEN')
  if (left?.leftOverAt !== undefined) await fenceOff(left.from, left.leftOverAt, author, signal)
  const head = await appendNoop(options, unowned)
  return { head, check, left }
}

/** The end of a change of logs: hints that name the new log, then proof that the old one is still ours. */
export async function confirmChange(
  recorder: {
    readonly author: number
    readonly head: number
    hints(options: { signal?: AbortSignal }): Promise<FSMHints>
  },
  left: ChangeOfLogs,
  signal: AbortSignal | undefined,
): Promise<void> {
  const hints = await recorder.hints(signal === undefined ? {} : { signal })
  await left.saveHints(hints, recorder.head)
  await append(left.from, { content: NOTHING, check: ownedBy(recorder.author) }, signal, 'FENCED')
}

export function hintsEmpty(log: string): RecoveryLogError {
  const message =
    'without a live file, hints cannot tell where a log that does not begin at number 1 is to be read'
  return new RecoveryLogError('HINTS_EMPTY', message, { log })
}

function ownedBy(author: number): LabelSelector {
  return { include: [fenceOf(author)] }
}

/** A newer owner may have come before the zero byte: its operations would be lost. */
async function fenceOff(
  from: Journal,
  head: number,
  author: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { begin } = await append(from, { content: ZERO_BYTE, union: [fenceOf(author)] }, signal, 'FENCED')
  if (begin === head) return
  const data = { log: from.name, expected: head, begin }
  throw new RecoveryLogError('CONFLICT', 'something came into the log since it was played', data)
}

/** Applied only when it has committed: with the log taken, the same state machine goes on in another. */
async function appendNoop(
  { journal, fsm, author, signal }: BeginOptions,
  check: LabelSelector,
): Promise<number> {
  const frame = new Uint8Array(NOOP_FRAME_BYTES_MAX)
  const content = frame.subarray(0, encodeNoop(frame, 0, fsm.nextSeqNo, fsm.nextChecksum, author))
  const { begin, end } = await append(
    journal,
    { content, check, union: [fenceOf(author)] },
    signal,
    'LOG_TAKEN',
  )
  const op = new RecordedOp()
  decodeRecordedOp(content, FRAME_HEADER_BYTES, content.length, op)
  op.log = journal.name
  op.firstOffset = begin
  const outcome = fsm.apply(op, content, FRAME_HEADER_BYTES, content.length)
  if (outcome !== 'OK') throw invalid(`the state machine refuses a no-op: ${outcome}`, journal, fsm)
  return end
}

/** A mismatch of registers is told with `mismatch`. */
async function append(
  journal: Journal,
  request: AppendRequest,
  signal: AbortSignal | undefined,
  mismatch: 'FENCED' | 'LOG_TAKEN',
): Promise<Commit> {
  try {
    return await journal.append(signal === undefined ? request : { ...request, signal })
  } catch (cause) {
    if (!RecoveryLogError.is(cause, 'REGISTER_MISMATCH')) throw cause
    const message =
      mismatch === 'FENCED' ? 'a newer owner has taken over the log' : 'the log has an owner already'
    throw new RecoveryLogError(mismatch, message, { ...cause.data, log: journal.name }, { cause })
  }
}

function invalid(message: string, journal: Journal, fsm: FSM): RecoveryLogError {
  return new RecoveryLogError('INVALID', message, {
    log: journal.name,
    lastLog: fsm.lastLog,
    nextSeqNo: fsm.nextSeqNo,
  })
}
