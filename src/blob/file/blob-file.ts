import { closeSync, fdatasync, fstatSync, open, openSync, read, readSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { throwIfAborted } from '../../async/index.ts'
import { RecoveryLogError } from '../../errors/index.ts'
import type { BlobBody } from '../blob-store.ts'

/**
 * The file of a blob: its content, then a trailer with what the content must be. The trailer comes last because a
 * stream is of unknown length, and is in the same file because only then they cannot come apart.
 *
 * What takes no time by itself is asked of the system by synchronous calls: to have another thread do it costs 20 us more.
 */

/** `RLB1`, or `RLD1` of a draft, the content's crc32 and its size in bytes as float64, little-endian. */
export const TRAILER_BYTES = 16
const MAGIC = 0x31424c52
const DRAFT_MAGIC = 0x31444c52

const CHUNK_BYTES = 256 * 1024

/** So much is copied for the system in less time than another thread would take to begin. */
const SYNC_WRITE_BYTES_MAX = 128 * 1024

/** While a long stream is still coming, what came is synced in steps of this size, so that the end need not wait. */
const SYNC_BYTES = 16 * 1024 * 1024

const datasync = promisify(fdatasync)
const openFile = promisify(open)

export interface WriteOptions {
  /** It need not be on the disk: whoever moves it syncs it. */
  readonly isDraft: boolean
  readonly signal: AbortSignal | undefined
}

/** Writes `body` into the new file at `path`, and syncs it unless it is a draft. */
export async function writeBlobFile(path: string, body: BlobBody, options: WriteOptions): Promise<void> {
  const fd = openSync(path, 'wx')
  try {
    await new BlobWriter(fd, options).write(body instanceof Uint8Array ? [body] : body)
  } finally {
    closeSync(fd)
  }
}

/** Makes what is in the file at `path` durable when it is a draft. */
export async function syncDraft(path: string): Promise<void> {
  const fd = openSync(path, 'r+')
  try {
    const trailer = Buffer.alloc(TRAILER_BYTES)
    const at = fstatSync(fd).size - TRAILER_BYTES
    if (at < 0 || readSync(fd, trailer, 0, TRAILER_BYTES, at) < TRAILER_BYTES) return
    if (trailer.readUInt32LE(0) === DRAFT_MAGIC) await datasync(fd)
  } finally {
    closeSync(fd)
  }
}

class BlobWriter {
  readonly #fd: number
  readonly #options: WriteOptions
  #size = 0
  #digest = 0
  #syncedSize = 0
  #sync: Promise<unknown> = Promise.resolve()

  constructor(fd: number, options: WriteOptions) {
    this.#fd = fd
    this.#options = options
  }

  async write(body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const { isDraft, signal } = this.#options
    try {
      for await (const chunk of body) {
        throwIfAborted(signal)
        await this.#append(chunk)
      }
    } finally {
      await this.#sync
    }
    throwIfAborted(signal)
    await this.#writeAll(trailerOf(isDraft ? DRAFT_MAGIC : MAGIC, this.#size, this.#digest))
    if (!isDraft) await datasync(this.#fd)
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
    this.#sync = datasync(this.#fd).catch(() => undefined)
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    const isSmall = bytes.length <= SYNC_WRITE_BYTES_MAX
    for (let at = 0; at < bytes.length;) {
      at += isSmall ? writeSync(this.#fd, bytes, at) : await writeSome(this.#fd, bytes, at)
    }
  }
}

function trailerOf(magic: number, size: number, digest: number): Uint8Array {
  const trailer = new DataView(new ArrayBuffer(TRAILER_BYTES))
  trailer.setUint32(0, magic, true)
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
  const fd = await openFile(path, 'r')
  try {
    const fileBytes = fstatSync(fd).size
    const size = contentBytes(key, fileBytes)
    const buffer = new Uint8Array(Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, fileBytes)).buffer)
    let digest = 0
    // Of a small file the trailer comes with the content.
    let trailer: Uint8Array = new Uint8Array(0)
    for (let offset = 0; offset < size;) {
      throwIfAborted(signal)
      const read = await readSome(
        fd,
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
      trailer = await readSome(fd, new Uint8Array(TRAILER_BYTES), size, key)
    }
    if (trailer.length === TRAILER_BYTES && isTrailerOf(trailer, size, digest)) return
    throw new RecoveryLogError('CORRUPT', `the blob ${key} is not what was put`, { key, size })
  } finally {
    closeSync(fd)
  }
}

function isTrailerOf(trailer: Uint8Array, size: number, digest: number): boolean {
  return [MAGIC, DRAFT_MAGIC].some((magic) =>
    trailerOf(magic, size, digest).every((byte, i) => byte === trailer[i]),
  )
}

async function readSome(fd: number, buffer: Uint8Array, offset: number, key: string): Promise<Uint8Array> {
  const bytesRead = await readInto(fd, buffer, offset)
  if (bytesRead > 0) return buffer.subarray(0, bytesRead)
  throw new RecoveryLogError('CORRUPT', `the file of the blob ${key} ends at ${offset}`, { key, offset })
}

/** The callbacks cost less than a FileHandle does. */
async function readInto(fd: number, buffer: Uint8Array, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, offset, (error, count) => {
      if (error === null) resolve(count)
      else reject(error)
    })
  })
}

async function writeSome(fd: number, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, at, (error, count) => {
      if (error === null) resolve(count)
      else reject(error)
    })
  })
}
