import { RecoveryLogError } from '../../errors/index.ts'
import type { Clock } from '../../parts/index.ts'
import { groupBytes, writeGroup } from './group.ts'
import type { NewBatch } from './group.ts'
import { OrderKind } from './order-record.ts'
import type { OrderRecord } from './order-record.ts'
import { SegmentWriter } from './segment-writer.ts'
import type { StorageFolder } from './storage-folder.ts'
import type { OwnRecord, StorageView } from './storage-view.ts'
import type { BatchOutcome } from './stream-table.ts'

export interface PublisherOptions {
  /** Whether what is answered survives a power loss. */
  readonly isSynced: boolean
  readonly clock: Pick<Clock, 'now'>
  readonly segmentBytes: number
  /** From this size on, in bytes, the order log goes on in the next file. */
  readonly orderBytes: number
  readonly leftoverMs: number
}

/** A record of the order log that is to be written. */
export type NewOrder = Pick<OrderRecord, 'kind' | 'key'> & { readonly attempt?: string }

const NO_KEY = '\0'.repeat(16)

/**
 * Writes groups and records, waits until they are on the disk, and finds out what became of them by reading the order log
 * up to them. One call at a time.
 */
export class Publisher {
  readonly #folder: StorageFolder
  readonly #view: StorageView
  readonly #writer: SegmentWriter
  readonly #options: PublisherOptions
  #counter = 0
  /** After a sync has failed nobody knows what is on the disk. */
  #failure: RecoveryLogError | undefined

  constructor(folder: StorageFolder, view: StorageView, options: PublisherOptions) {
    this.#folder = folder
    this.#view = view
    this.#writer = new SegmentWriter(folder, options.segmentBytes)
    this.#options = options
  }

  /**
   * Publishes batches, as one group, and records behind it. `borrowed` are segments of others that must be on the disk
   * too, as what lies in them is answered for. Answers what became of the batches.
   */
  async publish(
    batches: readonly NewBatch[],
    orders: readonly NewOrder[],
    borrowed: ReadonlySet<string>,
  ): Promise<readonly BatchOutcome[]> {
    if (this.#failure !== undefined) throw this.#failure
    const others = orders.map((order) => ({ record: this.#record(order) }))
    const bytes = batches.length === 0 ? undefined : Buffer.allocUnsafe(groupBytes(batches))
    const directory = bytes && writeGroup(bytes, batches, this.#options.clock.now())
    let group: OwnRecord | undefined
    for (;;) {
      if (bytes !== undefined && directory !== undefined) group ??= { record: this.#write(bytes), directory }
      const own: OwnRecord[] = group === undefined ? others : [group, ...others]
      const { loads } = this.#view
      await this.#append(own.filter(isUnread), borrowed)
      // Behind an end a record does not count, and is appended to the next file. A group that lies in a segment which
      // others have dropped is written again.
      const isLost = this.#view.loads !== loads && group !== undefined && isUnread(group)
      if (isLost || group?.outcomes?.includes('dropped') === true) {
        this.#writer.leave()
        group = undefined
      } else if (!own.some(isUnread)) return group?.outcomes ?? []
    }
  }

  /** Removes segments in which nothing lies. When somebody has written to one meanwhile it stays. */
  async removeSegments(ids: readonly string[]): Promise<void> {
    const unused = ids.filter((id) => !this.#writer.isOpen(id))
    if (unused.length === 0) return
    await this.publish(
      [],
      unused.map((key) => ({ kind: OrderKind.drop, key })),
      new Set(),
    )
    for (const id of unused) if (this.#view.table.isDropped(id)) this.#folder.removeSegment(id)
  }

  /** Begins the next file of the order log when this one is long, with a snapshot, and removes what is of no use. */
  async rotate(): Promise<void> {
    const { order } = this.#view
    if (order.bytes < this.#options.orderBytes) return
    this.#folder.beginOrder(order.number + 1)
    const end = { record: this.#record({ kind: OrderKind.end, key: NO_KEY }) }
    // Another process may end the file first: then this record does not count, and is not repeated.
    await this.#append([end], new Set())
    this.#view.forget(end)
    const snapshot = this.#view.takeSnapshot()
    if (snapshot === undefined) return
    for (const { id } of this.#view.table.segments.values()) await this.#folder.syncSegment(id)
    this.#folder.writeSnapshot(snapshot.number, snapshot.bytes)
    await this.tidy()
  }

  /** Removes segments in which nothing lies, and what writers have left that died long ago. */
  async tidy(): Promise<void> {
    const { table } = this.#view
    const old = this.#folder.oldSegments(this.#options.leftoverMs)
    const unused = old.filter((id) => (table.segments.get(id)?.liveRuns ?? 0) === 0)
    await this.removeSegments([...new Set([...unused, ...table.emptySegments()])])
    this.#folder.removeLeftovers(this.#options.leftoverMs)
  }

  close(): void {
    this.#writer.leave()
  }

  async #append(own: readonly OwnRecord[], borrowed: ReadonlySet<string>): Promise<void> {
    const { order } = this.#view
    for (const each of own) this.#view.expect(each)
    try {
      order.append(own.map(({ record }) => record))
      if (this.#options.isSynced) await this.#sync(own, borrowed)
      this.#view.catchUp()
    } catch (error) {
      for (const each of own) this.#view.forget(each)
      throw error
    }
  }

  async #sync(own: readonly OwnRecord[], borrowed: ReadonlySet<string>): Promise<void> {
    const { order } = this.#view
    const syncs: Promise<unknown>[] = [...borrowed].map(async (id) => this.#folder.syncSegment(id))
    if (own.some(({ directory }) => directory !== undefined)) syncs.push(this.#writer.sync())
    if (own.length > 0 || !order.isSynced) syncs.push(order.sync())
    const failed = (await Promise.allSettled(syncs)).find((result) => result.status === 'rejected')
    if (failed === undefined) return
    const message = 'a sync has failed: nobody knows what is on the disk'
    this.#failure = new RecoveryLogError('UNAVAILABLE', message, {}, { cause: failed.reason })
    throw this.#failure
  }

  #write(bytes: Uint8Array): OrderRecord {
    const offset = this.#writer.write(bytes)
    return this.#record({ kind: OrderKind.group, key: this.#writer.id }, offset, bytes.length)
  }

  #record({ kind, key, attempt = NO_KEY }: NewOrder, offset = 0, bytes = 0): OrderRecord {
    const { owner, boot } = this.#view
    this.#counter = (this.#counter + 1) >>> 0
    return { kind, boot, owner, counter: this.#counter, key, attempt, offset, bytes }
  }
}

function isUnread({ outcomes }: OwnRecord): boolean {
  return outcomes === undefined
}
