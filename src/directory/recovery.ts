/**
 * From stored hints to the head of the log (durable-directory spec, section 1, steps 3 and 4): what `open`, `follow`,
 * `recover` and `verify` have in common. Nothing is appended here but the hand-off that is asked for.
 */
import { throwIfAborted } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { FSMOptions } from '../fsm/index.ts'
import type { Journal, JournalResolver } from '../journal/index.ts'
import type { Clock } from '../parts/index.ts'
import { Player, type AtHead, type LogEnd, type Played, type PlayerOptions } from '../player/index.ts'
import type { FSMHints } from '../wire/index.ts'
import type { OnDirectoryEvent } from './directory-event.ts'
import type { HintsSet, Since } from './hints-set.ts'
import type { HintsStore, StoredHints } from './hints-store.ts'
import type { OnProgress } from './progress.ts'
import { rangesOf } from './reachability.ts'
import type { ReaderPin } from './reader-pin.ts'

/** A set that is pruned between two looks is looked for again; more often than this it is no coincidence. */
const ROUNDS_MAX = 64

/** Where a directory comes from. */
export interface RecoverySource {
  readonly hints: HintsStore
  /** The log to record to; also the one to read when no hints name another. Borrowed: never closed. */
  readonly journal: Journal
  /** Finds other logs that hints may name, such as the one recorded to before. */
  readonly journals?: JournalResolver | undefined
  /** Goes on from an older state when newer operations are damaged or gone. Default false: `DATA_LOSS`. */
  readonly acceptDataLoss?: boolean | undefined
}

/** What a playback begins from. */
export interface Candidate {
  /** undefined: no stored set could be used, and the log is read from offset 0. */
  readonly key: string | undefined
  readonly set: HintsSet | undefined
  readonly hints: FSMHints
}

export interface RecoveryOptions {
  readonly source: RecoverySource
  readonly clock: Clock
  readonly pin: ReaderPin
  /** Where the tree goes: `dir` and `fs`, or a `target`. */
  readonly place: Pick<PlayerOptions, 'dir' | 'fs' | 'target'>
  /** How the hints of whoever goes on from here are cut. */
  readonly cuts?: FSMOptions | undefined
  /** Point in time: only sets that were made at or before it count. */
  readonly at?: LogEnd | undefined
  readonly onEvent: OnDirectoryEvent
  /** Given each player before it plays, to look at its position and lag. */
  readonly onPlayer?: ((player: Player) => void) | undefined
  /** Told when reading comes upon a part of the log that is gone. */
  readonly onJump?: (() => void) | undefined
  readonly onProgress?: OnProgress | undefined
  readonly signal?: AbortSignal | undefined
}

/** A playback that has come to the head of its log (or to its point in time), and waits there. */
export interface Reached {
  readonly candidate: Candidate
  /** All that was stored when the candidate was chosen. */
  readonly stored: readonly StoredHints[]
  readonly player: Player
  readonly atHead: AtHead
  /** Settles when the player has been told how to end, and has ended. */
  readonly played: Promise<Played>
  /** Where the applied hand-off was appended, once it was. */
  handoffOffset(): number | undefined
  /** Newer sets were passed over although what they name is gone, as `acceptDataLoss` allowed. */
  readonly lossAccepted: boolean
}

/** Finds the journals that hints may name, the one to record to first. */
export function journalsOf(source: Pick<RecoverySource, 'journal' | 'journals'>): JournalResolver {
  return (name) => (name === source.journal.name ? source.journal : source.journals?.(name))
}

/** The highest generation among stored sets; 0 when there is none. */
export function generationOf(stored: readonly StoredHints[]): number {
  return stored.reduce((highest, { set }) => Math.max(highest, set?.since[0] ?? 0), 0)
}

/**
 * The owner's place in the order of owners. A change of log and an accepted loss begin a new generation, for the
 * offsets of what was before them cannot be compared with those of what comes after.
 */
export function sinceOf(
  stored: readonly StoredHints[],
  handoffOffset: number,
  isNewGeneration: boolean,
): Since {
  return [generationOf(stored) + (isNewGeneration ? 1 : 0), handoffOffset]
}

/**
 * Plays the newest usable set to the head of its log. Older sets are tried only for the reasons that the spec names.
 * @throws `DATA_LOSS`, `CORRUPT`, what the journals and the file system say, and what `Player.play` throws.
 */
export async function reachHead(options: RecoveryOptions): Promise<Reached> {
  const { source, pin, at, onEvent, signal } = options
  for (let round = 0; round < ROUNDS_MAX; round++) {
    throwIfAborted(signal)
    const stored = await source.hints.load({ signal })
    let lossAccepted = false
    for (const candidate of candidatesOf(stored, options)) {
      if (candidate instanceof RecoveryLogError) {
        onEvent({ type: 'hints_skipped', key: String(candidate.data['key']), error: candidate })
        continue
      }
      await pin.hold(rangesOf(candidate.hints))
      if (candidate.key !== undefined && !(await isStored(source.hints, candidate.key, signal))) {
        break // pruned since it was loaded: look again
      }
      try {
        return { ...(await playToHead(candidate, options)), stored, lossAccepted }
      } catch (error) {
        const next = fallsThrough(error, source.acceptDataLoss === true)
        if (candidate.key === undefined && at !== undefined && RecoveryLogError.is(error, 'DATA_LOSS')) {
          throw unreachable(stored, at, error)
        }
        if (next === 'no' || candidate.key === undefined || !RecoveryLogError.is(error)) throw error
        lossAccepted ||= next === 'with a loss'
        onEvent({ type: 'hints_skipped', key: candidate.key, error })
      }
    }
    // Reached only when a set went away meanwhile: the last candidate, the whole log, has answered or thrown.
  }
  throw new RecoveryLogError('UNAVAILABLE', 'the stored hints change faster than they can be read')
}

