/**
 * From a log that is ours to a directory that is recorded (durable-directory spec, section 1, steps 5 and 6): the
 * exchange, the recorder, the change to another log, and the adoption of files that were there.
 */
import { RecoveryLogError } from '../errors/index.ts'
import { fenceOf } from '../fsm/index.ts'
import type { Journal } from '../journal/index.ts'
import { Recorder, type ChangeOfLogs } from '../recorder/index.ts'
import { RecordedFileSystem } from '../recorder/fs/index.ts'
import type { DirectoryClaim } from './directory-claim.ts'
import type { OpenOptions } from './directory-options.ts'
import type { TakenOver } from './follower.ts'
import { HintsBuilder, hintsSetOf, type HintsBuilderOptions } from './hints-builder.ts'
import { generationOf, journalsOf, sinceOf } from './recovery.ts'

const NOTHING = new Uint8Array(0)
/** Each lost race means that another one is leaving the same log too; all but one of them are fenced. */
const SAVE_TRIES_MAX = 16

export interface Owned {
  readonly recorder: Recorder
  readonly files: RecordedFileSystem
  readonly builder: HintsBuilder
  readonly recoveredFrom: string | undefined
  /** Sets who is told after each append up to which position all has committed. */
  readonly onCommitted: (listener: (position: number) => void) => void
}

/** Takes the log over, puts the tree in its place, and begins to record. */
export async function beginOwning(options: OpenOptions, claim: DirectoryClaim): Promise<Owned> {
  const { dir, fs: disk, journal, clock, signal, onEvent } = options
  const taken = await claim.takeOver()
  const { played, candidate, handoffOffset, lossAccepted } = taken
  const { log } = played.head
  const { author } = claim
  if (handoffOffset !== undefined) onEvent?.({ type: 'handed_off', log, offset: handoffOffset, author })
  const isOtherLog = log !== journal.name
  const since = sinceOf(taken.stored, isOtherLog ? 0 : (handoffOffset ?? 0), isOtherLog || lossAccepted)
  const building = { author, since, log: journal.name, clock, journals: journalsOf(options) }
  const change = isOtherLog ? await leave(options, taken, building) : undefined
  let committed: ((position: number) => void) | undefined
  const recorder = await Recorder.open({
    journal,
    fsm: played.fsm,
    author,
    properties: 'none',
    countHistory: options.boundHistory ?? true,
    onCommitted: (position) => committed?.(position),
    ...(options.queueBytesMax === undefined ? {} : { queueBytesMax: options.queueBytesMax }),
    ...(options.contentChecksums === undefined ? {} : { contentChecksums: options.contentChecksums }),
    ...(change === undefined ? {} : { change: change.change }),
    ...(signal === undefined ? {} : { signal }),
  })
  if (claim.isAdopting) for (const { path } of [...played.fsm.links()]) recorder.remove(path)
  if (lossAccepted) endHintsBehindDamage(recorder)
  const files = await RecordedFileSystem.open({ fs: disk, root: dir, recorder })
  if (claim.isAdopting) {
    await files.recordTree()
    await recorder.barrier(signal === undefined ? {} : { signal })
    claim.finishAdoption()
  }
  onEvent?.({ type: 'recovered', log: journal.name, end: recorder.head, lossAccepted })
  const builder = new HintsBuilder({ ...building, since: change?.since() ?? since }, recorder)
  return {
    recorder,
    files,
    builder,
    recoveredFrom: candidate.key,
    onCommitted: (listener) => (committed = listener),
  }
}

/** A write of nothing to the lowest live file: the hints then end behind what is damaged or gone. */
function endHintsBehindDamage(recorder: Recorder): void {
  let lowest: number | undefined
  for (const { fnode } of recorder.fsm.liveNodes()) lowest = Math.min(fnode, lowest ?? fnode)
  if (lowest !== undefined) recorder.write(lowest, 0, NOTHING)
}

/**
 * How the log that was played is left for the one to record to (recovery-log spec, section 4). When two leave one log at
 * once, the one who saves its hints second looks whether the old log is still its own: one of the two is fenced there.
 */
async function leave(
  options: OpenOptions,
  { played, handoffOffset }: TakenOver,
  building: HintsBuilderOptions,
): Promise<{ change: ChangeOfLogs; since: () => HintsBuilderOptions['since'] }> {
  const { log, offset } = played.head
  const from = await journalsOf(options)(log)
  if (from === undefined) {
    throw new RecoveryLogError('NOT_FOUND', `no journal is known for the log ${log}`, { log })
  }
  let { since } = building
  const saveHints: ChangeOfLogs['saveHints'] = async (hints, end) => {
    for (let tries = 0; tries < SAVE_TRIES_MAX; tries++) {
      try {
        await options.hints.save(await hintsSetOf({ ...building, since }, hints, end))
        return
      } catch (error) {
        if (!RecoveryLogError.is(error, 'HINTS_CONFLICT')) throw error
        await checkFence(from, building.author, options.signal)
        since = [generationOf(await options.hints.load()) + 1, 0]
      }
    }
    throw new RecoveryLogError('CONFLICT', 'others keep saving hints', { tries: SAVE_TRIES_MAX })
  }
  const leftOverAt = handoffOffset === undefined ? { leftOverAt: offset } : {}
  return { change: { from, saveHints, ...leftOverAt }, since: () => since }
}

async function checkFence(journal: Journal, author: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await journal.append({
      content: NOTHING,
      check: { include: [fenceOf(author)] },
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    if (!RecoveryLogError.is(error, 'REGISTER_MISMATCH')) throw error
    throw new RecoveryLogError('FENCED', `a newer owner has taken over ${journal.name}`, error.data, {
      cause: error,
    })
  }
}
