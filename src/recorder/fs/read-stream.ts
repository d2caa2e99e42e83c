import type { Readable, ReadableOptions } from 'node:stream'
import type { Calls } from './calls.ts'

/** A file handle, as far as a stream on it needs to know it. */
export interface OpenHandle {
  readonly fd: number
  close(): Promise<void>
}

/** What a stream has open: null before and after. Not the stream itself, which may be destroyed while it is made. */
export interface OpenDescriptor {
  fd: number | null
}

/** The options of `fs.createReadStream`. */
export interface ReadStreamOptions {
  readonly flags?: string | number
  readonly encoding?: BufferEncoding
  readonly fd?: number | OpenHandle | null
  readonly mode?: unknown
  readonly autoClose?: boolean
  readonly emitClose?: boolean
  readonly start?: number
  /** Inclusive. */
  readonly end?: number
  readonly highWaterMark?: number
  readonly signal?: AbortSignal
}

/** As in Node. */
const HIGH_WATER_MARK = 64 * 1024

/** What a read stream of Node has beyond a `Readable`. */
interface FileReadable extends Readable {
  fd: number | null
  path: unknown
  bytesRead: number
  pending: boolean
  close(callback?: (error?: Error | null) => void): void
}

/** `fs.createReadStream(path, options?)`, made of reads of this file system. */
export function createReadStream(calls: Calls, path: unknown, options: ReadStreamOptions = {}): Readable {
  const { fd: given, start, end = Infinity, autoClose = true } = options
  const handle = typeof given === 'object' ? (given ?? undefined) : undefined
  const open: OpenDescriptor = { fd: typeof given === 'number' ? given : (handle?.fd ?? null) }
  // A file that only this stream has open is read at places of its own, beside all other calls.
  let at = start ?? (given === undefined || given === null ? 0 : undefined)
  let left = end - (start ?? 0) + 1
  const settings: ReadableOptions = {
    highWaterMark: options.highWaterMark ?? HIGH_WATER_MARK,
    autoDestroy: autoClose,
    emitClose: options.emitClose ?? true,
    ...(options.encoding === undefined ? {} : { encoding: options.encoding }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    construct(done) {
      if (open.fd !== null) {
        done()
        return
      }
      calls.later('open', [path, options.flags, options.mode]).then((fd) => {
        open.fd = fd as number
        stream.pending = false
        done()
        stream.emit('open', fd)
        stream.emit('ready')
      }, done)
    },
    read(size) {
      const bytes = calls.context.native.buffer(new Uint8Array(Math.max(0, Math.min(size, left))))
      if (bytes.length === 0) {
        stream.push(null)
        return
      }
      calls.later('read', [open.fd, bytes, 0, bytes.length, at ?? null]).then(
        (answer) => {
          const count = answer as number
          if (at !== undefined) at += count
          left -= count
          stream.bytesRead += count
          stream.push(count === 0 ? null : bytes.subarray(0, count))
        },
        (error: unknown) => stream.destroy(error as Error),
      )
    },
    destroy(error, done) {
      closeOf(calls, open, handle).then(
        () => done(error),
        (failure: unknown) => done(error ?? (failure as Error)),
      )
    },
  }
  const stream = new calls.context.native.Readable(settings) as FileReadable
  Object.defineProperty(stream, 'fd', { get: () => open.fd, enumerable: true })
  Object.assign(stream, {
    path,
    bytesRead: 0,
    pending: given === undefined || given === null,
    close(callback?: (error?: Error | null) => void) {
      if (callback !== undefined) stream.once('close', callback)
      stream.destroy()
    },
  })
  return stream
}

/** Closes what a stream has open: a handle by itself, so that it knows. */
export async function closeOf(
  calls: Calls,
  open: OpenDescriptor,
  handle: OpenHandle | undefined,
): Promise<void> {
  const { fd } = open
  open.fd = null
  if (handle !== undefined) await handle.close()
  else if (fd !== null) await calls.later('close', [fd])
}
