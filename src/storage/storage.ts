import type { Durability } from '../journal/index.ts'

/**
 * Where the entries of a stream lie until they are archived (adapters spec, "Intermediate storage", S1 to S6).
 */

/** One stream, by its name. */
export interface StreamName {
  readonly project: string
  /** `prefix/+/name`. */
  readonly path: string
}

export interface WithSignal {
  readonly signal?: AbortSignal
}

/** A run of entries without a gap. */
export interface StoragePut extends WithSignal {
  readonly stream: StreamName
  /** The stream index of the first entry. */
  readonly from: number
  /** The entries, encoded; borrowed for the call. */
  readonly entries: readonly Uint8Array[]
}

/** How a put went: what was there before with the same bytes is no error (S1). */
export interface PutOutcome {
  readonly stored: number
  readonly existing: number
}

export interface StorageGet extends WithSignal {
  readonly stream: StreamName
  /** Begins at this index, or at the next one that is there. Default 0. */
  readonly from?: number
  /** Ends after so many entries. Default: none. */
  readonly limit?: number
  /** Yields no bytes, only indexes. Default false. */
  readonly keysOnly?: boolean
}

export interface StoredEntry {
  readonly index: number
  /** As it was put; empty with `keysOnly`. */
  readonly bytes: Uint8Array
}

export interface StorageTail {
  /** The highest index that is there. */
  readonly index: number
  readonly bytes: Uint8Array
  /** When the newest entry came, whichever it was, in milliseconds since 1970. */
  readonly newestMs: number
}

export interface IntermediateStorage extends AsyncDisposable {
  readonly durability: Durability

  /**
   * Stores a run of entries; resolves when they are as durable as declared (S5).
   *
   * @throws RecoveryLogError `CONFLICT` when an index is there with other bytes: the first ones stay, and nothing of
   *   this run behind it is stored; `SEALED` (S6); `ENTRY_INVALID` for an entry above the limit (S4), before anything is
   *   stored; `CLOSED`, `ABORTED`, `UNAVAILABLE`, `DENIED`
   */
  put(put: StoragePut): Promise<PutOutcome>

  /** Yields entries in index order, over gaps, in batches; each batch is borrowed until the next (S2). */
  get(get: StorageGet): AsyncIterable<readonly StoredEntry[]>

  /** The last entry, or undefined when there is none. */
  tail(stream: StreamName, options?: WithSignal): Promise<StorageTail | undefined>

  /** From now on puts are answered `SEALED`; `attempt` becomes the seal's holder (S6). Durable, idempotent. */
  seal(stream: StreamName, attempt: string, options?: WithSignal): Promise<void>

  /** Takes the seal away when `attempt` holds it, else does nothing. */
  unseal(stream: StreamName, attempt: string, options?: WithSignal): Promise<void>

  /** Removes all entries of a stream; a seal stays (S3, S6). Idempotent. */
  expunge(stream: StreamName, options?: WithSignal): Promise<void>

  /** Waits for calls under way; later ones are answered `CLOSED`. May be called twice. */
  close(): Promise<void>
}
