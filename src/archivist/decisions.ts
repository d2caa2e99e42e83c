import type { StreamPhase, TaskReason } from '../coordinator/index.ts'

/**
 * What an archivist does with what it finds: the table of the log-archive spec, section 7. Of each part exactly one row
 * fits whatever is found; a test walks through all of it.
 */

/** How often the files of a stream may come out unlike their manifest before somebody has to look at it. */
export const DIFFERED_MAX = 3

/** What the state of the stream says, whenever it is read. */
export interface StateFacts {
  readonly reason: TaskReason
  readonly phase: StreamPhase
  /** Whether an attempt is claimed, and its lease has run out. */
  readonly claim: 'none' | 'held' | 'lapsed'
  /** `often`: `DIFFERED_MAX` times. */
  readonly differed: 'seldom' | 'often'
  /** Whether the entries have been archived for as long as they are to be kept. */
  readonly cleanUp: 'due' | 'later'
}

export type StateStep =
  | 'acknowledge'
  | 'attempt'
  | 'clean'
  | 'dispatch'
  | 'open'
  | 'purge'
  | 'quarantine'
  | 'take over'
  | 'wait for the claim'

/** What is known once the stream is sealed, and again once it is staged: then nothing is missed by mistake. */
export interface ContentFacts {
  readonly terminated: boolean
  /** `young`: the newest entry came less than `archiveMaxDelayMs` ago. */
  readonly newest: 'young' | 'old'
  /** Of those up to the terminal index. */
  readonly entries: 'all' | 'missing'
  /** What is asked for: `best` when the task, or the last change of the stream, is old enough. */
  readonly effort: 'complete' | 'best'
}

export type ContentStep = 'archive' | 'wait for entries' | 'wait for its end'

/** What stops a task half way. */
export interface FailureFacts {
  /** `staging`: judging the descriptor and the place, reading the entries, writing the files. */
  readonly during: 'loading' | 'staging' | 'anything else'
  readonly error: 'transient' | 'permanent' | 'not found'
}

export type FailureStep = 'acknowledge' | 'quarantine' | 'release'

/** Fits when every fact it names has one of the values it lists. */
export interface DecisionRow<Facts, Step> {
  readonly what: string
  readonly when: { readonly [Name in keyof Facts]?: readonly Facts[Name][] }
  readonly then: Step
}

const state: readonly DecisionRow<StateFacts, StateStep>[] = [
  { what: 'purged', when: { phase: ['purged'] }, then: 'purge' },
  { what: 'cleaned already', when: { phase: ['cleaned'] }, then: 'acknowledge' },
  {
    what: 'archived, and its entries are asked to be removed',
    when: { phase: ['archived'], reason: ['clean'] },
    then: 'clean',
  },
  {
    what: 'archived, and its entries need not be kept any longer',
    when: { phase: ['archived'], reason: ['archive', 'purge'], cleanUp: ['due'] },
    then: 'clean',
  },
  {
    what: 'archived, and its entries stay for a while',
    when: { phase: ['archived'], reason: ['archive', 'purge'], cleanUp: ['later'] },
    then: 'acknowledge',
  },
  {
    what: 'quarantined: the release from it puts a new task',
    when: { phase: ['quarantined'] },
    then: 'open',
  },
  {
    what: 'not archived: there is nothing to remove',
    when: { phase: ['streaming', 'terminated', 'pending'], reason: ['clean', 'purge'] },
    then: 'acknowledge',
  },
  {
    what: 'the archivist came before the change of state',
    when: { phase: ['streaming', 'terminated'], reason: ['archive'] },
    then: 'dispatch',
  },
  {
    what: 'another is at it',
    when: { phase: ['pending'], reason: ['archive'], claim: ['held'] },
    then: 'wait for the claim',
  },
  {
    what: 'another has died on it',
    when: { phase: ['pending'], reason: ['archive'], claim: ['lapsed'] },
    then: 'take over',
  },
  {
    what: 'its files differ from their manifest again and again',
    when: { phase: ['pending'], reason: ['archive'], claim: ['none'], differed: ['often'] },
    then: 'quarantine',
  },
  {
    what: 'to be archived',
    when: { phase: ['pending'], reason: ['archive'], claim: ['none'], differed: ['seldom'] },
    then: 'attempt',
  },
]

const content: readonly DecisionRow<ContentFacts, ContentStep>[] = [
  {
    what: 'unterminated, newest entry young: it is still being written',
    when: { terminated: [false], newest: ['young'] },
    then: 'wait for its end',
  },
  {
    what: 'unterminated, and nothing has come for long',
    when: { terminated: [false], newest: ['old'] },
    then: 'archive',
  },
  { what: 'complete', when: { terminated: [true], entries: ['all'] }, then: 'archive' },
  {
    what: 'complete archival asked for, entries missing',
    when: { terminated: [true], entries: ['missing'], effort: ['complete'] },
    then: 'wait for entries',
  },
  {
    what: 'best effort, entries missing: a sparse archive',
    when: { terminated: [true], entries: ['missing'], effort: ['best'] },
    then: 'archive',
  },
]

const failure: readonly DecisionRow<FailureFacts, FailureStep>[] = [
  { what: 'transient error', when: { error: ['transient'] }, then: 'release' },
  { what: 'no such stream', when: { error: ['not found'], during: ['loading'] }, then: 'acknowledge' },
  {
    what: 'something is not there yet, or no more',
    when: { error: ['not found'], during: ['staging', 'anything else'] },
    then: 'release',
  },
  {
    what: 'permanent error: the descriptor, the path or what is stored can never be archived as it is',
    when: { error: ['permanent'], during: ['staging'] },
    then: 'quarantine',
  },
  {
    what: 'permanent error, but nothing is wrong with the stream itself',
    when: { error: ['permanent'], during: ['loading', 'anything else'] },
    then: 'release',
  },
]

export const DECISIONS = { state, content, failure } as const

/** The row that fits. */
export function decide<Facts extends object, Step>(
  rows: readonly DecisionRow<Facts, Step>[],
  facts: Facts,
): DecisionRow<Facts, Step> {
  const row = rows.find(({ when }) => fits(when, facts))
  if (row === undefined) throw new TypeError(`no decision for ${JSON.stringify(facts)}`)
  return row
}

/** Whether every fact has one of the values that are listed for it. */
export function fits<Facts extends object>(when: DecisionRow<Facts, unknown>['when'], facts: Facts): boolean {
  for (const name of Object.keys(when) as (keyof Facts)[]) {
    if (when[name]?.includes(facts[name]) !== true) return false
  }
  return true
}
