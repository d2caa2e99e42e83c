import { abortedError } from '../../async/index.ts'
import { otherBytesError, sameBytes, sealedError } from '../rules.ts'
import type { Span } from '../run-list.ts'
import type { PutOutcome, StoragePut } from '../storage.ts'
import { batchBytes } from './group.ts'
import type { NewBatch } from './group.ts'
import { OrderKind } from './order-record.ts'
import type { NewOrder, Publisher } from './publisher.ts'
import type { StorageView } from './storage-view.ts'
import type { BatchOutcome } from './stream-table.ts'

/** What is asked of one stream: a put, or a record of the order log. */
export interface Call {
  /** The stream: 16 bytes, one a character. */
  readonly key: string
  readonly change: { readonly put: StoragePut } | { readonly order: NewOrder }
  readonly signal: AbortSignal | undefined
  readonly resolve: (outcome: PutOutcome) => void
  readonly reject: (error: unknown) => void
}

/** A put that was looked at: what of it is not there. */
interface Writing {
  readonly call: Call
  readonly put: StoragePut
  readonly batches: readonly NewBatch[]
  readonly missing: number
}

/** A group is about this large at most, in bytes, one put apart. */
const GROUP_BYTES = 16 * 1024 * 1024
/** A batch is so large at most, in bytes, one entry apart: it is read as a whole. */
const BATCH_BYTES = 1024 * 1024

const NOTHING: PutOutcome = { stored: 0, existing: 0 }

/**
 * Calls that change something wait in a line. All that can be done together is: one group of entries, its record and
 * those of seals and removals, one sync for all. What became of each tells the order log: so an acknowledged entry comes
 * before a seal in it, or is none.
 */
export class CommitLine {
  readonly #view: StorageView
  readonly #publisher: Publisher
  #waiting: Call[] = []
  #running: Promise<void> | undefined

  constructor(view: StorageView, publisher: Publisher) {
    this.#view = view
    this.#publisher = publisher
  }

  add(call: Call): void {
    this.#waiting.push(call)
    this.#running ??= this.#run()
  }

