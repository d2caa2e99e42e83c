import { throwIfAborted } from '../../async/index.ts'
import { CallGate } from '../../blob/index.ts'
import type { Clock } from '../../parts/index.ts'
import { checkPut, otherBytesError, rangeOf, sameBytes, sealedError } from '../rules.ts'
import { cut, RunList } from '../run-list.ts'
import type { Run } from '../run-list.ts'
import type {
  IntermediateStorage,
  PutOutcome,
  StorageGet,
  StoragePut,
  StorageTail,
  StoredEntry,
  StreamName,
  WithSignal,
} from '../storage.ts'

/** A run of entries as it was put, in one piece. */
interface Batch {
  readonly slab: Uint8Array
  /** Where the first entry begins in the slab. */
  readonly begin: number
  /** Where each entry ends in the slab. */
  readonly ends: readonly number[]
}

interface Stream {
  readonly runs: RunList<Batch>
  newestMs: number
  /** What batches are written into, one behind the other: many small buffers would cost more than what is in them. */
  slab: Uint8Array
  slabUsed: number
}

/** A slab is as large as the one before it was used, twice, but no larger than this, one batch apart. */
const SLAB_BYTES = 256 * 1024

/** So many entries, or so many bytes, are given at once. */
const GET_ENTRIES = 1000
const GET_BYTES = 1024 * 1024

const NO_BYTES = new Uint8Array(0)

/** Intermediate storage in memory: for tests, and for entries that need not outlive their process. */
export class MemoryStorage implements IntermediateStorage {
  readonly durability = 'memory'
  readonly #clock: Pick<Clock, 'now'>
  readonly #streams = new Map<string, Stream>()
  /** The holder of each seal. A seal outlives its stream's entries (S6). */
  readonly #seals = new Map<string, string>()
  readonly #gate = new CallGate('the intermediate storage')

  /** Without a clock every entry came at 0. */
  constructor(parts: { readonly clock?: Pick<Clock, 'now'> } = {}) {
    this.#clock = parts.clock ?? { now: () => 0 }
  }

  async put(put: StoragePut): Promise<PutOutcome> {
    return this.#gate.run(async () => {
      checkPut(put)
      throwIfAborted(put.signal)
      const key = keyOf(put.stream)
      if (this.#seals.has(key)) throw sealedError(put.stream)
      const stream = this.#streams.get(key) ?? newStream()
      const stored = storeMissing(stream, put)
      if (stored > 0) {
        stream.newestMs = this.#clock.now()
        this.#streams.set(key, stream)
      }
      return { stored, existing: put.entries.length - stored }
    })
  }

  async *get(get: StorageGet): AsyncGenerator<readonly StoredEntry[], void, undefined> {
    const range = rangeOf(get)
    const key = keyOf(get.stream)
    let { from, limit } = range
    while (limit > 0) {
      const batch = await this.#gate.run(async () => {
        throwIfAborted(get.signal)
        return entriesOf(this.#streams.get(key), from, Math.min(limit, GET_ENTRIES), get.keysOnly === true)
      })
      const last = batch[batch.length - 1]
      if (last === undefined) return
      yield batch
      from = last.index + 1
      limit -= batch.length
    }
  }

  async tail(stream: StreamName, options: WithSignal = {}): Promise<StorageTail | undefined> {
    return this.#gate.run(async () => {
      throwIfAborted(options.signal)
      const found = this.#streams.get(keyOf(stream))
      const run = found?.runs.last
      if (found === undefined || run === undefined) return undefined
      const index = run.from + run.count - 1
      return { index, bytes: entryAt(run, index), newestMs: found.newestMs }
    })
  }

  async seal(stream: StreamName, attempt: string, options: WithSignal = {}): Promise<void> {
    await this.#gate.run(async () => {
      throwIfAborted(options.signal)
      this.#seals.set(keyOf(stream), attempt)
    })
  }

  async unseal(stream: StreamName, attempt: string, options: WithSignal = {}): Promise<void> {
    await this.#gate.run(async () => {
      throwIfAborted(options.signal)
      const key = keyOf(stream)
      if (this.#seals.get(key) === attempt) this.#seals.delete(key)
    })
  }

  async expunge(stream: StreamName, options: WithSignal = {}): Promise<void> {
    await this.#gate.run(async () => {
      throwIfAborted(options.signal)
      this.#streams.delete(keyOf(stream))
    })
  }

  async close(): Promise<void> {
    await this.#gate.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** One text for project and path together, whatever is in them. */
function keyOf({ project, path }: StreamName): string {
  return `${project.length}:${project}${path}`
}

/** Stores what is not there, after a look at what is; answers how many entries that were. */
function storeMissing(target: Stream, { stream, from, entries }: StoragePut): number {
  const { runs } = target
  const span = { from, count: entries.length }
  for (const run of runs.existing(span)) {
    for (let index = run.from; index < run.from + run.count; index++) {
      if (sameBytes(entryAt(run, index), entries[index - from] as Uint8Array)) continue
      throw otherBytesError(stream, index)
    }
  }
  let stored = 0
  for (const missing of runs.missing(span)) {
    const begin = missing.from - from
    const part = missing.count === span.count ? entries : entries.slice(begin, begin + missing.count)
    runs.add(missing.from, missing.count, writeBatch(target, part))
    stored += missing.count
  }
  return stored
}

function newStream(): Stream {
  return { runs: new RunList<Batch>(), newestMs: 0, slab: NO_BYTES, slabUsed: 0 }
}

function writeBatch(stream: Stream, entries: readonly Uint8Array[]): Batch {
  let size = 0
  for (const { length } of entries) size += length
  if (stream.slabUsed + size > stream.slab.length) {
    stream.slab = new Uint8Array(Math.max(size, Math.min(SLAB_BYTES, 2 * stream.slabUsed)))
    stream.slabUsed = 0
  }
  const { slab, slabUsed: begin } = stream
  const ends: number[] = []
  let at = begin
  for (const entry of entries) {
    slab.set(entry, at)
    at += entry.length
    ends.push(at)
  }
  stream.slabUsed = at
  return { slab, begin, ends }
}

function entryAt({ from, first, batch }: Run<Batch>, index: number): Uint8Array {
  const at = first + index - from
  const begin = at === 0 ? batch.begin : (batch.ends[at - 1] as number)
  return new Uint8Array(batch.slab.buffer, begin, (batch.ends[at] as number) - begin)
}

/** The first entries from `from` on, `limit` at most, as many as are given at once. */
function entriesOf(
  stream: Stream | undefined,
  from: number,
  limit: number,
  keysOnly: boolean,
): StoredEntry[] {
  const entries: StoredEntry[] = []
  let bytes = 0
  for (const whole of stream?.runs.after(from, limit) ?? []) {
    const run = cut(whole, from, Number.MAX_SAFE_INTEGER)
    for (let index = run.from; index < run.from + run.count; index++) {
      const entry = keysOnly ? NO_BYTES : entryAt(run, index)
      entries.push({ index, bytes: entry })
      bytes += entry.length
      if (entries.length === limit || bytes >= GET_BYTES) return entries
    }
  }
  return entries
}
