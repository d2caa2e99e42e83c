import type {
  AppendRequest,
  Commit,
  Durability,
  Fragment,
  Head,
  Journal,
  JournalChunk,
  JournalSupports,
  ReadRequest,
} from '../journal/index.ts'

/**
 * A journal that passes everything on to another one. To be extended by whoever wants to change one thing: count,
 * delay, encrypt, break.
 */
export class DecoratedJournal implements Journal {
  protected readonly inner: Journal

  constructor(inner: Journal) {
    this.inner = inner
  }

  get name(): string {
    return this.inner.name
  }

  get id(): string {
    return this.inner.id
  }

  get maxAppendBytes(): number {
    return this.inner.maxAppendBytes
  }

  get durability(): Durability {
    return this.inner.durability
  }

  get supports(): JournalSupports {
    return this.inner.supports
  }

  head(options?: { readonly signal?: AbortSignal }): Promise<Head> {
    return this.inner.head(options)
  }

  append(request: AppendRequest): Promise<Commit> {
    return this.inner.append(request)
  }

  appendSync(request: AppendRequest): Commit {
    if (this.inner.appendSync === undefined) throw new TypeError(`${this.name} does not support appendSync`)
    return this.inner.appendSync(request)
  }

  read(request: ReadRequest): AsyncIterable<JournalChunk> {
    return this.inner.read(request)
  }

  fragments(): Promise<readonly Fragment[]> {
    return this.inner.fragments?.() ?? Promise.reject(new TypeError(`${this.name} does not support prune`))
  }

  remove(fragment: Fragment): Promise<void> {
    return (
      this.inner.remove?.(fragment) ?? Promise.reject(new TypeError(`${this.name} does not support prune`))
    )
  }

  close(): Promise<void> {
    return this.inner.close()
  }
}
