import type { ErrorCode } from '../errors/index.ts'
import type { CoordinatorSettings } from './settings.ts'
import type { StreamPhase, StreamRecord } from './stream-record.ts'
import type { TaskReason } from './task-queue.ts'

/**
 * The life of a stream (log-archive spec, section 8):
 * `streaming → (terminated) → pending → archived → cleaned`, and `purged` or `quarantined` from the side.
 */

export const STREAM_EVENTS = [
  'terminate', // its writers say which entry is the last, which was not known
  'due', // the sweep finds that its time has come
  'dispatch', // an archivist comes before the sweep's change of state
  'claim', // an attempt is to be the archive
  'extend', // the claim goes on, or runs out at once
  'abandon', // the claimed attempt cannot be made true
  'archive', // the claimed attempt is the archive
  'clean', // its entries are out of intermediate storage
  'quarantine', // it cannot be archived, and never will by itself
  'release', // somebody has seen to that
  'purge', // it is to be gone
  'renew', // it is registered anew, 30 days after the purge
] as const

export type StreamEvent = (typeof STREAM_EVENTS)[number]

/** What an event does to a stream. */
export type StreamStep =
  /** It is in another phase; with `task`, that task is put first. */
  | { readonly kind: 'moves'; readonly to: StreamPhase; readonly task?: TaskReason }
  /** Its record may change, its phase does not; with `task`, that task is put unless it is there. */
  | { readonly kind: 'stays'; readonly task?: TaskReason }
  /** Nothing happens: it has happened already, or does not matter any more. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'refused'; readonly code: ErrorCode }

interface Row {
  readonly label: string
  readonly event: StreamEvent
  readonly from: readonly StreamPhase[]
  readonly step: StreamStep
}

const moves = (to: StreamPhase, task?: TaskReason): StreamStep =>
  task === undefined ? { kind: 'moves', to } : { kind: 'moves', to, task }
const stays = (task?: TaskReason): StreamStep =>
  task === undefined ? { kind: 'stays' } : { kind: 'stays', task }
const refused = (code: ErrorCode): StreamStep => ({ kind: 'refused', code })
const ignored: StreamStep = { kind: 'ignored' }

const UNDISPATCHED = ['streaming', 'terminated'] as const
const DONE = ['archived', 'cleaned'] as const

/** Each phase and event is in exactly one row; that there is none twice is what a test walks. */
export const LIFE_CYCLE: readonly Row[] = [
  { label: 'its end is known', event: 'terminate', from: ['streaming'], step: moves('terminated') },
  { label: 'its end is known late', event: 'terminate', from: ['pending', 'quarantined'], step: stays() },
  { label: 'its end was known already', event: 'terminate', from: ['terminated'], step: refused('CONFLICT') },
  { label: 'the archive has ended it', event: 'terminate', from: DONE, step: refused('CONFLICT') },
  { label: 'nothing is left to end', event: 'terminate', from: ['purged'], step: refused('PURGED') },

  { label: 'time to archive it', event: 'due', from: UNDISPATCHED, step: moves('pending', 'archive') },
  { label: 'its archival is still pending', event: 'due', from: ['pending'], step: stays('archive') },
  { label: 'time to clean up', event: 'due', from: ['archived'], step: stays('clean') },
  { label: 'time to remove it again', event: 'due', from: ['purged'], step: stays('purge') },
  { label: 'nothing is due', event: 'due', from: ['cleaned', 'quarantined'], step: ignored },

  { label: 'the task came first', event: 'dispatch', from: UNDISPATCHED, step: moves('pending') },
  {
    label: 'there is nothing to make pending',
    event: 'dispatch',
    from: ['pending', ...DONE, 'purged', 'quarantined'],
    step: ignored,
  },

  { label: 'one attempt is to be the archive', event: 'claim', from: ['pending'], step: stays() },
  { label: 'nobody has asked for it', event: 'claim', from: UNDISPATCHED, step: refused('CONFLICT') },
  { label: 'too late', event: 'claim', from: [...DONE, 'purged', 'quarantined'], step: ignored },

  { label: 'the attempt goes on', event: 'extend', from: ['pending'], step: stays() },
  {
    label: 'there is no claim any more',
    event: 'extend',
    from: [...UNDISPATCHED, ...DONE, 'purged', 'quarantined'],
    step: refused('CONFLICT'),
  },

  { label: 'another attempt may be the archive', event: 'abandon', from: ['pending'], step: stays() },
  {
    label: 'there is no claim to give up',
    event: 'abandon',
    from: [...UNDISPATCHED, ...DONE, 'purged', 'quarantined'],
    step: ignored,
  },

  { label: 'the attempt is the archive', event: 'archive', from: ['pending'], step: moves('archived') },
  { label: 'it is the archive already', event: 'archive', from: DONE, step: ignored },
  { label: 'nobody has asked for it', event: 'archive', from: UNDISPATCHED, step: refused('CONFLICT') },
  { label: 'nothing is left to archive', event: 'archive', from: ['purged'], step: refused('PURGED') },
  { label: 'set aside', event: 'archive', from: ['quarantined'], step: refused('QUARANTINED') },

  { label: 'its entries are gone', event: 'clean', from: ['archived'], step: moves('cleaned') },
  { label: 'they were gone before', event: 'clean', from: ['cleaned', 'purged'], step: ignored },
  {
    label: 'they are not archived',
    event: 'clean',
    from: [...UNDISPATCHED, 'pending', 'quarantined'],
    step: refused('CONFLICT'),
  },

  {
    label: 'it cannot be archived',
    event: 'quarantine',
    from: [...UNDISPATCHED, 'pending'],
    step: moves('quarantined'),
  },
  { label: 'the first reason stands', event: 'quarantine', from: ['quarantined'], step: ignored },
  { label: 'the archive stands', event: 'quarantine', from: DONE, step: refused('CONFLICT') },
  { label: 'it is gone', event: 'quarantine', from: ['purged'], step: refused('CONFLICT') },

  { label: 'once more', event: 'release', from: ['quarantined'], step: moves('pending', 'archive') },
  { label: 'it is pending already', event: 'release', from: ['pending'], step: ignored },
  {
    label: 'it is not in quarantine',
    event: 'release',
    from: [...UNDISPATCHED, ...DONE],
    step: refused('CONFLICT'),
  },
  { label: 'nothing is left to release', event: 'release', from: ['purged'], step: refused('PURGED') },

  {
    label: 'it is to be gone',
    event: 'purge',
    from: [...UNDISPATCHED, 'pending', ...DONE, 'quarantined'],
    step: moves('purged', 'purge'),
  },
  { label: 'it was to be gone before', event: 'purge', from: ['purged'], step: ignored },

  { label: 'its name is free again', event: 'renew', from: ['purged'], step: moves('streaming') },
  {
    label: 'it is known',
    event: 'renew',
    from: [...UNDISPATCHED, 'pending', ...DONE, 'quarantined'],
    step: ignored,
  },
]

