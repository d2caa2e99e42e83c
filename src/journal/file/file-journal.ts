import { resolve } from 'node:path'
import { abortedError, raceAbort, throwIfAborted } from '../../async/index.ts'
import type { Clock } from '../../parts/index.ts'
import { assertOffset, closedError, MAX_APPEND_BYTES } from '../append-rules.ts'
import { ChunkIterator } from '../chunk-iterator.ts'
import type { AppendRequest, Commit, Fragment, Head, Journal, JournalChunk, ReadRequest } from '../journal.ts'
import { Appender } from './appender.ts'
import { systemBootId } from './boot-id.ts'
import { CommittedView } from './committed-view.ts'
import type { TornTail } from './epoch-end.ts'
import { Epochs } from './epochs.ts'
import { mapFileError } from './file-error.ts'
import { FileReader } from './file-reader.ts'
import { FolderWatcher } from './folder-watcher.ts'
import { FragmentList } from './fragment-list.ts'
import { nodeJournalFileSystem } from './journal-file-system.ts'
import type { JournalFileSystem } from './journal-file-system.ts'
import { JournalFolder } from './journal-folder.ts'
import type { FileDurability } from './journal-folder.ts'
import { PendingAppend } from './pending-append.ts'
import { systemClock } from './system-clock.ts'

/** Segment files of this size are ended: large enough that a file costs nothing, small enough to prune by. */
export const FILE_SEGMENT_BYTES = 64 * 1024 * 1024

/** How often a waiting reader looks by itself, should the system not tell it of a change. */
export const FILE_POLL_MS = 1000

export interface FileJournalOptions {
  /** The folder of the journal: made when it is not there. */
  readonly dir: string
  /** The name in hints. Default: that of the stored journal; of a new one, `journal/` and the folder's name. */
  readonly name?: string
  /**
   * What an answered append survives: `disk` syncs (power loss), `process` leaves that to the system (a kill). It is
   * set when the journal is made; default that of the stored journal, `disk` for a new one.
   */
  readonly durability?: FileDurability
  /** The unit of pruning. Default 64 MiB; a segment is ended by the first batch that finds it at least this large. */
  readonly segmentBytes?: number
  /** Default 1,000 ms. */
  readonly pollMs?: number
  readonly fs?: JournalFileSystem
  readonly clock?: Clock
  /** Names this boot of the machine. Default: the system's. */
  readonly bootId?: string
  /** Told when a take-over cuts the tail of an append that was never acknowledged. */
  readonly onTornTail?: (tail: TornTail) => void
  readonly signal?: AbortSignal
}

/**
 * A journal in a folder: any number of processes read it, one appends, and another one that appends takes over (see
 * format.ts and appender.ts). Opening, reading, `head` and an empty append claim nothing.
 */
export class FileJournal implements Journal {
  readonly name: string
  readonly id: string
  readonly maxAppendBytes = MAX_APPEND_BYTES
  readonly durability: FileDurability
  readonly supports = { prune: true, appendSync: true } as const
  readonly #folder: JournalFolder
  readonly #epochs: Epochs
  readonly #view: CommittedView
  readonly #watcher: FolderWatcher
  readonly #appender: Appender
  readonly #fragments: FragmentList
  readonly #readers = new Set<FileReader>()
  #closing: Promise<void> | undefined

