import { changeDocument, streamDocumentId } from '../coordinator/index.ts'
import type { JsonValue, StateDocument, StoredDocument, StreamId, StreamStore } from '../coordinator/index.ts'
import { judgeHolder } from '../directory/index.ts'
import type { ProcessHolder, ProcessIdentity } from '../directory/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { toHex } from '../names/index.ts'
import type { Clock, Random } from '../parts/index.ts'

/**
 * Whose a stream is to write: a document of kind `writer` in the state store. A lease keeps writers apart that mean well; one
 * that slept through the end of its own is told so before it stores anything, and what two store at one index is
 * `CONFLICT` in any case.
 */

const WRITER_KIND = 'writer'

const HOLDER_BYTES = 16

export interface WriterLeaseParts {
  readonly streamStore: StreamStore
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  readonly leaseMs: number
  /** Tells whether the holder still runs. Without it only the clock decides. */
  readonly identity?: ProcessIdentity | undefined
}

interface LeasedStream extends StreamId {
  readonly path: string
}

interface WriterRecord {
  readonly holder: string
  /** In milliseconds since 1970; 0: given back. */
  readonly untilMs: number
  readonly process: ProcessHolder | null
}

interface LeaseFacts {
  readonly isOwn: boolean
  readonly isOver: boolean
  readonly isHolderDead: boolean
}

interface LeaseRule {
  readonly label: string
  readonly when: (facts: LeaseFacts) => boolean
  readonly then: 'ours' | 'busy'
}

/** Who has a stream that somebody has had before. The first rule that applies decides. */
export const LEASE_RULES: readonly LeaseRule[] = [
  { label: 'it is our own, lapsed or not: nobody else has taken it', when: (f) => f.isOwn, then: 'ours' },
  { label: 'it was given back, or has lapsed', when: (f) => f.isOver, then: 'ours' },
  { label: 'its holder has died', when: (f) => f.isHolderDead, then: 'ours' },
  { label: 'another writer lives', when: () => true, then: 'busy' },
]

export class WriterLease {
  readonly #parts: WriterLeaseParts
  readonly #stream: LeasedStream
  readonly #holder: string
  #untilMs = 0

  private constructor(parts: WriterLeaseParts, stream: LeasedStream) {
    this.#parts = parts
    this.#stream = stream
    this.#holder = toHex(parts.random(HOLDER_BYTES))
  }

  /** @throws RecoveryLogError `STREAM_BUSY` with `untilMs` and `pid` of who has it; what the state store says */
  static async take(parts: WriterLeaseParts, stream: LeasedStream): Promise<WriterLease> {
    const lease = new WriterLease(parts, stream)
    await lease.extend()
    return lease
  }

  /** Makes sure that it is ours still. @throws as `take` */
  async hold(): Promise<void> {
    if (this.#parts.clock.now() >= this.#untilMs) await this.extend()
  }

  /** Makes it last `leaseMs` from now. @throws as `take` */
  async extend(): Promise<void> {
    const untilMs = this.#parts.clock.now() + this.#parts.leaseMs
    await this.#change((before) => {
      if (before !== undefined) this.#check(before)
      return untilMs
    })
    this.#untilMs = untilMs
  }

  /** Gives it back, if it is ours. */
  async release(): Promise<void> {
    await this.#change((before) => (before?.holder === this.#holder ? 0 : undefined))
    this.#untilMs = 0
  }

  #check({ holder, untilMs, process }: WriterRecord): void {
    const { identity, clock } = this.#parts
    const facts = {
      isOwn: holder === this.#holder,
      isOver: untilMs <= clock.now(),
      isHolderDead: process !== null && identity !== undefined && judgeHolder(process, identity) === 'dead',
    }
    if (LEASE_RULES.find(({ when }) => when(facts))?.then === 'ours') return
    const { project, path } = this.#stream
    throw new RecoveryLogError('STREAM_BUSY', `another writer has the stream ${path}`, {
      project,
      path,
      untilMs,
      pid: process?.pid,
    })
  }

  async #change(decide: (before: WriterRecord | undefined) => number | undefined): Promise<void> {
    const { streamStore, identity } = this.#parts
    const { project, path } = this.#stream
    const id = streamDocumentId(this.#stream)
    await changeDocument(streamStore, WRITER_KIND, id, {}, (stored): StateDocument | undefined => {
      const untilMs = decide(stored === undefined ? undefined : writerRecord(stored))
      if (untilMs === undefined) return undefined
      const record: WriterRecord = { holder: this.#holder, untilMs, process: identity?.self ?? null }
      const value = record as unknown as JsonValue // plain, as its fields are
      return { kind: WRITER_KIND, project, name: path, dueMs: null, value }
    })
  }
}

/** @throws RecoveryLogError `CORRUPT` */
function writerRecord({ project, name, value }: StoredDocument): WriterRecord {
  const record = value as unknown as Partial<WriterRecord> | null
  const isGood =
    typeof record?.holder === 'string' &&
    Number.isSafeInteger(record.untilMs) &&
    typeof record.process === 'object'
  if (isGood) return record as WriterRecord
  throw new RecoveryLogError('CORRUPT', `the writer of ${name} is damaged in the state store`, {
    project,
    path: name,
  })
}
