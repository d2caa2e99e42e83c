/**
 * The BlobStore interface: immutable bytes under keys. The promises B1 to B8 are tested by `blobStoreSuite` of
 * `recoverylog/testing`; a back end is what passes it.
 */

/** What is put: bytes, or a stream of unknown length, whose chunks are borrowed until the next is asked for. */
export type BlobBody = Uint8Array | AsyncIterable<Uint8Array>

export interface PutOptions {
  /** Fails with `CONFLICT` when the key is there: of any number of racing puts exactly one wins (B2). Default false. */
  readonly ifAbsent?: boolean
  /**
   * What is put is to be moved before anything depends on it: the power may go and take it, whole or in part, until
   * `move` has made it durable. Told only by the digest of what is left. Stores that cannot make use of that put it as
   * anything else. Default false.
   */
  readonly draft?: boolean
  /** Ends the put; nothing is left of it. */
  readonly signal?: AbortSignal
}

/** A part of a blob, in bytes. What lies behind the blob's end is not there. */
export interface ByteRange {
  /** Where it begins, from 0. */
  readonly offset: number
  /** How long it is at most, from 0. */
  readonly length: number
  /**
   * Memory that the store may read into, at least `length` bytes long: then the answer is a view of its beginning. It is
   * borrowed for the call, and after a call that fails it may still be written to.
   */
  readonly into?: Uint8Array
}

export interface BlobInfo {
  readonly key: string
  /** In bytes. */
  readonly size: number
  /** When it was put, in milliseconds since 1970-01-01 UTC, by the clock of the store. Moving keeps it, or sets it anew. */
  readonly modifiedMs: number
}

export interface BlobSupports {
  /** `ifAbsent` holds under races: found by a probe, not believed. */
  readonly conditionalPut: boolean
}

export interface ListOptions {
  /** Only keys behind this one, in the order of bytes. */
  readonly after?: string
  readonly signal?: AbortSignal
}

interface WithSignal {
  readonly signal?: AbortSignal
}

export interface BlobStore {
  /** The longest key, in bytes of UTF-8. */
  readonly maxKeyBytes: number
  readonly supports: BlobSupports

  /**
   * Stores `body` under `key`, all of it or nothing (B1). Once it resolves, everybody sees it (B4).
   *
   * @throws RecoveryLogError `CONFLICT` with `ifAbsent`; `INVALID` for a key that is none; what the body throws
   */
  put(key: string, body: BlobBody, options?: PutOptions): Promise<void>

  /**
   * The whole content, as a stream that opens nothing before it is iterated, and leaves nothing open when it is left
   * (B3, B8). Chunks belong to the reader until it asks for the next.
   *
   * @throws RecoveryLogError while iterating: `NOT_FOUND`; `CORRUPT` when the content is not what its digest says, told at
   * the end of the content
   */
  get(key: string, options?: WithSignal): AsyncIterable<Uint8Array>
  /**
   * Exactly the range, clipped at the end of the blob. The bytes are the caller's.
   *
   * @throws RecoveryLogError `NOT_FOUND`
   */
  get(key: string, options: ByteRange & WithSignal): Promise<Uint8Array>

  /** @throws RecoveryLogError `NOT_FOUND` */
  stat(key: string, options?: WithSignal): Promise<BlobInfo>

  /** The blobs whose keys begin with `prefix`, in the order of their keys' bytes, whatever their number (B5). */
  list(prefix: string, options?: ListOptions): AsyncIterable<BlobInfo>

  /**
   * Gives a blob another key, in place of what is there, and makes a draft durable. Idempotent: source gone and target
   * there is success (B6).
   *
   * @throws RecoveryLogError `NOT_FOUND` when both are gone
   */
  move(from: string, to: string, options?: WithSignal): Promise<void>

  /** Removes a blob. One that is not there is removed already (B6). */
  remove(key: string, options?: WithSignal): Promise<void>

  /** Waits for calls under way and frees everything; may be called twice. Later calls get `CLOSED`. */
  close(): Promise<void>
}
