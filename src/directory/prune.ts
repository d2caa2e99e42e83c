/**
 * Pruning: frees what no stored set of hints and no pinned reader needs (durable-directory spec, section 4).
 *
 * The order makes it safe beside running recoveries: sets are removed first, then the pins are read, then fragments are
 * removed. A reader pins, loads the sets again, and starts only from one that is still stored. So either its pin is
 * seen here, or it sees that its set is gone. Age decides nothing.
 */
import { throwIfAborted } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { Fragment, Journal, JournalResolver } from '../journal/index.ts'
import type { Clock } from '../parts/index.ts'
import type { HintsPin, KeptRange } from './hints-pin.ts'
import type { HintsStore, StoredHints } from './hints-store.ts'
import { ProgressMeter, type OnProgress } from './progress.ts'
import { isKept, mergeRanges, rangesOf } from './reachability.ts'

export interface PruneOptions {
  readonly hints: HintsStore
  /** Finds the journals that the hints name. One that it does not know is reported, and left alone. */
  readonly journals: JournalResolver
  readonly clock: Clock
  /** Says what would go, and removes nothing. Default false. */
  readonly dryRun?: boolean | undefined
  /** Keeps gaps between segments, for logs that a Gazette process may record on to. Default false. */
  readonly goReadable?: boolean | undefined
  /** Removes backups, oldest first, while what all sets keep is more than this. Default: no backup is removed. */
  readonly bytesMax?: number | undefined
  /** Names the paths of a live fnode, where somebody knows them. */
  readonly pathsOf?: ((fnode: number) => readonly string[]) | undefined
  readonly onProgress?: OnProgress | undefined
  readonly signal?: AbortSignal | undefined
}

/** Of one log: spans and sums of bytes. */
export interface PrunedLog {
  readonly log: string
  readonly kept: readonly Fragment[]
  readonly keptBytes: number
  /** In a dry run: what would be removed. */
  readonly removed: readonly Fragment[]
  readonly removedBytes: number
  /** Fragments that could not be removed; the run went on. A store without delete rights says `DENIED`. */
  readonly failed: readonly { readonly fragment: Fragment; readonly error: RecoveryLogError }[]
  /** Why nothing can be said of this log: its journal was not found, or cannot prune. */
  readonly skipped?: string
}

/** What holds the oldest byte that is kept. */
export interface OldestByte {
  readonly log: string
  readonly offset: number
  /** The stored set that needs it; undefined when it is a pin. */
  readonly key?: string | undefined
  readonly pin?: string | undefined
  readonly fnode?: number | undefined
  readonly paths: readonly string[]
}

export interface PruneReport {
  readonly dryRun: boolean
  readonly removedSets: readonly string[]
  readonly pins: readonly HintsPin[]
  /** Pins that had run out: they keep nothing any more, and are removed. */
  readonly expiredPins: readonly HintsPin[]
  readonly logs: readonly PrunedLog[]
  readonly oldest: readonly OldestByte[]
}

type UsableHints = Extract<StoredHints, { error?: undefined }>

/**
 * Frees fragments, or says which it would free.
 * @throws `HINTS_INVALID` when a stored set or a pin cannot be read: nobody knows what it keeps.
 * @throws `HINTS_EMPTY` when no set is stored: everything may be needed.
 */
export async function prune(options: PruneOptions): Promise<PruneReport> {
  const { hints, clock, dryRun = false, signal } = options
  const stored = await usableSets(hints, signal)
  const fragments = await listFragments(stored, options)
  const { kept, removed } = chooseSets(stored, fragments, options)
  if (!dryRun) for (const { key } of removed) await hints.remove(key)

  const now = clock.now()
  const pins = await hints.pins()
  const expiredPins = pins.filter((pin) => pin.expiresAt <= now)
  const livePins = pins.filter((pin) => pin.expiresAt > now)
  if (!dryRun) for (const { id } of expiredPins) await hints.unpin(id)

  const ranges = mergeRanges([
    ...kept.flatMap(({ set }) => rangesOf(set.hints, options)),
    ...livePins.flatMap((pin) => pin.ranges),
  ])
  return {
    dryRun,
    removedSets: removed.map(({ key }) => key),
    pins: livePins,
    expiredPins,
    logs: await removeFragments(fragments, ranges, options),
    oldest: oldestBytes(kept, livePins, ranges, options),
  }
}

async function usableSets(hints: HintsStore, signal: AbortSignal | undefined): Promise<UsableHints[]> {
  const stored = await hints.load({ signal })
  if (stored.length === 0) {
    throw new RecoveryLogError('HINTS_EMPTY', 'no hints are stored: all of the log may be needed')
  }
  return stored.map((entry) => {
    if (entry.error !== undefined) throw entry.error
    return entry
  })
}

interface LogFragments {
  readonly log: string
  readonly journal: Journal | undefined
  readonly fragments: readonly Fragment[]
  readonly skipped?: string
}

