import { RunList } from '../run-list.ts'
import type { GroupDirectory } from './group.ts'
import { OrderKind } from './order-record.ts'
import type { OrderRecord } from './order-record.ts'

/**
 * What the order log says, so far as it was read: which entries are there, where they lie, and which streams are sealed.
 * Every process reads the same records in the same order, and so comes to the same table:
 *
 * | record | does |
 * | --- | --- |
 * | group | adds what is not there yet of streams that are not sealed; nothing when its segment was dropped |
 * | seal | makes the attempt the holder of the stream's seal |
 * | unseal | takes the seal away, if the attempt holds it |
 * | expunge | forgets the stream's entries; the seal stays |
 * | drop | from now on groups in this segment are not there; nothing when entries lie in it |
 * | end | the last record of its file: the next file goes on |
 */

/** A segment file, as far as entries in it are still there. */
export interface Segment {
  /** 16 bytes, one a character. */
  readonly id: string
  /** How many runs of entries lie in it. */
  liveRuns: number
}

/** A batch of entries in a segment. */
export interface StoredBatch {
  readonly segment: Segment
  /** In bytes. */
  readonly offset: number
  readonly bytes: number
  readonly count: number
  readonly crc: number
}

export interface StoredStream {
  readonly runs: RunList<StoredBatch>
  newestMs: number
}

/** What became of a batch: how many of its entries are there by it. */
export type BatchOutcome = 'sealed' | 'dropped' | number

export class StreamTable {
  readonly streams = new Map<string, StoredStream>()
  /** The attempt that holds each seal. */
  readonly seals = new Map<string, string>()
  readonly segments = new Map<string, Segment>()
  /** Segments whose groups are not there any more. */
  readonly #dropped = new Set<string>()
  /** The segment that each owner has written to last, and may write to again. */
  readonly #active = new Map<number, string>()

  /** Adds the batches of a group; answers what became of each. */
  addGroup(record: OrderRecord, { newestMs, batches }: GroupDirectory): BatchOutcome[] {
    if (this.#dropped.has(record.key)) return batches.map(() => 'dropped')
    this.#active.set(record.owner, record.key)
    const segment = this.segment(record.key)
    return batches.map(({ key, from, count, begin, bytes, crc }) => {
      if (this.seals.has(key)) return 'sealed'
      const stream = this.stream(key)
      const batch = { segment, offset: record.offset + begin, bytes, count, crc }
      const added = stream.runs.add(from, count, batch)
      if (added.length === 0) return 0
      segment.liveRuns += added.length
      stream.newestMs = Math.max(stream.newestMs, newestMs)
      return added.reduce((sum, run) => sum + run.count, 0)
    })
  }

  /** Does what any record but a group says. */
  apply({ kind, key, attempt }: OrderRecord): void {
    if (kind === OrderKind.seal) this.seals.set(key, attempt)
    else if (kind === OrderKind.unseal) this.#unseal(key, attempt)
    else if (kind === OrderKind.expunge) this.#expunge(key)
    else if (kind === OrderKind.drop) this.#drop(key)
    else if (kind === OrderKind.end) this.#forget()
  }

  /** Whether a segment was dropped, since the last end. */
  isDropped(id: string): boolean {
    return this.#dropped.has(id)
  }

  /** The segment `id`, which is made known. */
  segment(id: string): Segment {
    const known = this.segments.get(id)
    if (known !== undefined) return known
    const segment = { id, liveRuns: 0 }
    this.segments.set(id, segment)
    return segment
  }

  /** The stream `key`, which is made known. */
  stream(key: string): StoredStream {
    const known = this.streams.get(key)
    if (known !== undefined) return known
    const stream = { runs: new RunList<StoredBatch>(), newestMs: 0 }
    this.streams.set(key, stream)
    return stream
  }

  /** Segments in which nothing lies any more, and to which their owners have written nothing since another one. */
  emptySegments(): string[] {
    const active = new Set(this.#active.values())
    const empty = [...this.segments.values()].filter(({ id, liveRuns }) => liveRuns === 0 && !active.has(id))
    return empty.map(({ id }) => id)
  }

  /** Who writes behind an end has read all drops before it. An owner's segment may be dropped then: it sees that. */
  #forget(): void {
    this.#dropped.clear()
    this.#active.clear()
  }

  #unseal(key: string, attempt: string): void {
    if (this.seals.get(key) === attempt) this.seals.delete(key)
  }

  #expunge(key: string): void {
    const runs = this.streams.get(key)?.runs
    if (runs !== undefined) for (const { batch } of runs) batch.segment.liveRuns--
    this.streams.delete(key)
  }

  #drop(id: string): void {
    // Between the look at it and the drop somebody may have written to it, and been answered: then it stays.
    if ((this.segments.get(id)?.liveRuns ?? 0) > 0) return
    this.#dropped.add(id)
    this.segments.delete(id)
  }
}
