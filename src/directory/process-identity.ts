/** Who holds a lock, and whether it still runs (durable-directory spec, section 1, step 1). */

/** A process as others can judge it. An empty string means: not known on this system. */
export interface ProcessHolder {
  /** Names the machine across boots. */
  readonly machine: string
  /** Names this boot of it. */
  readonly boot: string
  readonly pidNamespace: string
  readonly pid: number
  /** When the process began, in whatever unit the system tells: it is only compared. Tells a reused pid apart. */
  readonly startTime: string
}

/** What the system tells of processes, handed in. */
export interface ProcessIdentity {
  readonly self: ProcessHolder
  /** The start time of a process of this pid namespace; undefined when there is none. */
  startTimeOf(pid: number): string | undefined
}

export type Judgement = 'dead' | 'alive' | 'unknown'

/** What can be compared between a holder and the one who asks. */
interface Facts {
  readonly isSameMachine: boolean
  readonly isBootKnown: boolean
  readonly isSameBoot: boolean
  readonly isSamePidNamespace: boolean
  readonly process: 'none' | 'same' | 'other start time'
}

interface JudgementRule {
  readonly label: string
  readonly when: (facts: Facts) => boolean
  readonly then: Judgement
}

/** The first rule that applies decides. What cannot be judged counts as alive for whoever wants the lock. */
export const JUDGEMENTS: readonly JudgementRule[] = [
  {
    label: 'the machine has booted again',
    when: (f) => f.isSameMachine && f.isBootKnown && !f.isSameBoot,
    then: 'dead',
  },
  {
    label: 'another machine or container: its processes cannot be seen from here',
    when: (f) => !f.isBootKnown || !f.isSameBoot || !f.isSamePidNamespace,
    then: 'unknown',
  },
  { label: 'no such process', when: (f) => f.process === 'none', then: 'dead' },
  {
    label: 'its pid was given to another process',
    when: (f) => f.process === 'other start time',
    then: 'dead',
  },
  { label: 'it runs', when: () => true, then: 'alive' },
]

/** Judges a holder by the labelled rules above. */
export function judgeHolder(holder: ProcessHolder, identity: ProcessIdentity): Judgement {
  const { self } = identity
  const startTime = identity.startTimeOf(holder.pid)
  const facts: Facts = {
    isSameMachine: holder.machine !== '' && holder.machine === self.machine,
    isBootKnown: holder.boot !== '' && self.boot !== '',
    isSameBoot: holder.boot === self.boot,
    isSamePidNamespace: holder.pidNamespace === self.pidNamespace,
    process: startTime === undefined ? 'none' : startTime === holder.startTime ? 'same' : 'other start time',
  }
  return JUDGEMENTS.find((rule) => rule.when(facts))?.then ?? 'unknown'
}
