import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CallGate } from '../../blob/index.ts'
import type { Clock } from '../../parts/index.ts'
import type { WithSignal } from '../../storage/index.ts'
import { DocumentIndex } from '../document-index.ts'
import type { IndexedDocument } from '../document-index.ts'
import type { StateDocument, StateQuery, StoredDocument, StreamStore } from '../state-store.ts'
import { ChangeFeed, FEED_GAP_MS } from './change-feed.ts'
import { DocumentFile } from './document-file.ts'
import { removeLeftovers } from './leftovers.ts'
import { checkRefreshMs, guarded, storeError, syncFolder } from './system.ts'

export interface FileStreamStoreOptions {
  /** Where the store lies. Made when it is missing. Any number of processes may share it. */
  readonly dir: string
  readonly clock: Pick<Clock, 'now'>
  /** A query may not know what other processes have done for so long. Default 500 ms; 0: it knows all. */
  readonly refreshMs?: number
}

interface Indexed extends IndexedDocument {
  readonly hash: string
  readonly revision: number
}

const DEFAULT_REFRESH_MS = 500

/** Folders of documents lie in so many, named by two hex digits. */
const SHARDS = 256

/** So many documents are kept open, as they were read: whoever changes one has mostly just read it. */
const OPEN_FILES_MAX = 64

/** A revision that was announced and has not come after so long never will: its writer lost, or died. */
const ANNOUNCED_MS = 60 * 1000

/**
 * The coordinator's state on files, for several processes (adapters spec, Q5). `dir/documents` holds a log for each
 * document, under the first two digits of the sha256 of its kind and id; `dir/tmp` what is being made, `dir/changes` what
 * has changed. Reads and compare-and-sets go to the files each time, of which the 64 used last stay open; the index of
 * queries is in memory, and is built by the first query.
 */
export class FileStreamStore implements StreamStore {
  readonly #documents: string
  readonly #aside: string
  readonly #clock: Pick<Clock, 'now'>
  readonly #refreshMs: number
  readonly #feed: ChangeFeed
  readonly #index = new DocumentIndex<Indexed>()
  readonly #indexed = new Map<string, Indexed>()
  /** Revisions that were announced and have not been seen yet, and since when. */
  readonly #awaited = new Map<string, { readonly revision: number; readonly sinceMs: number }>()
  /** Documents that were read or written last, the least lately used first. */
  readonly #open = new Map<string, DocumentFile>()
  readonly #gate = new CallGate('the stream store')
  #refreshedMs = -Infinity
  #refresh: Promise<void> | undefined

  /**
   * Opens the store in `dir`.
   *
   * @throws RecoveryLogError `DENIED`, `UNAVAILABLE`
   */
  static async open(options: FileStreamStoreOptions): Promise<FileStreamStore> {
    const { refreshMs = DEFAULT_REFRESH_MS } = options
    checkRefreshMs(refreshMs)
    const dir = resolve(options.dir)
    try {
      for (const folder of ['documents', 'tmp']) mkdirSync(join(dir, folder), { recursive: true })
      makeShards(join(dir, 'documents'))
      await Promise.all([syncFolder(dir), syncFolder(join(dir, 'documents'))])
      removeLeftovers(join(dir, 'tmp'))
      return new FileStreamStore(dir, options.clock, refreshMs)
    } catch (error) {
      throw storeError(error, `open the stream store ${dir}`)
    }
  }

  private constructor(dir: string, clock: Pick<Clock, 'now'>, refreshMs: number) {
    this.#documents = join(dir, 'documents')
    this.#aside = join(dir, 'tmp')
    this.#clock = clock
    this.#refreshMs = refreshMs
    this.#feed = new ChangeFeed(join(dir, 'changes'), clock)
  }

