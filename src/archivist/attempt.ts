import {
  attemptFolder,
  finaliseArchive,
  removeAttempt,
  takeOverArchive,
  writeArchive,
} from '../archive/index.ts'
import type {
  AbandonReason,
  ArchiveClaim,
  ArchiveClaims,
  ArchiveLocation,
  ArchiveManifest,
  ClaimOutcome,
  FinaliseOutcome,
} from '../archive/index.ts'
import type { LoadedStream, StreamId, StreamPhase } from '../coordinator/index.ts'
import type { StreamName, WithSignal } from '../storage/index.ts'
import type { ArchivistParts } from './archivist-parts.ts'
import { accountOfStored, storedEntries } from './stored-entries.ts'
import type { StoredAccount } from './stored-entries.ts'

/** In these phases new entries are welcome once no attempt is at work: all that comes is archived yet, or again. */
const OPEN_PHASES: readonly StreamPhase[] = ['streaming', 'terminated', 'pending', 'quarantined']

export interface AttemptOptions extends WithSignal {
  readonly place: ArchiveLocation
  readonly leaseMs: number
}

/**
 * One attempt at the archive of a stream: its seal, its staged files, its claim (log-archive spec, section 6; adapters
 * spec, S6). Or another's, whose claim has lapsed and is taken over.
 */
export class Attempt implements ArchiveClaims {
  readonly id: string
  readonly place: ArchiveLocation
  /** What the storage held when it was looked at after the claim: with the manifest, what a purge is decided by. */
  account: StoredAccount | undefined
  readonly #parts: ArchivistParts
  readonly #stream: StreamName & StreamId
  readonly #options: AttemptOptions
  #loaded: LoadedStream
  #sealedAs: string | undefined
  #isStaged = false
  /** Whose claim is ours. */
  #claimed: string | undefined

  constructor(parts: ArchivistParts, id: string, loaded: LoadedStream, options: AttemptOptions) {
    const { project, id: streamId, path } = loaded.record
    this.#parts = parts
    this.id = id
    this.place = options.place
    this.#stream = { project, id: streamId, path }
    this.#loaded = loaded
    this.#options = options
  }

  /**
   * Seals the stream, then reads its state: whoever has claimed it before is seen, and whoever changes it from now on
   * makes our claim, which names the revision, be lost.
   */
  async seal(): Promise<LoadedStream> {
    await this.#seal(this.id)
    this.#loaded = await this.#parts.coordinator.loadStream({ ...this.#stream, ...this.#signal() })
    return this.#loaded
  }

  async stage(): Promise<ArchiveManifest> {
    const { storage, blobs, sha256 } = this.#parts
    const { record, settings } = this.#loaded
    this.#isStaged = true
    return writeArchive({
      blobs,
      sha256,
      folder: attemptFolder(this.place, this.id),
      descriptor: record.descriptor,
      terminalIndex: record.terminalIndex,
      entries: storedEntries(storage, this.#stream, { skipDamaged: record.skipDamaged, ...this.#signal() }),
      settings,
      // Until the stream is archived its entries stay: a draft that the power has taken is staged again.
      draft: true,
      ...this.#signal(),
    })
  }

  async finalise(manifest: ArchiveManifest): Promise<FinaliseOutcome> {
    return finaliseArchive(this.#finaliseParts(), this, { attempt: this.id, manifest })
  }

  async takeOver(lapsed: ArchiveClaim): Promise<FinaliseOutcome> {
    return takeOverArchive(this.#finaliseParts(), this, lapsed)
  }

  /** Makes the lease of the claim, when there is one, longer. */
  async extend(): Promise<void> {
    const { leaseMs } = this.#options
    if (this.#claimed === undefined) return
    await this.#parts.coordinator.extendClaim({ ...this.#stream, attempt: this.#claimed, leaseMs })
  }

  /**
   * Ends an attempt that has not become the archive. A claim that stands is left to the next archivist, which can have it
   * at once; without one the staged files go, and the seal is lifted, as the state read here was read after sealing.
   * Waits for no signal: this is what an aborted task still has to do.
   */
  async settle(): Promise<void> {
    const { coordinator, storage } = this.#parts
    const { record } = await coordinator.loadStream(this.#stream)
    const claimed = record.claim?.attempt
    // A claim whose answer was lost may be ours without our knowing: nobody else has this id.
    if (claimed !== undefined && claimed === (this.#claimed ?? this.id)) {
      this.#claimed = undefined
      await coordinator.extendClaim({ ...this.#stream, attempt: claimed, leaseMs: 0 })
      return
    }
    this.#claimed = undefined
    if (this.#isStaged) {
      await removeAttempt({ blobs: this.#parts.blobs, location: this.place }, this.id)
    }
    if (this.#sealedAs !== undefined && claimed === undefined && OPEN_PHASES.includes(record.phase)) {
      await storage.unseal(this.#stream, this.#sealedAs)
    }
  }

  async claim({ attempt, manifest }: ArchiveClaim): Promise<ClaimOutcome> {
    const { revision } = this.#loaded
    const { leaseMs } = this.#options
    const request = { ...this.#stream, revision, attempt, manifest, leaseMs, ...this.#signal() }
    const outcome = await this.#parts.coordinator.claim(request)
    if (outcome.kind === 'won') this.#claimed = attempt
    if (outcome.kind === 'taken over') this.#claimed = outcome.claim.attempt
    return outcome
  }

  async isAccounted({ attempt, manifest }: ArchiveClaim): Promise<boolean> {
    await this.#seal(attempt)
    this.account = await accountOfStored(this.#parts.storage, this.#stream, manifest, this.#signal())
    return this.account.isComplete
  }

  async abandon({ attempt }: ArchiveClaim, reason: AbandonReason): Promise<void> {
    const differed = reason === 'final files differ'
    await this.#parts.coordinator.abandonClaim({ ...this.#stream, attempt, differed, ...this.#signal() })
    this.#claimed = undefined
  }

  async #seal(attempt: string): Promise<void> {
    this.#sealedAs = attempt // before it is: the call may do its work and still fail
    await this.#parts.storage.seal(this.#stream, attempt, this.#signal())
  }

  #finaliseParts(): Parameters<typeof finaliseArchive>[0] {
    const { blobs, sha256 } = this.#parts
    return { blobs, sha256, location: this.place, ...this.#signal() }
  }

  #signal(): WithSignal {
    const { signal } = this.#options
    return signal === undefined ? {} : { signal }
  }
}
