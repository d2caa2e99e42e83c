import { ArchiveFile } from '../archive/index.ts'
import type { ArchiveClaim, ArchiveLocation, FinaliseOutcome } from '../archive/index.ts'
import type {
  ArchiveStreamRequest,
  ArchiveTask,
  LoadedStream,
  StreamId,
  StreamRecord,
  TaskLease,
} from '../coordinator/index.ts'
import { throwIfAborted } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { toHex } from '../names/index.ts'
import type { WithSignal } from '../storage/index.ts'
import type { ArchivistParts } from './archivist-parts.ts'
import { Attempt } from './attempt.ts'
import { BACK_OFF_MAX_MS, backOffMs } from './back-off.ts'
import { decide, DECISIONS, DIFFERED_MAX } from './decisions.ts'
import type { ContentFacts, FailureFacts, StateFacts } from './decisions.ts'
import { liftSeal, removeEntries, removeStream } from './removal.ts'
import type { StoredAccount } from './stored-entries.ts'
import { assertArchivable, placeOf } from './stream-place.ts'

/** How a task ended. */
export interface TaskReport {
  readonly task: ArchiveTask
  /** Of the stream, once it is known. */
  readonly path: string | undefined
  /** `left`: that could not be told, as the lease had run out, or the coordinator did not answer. What was done stands. */
  readonly ending: 'acknowledged' | 'released' | 'left'
  /** What decided it, in words. */
  readonly what: string
  /** When released: after how many milliseconds it can be leased again. */
  readonly afterMs: number | undefined
  readonly error: RecoveryLogError | undefined
}

export interface ArchiveTaskOptions extends WithSignal {
  /** How long a lease, of the task or of a claim, is made, in milliseconds. */
  readonly leaseMs: number
}

interface Ending {
  readonly then: 'acknowledge' | 'release'
  readonly what: string
  readonly afterMs?: number
  readonly error?: RecoveryLogError
}

/** Each attempt that is lost to others, or whose files do not come out, is followed by another: so often in one task. */
const ROUNDS_MAX = 8
const ATTEMPT_BYTES = 16

/** One task, from the state of its stream to its acknowledgement or release (log-archive spec, section 7). */
export class ArchiveTaskRun {
  readonly #parts: ArchivistParts
  readonly #options: ArchiveTaskOptions
  #lease: TaskLease
  #extension: Promise<void> = Promise.resolve()
  #path: string | undefined
  /** The last one that was begun, until it has become the archive. */
  #attempt: Attempt | undefined
  /** What was found in storage behind the archive that this task has reported. */
  #account: { readonly attempt: string; readonly account: StoredAccount | undefined } | undefined
  #during: FailureFacts['during'] = 'loading'

  constructor(parts: ArchivistParts, lease: TaskLease, options: ArchiveTaskOptions) {
    this.#parts = parts
    this.#lease = lease
    this.#options = options
  }

  /** Does the task. It does not reject: what goes wrong is in the report. */
  async run(): Promise<TaskReport> {
    let ending: Ending
    try {
      ending = await this.#work()
    } catch (error) {
      ending = await this.#failed(RecoveryLogError.from(error))
    }
    try {
      await this.#attempt?.settle()
    } catch {
      // The claim's lease runs out, the sweep removes what is staged, and the next attempt takes the seal over.
    }
    return this.#end(ending)
  }

  /** Makes the leases of task and claim longer. One that is lost costs work, never entries: the rest is up to the claim. */
  async extend(): Promise<void> {
    const { leaseMs } = this.#options
    const extension = (async () => {
      this.#lease = await this.#parts.coordinator.extendTask(this.#lease, leaseMs)
      await this.#attempt?.extend()
    })()
    this.#extension = extension.catch(() => undefined)
    return extension
  }

