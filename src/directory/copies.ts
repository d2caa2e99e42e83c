/**
 * What is made of a log without owning it: a copy, a check, a plan (durable-directory spec, section 1). Nothing is
 * appended, not even an empty append.
 */
import { RecoveryLogError } from '../errors/index.ts'
import { nullTarget, planPlayback, type LogEnd, type LogRange, type Missed } from '../player/index.ts'
import type { CopyOptions } from './directory-options.ts'
import { ReaderPin } from './reader-pin.ts'
import { candidatesOf, fallsThrough, journalsOf, reachHead, type RecoveryOptions } from './recovery.ts'

export interface RecoverOptions extends CopyOptions {
  /** An absolute path; missing or empty. */
  readonly dir: string
  /** A point in time: the end that a `sync()` answered. Default: the head. */
  readonly at?: LogEnd | undefined
}

/** A copy of a directory, as it was at `end`. */
export interface DirectoryCopy {
  readonly dir: string
  /** Through where the log was played. */
  readonly end: LogEnd
  /** The set of hints that it was made from; undefined: from the whole log. */
  readonly key: string | undefined
  readonly files: number
  /** What was damaged or gone, as `acceptDataLoss` allowed. */
  readonly missed: readonly Missed[]
}

/**
 * Rebuilds a directory elsewhere, and owns nothing.
 * @throws `TARGET_NOT_EMPTY`; `DATA_LOSS`, with `nearest` in its data when a point in time cannot be reached any more;
 *   and what a `Player` throws. `dir` is as it was then.
 */
export async function recover(options: RecoverOptions): Promise<DirectoryCopy> {
  const { dir, fs } = options
  const { key, ...played } = await playThrough(options, { dir, fs }, options.at)
  return { dir, key, ...played }
}

/** A log that was played without writing. */
export interface VerifyReport {
  readonly end: LogEnd
  readonly key: string | undefined
  readonly files: number
  readonly missed: readonly Missed[]
}

/**
 * Plays without writing: every frame, checksum and path is checked, and the content of writes that carry a checksum.
 * @throws what a recovery would throw.
 */
export function verify(options: CopyOptions): Promise<VerifyReport> {
  return playThrough(options, { target: nullTarget() }, undefined)
}

async function playThrough(
  options: CopyOptions,
  place: RecoveryOptions['place'],
  at: LogEnd | undefined,
): Promise<VerifyReport> {
  const { hints, clock, random, pinMs, onEvent = ignore, onProgress, signal } = options
  const pin = new ReaderPin({
    hints,
    clock,
    id: `reader-${[...random(8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`,
    reader: place.dir === undefined ? 'a check' : `a copy to ${place.dir}`,
    pinMs,
    onError: (error) => {
      onEvent({ type: 'hints_failed', error })
    },
  })
  try {
    const reached = await reachHead({ source: options, clock, pin, place, at, onEvent, onProgress, signal })
    if (at === undefined) reached.player.finishAtWriteHead()
    const { fsm, head, missed } = await reached.played
    return {
      end: { log: head.log, end: head.offset },
      key: reached.candidate.key,
      files: fsm.liveCount,
      missed,
    }
  } finally {
    await pin.release()
  }
}

/** What a recovery would read. */
export interface RecoveryPlan {
  /** The set of hints that it would begin from; undefined: the whole log. */
  readonly key: string | undefined
  /** When that set was made, in milliseconds since 1970. */
  readonly time: number | undefined
  readonly ranges: readonly LogRange[]
  readonly bytes: number
  /** Sets that cannot be used, and why. */
  readonly skipped: readonly RecoveryLogError[]
  /** The points in time that stored hints lead to, newest first. From each, everything up to the head can be reached. */
  readonly reachable: readonly LogEnd[]
}

export interface PlanOptions extends Pick<
  CopyOptions,
  'hints' | 'journal' | 'journals' | 'acceptDataLoss' | 'signal'
> {
  readonly at?: LogEnd | undefined
}

/**
 * Says what a recovery would read, without reading it: only hints and heads are looked at.
 * @throws what a recovery would throw before it reads.
 */
export async function plan(options: PlanOptions): Promise<RecoveryPlan> {
  const { hints, acceptDataLoss = false, at, signal } = options
  const stored = await hints.load({ signal })
  const reachable = stored.flatMap(({ set }) => (set === undefined ? [] : [set.end]))
  const skipped: RecoveryLogError[] = []
  for (const candidate of candidatesOf(stored, { source: options, at })) {
    if (candidate instanceof RecoveryLogError) {
      skipped.push(candidate)
      continue
    }
    try {
      const { ranges, bytes } = await planPlayback({
        hints: candidate.hints,
        journals: journalsOf(options),
        ...(at === undefined ? {} : { at }),
        ...(signal === undefined ? {} : { signal }),
      })
      return { key: candidate.key, time: candidate.set?.time, ranges, bytes, skipped, reachable }
    } catch (error) {
      if (fallsThrough(error, acceptDataLoss) === 'no' || candidate.key === undefined) throw error
      skipped.push(error as RecoveryLogError)
    }
  }
  throw new RecoveryLogError('HINTS_EMPTY', 'no hints lead there') // the whole log is always a candidate
}

function ignore(): void {
  // nobody listens
}
