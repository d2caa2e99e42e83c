import type { Readable, Writable } from 'node:stream'
import type { Calls } from './calls.ts'
import { systemError, unsupported } from './errors.ts'
import { isOptions } from './operations/arguments.ts'
import type { OperationName } from './operations/index.ts'
import { FileLines } from './file-lines.ts'
import { createReadStream, type ReadStreamOptions } from './read-stream.ts'
import { createWriteStream, type WriteStreamOptions } from './write-stream.ts'
import { gathered } from './write-source.ts'

/** How much `readableWebStream` reads at a time. */
const PIECE_BYTES = 64 * 1024

/** A file handle as `fs.promises.open` answers one. Close it: nothing closes it by itself. */
export class FileHandle implements AsyncDisposable {
  readonly #calls: Calls
  #fd: number
  /** Reads under way, which closing waits for. */
  readonly #reads = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor(calls: Calls, fd: number) {
    this.#calls = calls
    this.#fd = fd
  }

  /** -1 once it is closed. */
  get fd(): number {
    return this.#fd
  }

  getAsyncId(): never {
    throw unsupported('getAsyncId')
  }

  appendFile(data: unknown, options?: unknown): Promise<void> {
    return this.writeFile(data, options)
  }

  async chmod(mode: unknown): Promise<void> {
    await this.#call('fchmod', mode)
  }

  async chown(uid: unknown, gid: unknown): Promise<void> {
    await this.#call('fchown', uid, gid)
  }

  /** Waits for reads under way. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  createReadStream(options: ReadStreamOptions = {}): Readable {
    return createReadStream(this.#calls, undefined, { ...options, fd: this })
  }

  createWriteStream(options: WriteStreamOptions = {}): Writable {
    return createWriteStream(this.#calls, undefined, { ...options, fd: this })
  }

  /** A durable point. */
  async datasync(): Promise<void> {
    await this.#call('fdatasync')
  }

  async read(...args: unknown[]): Promise<{ bytesRead: number; buffer: ArrayBufferView }> {
    const [, buffer, ...place] = this.#calls.readArguments([this.#fd, ...args])
    return { bytesRead: (await this.#reading('read', buffer, ...place)) as number, buffer }
  }

  async readFile(options?: unknown): Promise<unknown> {
    return this.#reading('readFile', options)
  }

  /** The lines of the file: an async iterable, without the events of `readline`. The handle is closed at its end. */
  readLines(options: ReadStreamOptions = {}): FileLines {
    return new FileLines(this.createReadStream({ ...options, encoding: options.encoding ?? 'utf8' }))
  }

  /** The file from its position on, as a web stream of bytes. The handle stays open. */
  readableWebStream(): ReadableStream<Uint8Array> {
    return new ReadableStream({
      type: 'bytes',
      pull: async (controller) => {
        const bytes = new Uint8Array(PIECE_BYTES)
        const { bytesRead } = await this.read(bytes, 0, bytes.length, null)
        if (bytesRead > 0) controller.enqueue(bytes.subarray(0, bytesRead))
        else controller.close()
      },
    })
  }

  async readv<T>(buffers: T, position?: unknown): Promise<{ bytesRead: number; buffers: T }> {
    return { bytesRead: (await this.#reading('readv', buffers, position)) as number, buffers }
  }

  async stat(options?: unknown): Promise<unknown> {
    return this.#reading('fstat', ...(options === undefined ? [] : [options]))
  }

  /** A durable point. */
  async sync(): Promise<void> {
    await this.#call('fsync')
  }

  async truncate(length?: unknown): Promise<void> {
    await this.#call('ftruncate', length)
  }

  async utimes(accessed: unknown, modified: unknown): Promise<void> {
    await this.#call('futimes', accessed, modified)
  }

  /** An empty buffer does nothing, as in node: even where the handle is for reading only. */
  async write<T>(data: T, ...rest: unknown[]): Promise<{ bytesWritten: number; buffer: T }> {
    const isEmpty = ArrayBuffer.isView(data) && data.byteLength === 0
    if (isEmpty && this.#fd !== -1) return { bytesWritten: 0, buffer: data }
    return { bytesWritten: (await this.#call('write', data, ...rest)) as number, buffer: data }
  }

  /** From the position of the file on. */
  async writeFile(data: unknown, options?: unknown): Promise<void> {
    const encoding = isOptions(options) ? options['encoding'] : options
    await gathered(this.#calls, data, encoding, async (piece) => {
      await this.#call('writeFile', piece, options)
    })
  }

  async writev<T>(buffers: T, position?: unknown): Promise<{ bytesWritten: number; buffers: T }> {
    return { bytesWritten: (await this.#call('writev', buffers, position)) as number, buffers }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const fd = this.#fd
    this.#fd = -1
    await Promise.allSettled(this.#reads)
    await this.#calls.later('close', [fd])
  }

  async #call(name: OperationName, ...args: unknown[]): Promise<unknown> {
    if (this.#fd === -1) throw systemError('EBADF', name)
    return this.#calls.later(name, [this.#fd, ...args])
  }

  async #reading(name: OperationName, ...args: unknown[]): Promise<unknown> {
    const read = this.#call(name, ...args)
    this.#reads.add(read)
    try {
      return await read
    } finally {
      this.#reads.delete(read)
    }
  }
}
