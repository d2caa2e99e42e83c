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
import { removeLeftovers } from './leftovers.ts'
import type { Revision } from './revision-file.ts'
import { readLatest, writeRevision } from './revision-folder.ts'
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

/** So many documents are kept as they were read: whoever changes one has mostly just read it. */
const KNOWN_MAX = 256

/** A revision that was announced and has not come after so long never will: its writer lost, or died. */
const ANNOUNCED_MS = 60 * 1000

/**
 * The coordinator's state on files, for several processes (adapters spec, Q5). `dir/documents` holds a folder for each
 * document, under the first two digits of the sha256 of its kind and id; `dir/tmp` what is being written, `dir/changes`
 * what has. Reads and compare-and-sets go to the files each time; the index of queries is in memory, and is built by the
 * first query.
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
  /** Documents as they were when they were last read or written, the least lately used first. */
  readonly #known = new Map<string, Revision>()
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
      const revision = readLatest(this.#folderOf(hash), this.#known.get(hash))
      this.#know(hash, revision)
      return structuredClone(revision?.document) // what is kept is nobody's to change
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
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #write(id: string, revision: number, document: StateDocument, options: WithSignal): Promise<number> {
    return this.#call(`write the ${document.kind} ${id}`, options, async () => {
      const hash = hashOf(document.kind, id)
      const next = await writeRevision({
        folder: this.#folderOf(hash),
        aside: this.#aside,
        id,
        revision,
        document,
        known: this.#known.get(hash),
        announce: (number) => {
          this.#feed.announce({ hash, revision: number })
        },
      })
      this.#know(hash, next)
      this.#keep(hash, next.document)
      return next.document.revision
    })
  }

  #know(hash: string, revision: Revision | undefined): void {
    this.#known.delete(hash)
    if (revision === undefined) return
    this.#known.set(hash, revision)
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value as string)
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
    const document = readLatest(this.#folderOf(hash))?.document
    if (document !== undefined) this.#keep(hash, document)
    return document
  }

  #keep(hash: string, { id, revision, kind, project, name, dueMs }: StoredDocument): void {
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
