import { crc32 } from 'node:zlib'
import { StreamTable } from './stream-table.ts'
import type { Segment, StoredBatch } from './stream-table.ts'

/**
 * A whole table, as it is at the beginning of a file of the order log, so that the files before can go.
 *
 * `RLT1`, crc32 of what follows (uint32), then numbers of segments, streams and seals (uint32 each) and 4 bytes that are
 * zero; each segment (16 bytes); each stream (16 bytes, time of the newest entry as float64, number of runs as uint32, 4
 * bytes that are zero, and the runs of 40 bytes); each seal (stream and attempt, 16 bytes each). All little-endian.
 */

const MAGIC = 0x31544c52
const HEADER_BYTES = 24
const KEY_BYTES = 16
const STREAM_BYTES = 32
const RUN_BYTES = 40

export function encodeSnapshot(table: StreamTable): Buffer {
  const segments = [...table.segments.values()]
  const positions = new Map(segments.map((segment, i) => [segment, i]))
  const bytes = Buffer.alloc(snapshotBytes(table))
  bytes.writeUInt32LE(MAGIC, 0)
  bytes.writeUInt32LE(segments.length, 8)
  bytes.writeUInt32LE(table.streams.size, 12)
  bytes.writeUInt32LE(table.seals.size, 16)
  let at = HEADER_BYTES
  for (const { id } of segments) at += bytes.write(id, at, KEY_BYTES, 'latin1')
  for (const [key, { runs, newestMs }] of table.streams) {
    bytes.write(key, at, KEY_BYTES, 'latin1')
    bytes.writeDoubleLE(newestMs, at + 16)
    bytes.writeUInt32LE(runs.size, at + 24)
    at += STREAM_BYTES
    for (const { from, count, first, batch } of runs) {
      bytes.writeDoubleLE(from, at)
      bytes.writeDoubleLE(batch.offset, at + 8)
      bytes.writeUInt32LE(count, at + 16)
      bytes.writeUInt32LE(first, at + 20)
      bytes.writeUInt32LE(positions.get(batch.segment) as number, at + 24)
      bytes.writeUInt32LE(batch.bytes, at + 28)
      bytes.writeUInt32LE(batch.count, at + 32)
      bytes.writeUInt32LE(batch.crc, at + 36)
      at += RUN_BYTES
    }
  }
  for (const [key, attempt] of table.seals) {
    at += bytes.write(key, at, KEY_BYTES, 'latin1')
    at += bytes.write(attempt, at, KEY_BYTES, 'latin1')
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4)
  return bytes
}

/** The table of a snapshot; undefined when it is not what was written. */
export function decodeSnapshot(bytes: Buffer): StreamTable | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC) return undefined
  if (crc32(bytes.subarray(8)) !== bytes.readUInt32LE(4)) return undefined
  const table = new StreamTable()
  const segments: Segment[] = []
  let at = HEADER_BYTES
  const key = (): string => bytes.toString('latin1', at, (at += KEY_BYTES))
  for (let left = bytes.readUInt32LE(8); left > 0; left--) segments.push(table.segment(key()))
  for (let left = bytes.readUInt32LE(12); left > 0; left--) {
    const stream = table.stream(key())
    stream.newestMs = bytes.readDoubleLE(at)
    const end = at + STREAM_BYTES - KEY_BYTES + bytes.readUInt32LE(at + 8) * RUN_BYTES
    for (at += STREAM_BYTES - KEY_BYTES; at < end; at += RUN_BYTES) {
      const batch: StoredBatch = {
        segment: segments[bytes.readUInt32LE(at + 24)] as Segment,
        offset: bytes.readDoubleLE(at + 8),
        bytes: bytes.readUInt32LE(at + 28),
        count: bytes.readUInt32LE(at + 32),
        crc: bytes.readUInt32LE(at + 36),
      }
      batch.segment.liveRuns++
      stream.runs.push({
        from: bytes.readDoubleLE(at),
        count: bytes.readUInt32LE(at + 16),
        first: bytes.readUInt32LE(at + 20),
        batch,
      })
    }
  }
  for (let left = bytes.readUInt32LE(16); left > 0; left--) table.seals.set(key(), key())
  return table
}

function snapshotBytes({ segments, streams, seals }: StreamTable): number {
  let bytes = HEADER_BYTES + segments.size * KEY_BYTES + seals.size * 2 * KEY_BYTES
  for (const { runs } of streams.values()) bytes += STREAM_BYTES + runs.size * RUN_BYTES
  return bytes
}
