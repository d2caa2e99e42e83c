import { RecoveryLogError } from '../../errors/index.ts'
import { systemErrorCode } from '../../parts/index.ts'
import { cut } from '../run-list.ts'
import type { Run } from '../run-list.ts'
import type { StorageTail, StoredEntry } from '../storage.ts'
import { entriesOfBatch, readDirectory } from './group.ts'
import type { GroupDirectory } from './group.ts'
import { OrderGone, OrderLog } from './order-log.ts'
import { OrderKind } from './order-record.ts'
import type { OrderRecord } from './order-record.ts'
import { SegmentReader } from './segment-reader.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts'
import type { StorageFolder } from './storage-folder.ts'
import { StreamTable } from './stream-table.ts'
import type { BatchOutcome, StoredBatch } from './stream-table.ts'

/** A record that this process has appended, and has not read back yet. */
export interface OwnRecord {
  readonly record: OrderRecord
  /** Of a group. */
  readonly directory?: GroupDirectory
  /** Once it was read back: what became of each batch of a group. */
  outcomes?: readonly BatchOutcome[]
}

/** So many entries, or so many bytes, are read at once. */
const GET_ENTRIES = 1000
const GET_BYTES = 1024 * 1024
/** Batches in one segment that lie so near to each other are read together. */
const GAP_BYTES = 64 * 1024
/** So often a process may find that the files it reads were replaced by newer ones meanwhile. */
const LOAD_TRIES = 10

const NO_BYTES = new Uint8Array(0)

/** What this process knows of the storage: the table, and how to bring it up to date. */
export class StorageView {
  readonly reader: SegmentReader
  /** Names the records of this process. */
  readonly owner: number
  readonly boot: number
  readonly #folder: StorageFolder
  #table = new StreamTable()
  #order: OrderLog
  /** How often everything was read anew, because this process had slept through what others did. */
  #loads = 0
  readonly #own = new Map<number, OwnRecord>()
  /** Groups whose directory cannot be read, though they were on the disk. */
  #unreadable: OrderRecord[] = []
  /** Where the last group of each segment lies, while all is read: that of a dead boot may be torn. */
  #lastGroups: ReadonlyMap<string, number> | undefined
  /** The table at the end that this process has written. */
  #snapshot: { readonly number: number; readonly bytes: Buffer } | undefined

  constructor(
    folder: StorageFolder,
    options: { readonly owner: number; readonly boot: number; readonly openFilesMax: number },
  ) {
    this.#folder = folder
    this.owner = options.owner
    this.boot = options.boot
    this.reader = new SegmentReader(folder, options.openFilesMax)
    this.#order = this.#load()
  }

  get table(): StreamTable {
    return this.#table
  }

  get order(): OrderLog {
    return this.#order
  }

  get loads(): number {
    return this.#loads
  }

