/**
 * The inputs of the bench, byte for byte those on which the Go originals were measured, so that rows can be held
 * against their figures. Sizes, counts and checksums are tested in test/bench/workloads.test.ts.
 *
 * The bytes are made here from nothing but the rules, not by the library that is measured with them:
 *
 * | function            | answers                                                                            |
 * | ------------------- | ---------------------------------------------------------------------------------- |
 * | `churn(live)`       | 2,000,000 operations with `live` files at any time: one buffer, kept once made      |
 * | `playChunks(input)` | the log of `PLAY['64B']`, `PLAY['4KiB']` or `PLAY['1MiB']` in pieces of about 4 MiB |
 * | `playContent(size)` | what the writes of that log take their content from: write i is at `i % 100`        |
 * | `segmentAt(i)`      | the i-th of a row of segments, with gaps between or `adjacent`                      |
 * | `shuffled(count)`   | the numbers below `count` in a random order, the same each time                     |
 * | `archiveChunks()`   | the entries file of 1,000,000 lines in pieces of about 4 MiB                        |
 * | `archiveEntry(i)`   | the i-th of those entries: one encoded `LogEntry`, without its frame                |
 */

/** All inputs of the recovery log are by this author, in sequence from 1, in one chain from 0. */
export const AUTHOR = 0x1a2b3c4d

const CHURN_OPERATIONS = 2_000_000
const PLAY_FILES = 100
const ARCHIVE_ENTRIES = 1_000_000
const CHUNK_BYTES = 4 << 20
const SLACK_BYTES = 1024
const ENTRY_BYTES_MAX = 160

/** How many operations, files and bytes one log holds, by kind, and the checksum with which its chain ends. */
export interface LogInput {
  readonly bytes: Uint8Array
  readonly creates: number
  readonly unlinks: number
  readonly writes: number
  readonly nextSeqNo: number
  readonly nextChecksum: number
}

export interface PlayInput {
  /** Bytes of one write. */
  readonly size: number
  readonly writes: number
  /** Bytes of the whole log. */
  readonly logBytes: number
}

export const PLAY = {
  '64B': { size: 64, writes: 1_000_000, logBytes: 95_960_885 },
  '4KiB': { size: 4096, writes: 200_000, logBytes: 825_934_985 },
  '1MiB': { size: 1 << 20, writes: 1024, logBytes: 1_073_779_208 },
} as const satisfies Record<string, PlayInput>

/** xorshift32: unsigned numbers, the same row for the same seed. */
export function xorshift32(seed: number): () => number {
  let x = seed
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return x >>> 0
  }
}

const churns = new Map<number, LogInput>()

/** `live` creates first; then a quarter unlinks with a create in the same slot, the rest empty writes. */
export function churn(live: number): LogInput {
  const made = churns.get(live) ?? makeChurn(live, CHURN_OPERATIONS)
  churns.set(live, made)
  return made
}

/** A shorter one, for tests: as `churn` begins. */
export function makeChurn(live: number, operations: number): LogInput {
  const log = new LogWriter(40 * operations + 64 * live)
  const next = xorshift32(0x9e3779b9)
  const fnodes = new Float64Array(live)
  const numbers = new Int32Array(live)
  let files = 0
  const create = (slot: number): void => {
    numbers[slot] = files
    fnodes[slot] = log.create(churnPath(files++))
  }
  for (let slot = 0; slot < live; slot++) create(slot)
  while (log.nextSeqNo <= operations) {
    if (next() % 4 === 0) {
      const slot = next() % live
      log.unlink(fnodes[slot] as number, churnPath(numbers[slot] as number))
      create(slot)
    } else {
      const slot = next() % live
      log.write(fnodes[slot] as number, next() % 2 ** 20, 0)
    }
  }
  const { nextSeqNo, nextChecksum, creates, unlinks, writes } = log
  return { bytes: log.take(), nextSeqNo, nextChecksum: nextChecksum >>> 0, creates, unlinks, writes }
}

function churnPath(file: number): string {
  return `/db/${String(file).padStart(8, '0')}.sst`
}

/** Where the writes of a play input take their content from: write i is `[i % 100, i % 100 + size)` of it. */
export function playContent(size: number): Uint8Array {
  const next = xorshift32(0x12345678)
  return Uint8Array.from({ length: size + PLAY_FILES }, () => next() & 0xff)
}

/** A hundred creates, then writes to each file in turn at its end. The pieces are the caller's to keep. */
export function* playChunks(input: PlayInput): Generator<Uint8Array<ArrayBuffer>> {
  const log = new LogWriter(CHUNK_BYTES + input.size + SLACK_BYTES)
  const data = playContent(input.size)
  for (let file = 0; file < PLAY_FILES; file++) log.create(`/play/${String(file).padStart(2, '0')}`)
  for (let i = 0; i < input.writes; i++) {
    const file = i % PLAY_FILES
    const offset = Math.floor(i / PLAY_FILES) * input.size
    log.write(file + 1, offset, input.size)
    log.out.raw(data.subarray(file, file + input.size))
    if (log.out.length >= CHUNK_BYTES) yield log.take()
  }
  yield log.take()
}

/** A segment by the shape that the segment set takes. */
export function segmentAt(
  i: number,
  options: { readonly adjacent?: boolean } = {},
): {
  readonly author: number
  readonly firstSeqNo: number
  readonly firstOffset: number
  readonly firstChecksum: number
  readonly lastSeqNo: number
  readonly lastOffset: number
  readonly log: string
} {
  return {
    author: 7,
    firstSeqNo: 3 * i + 1,
    firstOffset: 100 * i,
    firstChecksum: i,
    lastSeqNo: options.adjacent === true ? 3 * i + 3 : 3 * i + 2,
    lastOffset: 100 * i + 90,
    log: 'a/log',
  }
}

