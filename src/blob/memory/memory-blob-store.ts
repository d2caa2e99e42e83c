import { throwIfAborted } from '../../async/index.ts'
import { RecoveryLogError } from '../../errors/index.ts'
import type { Clock } from '../../parts/index.ts'
import { crc32c } from '../../wire/index.ts'
import type { BlobBody, BlobInfo, BlobStore, ByteRange, ListOptions, PutOptions } from '../blob-store.ts'
import { CallGate } from '../call-gate.ts'
import { alreadyThere, checkKey, checkRange, compareKeys, notFound } from '../key.ts'

interface Blob {
  readonly bytes: Uint8Array
  readonly digest: number
  readonly modifiedMs: number
}

/** As of Google's and Amazon's stores, so that what fits here fits there. */
const MAX_KEY_BYTES = 1024

/** Whole contents are read in pieces of this size. */
const CHUNK_BYTES = 64 * 1024

/** A blob store in memory: for tests, and for what need not outlive its process. */
export class MemoryBlobStore implements BlobStore, AsyncDisposable {
  readonly maxKeyBytes = MAX_KEY_BYTES
  readonly supports = { conditionalPut: true }
  readonly #clock: Pick<Clock, 'now'>
  readonly #blobs = new Map<string, Blob>()
  readonly #gate = new CallGate('the blob store')
  /** The keys in their order, made when somebody lists them. */
  #sorted: string[] | undefined

  /** Without a clock every blob was put at 0. */
  constructor(parts: { readonly clock?: Pick<Clock, 'now'> } = {}) {
    this.#clock = parts.clock ?? { now: () => 0 }
  }

  async put(key: string, body: BlobBody, options: PutOptions = {}): Promise<void> {
    await this.#gate.run(async () => {
      checkKey(key, this.maxKeyBytes)
      throwIfAborted(options.signal)
      const bytes = body instanceof Uint8Array ? new Uint8Array(body) : await collected(body, options.signal)
      if (options.ifAbsent === true && this.#blobs.has(key)) throw alreadyThere(key)
      this.#set(key, { bytes, digest: crc32c(0, bytes), modifiedMs: this.#clock.now() })
    })
  }

  get(key: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>
  get(key: string, options: ByteRange & { readonly signal?: AbortSignal }): Promise<Uint8Array>
  get(
    key: string,
    options: Partial<ByteRange> & { readonly signal?: AbortSignal } = {},
  ): AsyncIterable<Uint8Array> | Promise<Uint8Array> {
    const { offset, length, signal } = options
    if (offset === undefined || length === undefined) return this.#stream(key, signal)
    return this.#gate.run(async () => {
      checkRange({ offset, length })
      throwIfAborted(signal)
      return this.#blob(key).bytes.slice(offset, offset + length)
    })
  }

  async stat(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<BlobInfo> {
    return this.#gate.run(async () => {
      throwIfAborted(options.signal)
      return infoOf(key, this.#blob(key))
    })
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<BlobInfo, void, undefined> {
    let after = options.after
    for (;;) {
      const info = await this.#gate.run(async () => {
        throwIfAborted(options.signal)
        return this.#next(prefix, after)
      })
      if (info === undefined) return
      yield info
      after = info.key
    }
  }

  async move(from: string, to: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#gate.run(async () => {
      checkKey(to, this.maxKeyBytes)
      throwIfAborted(options.signal)
      if (!this.#blobs.has(from) && this.#blobs.has(to)) return
      const blob = this.#blob(from)
      this.#delete(from)
      this.#set(to, blob)
    })
  }

  async remove(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#gate.run(async () => {
      checkKey(key, this.maxKeyBytes)
      throwIfAborted(options.signal)
      this.#delete(key)
    })
  }

  async close(): Promise<void> {
    await this.#gate.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Turns a bit of a stored blob, as a disk does, so that a test can see it found. */
  damage(key: string, offset: number): void {
    const { bytes } = this.#blob(key)
    bytes[offset] = (bytes[offset] as number) ^ 1
  }

  async *#stream(key: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const { bytes, digest } = await this.#gate.run(async () => this.#blob(key))
    for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) {
      throwIfAborted(signal)
      yield bytes.slice(offset, offset + CHUNK_BYTES)
    }
    if (crc32c(0, bytes) === digest) return
    throw new RecoveryLogError('CORRUPT', `the blob ${key} is not what was put`, { key, size: bytes.length })
  }

  #blob(key: string): Blob {
    checkKey(key, this.maxKeyBytes)
    const blob = this.#blobs.get(key)
    if (blob === undefined) throw notFound(key)
    return blob
  }

  #set(key: string, blob: Blob): void {
    if (!this.#blobs.has(key)) this.#sorted = undefined
    this.#blobs.set(key, blob)
  }

  #delete(key: string): void {
    if (this.#blobs.delete(key)) this.#sorted = undefined
  }

  /** The first blob behind `after` whose key begins with `prefix`. */
  #next(prefix: string, after: string | undefined): BlobInfo | undefined {
    this.#sorted ??= [...this.#blobs.keys()].sort(compareKeys)
    const keys = this.#sorted
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const key = keys[middle] as string
      const isBefore = after === undefined ? false : compareKeys(key, after) <= 0
      if (isBefore || compareKeys(key, prefix) < 0) low = middle + 1
      else high = middle
    }
    const key = keys[low]
    return key?.startsWith(prefix) === true ? infoOf(key, this.#blob(key)) : undefined
  }
}

function infoOf(key: string, { bytes, modifiedMs }: Blob): BlobInfo {
  return { key, size: bytes.length, modifiedMs }
}

async function collected(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    throwIfAborted(signal)
    chunks.push(new Uint8Array(chunk))
    size += chunk.length
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
