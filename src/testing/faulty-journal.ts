import { raceAbort, throwIfAborted } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { failedBehind } from '../journal/index.ts'
import type { AppendRequest, Commit, Journal } from '../journal/index.ts'
import { DecoratedJournal } from './decorated-journal.ts'

/**
 * What happens to one append. The fault model:
 *
 * | kind | what lands | the answer | promise |
 * | --- | --- | --- | --- |
 * | `lost` | nothing | `UNAVAILABLE` | kept |
 * | `unknown` | all of it, if `landed`: a time-out after success | `OUTCOME_UNKNOWN`, and so for all later appends | kept |
 * | `late` | all of it, once `until` has resolved | then | kept |
 * | `late answer` | all of it | once `until` has resolved | kept |
 * | `meanwhile` | what `run` does first: another owner appends, the head jumps; then all of it | as the journal says | kept |
 * | `torn` | its first `bytes` | `OUTCOME_UNKNOWN`, and so for all later appends | breaks J1 |
 * | `duplicate` | all of it, twice | that of the second | breaks J5 |
 *
 * A client of a journal that keeps its promises must bear the kept ones without losing anything acknowledged. The
 * broken ones are damage: it must notice them.
 */
export type AppendFault =
  | { readonly kind: 'lost' }
  | { readonly kind: 'unknown'; readonly landed: boolean }
  | { readonly kind: 'late'; readonly until: Promise<unknown> }
  | { readonly kind: 'late answer'; readonly until: Promise<unknown> }
  | { readonly kind: 'meanwhile'; readonly run: () => unknown }
  | { readonly kind: 'torn'; readonly bytes: number }
  | { readonly kind: 'duplicate' }

/** Asked once for each append, in call order. `index` counts from 0; empty appends count too. */
export type FaultPlan = (call: {
  readonly index: number
  readonly request: AppendRequest
}) => AppendFault | undefined

/** A plan from a list: the fault of each append by its index, as a generator makes them. */
export function faultsAt(faults: ReadonlyMap<number, AppendFault>): FaultPlan {
  return ({ index }) => faults.get(index)
}

/**
 * A journal on another one whose appends meet faults by plan. Order and the rest of J10 are kept: while one append is
 * held up, those called after it wait; when it fails, they fail too.
 */
export function faultyJournal(journal: Journal, plan: FaultPlan): Journal {
  return new FaultyJournal(journal, plan)
}

interface Waiting {
  readonly request: AppendRequest
  readonly fault: AppendFault | undefined
  readonly resolve: (commit: Commit) => void
  readonly reject: (error: unknown) => void
}

class FaultyJournal extends DecoratedJournal {
  readonly #plan: FaultPlan
  #count = 0
  #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #dead: RecoveryLogError | undefined

  constructor(inner: Journal, plan: FaultPlan) {
    super(inner)
    this.#plan = plan
  }

  override async append(request: AppendRequest): Promise<Commit> {
    throwIfAborted(request.signal)
    this.#assertAlive()
    const fault = this.#nextFault(request)
    const answer = new Promise<Commit>((resolve, reject) => {
      this.#queue.push({ request, fault, resolve, reject })
    })
    this.#running ??= this.#run()
    return raceAbort(answer, request.signal)
  }

  /** What waits is appended first, synchronously too: `late` is early then. */
  override appendSync(request: AppendRequest): Commit {
    this.#assertAlive()
    const fault = this.#nextFault(request)
    for (;;) {
      const waiting = this.#queue.shift()
      if (waiting === undefined) return this.#appendSync(request, fault)
      try {
        waiting.resolve(this.#appendSync(waiting.request, waiting.fault))
      } catch (error) {
        this.#fail(waiting, error)
        throw failedBehind(error, this.name)
      }
    }
  }

  override async close(): Promise<void> {
    await this.#running
    await super.close()
  }

  #nextFault(request: AppendRequest): AppendFault | undefined {
    const index = this.#count
    this.#count++
    return this.#plan({ index, request })
  }

  #assertAlive(): void {
    if (this.#dead !== undefined) throw this.#dead
    if (this.#failure !== undefined) throw failedBehind(this.#failure.error, this.name)
  }

  async #run(): Promise<void> {
    for (let waiting = this.#queue.shift(); waiting !== undefined; waiting = this.#queue.shift()) {
      try {
        waiting.resolve(await this.#append(waiting.request, waiting.fault))
      } catch (error) {
        this.#fail(waiting, error)
      }
    }
    this.#running = undefined
  }

  async #append(request: AppendRequest, fault: AppendFault | undefined): Promise<Commit> {
    if (fault?.kind === 'late') await fault.until
    if (fault?.kind === 'meanwhile') await fault.run()
    const reached = reaching(request, fault)
    if (reached !== undefined && fault?.kind === 'duplicate') await this.inner.append(reached)
    const commit = reached && (await this.inner.append(reached))
    if (fault?.kind === 'late answer') await fault.until
    return this.#answer(commit, fault)
  }

  #appendSync(request: AppendRequest, fault: AppendFault | undefined): Commit {
    if (fault?.kind === 'meanwhile') void fault.run()
    const reached = reaching(request, fault)
    if (reached !== undefined && fault?.kind === 'duplicate') super.appendSync(reached)
    const commit = reached && super.appendSync(reached)
    return this.#answer(commit, fault)
  }

  #answer(commit: Commit | undefined, fault: AppendFault | undefined): Commit {
    if (fault?.kind === 'unknown' || fault?.kind === 'torn') {
      this.#dead = new RecoveryLogError('OUTCOME_UNKNOWN', 'an injected fault', {
        journal: this.name,
        ...fault,
      })
      throw this.#dead
    }
    if (commit === undefined) {
      throw new RecoveryLogError('UNAVAILABLE', 'an injected fault', { journal: this.name, kind: 'lost' })
    }
    return commit
  }

  #fail(waiting: Waiting, error: unknown): void {
    const queue = this.#queue
    this.#queue = []
    this.#failure = { error }
    queueMicrotask(() => (this.#failure = undefined)) // runs before anybody has the answer
    waiting.reject(error)
    for (const { reject } of queue) reject(failedBehind(error, this.name))
  }
}

/** What reaches the journal of an append; undefined is nothing at all. The wait for it ends here, not in there. */
function reaching(request: AppendRequest, fault: AppendFault | undefined): AppendRequest | undefined {
  const all: AppendRequest & { signal?: AbortSignal } = { ...request }
  delete all.signal
  switch (fault?.kind) {
    case 'lost':
      return undefined
    case 'unknown':
      return fault.landed ? all : undefined
    case 'torn': {
      const content = request.content.subarray(0, fault.bytes)
      return content.length === 0 ? undefined : { ...all, content }
    }
    default:
      return all
  }
}
