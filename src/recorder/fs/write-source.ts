/** What `writeFile` takes beside bytes and text: iterables and streams of them. */
import type { Calls } from './calls.ts'

/**
 * Hands the data to `write`, in one piece if it fits one append, so that a replay sees it whole or not at all; a longer
 * stream in pieces of that size. Also what came before a source failed is written, as in Node.
 */
export async function gathered(
  calls: Calls,
  data: unknown,
  encoding: unknown,
  write: (piece: unknown) => Promise<void>,
): Promise<void> {
  if (typeof data === 'string' || ArrayBuffer.isView(data) || !isIterable(data)) {
    await write(data)
    return
  }
  const { native, recorder } = calls.context
  let pieces: Uint8Array[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    const whole = new Uint8Array(bytes)
    let at = 0
    for (const piece of pieces) {
      whole.set(piece, at)
      at += piece.length
    }
    pieces = []
    bytes = 0
    await write(whole)
  }
  try {
    for await (const chunk of data) {
      const piece =
        typeof chunk === 'string'
          ? native.encode(chunk, encoding)
          : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength).slice()
      if (bytes > 0 && !recorder.fitsAppend(bytes + piece.length)) await flush()
      pieces.push(piece)
      bytes += piece.length
    }
  } finally {
    await flush()
  }
}

type Source = Iterable<string | ArrayBufferView> | AsyncIterable<string | ArrayBufferView>

function isIterable(data: unknown): data is Source {
  return (
    typeof data === 'object' && data !== null && (Symbol.asyncIterator in data || Symbol.iterator in data)
  )
}
