import { crc32 } from 'node:zlib'

/**
 * What is written to a segment at once: the batches of many streams, so that one sync does for all. A group is there when
 * the order log holds its record; its place is told there.
 *
 * `RLS1`, crc32 of what follows up to the first batch (uint32), number of batches (uint32), 4 bytes that are zero, when it
 * was written (float64, milliseconds since 1970); then for each batch 40 bytes: stream (16), first index (float64), number
 * of entries, size, crc32 (uint32 each) and 4 bytes that are zero; then the batches, each the lengths of its entries (uint32
 * each) and the entries. All numbers are little-endian.
 */

const MAGIC = 0x31534c52
const HEADER_BYTES = 24
const DIRECTORY_BYTES = 40
const KEY_BYTES = 16

/** Entries of one stream without a gap. */
export interface NewBatch {
  /** The stream: 16 bytes, one a character. */
  readonly key: string
  readonly from: number
  readonly entries: readonly Uint8Array[]
}

/** Where a batch lies in its group. */
export interface GroupBatch {
  readonly key: string
  readonly from: number
  readonly count: number
  /** From the beginning of the group, in bytes. */
  readonly begin: number
  readonly bytes: number
  readonly crc: number
}

export interface GroupDirectory {
  readonly newestMs: number
  readonly batches: readonly GroupBatch[]
}

/** How many bytes a group of these batches has. */
export function groupBytes(batches: readonly NewBatch[]): number {
  return batches.reduce((sum, { entries }) => sum + batchBytes(entries), directoryBytes(batches.length))
}

/** Writes a group into `target`, which it fills. */
export function writeGroup(target: Buffer, batches: readonly NewBatch[], newestMs: number): GroupDirectory {
  target.writeUInt32LE(MAGIC, 0)
  target.writeUInt32LE(batches.length, 8)
  target.writeUInt32LE(0, 12)
  target.writeDoubleLE(newestMs, 16)
  const directory: GroupBatch[] = []
  let begin = directoryBytes(batches.length)
  batches.forEach(({ key, from, entries }, i) => {
    const bytes = writeBatch(target, begin, entries)
    const crc = crc32(target.subarray(begin, begin + bytes))
    const at = HEADER_BYTES + i * DIRECTORY_BYTES
    target.write(key, at, KEY_BYTES, 'latin1')
    target.writeDoubleLE(from, at + 16)
    target.writeUInt32LE(entries.length, at + 24)
    target.writeUInt32LE(bytes, at + 28)
    target.writeUInt32LE(crc, at + 32)
    target.writeUInt32LE(0, at + 36)
    directory.push({ key, from, count: entries.length, begin, bytes, crc })
    begin += bytes
  })
  target.writeUInt32LE(crc32(target.subarray(8, directoryBytes(batches.length))), 4)
  return { newestMs, batches: directory }
}

/**
 * Reads the directory of a group. `read` answers bytes of the group, or as many as there are. Undefined when it is not
 * there whole.
 */
export function readDirectory(
  groupSize: number,
  read: (begin: number, length: number) => Buffer,
): GroupDirectory | undefined {
  const header = read(0, HEADER_BYTES)
  if (header.length < HEADER_BYTES || header.readUInt32LE(0) !== MAGIC) return undefined
  const count = header.readUInt32LE(8)
  const size = directoryBytes(count)
  if (size > groupSize) return undefined
  const bytes = read(0, size)
  if (bytes.length < size || crc32(bytes.subarray(8)) !== bytes.readUInt32LE(4)) return undefined
  const batches: GroupBatch[] = []
  let begin = size
  for (let at = HEADER_BYTES; at < size; at += DIRECTORY_BYTES) {
    const batch = {
      key: bytes.toString('latin1', at, at + KEY_BYTES),
      from: bytes.readDoubleLE(at + 16),
      count: bytes.readUInt32LE(at + 24),
      begin,
      bytes: bytes.readUInt32LE(at + 28),
      crc: bytes.readUInt32LE(at + 32),
    }
    batches.push(batch)
    begin += batch.bytes
  }
  return begin === groupSize ? { newestMs: bytes.readDoubleLE(16), batches } : undefined
}

/** How many bytes a batch of these entries has. */
export function batchBytes(entries: readonly Uint8Array[]): number {
  let bytes = 4 * entries.length
  for (const { length } of entries) bytes += length
  return bytes
}

/** The entries of a batch of `count` entries: views of it. Undefined when it is not what was written. */
export function entriesOfBatch(bytes: Buffer, count: number, crc: number): Uint8Array[] | undefined {
  if (crc32(bytes) !== crc) return undefined
  const entries: Uint8Array[] = []
  let begin = 4 * count
  for (let i = 0; i < count; i++) {
    const length = bytes.readUInt32LE(4 * i)
    entries.push(new Uint8Array(bytes.buffer, bytes.byteOffset + begin, length))
    begin += length
  }
  return entries
}

function directoryBytes(batches: number): number {
  return HEADER_BYTES + batches * DIRECTORY_BYTES
}

function writeBatch(target: Buffer, begin: number, entries: readonly Uint8Array[]): number {
  let at = begin + 4 * entries.length
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as Uint8Array
    target.writeUInt32LE(entry.length, begin + 4 * i)
    target.set(entry, at)
    at += entry.length
  }
  return at - begin
}
