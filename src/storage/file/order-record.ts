import { crc32 } from 'node:zlib'

/**
 * The records of the order log. Each has 64 bytes, so that it is appended by one write, which the system does not mix
 * with those of others:
 *
 * `RLO1`, crc32 of what follows, kind, boot, owner, counter (uint32 each, little-endian), key (16 bytes), then 16 bytes of
 * attempt, or offset and size (float64 each), and 8 bytes that are zero.
 */
export const ORDER_RECORD_BYTES = 64

/** What a record orders. What each means for the table is said in `StreamTable`. */
export const OrderKind = { group: 1, seal: 2, unseal: 3, expunge: 4, drop: 5, end: 6 } as const
export type OrderKind = (typeof OrderKind)[keyof typeof OrderKind]

export interface OrderRecord {
  readonly kind: OrderKind
  /** In which boot of the machine it was written: what a dead boot wrote last may not have reached the disk. */
  readonly boot: number
  /** Who wrote it, and its number among that owner's: so that the owner finds it again. */
  readonly owner: number
  readonly counter: number
  /** Of a group and a drop: the segment. Else the stream. 16 bytes, one a character. */
  readonly key: string
  /** Of a seal and an unseal: the attempt's hash, as the key. */
  readonly attempt: string
  /** Of a group: where it lies in its segment, in bytes. */
  readonly offset: number
  readonly bytes: number
}

const MAGIC = 0x314f4c52
const MAGIC_BYTES = Buffer.from('RLO1', 'latin1')
const KEY_BYTES = 16
const NO_ATTEMPT = '\0'.repeat(KEY_BYTES)

/** The records behind each other. */
export function encodeRecords(records: readonly OrderRecord[]): Buffer {
  const bytes = Buffer.alloc(records.length * ORDER_RECORD_BYTES)
  records.forEach((record, i) => {
    const at = i * ORDER_RECORD_BYTES
    bytes.writeUInt32LE(MAGIC, at)
    bytes.writeUInt32LE(record.kind, at + 8)
    bytes.writeUInt32LE(record.boot, at + 12)
    bytes.writeUInt32LE(record.owner, at + 16)
    bytes.writeUInt32LE(record.counter, at + 20)
    bytes.write(record.key, at + 24, KEY_BYTES, 'latin1')
    if (record.kind === OrderKind.group) {
      bytes.writeDoubleLE(record.offset, at + 40)
      bytes.writeDoubleLE(record.bytes, at + 48)
    } else {
      bytes.write(record.attempt, at + 40, KEY_BYTES, 'latin1')
    }
    bytes.writeUInt32LE(crc32(bytes.subarray(at + 8, at + ORDER_RECORD_BYTES)), at + 4)
  })
  return bytes
}

/** The record at `at`, if there is one, whole. */
export function decodeRecord(bytes: Buffer, at: number): OrderRecord | undefined {
  if (bytes.readUInt32LE(at) !== MAGIC) return undefined
  if (bytes.readUInt32LE(at + 4) !== crc32(bytes.subarray(at + 8, at + ORDER_RECORD_BYTES))) return undefined
  const kind = bytes.readUInt32LE(at + 8) as OrderKind
  const isGroup = kind === OrderKind.group
  return {
    kind,
    boot: bytes.readUInt32LE(at + 12),
    owner: bytes.readUInt32LE(at + 16),
    counter: bytes.readUInt32LE(at + 20),
    key: bytes.toString('latin1', at + 24, at + 24 + KEY_BYTES),
    attempt: isGroup ? NO_ATTEMPT : bytes.toString('latin1', at + 40, at + 40 + KEY_BYTES),
    offset: isGroup ? bytes.readDoubleLE(at + 40) : 0,
    bytes: isGroup ? bytes.readDoubleLE(at + 48) : 0,
  }
}

/**
 * Where the next record can begin behind `at`, where there is none though 64 bytes are there: an append was cut, by a full
 * disk or a power loss. All readers pass over the same bytes, as what is there does not change.
 */
export function nextRecordStart(bytes: Buffer, at: number): number {
  const found = bytes.indexOf(MAGIC_BYTES, at + 1)
  return found < 0 ? Math.max(at + 1, bytes.length - MAGIC_BYTES.length + 1) : found
}