  async read(kind: string, id: string, options: WithSignal = {}): Promise<StoredDocument | undefined> {
    return this.#call(`read the ${kind} ${id}`, options, async () => {
      const hash = hashOf(kind, id)
      const file = this.#file(hash)
      const document = file.read()
      if (document === undefined) this.#open.delete(hash)
      else await file.settle()
      this.#dropOldest()
      return document
    })
  }

  async create(id: string, document: StateDocument, options: WithSignal = {}): Promise<number> {
    return this.#write(id, 0, document, options)
  }

  async update(
    id: string,
    revision: number,
    document: StateDocument,
    options: WithSignal = {},
  ): Promise<number> {
    return this.#write(id, revision, document, options)
  }

  async query(query: StateQuery): Promise<readonly StoredDocument[]> {
    return this.#call(`list documents of kind ${query.kind}`, query, async () => {
      await this.#refreshed()
      for (;;) {
        const found = this.#index.find(query)
        const documents = found.map(({ hash }) => this.#look(hash) as StoredDocument)
        // What has changed meanwhile may belong elsewhere.
        if (found.every((indexed) => this.#indexed.get(indexed.hash) === indexed)) return documents
      }
    })
  }

  async close(): Promise<void> {
    await this.#gate.close()
    this.#feed.close()
    for (const hash of [...this.#open.keys()]) this.#drop(hash)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #write(id: string, revision: number, document: StateDocument, options: WithSignal): Promise<number> {
    return this.#call(`write the ${document.kind} ${id}`, options, async () => {
      const hash = hashOf(document.kind, id)
      const next = await this.#file(hash).write(id, revision, document, (number) => {
        this.#feed.announce({ hash, revision: number })
      })
      this.#dropOldest()
      this.#keep(hash, { ...document, id, revision: next })
      return next
    })
  }

  /** The file of a document, which stays open until so many others have been used. */
  #file(hash: string): DocumentFile {
    const file = this.#open.get(hash) ?? new DocumentFile(this.#folderOf(hash), this.#aside)
    this.#open.delete(hash)
    this.#open.set(hash, file)
    return file
  }

  #dropOldest(): void {
    for (const hash of this.#open.keys()) {
      if (this.#open.size <= OPEN_FILES_MAX) return
      this.#drop(hash)
    }
  }

  #drop(hash: string): void {
    this.#open.get(hash)?.close()
    this.#open.delete(hash)
  }

  /** One refresh at a time, and none sooner than `refreshMs` after the last. */
  async #refreshed(): Promise<void> {
    if (this.#clock.now() - this.#refreshedMs < this.#refreshMs) return
    this.#refresh ??= this.#readNews().finally(() => {
      this.#refresh = undefined
    })
    await this.#refresh
  }

  async #readNews(): Promise<void> {
    const nowMs = this.#clock.now()
    if (nowMs - this.#refreshedMs > FEED_GAP_MS) {
      this.#feed.skip() // but what is announced from now on may be missed by looking through all
      await this.#readAll()
    }
    for (const { hash, revision } of this.#feed.news()) {
      const known = Math.max(this.#indexed.get(hash)?.revision ?? 0, this.#awaited.get(hash)?.revision ?? 0)
      if (revision > known) this.#awaited.set(hash, { revision, sinceMs: nowMs })
    }
    for (const [hash, { revision, sinceMs }] of this.#awaited) {
      const isSeen = (this.#look(hash)?.revision ?? 0) >= revision
      if (isSeen || nowMs - sinceMs > ANNOUNCED_MS) this.#awaited.delete(hash)
    }
    this.#refreshedMs = nowMs
  }

  /** Looks through all, letting others do something between the folders. */
  async #readAll(): Promise<void> {
    for (const shard of readdirSync(this.#documents)) {
      for (const hash of readdirSync(join(this.#documents, shard))) this.#look(hash)
      await new Promise(setImmediate)
    }
  }

  /** The latest revision of a document, which the index has from then on. */
  #look(hash: string): StoredDocument | undefined {
    const known = this.#open.get(hash)
    const file = known ?? new DocumentFile(this.#folderOf(hash), this.#aside)
    try {
      const document = file.read()
      if (document !== undefined) this.#keep(hash, document)
      return document
    } finally {
      if (known === undefined) file.close() // many are looked at once
    }
  }

  #keep(hash: string, { id, revision, kind, project, name, dueMs }: Omit<StoredDocument, 'value'>): void {
    const before = this.#indexed.get(hash)
    if (before !== undefined && before.revision >= revision) return
    if (before !== undefined) this.#index.delete(before)
    const indexed = { id, revision, kind, project, name, dueMs, hash }
    this.#indexed.set(hash, indexed)
    this.#index.add(indexed)
  }

  #folderOf(hash: string): string {
    return join(this.#documents, hash.slice(0, 2), hash)
  }

  async #call<T>(what: string, options: WithSignal, body: () => Promise<T>): Promise<T> {
    return guarded(this.#gate, what, options, body)
  }
}

function hashOf(kind: string, id: string): string {
  return createHash('sha256').update(`${kind}\0${id}`).digest('hex')
}

/** All of them at once, so that no new document has to make its own durable. */
function makeShards(documents: string): void {
  if (readdirSync(documents).length === SHARDS) return
  for (let shard = 0; shard < SHARDS; shard++) {
    mkdirSync(join(documents, shard.toString(16).padStart(2, '0')), { recursive: true })
  }
}
