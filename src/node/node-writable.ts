import { Writable } from 'node:stream'
import type { StreamWriter } from '../log-archive/index.ts'

/**
 * A stream of a log archive as a `Writable` of Node: `child.stdout.pipe(nodeWritable(stream))`. Each chunk is written; the
 * end closes the stream, destroying it before leaves it, so that it can be opened again. Backpressure is the stream's own.
 */
export function nodeWritable(stream: StreamWriter): Writable {
  const tell =
    (callback: (error?: Error | null) => void) =>
    (promise: Promise<unknown>): void => {
      promise.then(() => {
        callback()
      }, callback)
    }
  return new Writable({
    highWaterMark: 0, // the stream's buffer is the only one
    write: (chunk: Uint8Array, _encoding, callback) => {
      tell(callback)(stream.write(chunk))
    },
    final: (callback) => {
      tell(callback)(stream.close())
    },
    destroy: (error, callback) => {
      stream.leave().then(
        () => {
          callback(error)
        },
        (left: unknown) => {
          callback(error ?? (left as Error))
        },
      )
    },
  })
}
