import { RecoveryLogError } from '../errors/index.ts'
import { varintLength, writeVarint } from './protobuf.ts'

/**
 * RecordIO (log-archive spec, section 4): a frame is the length of its data as an unsigned varint, then the data.
 * Nothing is allocated for a length that has only been claimed: a frame is put together from the bytes that came.
 */

/** The largest frame that a reader of archives takes, in bytes. */
export const RECORD_BYTES_MAX = 20 * 1024 * 1024

/** A varint of 64 bits has at most this many bytes. */
const HEADER_BYTES_MAX = 10

/** One frame around `data`: a new array. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(varintLength(data.length) + data.length)
  frame.set(data, writeVarint(frame, 0, data.length))
  return frame
}

/** The header of a frame as `readRecordHeader` finds it. */
export interface RecordHeader {
  /** How long the frame's data says it is; numbers from 2^53 on are rounded, and above every maximum. */
  length: number
  /** Where the data begins. */
  dataBegin: number
}

/**
 * Reads the header of a frame at `begin` into `header`. Answers false when the bytes end inside it.
 *
 * @throws RecoveryLogError `VARINT_OVERFLOW` when the length does not fit into 64 bits. `offset` is the place of the
 * frame that errors tell of.
 */
export function readRecordHeader(
  bytes: Uint8Array,
  begin: number,
  end: number,
  header: RecordHeader,
  offset = begin,
): boolean {
  // Most frames have a header of one byte or two.
  if (begin + 1 < end) {
    const first = bytes[begin] as number
    if (first < 0x80) {
      header.length = first
      header.dataBegin = begin + 1
      return true
    }
    const second = bytes[begin + 1] as number
    if (second < 0x80) {
      header.length = (second << 7) | (first & 0x7f)
      header.dataBegin = begin + 2
      return true
    }
  }
  let length = 0
  let scale = 1
  for (let index = 0; index < HEADER_BYTES_MAX; index++) {
    if (begin + index >= end) return false
    const byte = bytes[begin + index] as number
    if (index === HEADER_BYTES_MAX - 1 && byte > 1) break
    length += (byte & 0x7f) * scale
    scale *= 0x80
    if (byte < 0x80) {
      header.length = length
      header.dataBegin = begin + index + 1
      return true
    }
  }
  throw new RecoveryLogError('VARINT_OVERFLOW', `the frame at ${offset} has a length beyond 64 bits`, {
    offset,
  })
}

/**
 * Reads a stream of frames, cut into chunks anywhere. Push the chunks in order, then call `end`.
 *
 * ```ts
 * const records = new RecordReader()
 * for await (const chunk of chunks) for (const data of records.push(chunk)) use(data)
 * records.end()
 * ```
 */
export class RecordReader {
  readonly #maxRecordBytes: number
  readonly #header: RecordHeader = { length: 0, dataBegin: 0 }
  /** What came of a frame that is not whole yet: copies, because chunks are borrowed. */
  #pieces: Uint8Array[] = []
  #pieceBytes = 0
  #frameOffset: number

  /**
   * @param options.maxRecordBytes the largest frame that is taken, default 20 MiB
   * @param options.offset where the stream's first byte lies, for the places that errors name; default 0
   */
  constructor(options: { readonly maxRecordBytes?: number; readonly offset?: number } = {}) {
    this.#maxRecordBytes = options.maxRecordBytes ?? RECORD_BYTES_MAX
    this.#frameOffset = options.offset ?? 0
  }

  /** Where the next frame begins: behind the last one that was given. */
  get offset(): number {
    return this.#frameOffset
  }