  async #work(): Promise<Ending> {
    let loaded = await this.#load()
    for (let round = 0; round < ROUNDS_MAX; round++) {
      throwIfAborted(this.#options.signal)
      const { then, what } = decide(DECISIONS.state, this.#stateFacts(loaded))
      switch (then) {
        case 'acknowledge':
          return { then, what }
        case 'clean':
          return this.#clean(loaded, what)
        case 'open':
          await this.#liftSeal()
          return { then: 'acknowledge', what }
        case 'purge':
          await removeStream(this.#parts, loaded, this.#freshId(), this.#signal)
          return { then: 'acknowledge', what }
        case 'quarantine':
          return this.#quarantine(what)
        case 'wait for the claim':
          return this.#release(what, (loaded.record.claim?.leaseUntilMs ?? 0) - this.#now())
        case 'dispatch':
          loaded = await this.#parts.coordinator.dispatchArchival({ ...this.#stream, ...this.#signal })
          continue
        case 'take over':
          loaded = await this.#takeOver(loaded, loaded.record.claim as ArchiveClaim)
          continue
        case 'attempt': {
          const after = await this.#archive(loaded)
          if ('then' in after) return after
          loaded = after
        }
      }
    }
    return this.#release('others came in between too often', this.#backOffMs())
  }

  async #load(): Promise<LoadedStream> {
    this.#during = 'loading'
    const loaded = await this.#parts.coordinator.loadStream({ ...this.#stream, ...this.#signal })
    this.#during = 'anything else'
    this.#path = loaded.record.path
    return loaded
  }

  /** Answers how the task ends, or the state of the stream, which says how it goes on. */
  async #archive(loaded: LoadedStream): Promise<Ending | LoadedStream> {
    this.#during = 'staging'
    assertArchivable(loaded.record)
    const attempt = this.#begin(loaded)
    this.#during = 'anything else'
    const sealed = await attempt.seal()
    const { record } = sealed
    if (decide(DECISIONS.state, this.#stateFacts(sealed)).then !== 'attempt') return sealed
    const tail = await this.#parts.storage.tail({ project: record.project, path: record.path }, this.#signal)
    const newestMs = tail?.newestMs ?? record.changedMs
    const isShort = (tail?.index ?? -1) < record.terminalIndex
    const early = this.#judgeContent(sealed, newestMs, isShort)
    if (early !== undefined) return early
    this.#during = 'staging'
    const manifest = await attempt.stage()
    this.#during = 'anything else'
    const late = this.#judgeContent(sealed, newestMs, manifest.missingCount > 0)
    if (late !== undefined) return late
    return this.#report(record, attempt, await attempt.finalise(manifest))
  }

  async #takeOver(loaded: LoadedStream, lapsed: ArchiveClaim): Promise<LoadedStream> {
    const attempt = this.#begin(loaded)
    return this.#report(loaded.record, attempt, await attempt.takeOver(lapsed))
  }

  #begin(loaded: LoadedStream): Attempt {
    const place = placeOf(loaded.record, loaded.settings, this.#parts.sha256)
    const { leaseMs } = this.#options
    this.#attempt = new Attempt(this.#parts, this.#freshId(), loaded, { place, leaseMs, ...this.#signal })
    return this.#attempt
  }

  /** Whether what is stored is to be archived as it is: if not, how the task ends. */
  #judgeContent(
    { record, settings }: LoadedStream,
    newestMs: number,
    isMissing: boolean,
  ): Ending | undefined {
    const now = this.#now()
    const { archiveMaxDelayMs, archiveSettleDelayMs } = settings
    const oldFromMs = newestMs + archiveMaxDelayMs
    const bestFromMs = Math.min(
      this.#lease.task.createdMs + (archiveSettleDelayMs ?? archiveMaxDelayMs),
      record.changedMs + archiveMaxDelayMs,
    )
    const facts: ContentFacts = {
      terminated: record.terminalIndex >= 0,
      newest: oldFromMs > now ? 'young' : 'old',
      entries: isMissing ? 'missing' : 'all',
      effort: bestFromMs > now ? 'complete' : 'best',
    }
    const { then, what } = decide(DECISIONS.content, facts)
    if (then === 'archive') return undefined
    const isWritten = then === 'wait for its end'
    return this.#release(what, isWritten ? oldFromMs - now : Math.min(this.#backOffMs(), bestFromMs - now))
  }

  /** Reports what has become the archive. Answers how the stream is then, whatever has become of the attempt. */
  async #report(record: StreamRecord, attempt: Attempt, outcome: FinaliseOutcome): Promise<LoadedStream> {
    if (outcome.kind !== 'archived') return this.#load()
    const { claim } = outcome
    const request = { ...this.#stream, ...this.#signal, ...archivedFiles(record, attempt.place, claim) }
    try {
      const archived = await this.#parts.coordinator.archiveStream(request)
      this.#account = { attempt: claim.attempt, account: attempt.account }
      this.#attempt = undefined
      return archived
    } catch (error) {
      // Given up by another meanwhile, or purged.
      if (!(error instanceof RecoveryLogError)) throw error
      if (error.kind !== 'conflict' && error.code !== 'PURGED') throw error
      return this.#load()
    }
  }

