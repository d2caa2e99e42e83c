/**
 * The Journal interface: an append-only byte stream with a name, a write head and a small set of registers. The
 * promises J1 to J14 are tested by `journalSuite` of `recoverylog/testing`; a back end is what passes it.
 */

/** A register: a label of the journal, checked and changed in the same step as an append. */
export interface Label {
  readonly name: string
  readonly value: string
}

/** A condition on registers: an empty value matches any value, `prefix` matches beginnings. */
export interface LabelMatch {
  readonly name: string
  readonly value: string
  readonly prefix?: boolean
}

/**
 * Of several included matches of one name one must hold; none of the excluded may. A journal with no registers at all
 * matches every selector.
 */
export interface LabelSelector {
  readonly include?: readonly LabelMatch[]
  readonly exclude?: readonly LabelMatch[]
}

/** What survives what: `process` a kill, `disk` a power loss, `replicated` a machine. */
export type Durability = 'memory' | 'process' | 'disk' | 'replicated'

export interface AppendRequest {
  /** Borrowed until the append is answered: do not change it before. Empty: only registers are checked (J6). */
  readonly content: Uint8Array
  /** What must hold of the registers, else `REGISTER_MISMATCH`, which is never retried. */
  readonly check?: LabelSelector
  /** Taken away first: labels whose values are exactly these. */
  readonly subtract?: readonly Label[]
  /** Replaces all values of each name by those given. */
  readonly union?: readonly Label[]
  /** Ends the wait, not the append: it may still land. */
  readonly signal?: AbortSignal
}

/** An append that has committed, and the registers after it, ordered by name, then value. */
export interface Commit {
  readonly begin: number
  readonly end: number
  readonly registers: readonly Label[]
}

export interface Head {
  readonly offset: number
  readonly registers: readonly Label[]
}

export interface ReadRequest {
  readonly offset: number
  /** false ends at the head, true waits there. Default false. */
  readonly block?: boolean
  /** Asks for chunks with a `release`: they may be kept while others are read. A journal need not heed it. */
  readonly keep?: boolean
  readonly signal?: AbortSignal
}

/**
 * Bytes of the journal at `offset`. They belong to the reader until it asks for the next chunk; or, where there is a
 * `release`, until it calls that, also after it has left the loop. What is never released is memory that is not used
 * again, and nothing worse.
 */
export interface JournalChunk {
  readonly offset: number
  readonly bytes: Uint8Array
  readonly release?: () => void
}

/** A stored span `[begin, end)` of a journal: the unit of pruning. */
export interface Fragment {
  readonly begin: number
  readonly end: number
}

export interface JournalSupports {
  /** Has `fragments` and `remove`. */
  readonly prune: boolean
  /** Has `appendSync`. */
  readonly appendSync: boolean
}

export interface Journal {
  readonly name: string
  /** Another one when the journal was deleted and made anew under the same name (J13). */
  readonly id: string
  readonly maxAppendBytes: number
  readonly durability: Durability
  readonly supports: JournalSupports
  head(options?: { readonly signal?: AbortSignal }): Promise<Head>
  append(request: AppendRequest): Promise<Commit>
  read(request: ReadRequest): AsyncIterable<JournalChunk>
  /** With `supports.appendSync`: waits for nothing asynchronous. */
  appendSync?(request: AppendRequest): Commit
  /** With `supports.prune`. */
  fragments?(): Promise<readonly Fragment[]>
  /** With `supports.prune`: frees one fragment, never the one at the head; idempotent. */
  remove?(fragment: Fragment): Promise<void>
  close(): Promise<void>
}

/** Finds the journals that hints may name. Answers undefined for one that it does not know. */
export type JournalResolver = (name: string) => Journal | undefined | Promise<Journal | undefined>