  /** Waits until nothing is waiting. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    await Promise.resolve() // what else is asked for in this turn comes along
    while (this.#waiting.length > 0) {
      const calls = this.#take()
      try {
        await this.#commit(calls)
        if (calls.some(isExpunge)) await this.#publisher.removeSegments(this.#view.table.emptySegments())
        await this.#publisher.rotate()
      } catch (error) {
        // Those that were answered stay answered. What failed behind them is tried again with the next.
        for (const { reject } of calls) reject(error)
      }
    }
    this.#running = undefined
  }

  /**
   * The calls that are done together: those that are first for their stream, and puts beside each other. What meets
   * another one of the same stream waits for its outcome.
   */
  #take(): Call[] {
    const taken: Call[] = []
    const left: Call[] = []
    const spans = new Map<string, Span[] | 'all'>()
    let bytes = 0
    for (const call of this.#waiting) {
      if (call.signal?.aborted === true) {
        call.reject(abortedError(call.signal))
        continue
      }
      const before = spans.get(call.key)
      const span = 'put' in call.change ? spanOf(call.change.put) : 'all'
      if (bytes >= GROUP_BYTES || meets(span, before)) {
        spans.set(call.key, 'all')
        left.push(call)
        continue
      }
      taken.push(call)
      if ('put' in call.change) bytes += batchBytes(call.change.put.entries)
      if (span === 'all' || before === 'all') spans.set(call.key, 'all')
      else if (before === undefined) spans.set(call.key, [span])
      else before.push(span)
    }
    this.#waiting = left
    return taken
  }

  async #commit(calls: readonly Call[]): Promise<void> {
    this.#view.catchUp()
    const writings: Writing[] = []
    const orders: NewOrder[] = []
    /** Segments of others in which entries lie that are put again. */
    const borrowed = new Set<string>()
    for (const call of calls) {
      if ('order' in call.change) {
        if (this.#changesSomething(call.change.order)) orders.push(call.change.order)
        continue
      }
      try {
        writings.push(this.#prepare(call, call.change.put, borrowed))
      } catch (error) {
        call.reject(error)
      }
    }
    const outcomes = await this.#publisher.publish(
      writings.flatMap(({ batches }) => batches),
      orders,
      borrowed,
    )
    await this.#answer(writings, outcomes)
    for (const call of calls) if ('order' in call.change) call.resolve(NOTHING)
  }

  #changesSomething({ kind, key, attempt }: NewOrder): boolean {
    const { seals, streams } = this.#view.table
    if (kind === OrderKind.seal) return seals.get(key) !== attempt
    if (kind === OrderKind.unseal) return seals.get(key) === attempt
    return streams.has(key)
  }

  /** Looks at what is there: throws for a seal, and for an entry with other bytes. */
  #prepare(call: Call, put: StoragePut, borrowed: Set<string>): Writing {
    if (this.#view.table.seals.has(call.key)) throw sealedError(put.stream)
    this.#compare(call.key, put, borrowed)
    const span = spanOf(put)
    const missing =
      this.#view.table.streams.get(call.key)?.runs.missing(span) ?? (span.count > 0 ? [span] : [])
    const batches = missing.flatMap(({ from, count }) => batchesOf(call.key, put, from, count))
    return { call, put, batches, missing: missing.reduce((sum, { count }) => sum + count, 0) }
  }

  /** Compares a put with what is there of it; adds the segments in which that lies. */
  #compare(key: string, put: StoragePut, segments: Set<string>): void {
    for (const run of this.#view.table.streams.get(key)?.runs.existing(spanOf(put)) ?? []) {
      this.#view.entriesSync(run).forEach((entry, i) => {
        const index = run.from + i
        if (!sameBytes(entry, put.entries[index - put.from] as Uint8Array)) {
          throw otherBytesError(put.stream, index)
        }
      })
      segments.add(run.batch.segment.id)
    }
  }

  /** Answers puts by what became of their batches. */
  async #answer(writings: readonly Writing[], outcomes: readonly BatchOutcome[]): Promise<void> {
    let next = 0
    for (const { call, put, batches, missing } of writings) {
      const own = outcomes.slice(next, (next += batches.length))
      try {
        if (own.includes('sealed')) throw sealedError(put.stream)
        const stored = own.reduce<number>((sum, count) => sum + (count as number), 0)
        if (stored < missing) await this.#settleRace(call.key, put)
        call.resolve({ stored, existing: put.entries.length - stored })
      } catch (error) {
        call.reject(error)
      }
    }
  }

  /** Another process has put some of it at the same time, and was first. */
  async #settleRace(key: string, put: StoragePut): Promise<void> {
    const borrowed = new Set<string>()
    this.#compare(key, put, borrowed)
    await this.#publisher.publish([], [], borrowed)
  }
}

/** The entries of a put from `from` on, `count` of them, in batches of bounded size. */
function batchesOf(key: string, put: StoragePut, from: number, count: number): NewBatch[] {
  const batches: NewBatch[] = []
  const end = from + count - put.from
  let begin = from - put.from
  let bytes = 0
  for (let at = begin; at < end; at++) {
    bytes += (put.entries[at] as Uint8Array).length
    const next = put.entries[at + 1]?.length ?? 0
    if (at + 1 < end && bytes + next <= BATCH_BYTES) continue
    batches.push({ key, from: put.from + begin, entries: put.entries.slice(begin, at + 1) })
    begin = at + 1
    bytes = 0
  }
  return batches
}

function isExpunge({ change }: Call): boolean {
  return 'order' in change && change.order.kind === OrderKind.expunge
}

function spanOf({ from, entries }: StoragePut): Span {
  return { from, count: entries.length }
}

function meets(span: Span | 'all', before: Span[] | 'all' | undefined): boolean {
  if (before === undefined) return false
  if (span === 'all' || before === 'all') return true
  return before.some(({ from, count }) => from < span.from + span.count && span.from < from + count)
}
