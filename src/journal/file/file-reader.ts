import { closedError } from '../append-rules.ts'
import type { ChunkSource } from '../chunk-iterator.ts'
import type { JournalChunk, ReadRequest } from '../journal.ts'
import type { Committed, CommittedView } from './committed-view.ts'
import { damageError } from './epoch-end.ts'
import type { Epochs } from './epochs.ts'
import { mapFileError } from './file-error.ts'
import type { FolderWatcher } from './folder-watcher.ts'
import type { JournalFolder } from './journal-folder.ts'
import type { SegmentFile } from './segment-file.ts'
import { epochLimit, findPlace } from './segment-places.ts'
import { SlabPool } from './slab.ts'
import type { GroupPlace, Slab } from './slab.ts'

/** What a reader shares with the journal object that it belongs to. */
export interface ReaderParts {
  readonly folder: JournalFolder
  readonly epochs: Epochs
  readonly view: CommittedView
  readonly watcher: FolderWatcher
}

/** Reads upwards, a slab ahead of its consumer. Never yields what is not committed. */
export class FileReader implements ChunkSource {
  readonly #parts: ReaderParts
  readonly #isBlocking: boolean
  readonly #isKeeping: boolean
  readonly #onClose: () => void
  #offset: number
  #committed: Committed | undefined
  #segment: SegmentFile | undefined
  readonly #slabs = new SlabPool()
  #slab = this.#slabs.take()
  /** The read ahead into the slab that comes next. */
  #ahead: { readonly slab: Slab; readonly filled: Promise<void> } | undefined
  #active: Promise<unknown> = Promise.resolve()
  #state: 'open' | 'closed' | 'journal closed' = 'open'
  #unsubscribe: (() => void) | undefined
  #wake: (() => void) | undefined

  constructor(
    parts: ReaderParts,
    { offset, block, keep }: Required<Omit<ReadRequest, 'signal'>>,
    onClose: () => void,
  ) {
    this.#parts = parts
    this.#offset = offset
    this.#isBlocking = block
    this.#isKeeping = keep
    this.#onClose = onClose
  }

  next(): Promise<JournalChunk | undefined> {
    const chunk = this.#next().catch((error: unknown) => {
      throw mapFileError(error, this.#parts.folder.identity.name)
    })
    this.#active = chunk.catch(() => undefined)
    return chunk
  }

  async close(): Promise<void> {
    await this.#end('closed')
    this.#onClose()
  }

  /** The journal object is being closed under this reader: it gets `CLOSED`. */
  closeJournal(): Promise<void> {
    return this.#end('journal closed')
  }

  async #next(): Promise<JournalChunk | undefined> {
    for (;;) {
      if (this.#state === 'closed') return undefined
      if (this.#state === 'journal closed') throw closedError(this.#parts.folder.identity.name)
      const taken = this.#segment && this.#slab.take(this.#offset, this.#isKeeping)
      if (taken === undefined) {
        if (!(await this.#advance())) return undefined
      } else if ('damaged' in taken) {
        throw damageError(this.#parts.folder, taken.damaged.offset, taken.damaged.length)
      } else {
        this.#offset = taken.offset + taken.bytes.length
        return taken
      }
    }
  }

  /** Gets something to take into the slab, or waits for it. False at the end. */
  async #advance(): Promise<boolean> {
    if (this.#ahead !== undefined) {
      const { slab, filled } = this.#ahead
      await filled
      this.#slab.retire()
      this.#slab = slab
      this.#readAhead()
      return true
    }
    const committed = this.#look()
    if (committed === undefined) return this.#isBlocking && (await this.#change())
    const segment = this.#segment
    if (segment === undefined) {
      const found = findPlace(this.#parts.folder, this.#parts.epochs, committed, this.#offset)
      if (found === undefined) {
        this.#offset = committed.offset // all of it was removed
        return true
      }
      this.#segment = found.segment
      await this.#fill(found.segment, found.place, committed)
      return true
    }
    return this.#goOn(segment, committed)
  }

  /** What is committed, when that is more than has been read; undefined at the head. */
  #look(): Committed | undefined {
    if (this.#committed === undefined || this.#offset >= this.#committed.offset) {
      this.#committed = this.#parts.view.now()
    }
    if (this.#offset < this.#committed.offset) return this.#committed
    if (this.#committed.damage !== undefined) throw this.#committed.damage
    return undefined
  }

  async #goOn(segment: SegmentFile, committed: Committed): Promise<boolean> {
    const { end, stop } = this.#slab
    if (end === 'damage') {
      const next = segment.findGroup(stop.position + 1)?.group.begin
      const limit = epochLimit(this.#parts.epochs, segment.name.epoch, committed)
      throw damageError(this.#parts.folder, stop.offset, Math.min(limit, next ?? limit) - stop.offset)
    }
    const isUsedUp =
      end === 'end mark' || stop.offset >= epochLimit(this.#parts.epochs, segment.name.epoch, committed)
    if (isUsedUp) this.#closeSegment()
    else await this.#fill(segment, stop, committed)
    return true
  }

  async #fill(segment: SegmentFile, from: GroupPlace, committed: Committed): Promise<void> {
    const limit = epochLimit(this.#parts.epochs, segment.name.epoch, committed)
    this.#slab.retire()
    this.#slab = this.#slabs.take()
    await this.#slab.fill(this.#parts.folder.fs, segment, from, limit)
    this.#readAhead()
  }

  #readAhead(): void {
    this.#ahead = undefined
    const [segment, committed] = [this.#segment, this.#committed]
    if (segment === undefined || committed === undefined || this.#slab.end !== 'more') return
    const limit = epochLimit(this.#parts.epochs, segment.name.epoch, committed)
    const slab = this.#slabs.take()
    const filled = slab.fill(this.#parts.folder.fs, segment, this.#slab.stop, limit)
    filled.catch(() => undefined) // whoever waits for it gets the error
    this.#ahead = { slab, filled }
  }

  /** Waits until something may have changed. The first time it only subscribes, and is followed by one more look. */
  async #change(): Promise<true> {
    if (this.#unsubscribe === undefined) {
      this.#unsubscribe = this.#parts.watcher.subscribe(() => this.#wake?.())
    } else await new Promise<void>((resolve) => (this.#wake = resolve))
    return true
  }

  async #end(state: 'closed' | 'journal closed'): Promise<void> {
    if (this.#state === 'open') this.#state = state
    this.#wake?.()
    await this.#active
    await this.#ahead?.filled.catch(() => undefined)
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.#closeSegment()
  }

  #closeSegment(): void {
    this.#segment?.close()
    this.#segment = undefined
  }
}