async function listFragments(stored: readonly UsableHints[], options: PruneOptions): Promise<LogFragments[]> {
  // Oldest first: where two sets name different journals of one name, the newest one's counts.
  const identities = new Map(
    stored.toReversed().flatMap(({ set }) => set.journals.map(({ name, id }) => [name, id] as const)),
  )
  const lists: LogFragments[] = []
  for (const [log, id] of identities) {
    throwIfAborted(options.signal)
    const journal = await options.journals(log)
    const skipped =
      journal === undefined
        ? 'its journal is not known here'
        : journal.id !== id
          ? 'the journal of that name is another one than the hints speak of'
          : journal.fragments === undefined
            ? 'its journal cannot be pruned'
            : undefined
    if (skipped === undefined) lists.push({ log, journal, fragments: (await journal?.fragments?.()) ?? [] })
    else lists.push({ log, journal: undefined, fragments: [], skipped })
  }
  return lists
}

/** Backups go, oldest first, while all that is kept is more than `bytesMax`. The newest set always stays. */
function chooseSets(
  stored: readonly UsableHints[],
  logs: readonly LogFragments[],
  options: PruneOptions,
): { kept: UsableHints[]; removed: UsableHints[] } {
  const kept = [...stored]
  const removed: UsableHints[] = []
  const { bytesMax = Infinity } = options
  while (kept.length > 1 && keptBytes(kept, logs, options) > bytesMax) removed.push(kept.pop() as UsableHints)
  return { kept, removed }
}

function keptBytes(
  sets: readonly UsableHints[],
  logs: readonly LogFragments[],
  options: PruneOptions,
): number {
  const ranges = mergeRanges(sets.flatMap(({ set }) => rangesOf(set.hints, options)))
  return logs.reduce(
    (sum, { log, fragments }) => sum + bytesIn(fragments.filter((f) => isKept(log, f, ranges))),
    0,
  )
}

async function removeFragments(
  logs: readonly LogFragments[],
  ranges: readonly KeptRange[],
  options: PruneOptions,
): Promise<PrunedLog[]> {
  const meter = new ProgressMeter(options.clock, options.onProgress)
  const plans = logs.map((entry) => splitFragments(entry, ranges))
  const bytesTotal = plans.reduce((sum, { removable }) => sum + bytesIn(removable), 0)
  let bytesDone = 0
  const pruned: PrunedLog[] = []
  for (const { log, journal, kept, removable, skipped } of plans) {
    const removed: Fragment[] = []
    const failed: { fragment: Fragment; error: RecoveryLogError }[] = []
    for (const fragment of removable) {
      throwIfAborted(options.signal)
      try {
        if (options.dryRun !== true) await journal?.remove?.(fragment)
        removed.push(fragment)
      } catch (error) {
        if (!RecoveryLogError.is(error)) throw error
        failed.push({ fragment, error })
      }
      bytesDone += fragment.end - fragment.begin
      meter.report(bytesDone, bytesTotal)
    }
    pruned.push({
      log,
      kept,
      keptBytes: bytesIn(kept),
      removed,
      removedBytes: bytesIn(removed),
      failed,
      ...(skipped === undefined ? {} : { skipped }),
    })
  }
  return pruned
}

/** The fragment at the head is never removed (adapters spec, J12): it is the last one listed. */
function splitFragments(entry: LogFragments, ranges: readonly KeptRange[]) {
  const head = entry.fragments.at(-1)
  const removable = entry.fragments.filter((f) => f !== head && !isKept(entry.log, f, ranges))
  return { ...entry, removable, kept: entry.fragments.filter((f) => !removable.includes(f)) }
}

/** For each log: who needs its first kept byte. */
function oldestBytes(
  sets: readonly UsableHints[],
  pins: readonly HintsPin[],
  ranges: readonly KeptRange[],
  options: PruneOptions,
): OldestByte[] {
  const firsts = new Map<string, number>()
  for (const { log, begin } of ranges) firsts.set(log, Math.min(begin, firsts.get(log) ?? begin))
  return [...firsts].map(([log, offset]) => {
    for (const { key, set } of sets) {
      const node = set.hints.liveNodes.find(({ segments }) =>
        segments.some((s) => (s.log === '' ? set.hints.log : s.log) === log && s.firstOffset === offset),
      )
      if (node !== undefined) {
        return { log, offset, key, fnode: node.fnode, paths: options.pathsOf?.(node.fnode) ?? [] }
      }
    }
    const pin = pins.find((p) => p.ranges.some((range) => range.log === log && range.begin === offset))
    const whole = sets.find(({ set }) => set.hints.log === log)
    return { log, offset, key: pin === undefined ? whole?.key : undefined, pin: pin?.id, paths: [] }
  })
}

function bytesIn(fragments: readonly Fragment[]): number {
  return fragments.reduce((sum, { begin, end }) => sum + end - begin, 0)
}