  /**
   * Yields the data of every frame that `chunk` completes. The chunk is borrowed until the iteration has ended; what is
   * yielded is a view of it, or a copy when the frame lay across chunks.
   *
   * @throws RecoveryLogError `FRAME_TOO_LARGE`, told from the header alone; `VARINT_OVERFLOW`. The reader is of no use
   * afterwards.
   */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    let bytes = chunk
    if (this.#pieceBytes > 0) {
      const rest = this.#complete(chunk)
      if (rest === undefined) return
      yield rest.data
      bytes = chunk.subarray(rest.taken)
    }
    let begin = 0
    while (begin < bytes.length && this.#whole(bytes, begin)) {
      const { dataBegin, length } = this.#header
      this.#frameOffset += dataBegin - begin + length
      begin = dataBegin + length
      yield bytes.subarray(dataBegin, begin)
    }
    if (begin < bytes.length) this.#keep(bytes.subarray(begin))
  }

  /** @throws RecoveryLogError `UNEXPECTED_END` when the stream has ended inside a frame, also right behind a header. */
  end(): void {
    if (this.#pieceBytes === 0) return
    const offset = this.#frameOffset
    throw new RecoveryLogError('UNEXPECTED_END', `the input ends inside the frame at ${offset}`, {
      offset,
      bytes: this.#pieceBytes,
    })
  }

  #whole(bytes: Uint8Array, begin: number): boolean {
    const header = this.#header
    if (!readRecordHeader(bytes, begin, bytes.length, header, this.#frameOffset)) return false
    if (header.length > this.#maxRecordBytes) {
      throw recordTooLarge(this.#frameOffset, header.length, this.#maxRecordBytes)
    }
    return header.dataBegin + header.length <= bytes.length
  }

  #keep(piece: Uint8Array): void {
    this.#pieces.push(new Uint8Array(piece))
    this.#pieceBytes += piece.length
  }

  /** Adds from `chunk` to the frame under way: answers its data when that completes it. */
  #complete(chunk: Uint8Array): { readonly data: Uint8Array; readonly taken: number } | undefined {
    const before = this.#pieceBytes
    const head = new Uint8Array(Math.min(HEADER_BYTES_MAX, before + chunk.length))
    let filled = 0
    for (const piece of [...this.#pieces, chunk]) {
      const part = piece.subarray(0, head.length - filled)
      head.set(part, filled)
      filled += part.length
      if (filled === head.length) break
    }
    const header = this.#header
    const known = readRecordHeader(head, 0, head.length, header, this.#frameOffset)
    if (known && header.length > this.#maxRecordBytes) {
      throw recordTooLarge(this.#frameOffset, header.length, this.#maxRecordBytes)
    }
    const frameBytes = known ? header.dataBegin + header.length : Number.POSITIVE_INFINITY
    if (before + chunk.length < frameBytes) {
      this.#keep(chunk)
      return undefined
    }
    const taken = frameBytes - before
    const frame = new Uint8Array(frameBytes)
    let at = 0
    for (const piece of this.#pieces) {
      frame.set(piece, at)
      at += piece.length
    }
    frame.set(chunk.subarray(0, taken), at)
    this.#pieces = []
    this.#pieceBytes = 0
    this.#frameOffset += frameBytes
    return { data: frame.subarray(header.dataBegin), taken }
  }
}

/**
 * Splits a whole buffer into the data of its frames: views of it. A frame that is longer than what is left of the
 * buffer is `FRAME_TOO_LARGE`, as the buffer is the maximum.
 *
 * @throws RecoveryLogError `FRAME_TOO_LARGE`, `UNEXPECTED_END`, `VARINT_OVERFLOW`; `data.records` holds what came before
 */
export function splitRecords(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = []
  for (const data of recordsOf(bytes)) records.push(data)
  return records
}

/** As `splitRecords`, one frame after another. */
export function* recordsOf(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  const header: RecordHeader = { length: 0, dataBegin: 0 }
  for (let begin = 0; begin < bytes.length; begin = header.dataBegin + header.length) {
    if (!readRecordHeader(bytes, begin, bytes.length, header)) {
      throw new RecoveryLogError('UNEXPECTED_END', `the input ends inside the header at ${begin}`, {
        offset: begin,
      })
    }
    const left = bytes.length - header.dataBegin
    if (header.length > left) throw recordTooLarge(begin, header.length, left)
    yield bytes.subarray(header.dataBegin, header.dataBegin + header.length)
  }
}

/** The error for a frame whose length passes the maximum. */
export function recordTooLarge(offset: number, length: number, maxRecordBytes: number): RecoveryLogError {
  return new RecoveryLogError(
    'FRAME_TOO_LARGE',
    `the frame at ${offset} says ${length} bytes, more than ${maxRecordBytes}`,
    {
      offset,
      length,
      maxRecordBytes,
    },
  )
}