const STEPS: ReadonlyMap<string, StreamStep> = new Map(
  LIFE_CYCLE.flatMap(({ event, from, step }) => from.map((phase) => [`${phase} ${event}`, step] as const)),
)

/** What `event` does to a stream in `phase`. */
export function stepOf(phase: StreamPhase, event: StreamEvent): StreamStep {
  return STEPS.get(`${phase} ${event}`) as StreamStep
}

const MINUTE_MS = 60 * 1000
const DAY_MS = 24 * 60 * MINUTE_MS

/** A purged stream is removed again for so long, and so long its name cannot be registered. */
export const PURGE_REPEAT_MS = 30 * DAY_MS

/** A task that was put is looked for after so long at first: as long as an archivist's lease. */
const RECHECK_MS_MIN = 10 * MINUTE_MS
/** Then ever more seldom, so that what waits for weeks costs little. */
const RECHECK_MS_MAX = DAY_MS

/** When the sweep has to look at a stream that has come into its phase; null: never. */
export function firstDueMs(record: StreamRecord, settings: CoordinatorSettings): number | null {
  switch (record.phase) {
    case 'streaming':
      return record.changedMs + settings.archiveMaxDelayMs
    case 'terminated':
      return record.changedMs + settings.archiveDelayMs
    case 'pending':
      return sinceMs(record) + RECHECK_MS_MIN
    case 'archived':
      // Without a delay the archival's own task cleans up; the sweep only looks whether it has.
      return sinceMs(record) + (settings.storageCleanupDelayMs || RECHECK_MS_MIN)
    case 'purged':
      return sinceMs(record) + RECHECK_MS_MIN
    case 'cleaned':
    case 'quarantined':
      return null
  }
}

/** When the sweep has to look again at a stream for which it has just seen to it that there is a task. */
export function nextDueMs(record: StreamRecord, nowMs: number): number | null {
  const forMs = nowMs - sinceMs(record)
  if (record.phase === 'purged') return forMs < PURGE_REPEAT_MS ? nowMs + DAY_MS : null
  return nowMs + Math.min(Math.max(forMs, RECHECK_MS_MIN), RECHECK_MS_MAX)
}

/** Since when a stream is in its phase. */
function sinceMs({ phase, changedMs, dispatchedMs, archivedMs, purgedMs }: StreamRecord): number {
  const since = phase === 'pending' ? dispatchedMs : phase === 'purged' ? purgedMs : archivedMs
  return since ?? changedMs
}