  private constructor(folder: JournalFolder, options: FileJournalOptions) {
    const { segmentBytes = FILE_SEGMENT_BYTES, pollMs = FILE_POLL_MS, clock = systemClock } = options
    const boot = options.bootId ?? systemBootId()
    this.name = folder.identity.name
    this.id = folder.identity.id
    this.durability = folder.identity.durability
    this.#folder = folder
    this.#epochs = new Epochs(folder, boot, options.onTornTail ?? (() => undefined))
    this.#view = new CommittedView(folder, this.#epochs, boot)
    this.#watcher = new FolderWatcher(folder, clock, pollMs)
    this.#fragments = new FragmentList(folder, this.#epochs)
    this.#appender = new Appender({
      folder,
      epochs: this.#epochs,
      view: this.#view,
      boot,
      segmentBytes,
      onCommit: () => {
        this.#watcher.notify()
      },
    })
  }

  /**
   * Opens the journal in a folder, and makes it when there is none. `INVALID` when it was made with another name or
   * durability than asked for, `CORRUPT` when its identity is damaged, `UNAVAILABLE` when the file system fails.
   */

  static async open(options: FileJournalOptions): Promise<FileJournal> {
    throwIfAborted(options.signal)
    assertSize(options.segmentBytes, 'segmentBytes')
    assertSize(options.pollMs, 'pollMs')
    const dir = resolve(options.dir)
    try {
      const wanted = { name: options.name, durability: options.durability }
      return new FileJournal(JournalFolder.open(options.fs ?? nodeJournalFileSystem, dir, wanted), options)
    } catch (error) {
      throw mapFileError(error, options.name ?? dir)
    }
  }

  async head(options: { readonly signal?: AbortSignal } = {}): Promise<Head> {
    throwIfAborted(options.signal)
    return this.#do(() => {
      const { offset, registers, damage } = this.#view.now()
      if (damage !== undefined) throw damage
      return { offset, registers: registers() }
    })
  }

  append(request: AppendRequest): Promise<Commit> {
    if (this.#closing !== undefined) return Promise.reject(closedError(this.name))
    if (request.signal?.aborted === true) return Promise.reject(abortedError(request.signal))
    const answer = new Promise<Commit>((resolve, reject) => {
      this.#appender.push(new PendingAppend(this, request, { resolve, reject }))
    })
    return raceAbort(answer, request.signal)
  }

  appendSync(request: AppendRequest): Commit {
    return this.#do(() => {
      let answer: { readonly commit: Commit } | { readonly error: unknown } | undefined
      const append = new PendingAppend(this, request, {
        resolve: (commit) => (answer = { commit }),
        reject: (error) => (answer = { error }),
      })
      this.#appender.pushSync(append)
      if (answer === undefined) throw new Error('a synchronous append was not answered')
      if ('error' in answer) throw answer.error
      return answer.commit
    })
  }

  read({ offset, block = false, keep = false, signal }: ReadRequest): AsyncIterable<JournalChunk> {
    if (this.#closing !== undefined) throw closedError(this.name)
    const parts = { folder: this.#folder, epochs: this.#epochs, view: this.#view, watcher: this.#watcher }
    const request = { offset: assertOffset(offset, 'offset'), block, keep }
    const reader = new FileReader(parts, request, () => this.#readers.delete(reader))
    this.#readers.add(reader)
    return new ChunkIterator(reader, signal)
  }

  async fragments(): Promise<readonly Fragment[]> {
    return this.#do(() =>
      this.#fragments
        .list(this.#view.now())
        .filter(({ begin, end }) => begin < end)
        .map(({ begin, end }) => ({ begin, end })),
    )
  }

  async remove(fragment: Fragment): Promise<void> {
    this.#do(() => {
      this.#fragments.remove(fragment, this.#view.now())
    })
  }

  /** Waits for appends under way. Readers of this object get `CLOSED`. The journal stays; its epoch is not given up. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#appender.close()
    await Promise.all([...this.#readers].map((reader) => reader.closeJournal()))
    this.#folder.close()
  }

  #do<T>(work: () => T): T {
    if (this.#closing !== undefined) throw closedError(this.name)
    try {
      return work()
    } catch (error) {
      throw mapFileError(error, this.name)
    }
  }
}

function assertSize(size: number | undefined, title: string): void {
  if (size === undefined || (Number.isSafeInteger(size) && size > 0)) return
  throw new RangeError(`${title} is not a positive safe integer: ${String(size)}`)
}
