import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { throwIfAborted } from '../../async/index.ts'
import { RecoveryLogError } from '../../errors/index.ts'
import type { BlobBody } from '../blob-store.ts'

/**
 * The file of a blob: its content, then a trailer with what the content must be. The trailer comes last because a
 * stream is of unknown length, and is in the same file because only then they cannot come apart.
 */

/** `RLB1`, the content's crc32 and its size in bytes as float64, little-endian. */
export const TRAILER_BYTES = 16
const MAGIC = 0x31424c52

const CHUNK_BYTES = 256 * 1024

/** While a long stream is still coming, what came is synced in steps of this size, so that the end need not wait. */
const SYNC_BYTES = 16 * 1024 * 1024

/** Writes `body` into the new file at `path` and syncs it. */
export async function writeBlobFile(
  path: string,
  body: BlobBody,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await new BlobWriter(file).write(body instanceof Uint8Array ? [body] : body, signal)
  } finally {
    await file.close()
  }
}

class BlobWriter {
  readonly #file: FileHandle
  #size = 0
  #digest = 0
  #syncedSize = 0
  #sync: Promise<unknown> = Promise.resolve()

  constructor(file: FileHandle) {
    this.#file = file
  }

  async write(
    body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      for await (const chunk of body) {
        throwIfAborted(signal)
        await this.#append(chunk)
      }
    } finally {
      await this.#sync
    }
    throwIfAborted(signal)
    await this.#writeAll(trailerOf(this.#size, this.#digest))
    await this.#file.datasync()
  }

  async #append(chunk: Uint8Array): Promise<void> {
    const written = this.#writeAll(chunk)
    // The digest is made while the system writes.
    this.#digest = crc32(chunk, this.#digest)
    await written
    this.#size += chunk.length
    if (this.#size - this.#syncedSize < SYNC_BYTES) return
    await this.#sync
    this.#syncedSize = this.#size
    // What it fails with, the sync at the end fails with too.
    this.#sync = this.#file.datasync().catch(() => undefined)
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at)
      at += bytesWritten
    }
  }
}

function trailerOf(size: number, digest: number): Uint8Array {
  const trailer = new DataView(new ArrayBuffer(TRAILER_BYTES))
  trailer.setUint32(0, MAGIC, true)
  trailer.setUint32(4, digest, true)
  trailer.setFloat64(8, size, true)
  return new Uint8Array(trailer.buffer)
}

/** How many bytes of a file of `fileBytes` bytes are content. */
export function contentBytes(key: string, fileBytes: number): number {
  if (fileBytes >= TRAILER_BYTES) return fileBytes - TRAILER_BYTES
  throw new RecoveryLogError('CORRUPT', `the file of the blob ${key} is cut`, { key, fileBytes })
}

/** The content of the blob file at `path`, and at its end whether it is what was put. */
export async function* readBlobFile(
  path: string,
  key: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, 'r')
  try {
    const fileBytes = (await file.stat()).size
    const size = contentBytes(key, fileBytes)
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, fileBytes))
    let digest = 0
    // Of a small file the trailer comes with the content.
    let trailer: Uint8Array = new Uint8Array(0)
    for (let offset = 0; offset < size;) {
      throwIfAborted(signal)
      const read = await readSome(
        file,
        buffer.subarray(0, Math.min(buffer.length, fileBytes - offset)),
        offset,
        key,
      )
      const chunk = read.subarray(0, size - offset)
      if (chunk.length < read.length) trailer = read.slice(chunk.length)
      digest = crc32(chunk, digest)
      offset += chunk.length
      yield chunk
    }
    if (trailer.length < TRAILER_BYTES) {
      trailer = await readSome(file, new Uint8Array(TRAILER_BYTES), size, key)
    }
    const expected = trailerOf(size, digest)
    if (trailer.length === TRAILER_BYTES && trailer.every((byte, i) => byte === expected[i])) return
    throw new RecoveryLogError('CORRUPT', `the blob ${key} is not what was put`, { key, size })
  } finally {
    await file.close()
  }
}

async function readSome(
  file: FileHandle,
  buffer: Uint8Array,
  offset: number,
  key: string,
): Promise<Uint8Array> {
  const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
  if (bytesRead > 0) return buffer.subarray(0, bytesRead)
  throw new RecoveryLogError('CORRUPT', `the file of the blob ${key} ends at ${offset}`, { key, offset })
}
