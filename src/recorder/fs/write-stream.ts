import type { Writable, WritableOptions } from 'node:stream'
import type { Calls } from './calls.ts'
import { closeOf, type OpenDescriptor, type OpenHandle } from './read-stream.ts'

/** The options of `fs.createWriteStream`. */
export interface WriteStreamOptions {
  readonly flags?: string | number
  readonly encoding?: BufferEncoding
  readonly fd?: number | OpenHandle | null
  readonly mode?: unknown
  readonly autoClose?: boolean
  readonly emitClose?: boolean
  /** Where to begin to write. */
  readonly start?: number
  readonly highWaterMark?: number
  readonly signal?: AbortSignal
  /** Whether what was written is committed before the stream closes. */
  readonly flush?: boolean
}

/** What a write stream of Node has beyond a `Writable`. */
interface FileWritable extends Writable {
  fd: number | null
  path: unknown
  bytesWritten: number
  pending: boolean
  close(callback?: (error?: Error | null) => void): void
}

interface Chunk {
  readonly chunk: Uint8Array
}

/** `fs.createWriteStream(path, options?)`, made of writes of this file system. */
export function createWriteStream(calls: Calls, path: unknown, options: WriteStreamOptions = {}): Writable {
  const { fd: given, start, autoClose = true } = options
  const handle = typeof given === 'object' ? (given ?? undefined) : undefined
  const open: OpenDescriptor = { fd: typeof given === 'number' ? given : (handle?.fd ?? null) }
  let at = start
  const writeAll = async (bytes: Uint8Array): Promise<void> => {
    for (let done = 0; done < bytes.length;) {
      const count = (await calls.later('write', [
        open.fd,
        bytes.subarray(done),
        0,
        undefined,
        at ?? null,
      ])) as number
      if (at !== undefined) at += count
      stream.bytesWritten += count
      done += count
    }
  }
  const settings: WritableOptions = {
    autoDestroy: autoClose,
    emitClose: options.emitClose ?? true,
    ...(options.encoding === undefined ? {} : { defaultEncoding: options.encoding }),
    ...(options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    construct(done) {
      if (open.fd !== null) {
        done()
        return
      }
      const flags = options.flags ?? (start === undefined ? 'w' : 'r+')
      calls.later('open', [path, flags, options.mode]).then((fd) => {
        open.fd = fd as number
        stream.pending = false
        done()
        stream.emit('open', fd)
        stream.emit('ready')
      }, done)
    },
    write(chunk: Uint8Array, _encoding, done) {
      writeAll(chunk).then(() => done(), done)
    },
    writev(chunks, done) {
      writeAll(joined(chunks as unknown as readonly Chunk[])).then(() => done(), done)
    },
    final(done) {
      if (options.flush !== true) done()
      else calls.later('fsync', [open.fd]).then(() => done(), done)
    },
    destroy(error, done) {
      closeOf(calls, open, handle).then(
        () => done(error),
        (failure: unknown) => done(error ?? (failure as Error)),
      )
    },
  }
  const stream = new calls.context.native.Writable(settings) as FileWritable
  Object.defineProperty(stream, 'fd', { get: () => open.fd, enumerable: true })
  Object.assign(stream, {
    path,
    bytesWritten: 0,
    pending: given === undefined || given === null,
    close(callback?: (error?: Error | null) => void) {
      if (callback !== undefined) stream.once('close', callback)
      if (autoClose) stream.end()
      else stream.destroy()
    },
  })
  return stream
}

function joined(chunks: readonly Chunk[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { chunk }) => sum + chunk.length, 0))
  let at = 0
  for (const { chunk } of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