/** Fisher and Yates, seeded. */
export function shuffled(count: number): Uint32Array {
  const next = xorshift32(0x9e3779b9)
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = next() % (i + 1)
    const held = order[i] as number
    order[i] = order[j] as number
    order[j] = held
  }
  return order
}

/** The descriptor of the archive input, an encoded `LogStreamDescriptor`. */
export const ARCHIVE_DESCRIPTOR: Uint8Array = Buffer.from(
  '0a047065726612056c696e65732219746578742f706c61696e3b20636861727365743d7574662d382a060880e2cfaa06',
  'hex',
)

/** The `i`-th line, `i` milliseconds after the first, as an encoded `LogEntry`. */
export function archiveEntry(i: number): Uint8Array {
  const out = new ByteWriter(ENTRY_BYTES_MAX)
  writeArchiveEntry(out, i)
  return out.bytes()
}

/** `logstream.entries` of 1,000,000 lines. The pieces are the caller's to keep. */
export function* archiveChunks(): Generator<Uint8Array<ArrayBuffer>> {
  const out = new ByteWriter(CHUNK_BYTES + SLACK_BYTES)
  out.lengthPrefixed(ARCHIVE_DESCRIPTOR)
  const entry = new ByteWriter(ENTRY_BYTES_MAX)
  for (let i = 0; i < ARCHIVE_ENTRIES; i++) {
    entry.length = 0
    writeArchiveEntry(entry, i)
    out.lengthPrefixed(entry.bytes())
    if (out.length >= CHUNK_BYTES) yield out.take()
  }
  yield out.take()
}

function writeArchiveEntry(out: ByteWriter, i: number): void {
  out.nested(1, () => {
    out.numberField(1, Math.floor(i / 1000))
    out.numberField(2, (i % 1000) * 1_000_000)
  })
  for (const field of [2, 3, 4]) out.numberField(field, i)
  out.nested(10, () => {
    out.nested(1, () => {
      out.nested(1, () => out.ascii(`line ${String(i).padStart(8, '0')} `.padEnd(80, 'x')))
      out.nested(2, () => out.ascii('\n'))
    })
  })
}

/** Just enough protobuf for the inputs: numbers below 2^53, defaults left out. */
class ByteWriter {
  length = 0
  private buffer: Uint8Array<ArrayBuffer>

  constructor(capacity: number) {
    this.buffer = new Uint8Array(capacity)
  }

  /** What has been written: a view. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(0, this.length)
  }

  /** Gives away what has been written, and begins again in a new buffer. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes()
    this.buffer = new Uint8Array(this.buffer.length)
    this.length = 0
    return taken
  }

  byte(value: number): void {
    this.buffer[this.length++] = value
  }

  varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.byte(rest)
  }

  fixed32(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte((value >>> shift) & 0xff)
  }

  numberField(field: number, value: number): void {
    if (value === 0) return
    this.byte(field * 8)
    this.varint(value)
  }

  /** A message of less than 128 bytes. */
  nested(field: number, write: () => void): void {
    this.byte(field * 8 + 2)
    this.byte(0)
    const begin = this.length
    write()
    this.buffer[begin - 1] = this.length - begin
  }

  ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i))
  }

  raw(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  lengthPrefixed(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.raw(bytes)
  }
}

/** Writes frames of one author in one chain. */
class LogWriter {
  readonly out: ByteWriter
  nextSeqNo = 1
  nextChecksum = 0
  creates = 0
  unlinks = 0
  writes = 0
  private readonly message = new ByteWriter(SLACK_BYTES)
  private readonly body = new ByteWriter(SLACK_BYTES)

  constructor(capacity: number) {
    this.out = new ByteWriter(capacity)
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.out.take()
  }

  /** Answers the fnode. */
  create(path: string): number {
    const fnode = this.nextSeqNo
    this.body.nested(1, () => this.body.ascii(path))
    this.frame(4)
    this.creates++
    return fnode
  }

  unlink(fnode: number, path: string): void {
    this.body.numberField(1, fnode)
    this.body.nested(2, () => this.body.ascii(path))
    this.frame(6)
    this.unlinks++
  }

  write(fnode: number, offset: number, length: number): void {
    this.body.numberField(1, fnode)
    this.body.numberField(2, offset)
    this.body.numberField(3, length)
    this.frame(7)
    this.writes++
  }

  /** Frames `body` as field `field` of the next operation. */
  private frame(field: number): void {
    const { out, message, body } = this
    message.numberField(1, this.nextSeqNo)
    if (this.nextChecksum !== 0) {
      message.byte(2 * 8 + 5)
      message.fixed32(this.nextChecksum)
    }
    message.byte(3 * 8 + 5)
    message.fixed32(AUTHOR)
    message.nested(field, () => message.raw(body.bytes()))
    out.fixed32(0x36933366)
    out.fixed32(message.length)
    out.raw(message.bytes())
    this.nextSeqNo++
    this.nextChecksum = plainCrc32c(this.nextChecksum, message.bytes())
    message.length = 0
    body.length = 0
  }
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  return crc
})

/** The byte-wise one: what a plain stack has. */
export function plainCrc32c(previous: number, bytes: Uint8Array): number {
  let crc = ~previous
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] as number)
  return ~crc
}