/** Newest first, and the whole log when no set is left. An unreadable set is told by its error. */
export function* candidatesOf(
  stored: readonly StoredHints[],
  { at, source }: { readonly at?: LogEnd | undefined; readonly source: Pick<RecoverySource, 'journal'> },
): Generator<Candidate | RecoveryLogError> {
  for (const { key, set, error } of stored) {
    if (set === undefined) yield error
    else if (at === undefined || (set.end.log === at.log && set.end.end <= at.end)) {
      yield { key, set, hints: set.hints }
    }
  }
  const log = at?.log ?? source.journal.name
  yield { key: undefined, set: undefined, hints: { log, liveNodes: [], properties: [] } }
}

async function playToHead(
  candidate: Candidate,
  options: RecoveryOptions,
): Promise<Omit<Reached, 'stored' | 'lossAccepted'>> {
  const { source, clock, place, at, onEvent, onProgress, signal } = options
  const journals = journalsOf(source)
  if (candidate.set !== undefined) await checkJournals(candidate.set, journals, signal)
  onEvent({ type: 'recovering', key: candidate.key, log: candidate.hints.log })
  let handoffOffset: number | undefined
  const player = new Player({
    ...place,
    hints: candidate.hints,
    journals,
    directoryMarkers: true,
    cuts: options.cuts ?? {},
    acceptDataLoss: source.acceptDataLoss === true,
    clock,
    onEvent: (event) => {
      if (event.type === 'handoff' && event.applied) handoffOffset = event.offset
      if (event.type === 'jump') options.onJump?.()
      onEvent({ type: 'player', event })
    },
    onProgress: (progress) => {
      onProgress?.(progress)
      onEvent({ type: 'progress', bytesDone: progress.bytesDone, bytesTotal: progress.bytesTotal })
    },
  })
  options.onPlayer?.(player)
  if (at !== undefined) player.finishAt(at)
  const played = player.play(signal === undefined ? {} : { signal })
  played.catch(ignore) // told by atHead here, and by whoever waits for the end later
  try {
    const atHead = await player.atHead
    if (at !== undefined) await played // its end is known, and so is what was missed on the way there
    return {
      candidate,
      player,
      atHead,
      played,
      handoffOffset: () => handoffOffset,
    }
  } catch (error) {
    await played.catch(ignore) // so that the place is clean before the next set is tried
    throw error
  }
}

/** Which failures make the next older set worth a try. */
export function fallsThrough(error: unknown, acceptDataLoss: boolean): 'no' | 'yes' | 'with a loss' {
  if (!RecoveryLogError.is(error)) return 'no'
  switch (error.code) {
    case 'HINTS_INVALID':
    case 'SEGMENT_INVALID':
    case 'SEGMENT_INCONSISTENT':
      return 'yes'
    case 'DATA_LOSS':
      return acceptDataLoss ? 'with a loss' : 'no'
    default:
      return 'no'
  }
}

/** A journal that was made anew, or has lost its end, no longer holds what the hints speak of. */
async function checkJournals(
  set: HintsSet,
  journals: JournalResolver,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { name, id } of set.journals) {
    const journal = await journals(name)
    if (journal === undefined || journal.id === id) continue
    throw new RecoveryLogError(
      'DATA_LOSS',
      `the journal ${name} is another one than the hints speak of: it was deleted and made anew`,
      { log: name, id: journal.id, expectedId: id },
    )
  }
  const journal = await journals(set.end.log)
  const head = await journal?.head(signal === undefined ? {} : { signal })
  if (head !== undefined && head.offset < set.end.end) {
    throw new RecoveryLogError(
      'DATA_LOSS',
      `the journal ${set.end.log} ends at ${String(head.offset)}, but ${String(set.end.end)} had committed`,
      { log: set.end.log, offset: head.offset, committed: set.end.end },
    )
  }
}

async function isStored(hints: HintsStore, key: string, signal: AbortSignal | undefined): Promise<boolean> {
  const stored = await hints.load({ signal })
  return stored.some((entry) => entry.key === key)
}

/** Names the earliest point in time behind `at` that stored hints lead to. */
function unreachable(stored: readonly StoredHints[], at: LogEnd, cause: RecoveryLogError): RecoveryLogError {
  const ends = stored.flatMap(({ set }) => (set?.end.log === at.log ? [set.end.end] : []))
  const nearest = ends.length === 0 ? undefined : { log: at.log, end: Math.min(...ends) }
  return new RecoveryLogError(
    'DATA_LOSS',
    `${at.log}: what led to ${String(at.end)} is gone; the nearest possible is ${String(nearest?.end ?? 'none')}`,
    { log: at.log, end: at.end, nearest },
    { cause },
  )
}

function ignore(): void {
  // told elsewhere, as the caller's comment says
}