  /** What cannot be read, though it was acknowledged: each `CORRUPT`, with segment and offset. */
  get damage(): RecoveryLogError[] {
    return this.#unreadable.map(
      ({ key, offset, bytes }) =>
        new RecoveryLogError('CORRUPT', 'a group of entries cannot be read', {
          segment: Buffer.from(key, 'latin1').toString('hex'),
          offset,
          bytes,
        }),
    )
  }

  /** Reads what all processes have done since the last time. */
  catchUp(): void {
    try {
      this.#order.catchUp(this.#apply)
    } catch (error) {
      if (!(error instanceof OrderGone)) throw error
      this.#order.close()
      this.#order = this.#load()
    }
  }

  /** Remembers what is appended now, so that it is not read from the disk, and its outcome is told. */
  expect(own: OwnRecord): void {
    this.#own.set(own.record.counter, own)
  }

  forget(own: OwnRecord): void {
    this.#own.delete(own.record.counter)
  }

  /** The table at an end that this process has written, once. */
  takeSnapshot(): { readonly number: number; readonly bytes: Buffer } | undefined {
    const snapshot = this.#snapshot
    this.#snapshot = undefined
    return snapshot
  }

  /** The first entries of a stream from `from` on, `limit` at most, as many as are read at once. */
  async entries(key: string, from: number, limit: number, keysOnly: boolean): Promise<StoredEntry[]> {
    this.catchUp()
    const runs = this.#nextRuns(key, from, Math.min(limit, GET_ENTRIES), keysOnly)
    const entries: StoredEntry[] = []
    if (keysOnly) {
      for (const run of runs) addEntries(entries, run, undefined)
      return entries
    }
    for (const group of neighbours(runs)) {
      const [first, last] = [group[0] as Run<StoredBatch>, group[group.length - 1] as Run<StoredBatch>]
      const begin = first.batch.offset
      const length = last.batch.offset + last.batch.bytes - begin
      const bytes = await this.reader.read(first.batch.segment.id, begin, length)
      for (const run of group) {
        const at = run.batch.offset - begin
        const found = entriesOfBatch(bytes.subarray(at, at + run.batch.bytes), run.batch.count, run.batch.crc)
        if (found === undefined) {
          if (entries.length > 0) return entries // what is whole is given first
          throw damaged(run)
        }
        addEntries(entries, run, found)
      }
    }
    return entries
  }

  /** The last entry of a stream. */
  async tail(key: string): Promise<StorageTail | undefined> {
    this.catchUp()
    const stream = this.#table.streams.get(key)
    const last = stream?.runs.last
    if (stream === undefined || last === undefined) return undefined
    const { newestMs } = stream
    const index = last.from + last.count - 1
    const [entry] = await this.entries(key, index, 1, false)
    return entry && { index: entry.index, bytes: entry.bytes, newestMs }
  }

  /** The entries of a run, at once: to compare them with others. */
  entriesSync(run: Run<StoredBatch>): Uint8Array[] {
    const { segment, offset, bytes, count, crc } = run.batch
    const entries = entriesOfBatch(this.reader.readSync(segment.id, offset, bytes), count, crc)
    if (entries === undefined) throw damaged(run)
    return entries.slice(run.first, run.first + run.count)
  }

  close(): void {
    this.#order.close()
    this.reader.dropAll()
  }

  #nextRuns(key: string, from: number, limit: number, keysOnly: boolean): Run<StoredBatch>[] {
    const runs: Run<StoredBatch>[] = []
    let entries = 0
    let bytes = 0
    for (const whole of this.#table.streams.get(key)?.runs.after(from, limit) ?? []) {
      const begin = Math.max(whole.from, from)
      const run = cut(whole, begin, begin + limit - entries)
      runs.push(run)
      entries += run.count
      bytes += keysOnly ? 0 : run.batch.bytes
      if (entries === limit || bytes >= GET_BYTES) break
    }
    return runs
  }

  #load(): OrderLog {
    for (let tries = 1; ; tries++) {
      try {
        const number = this.#folder.newestSnapshot()
        const table = number === 0 ? new StreamTable() : decodeSnapshot(this.#folder.readSnapshot(number))
        if (table === undefined) {
          throw new RecoveryLogError('CORRUPT', `snapshot ${number} of the storage is damaged`, { number })
        }
        this.#lastGroups = lastGroups(this.#folder, number)
        this.#table = table
        this.#unreadable = []
        this.#loads++
        const order = new OrderLog(this.#folder, number)
        order.catchUp(this.#apply)
        return order
      } catch (error) {
        const isReplaced = error instanceof OrderGone || systemErrorCode(error) === 'ENOENT'
        if (!isReplaced || tries === LOAD_TRIES) throw error
      } finally {
        this.#lastGroups = undefined
      }
    }
  }

  readonly #apply = (record: OrderRecord): void => {
    const own = record.owner === this.owner ? this.#own.get(record.counter) : undefined
    if (own !== undefined) this.#own.delete(record.counter)
    let outcomes: readonly BatchOutcome[] = []
    if (record.kind === OrderKind.group) {
      const directory = own?.directory ?? this.#directoryOf(record)
      if (directory !== undefined) outcomes = this.#table.addGroup(record, directory)
    } else {
      this.#table.apply(record)
      if (record.kind === OrderKind.drop) this.#dropped(record.key)
      if (record.kind === OrderKind.end && own !== undefined) {
        this.#snapshot = { number: this.#order.number + 1, bytes: encodeSnapshot(this.#table) }
      }
    }
    if (own !== undefined) own.outcomes = outcomes
  }

  #dropped(segment: string): void {
    this.reader.drop(segment)
    this.#unreadable = this.#unreadable.filter(({ key }) => key !== segment)
  }

  /** What is in a group. A torn one, of which nothing was acknowledged, is not there. */
  #directoryOf(record: OrderRecord): GroupDirectory | undefined {
    const { key, offset, bytes, boot } = record
    const read = (begin: number, length: number): Buffer => this.reader.readSync(key, offset + begin, length)
    const mayBeTorn = boot !== this.boot && this.#lastGroups?.get(key) === offset
    let directory: GroupDirectory | undefined
    try {
      directory = readDirectory(bytes, read)
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error
    }
    if (mayBeTorn && directory !== undefined) {
      const isWhole = directory.batches.every(
        (batch) => entriesOfBatch(read(batch.begin, batch.bytes), batch.count, batch.crc) !== undefined,
      )
      return isWhole ? directory : undefined
    }
    if (directory === undefined && !mayBeTorn) this.#unreadable.push(record)
    return directory
  }
}

/** Where the last group of each segment lies, of those in the order log from file `number` on. */
function lastGroups(folder: StorageFolder, number: number): ReadonlyMap<string, number> {
  const last = new Map<string, number>()
  const order = new OrderLog(folder, number)
  try {
    order.catchUp(({ kind, key, offset }) => {
      if (kind === OrderKind.group) last.set(key, offset)
    })
  } finally {
    order.close()
  }
  return last
}

/** Runs that are read together. */
function neighbours(runs: readonly Run<StoredBatch>[]): Run<StoredBatch>[][] {
  const groups: Run<StoredBatch>[][] = []
  let end = -1
  let segment = ''
  for (const run of runs) {
    const { batch } = run
    const isNear = batch.segment.id === segment && batch.offset >= end && batch.offset - end <= GAP_BYTES
    if (isNear) groups[groups.length - 1]?.push(run)
    else groups.push([run])
    segment = batch.segment.id
    end = batch.offset + batch.bytes
  }
  return groups
}

/** Adds what a run has of its batch, or, without that, its indexes alone. */
function addEntries(
  entries: StoredEntry[],
  { from, first, count }: Run<StoredBatch>,
  batch: readonly Uint8Array[] | undefined,
): void {
  for (let i = 0; i < count; i++) {
    entries.push({
      index: from + i,
      bytes: batch === undefined ? NO_BYTES : (batch[first + i] as Uint8Array),
    })
  }
}

function damaged({ from, count, batch }: Run<StoredBatch>): RecoveryLogError {
  return new RecoveryLogError('CORRUPT', `entries from ${from} on are not what was put`, {
    streamIndex: from,
    count,
    segment: Buffer.from(batch.segment.id, 'latin1').toString('hex'),
    offset: batch.offset,
    bytes: batch.bytes,
  })
}