  async #clean(loaded: LoadedStream, what: string): Promise<Ending> {
    const account =
      this.#account?.attempt === loaded.record.archive?.attempt ? this.#account?.account : undefined
    const kept = await removeEntries(this.#parts, loaded, this.#freshId(), account, this.#signal)
    if (kept === undefined) return { then: 'acknowledge', what }
    // A task of its own stays, so that the entries go when somebody has put it right.
    if (this.#lease.task.reason === 'clean') return this.#release(kept, BACK_OFF_MAX_MS)
    return { then: 'acknowledge', what: kept }
  }

  async #failed(error: RecoveryLogError): Promise<Ending> {
    const facts: FailureFacts = { during: this.#during, error: errorClass(error) }
    const { then, what } = decide(DECISIONS.failure, facts)
    if (then === 'acknowledge') return { then, what, error }
    if (then === 'release') {
      return { ...this.#release(what, this.#options.signal?.aborted === true ? 0 : this.#backOffMs()), error }
    }
    return { ...(await this.#quarantine(error.message)), error }
  }

  async #quarantine(reason: string): Promise<Ending> {
    try {
      await this.#parts.coordinator.quarantine({ ...this.#stream, reason })
      await this.#liftSeal()
      return { then: 'acknowledge', what: `quarantined: ${reason}` }
    } catch (error) {
      return {
        ...this.#release(`to be quarantined: ${reason}`, this.#backOffMs()),
        error: RecoveryLogError.from(error),
      }
    }
  }

  /** Waits for no signal: what is quarantined has no other task that would do it. */
  async #liftSeal(): Promise<void> {
    await liftSeal(this.#parts, { ...this.#stream, path: this.#path as string }, this.#freshId())
  }

  /** Tells the coordinator how the task has ended. Waits for no signal: an aborted task is released. */
  async #end({ then, what, afterMs, error }: Ending): Promise<TaskReport> {
    await this.#extension
    const { coordinator } = this.#parts
    const report = { task: this.#lease.task, path: this.#path, what, afterMs, error }
    try {
      if (then === 'acknowledge') await coordinator.acknowledgeTask(this.#lease)
      else await coordinator.releaseTask(this.#lease, { afterMs: afterMs ?? 0, reason: what })
      return { ...report, ending: then === 'acknowledge' ? 'acknowledged' : 'released' }
    } catch (cause) {
      return { ...report, ending: 'left', error: error ?? RecoveryLogError.from(cause) }
    }
  }

  #stateFacts({ record, settings }: LoadedStream): StateFacts {
    const { phase, claim, archivedMs, differedCount } = record
    const now = this.#now()
    const leaseUntilMs = claim?.leaseUntilMs
    return {
      reason: this.#lease.task.reason,
      phase,
      claim: leaseUntilMs === undefined ? 'none' : leaseUntilMs > now ? 'held' : 'lapsed',
      differed: differedCount < DIFFERED_MAX ? 'seldom' : 'often',
      cleanUp: (archivedMs ?? 0) + settings.storageCleanupDelayMs <= now ? 'due' : 'later',
    }
  }

  #release(what: string, afterMs: number): Ending {
    return { then: 'release', what, afterMs: Math.max(0, Math.min(afterMs, BACK_OFF_MAX_MS)) }
  }

  #backOffMs(): number {
    return backOffMs(this.#lease.releases, this.#parts.random)
  }

  #freshId(): string {
    return toHex(this.#parts.random(ATTEMPT_BYTES))
  }

  #now(): number {
    return this.#parts.clock.now()
  }

  get #stream(): StreamId {
    const { project, id } = this.#lease.task
    return { project, id }
  }

  get #signal(): WithSignal {
    const { signal } = this.#options
    return signal === undefined ? {} : { signal }
  }
}

function errorClass({ kind, code }: RecoveryLogError): FailureFacts['error'] {
  // A stream whose name cannot be one is not there either.
  if (kind === 'not_found' || code === 'NAME_INVALID') return 'not found'
  return kind === 'invalid' || kind === 'corrupt' ? 'permanent' : 'transient'
}

/** What is reported of an archive. A terminal index that was not known becomes its last index. */
function archivedFiles(
  record: StreamRecord,
  { final }: ArchiveLocation,
  { attempt, manifest }: ArchiveClaim,
): Omit<ArchiveStreamRequest, keyof StreamId | 'signal'> {
  const { lastIndex, entryCount, files } = manifest
  const sizeOf = (name: string): number => files[name]?.size ?? 0
  const data = Object.keys(files).find((name) => name !== ArchiveFile.entries && name !== ArchiveFile.index)
  return {
    attempt,
    terminalIndex: record.terminalIndex >= 0 ? record.terminalIndex : lastIndex,
    lastIndex,
    entryCount,
    entriesUrl: `${final}/${ArchiveFile.entries}`,
    entriesBytes: sizeOf(ArchiveFile.entries),
    indexUrl: `${final}/${ArchiveFile.index}`,
    indexBytes: sizeOf(ArchiveFile.index),
    ...(data === undefined ? {} : { dataUrl: `${final}/${data}`, dataBytes: sizeOf(data) }),
  }
}
