import { RecoveryLogError } from '../errors/index.ts'
import { ENTRY_DATA_BYTES_MAX, StreamType } from '../wire/logdog/index.ts'
import type { CutEntry, EntryCutter } from './cut-entry.ts'
import { TextCutter } from './text-cutter.ts'

/** A cutter for streams of `streamType`, one of `StreamType`. */
export function entryCutter(
  streamType: number,
  from: Pick<EntryCutter, 'sequence' | 'lineBytes'>,
  entryBytesMax: number,
): EntryCutter {
  if (streamType === StreamType.text) return new TextCutter(from, entryBytesMax)
  if (streamType === StreamType.binary) return new BinaryCutter(from, entryBytesMax)
  return new DatagramCutter(from, entryBytesMax)
}

/** Each call brings entries of its own; the sequence counts bytes. */
class BinaryCutter implements EntryCutter {
  sequence: number
  readonly lineBytes = 0
  readonly #bytesMax: number

  constructor({ sequence }: Pick<EntryCutter, 'sequence'>, bytesMax: number) {
    this.sequence = sequence
    this.#bytesMax = bytesMax
  }

  *cut(data: Uint8Array): Generator<CutEntry, void, undefined> {
    for (const part of pieces(data, this.#bytesMax)) {
      const { sequence } = this
      this.sequence += part.length
      yield { content: { kind: 'binary', data: part }, sequence }
    }
  }

  rest(): Iterable<CutEntry> {
    return []
  }
}

/** Each call brings one datagram, in parts when it is a large one; the sequence counts datagrams. */
class DatagramCutter implements EntryCutter {
  sequence: number
  readonly lineBytes = 0
  readonly #bytesMax: number

  constructor({ sequence }: Pick<EntryCutter, 'sequence'>, bytesMax: number) {
    this.sequence = sequence
    this.#bytesMax = bytesMax
  }

  *cut(data: Uint8Array): Generator<CutEntry, void, undefined> {
    const size = data.length
    if (size > ENTRY_DATA_BYTES_MAX) {
      const message = `a datagram of ${size} bytes is longer than ${ENTRY_DATA_BYTES_MAX}`
      throw new RecoveryLogError('ENTRY_INVALID', message, { bytes: size, maxBytes: ENTRY_DATA_BYTES_MAX })
    }
    const { sequence } = this
    this.sequence++
    if (size <= this.#bytesMax) {
      yield { content: { kind: 'datagram', data }, sequence }
      return
    }
    const parts = [...pieces(data, this.#bytesMax)]
    for (const [index, part] of parts.entries()) {
      const partial = { index, size, last: index === parts.length - 1 }
      yield { content: { kind: 'datagram', data: part, partial }, sequence }
    }
  }

  rest(): Iterable<CutEntry> {
    return []
  }
}

function* pieces(data: Uint8Array, bytesMax: number): Generator<Uint8Array, void, undefined> {
  for (let begin = 0; begin < data.length; begin += bytesMax) yield data.subarray(begin, begin + bytesMax)
}
