import { throwIfAborted } from '../async/index.ts'
import type { LogRequest, Logs } from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { LogEntry } from '../wire/logdog/index.ts'
import type { ReadOptions } from './options.ts'

type Batches = AsyncGenerator<readonly LogEntry[], void, undefined>

type ReadRequest = ReadOptions & Pick<LogRequest, 'project' | 'path'>

/** Reads a stream as `LogArchive.read` says, until `closed` is aborted. */
export async function* readStream(logs: Logs, request: ReadRequest, closed: AbortSignal): Batches {
  const { project, path, from, tail, limit = Infinity, follow = false } = request
  if (from !== undefined && tail !== undefined) throw new TypeError('expected from or tail, got both')
  if (tail !== undefined) checkCount('tail', tail)
  if (limit !== Infinity) checkCount('limit', limit)
  const signal = request.signal === undefined ? closed : AbortSignal.any([request.signal, closed])
  const stream = { project, path, signal }
  try {
    throwIfAborted(signal)
    const index = tail === undefined ? (from ?? 0) : await tailIndex(logs, stream, tail)
    yield* follow ? limited(logs.follow({ ...stream, index }), limit) : pages(logs, stream, index, limit)
  } catch (error) {
    if (!closed.aborted || !RecoveryLogError.is(error, 'ABORTED')) throw error
    throw new RecoveryLogError('CLOSED', 'the log archive is closed', { project, path }, { cause: error })
  }
}

/** Where the last `count` indexes begin. */
async function tailIndex(logs: Logs, stream: LogRequest, count: number): Promise<number> {
  const last = (await logs.tail(stream)).entries[0]
  return last === undefined ? 0 : Math.max(0, last.streamIndex + 1 - count)
}

/** What is there, a page at a time, so that memory does not grow with the stream. */
async function* pages(logs: Logs, stream: LogRequest, from: number, limit: number): Batches {
  let index = from
  let left = limit
  while (left > 0) {
    const range = left === Infinity ? { index } : { index, limit: left }
    const { entries } = await logs.get({ ...stream, ...range, sparse: true })
    const last = entries.at(-1)
    if (last === undefined) return
    yield entries
    index = last.streamIndex + 1
    left -= entries.length
  }
}

async function* limited(batches: Batches, limit: number): Batches {
  let left = limit
  if (left === 0) return
  for await (const batch of batches) {
    yield batch.length <= left ? batch : batch.slice(0, left)
    left -= batch.length
    if (left <= 0) return
  }
}

function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return
  throw new RangeError(`expected an integer from 0 for ${name}, got ${value}`)
}
