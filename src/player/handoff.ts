/**
 * Takes a log over: a no-op of a new author at its head, which also sets the fence (recovery-log spec, sections 7.6
 * and 7.7).
 */
import { raceAbort } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { fenceOf } from '../fsm/index.ts'
import type { FSM } from '../fsm/index.ts'
import type { Head, Journal } from '../journal/index.ts'
import { encodeNoop, NOOP_FRAME_BYTES_MAX } from '../wire/index.ts'
import { readHead } from './log-heads.ts'
import type { PlayEvent } from './play-event.ts'
import type { Reading } from './reading.ts'

/** Only a writer that ignores the fence can be faster a second time, so this many rounds are for tests of patience. */
const ROUNDS_MAX = 100

export interface HandoffParts {
  readonly author: number
  readonly fsm: FSM
  readonly reading: Reading
  readonly journal: Journal
  /** Called with each head that an append tells. */
  readonly onHead: (head: Head) => void
  /** Called when all that was in the log has been played, before the no-op is appended. Throws to keep it back. */
  readonly beforeAppend: () => void
  readonly onEvent: (event: PlayEvent) => void
  readonly signal: AbortSignal | undefined
}

/**
 * Appends the no-op and plays up to it, until it is applied. Throws `CORRUPT` when bytes were left over that later
 * readers would take for a frame, and `CONFLICT` when others were always faster.
 */
export async function handOff(parts: HandoffParts): Promise<void> {
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    try {
      if (await tryHandoff(parts)) return
    } catch (error) {
      // Nothing of ours has landed: the next append claims the journal anew.
      if (!RecoveryLogError.is(error, 'APPENDER_REPLACED')) throw error
    }
  }
  const { name } = parts.journal
  throw new RecoveryLogError('CONFLICT', `in ${ROUNDS_MAX} rounds others were faster to append to ${name}`, {
    log: name,
    author: parts.author,
  })
}

async function tryHandoff(parts: HandoffParts): Promise<boolean> {
  const { author, fsm, reading, journal, signal } = parts
  const head = await readHead(journal, 'empty append', signal)
  parts.onHead(head)
  await playToBoundary(reading, head.offset)
  parts.beforeAppend()

  const { nextSeqNo: seqNo, nextChecksum: checksum } = fsm
  const frame = new Uint8Array(NOOP_FRAME_BYTES_MAX)
  const content = frame.subarray(0, encodeNoop(frame, 0, seqNo, checksum, author))
  const request = { content, union: [fenceOf(author)], ...(signal === undefined ? {} : { signal }) }
  const commit = await raceAbort(journal.append(request), signal)
  parts.onHead({ offset: commit.end, registers: commit.registers })

  await playToBoundary(reading, commit.begin)
  const isNext = fsm.nextSeqNo === seqNo && fsm.nextChecksum === checksum
  await playToBoundary(reading, commit.end)
  const isApplied = isNext && fsm.nextSeqNo === seqNo + 1
  parts.onEvent({ type: 'handoff', log: journal.name, offset: commit.begin, author, applied: isApplied })
  return isApplied
}

/** Plays to where two appends meet, on the way to a hand-off. What is left over there must not look like a frame. */
export async function playToBoundary(reading: Reading, boundary: number): Promise<void> {
  await reading.readThrough(boundary)
  const leftOver = await reading.leave(boundary)
  if (leftOver?.holdsMagic !== true) return
  throw new RecoveryLogError(
    'CORRUPT',
    `${leftOver.log} cannot be taken over: readers would take what follows for the rest of the frame at ${leftOver.begin}`,
    { log: leftOver.log, offset: leftOver.begin, end: leftOver.end },
  )
}
