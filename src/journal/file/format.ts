/**
 * The file journal on disk. A journal is one folder:
 *
 * | file | what it is |
 * | --- | --- |
 * | `journal` | identity: a record of id, name and durability, published once by link(2) |
 * | `epoch-<n>.intent` | empty; whoever created it is the appender of epoch n, or died trying |
 * | `epoch-<n>.seal` | a record of where epoch n begins, and the registers there: the epoch before counts up to it |
 * | `epoch-<n>.head` | how far the appender of epoch n has synced: two slots, written in turns |
 * | `epoch-<n>-<begin>.segment` | a segment header, groups, and at the end of one that is full an end mark |
 *
 * Epochs are numbered from 1 without a gap, in 10 digits; offsets have 16. Intents and seals are never removed.
 * All numbers are little-endian; offsets are uint64 below 2^53.
 *
 * Record: JSON text, a line feed, the CRC-32 of the text in 8 hex digits, a line feed.
 *
 * Segment header, 80 bytes: 0 magic, 4 crc of [8, 80) | 8 version | 12 salt | 16 epoch | 24 begin | 32 id of the journal
 * as ASCII, filled up with zeros. The salt is random: no content of this journal, and no segment of another, can
 * look like a group.
 *
 * Group, 40 bytes and what follows them: 0 magic | 4 crc of [8, 40) and the registers, begun with the salt | 8 checksum
 * of the content, see content-checksum.ts | 12 content bytes | 16 register bytes | 20 flags: 1 an end mark,
 * 2 a Poly1305 | 24 begin | 32 synced: what the appender had synced when it wrote this group | 40 registers after the
 * group, JSON | content.
 * An end mark has neither registers nor content.
 *
 * Behind the last group of a segment that is being written to there may be zeros, which mean nothing.
 *
 * A segment is begun when all before it is synced. So what is not synced lies at the very end of the last segment of an
 * epoch, and can be torn in any way. What lies below any later group's `synced`, or below a head that holds, was whole
 * once; if it is not now, it is damaged.
 *
 * Head slot, 96 bytes each: 0 magic | 4 crc of [8, 96) | 8 count, from 1; the higher one of the two holds | 16 boot id as
 * ASCII, filled up with zeros | 64 synced | 72 begin of the segment | 80 where its last synced group lies in it, 0 is
 * none | 88 where the next group goes.
 */
import { crc32 } from 'node:zlib'
import type { ContentChecksum } from './content-checksum.ts'

export const FORMAT_VERSION = 1

export const SEGMENT_HEADER_BYTES = 80
export const GROUP_HEADER_BYTES = 40
export const HEAD_SLOT_BYTES = 96

const SEGMENT_MAGIC = 0x31736c52 // Rls1
const GROUP_MAGIC = 0x31676c52 // Rlg1
const HEAD_MAGIC = 0x31686c52 // Rlh1

/** How the magic of a group lies in a file: what a search for the next good group looks for. */
export const GROUP_MAGIC_BYTES = new Uint8Array([0x52, 0x6c, 0x67, 0x31])

/** Bounds the memory that a lying length can take: 64 labels of 64 and 1,024 bytes, each byte escaped. */
export const REGISTERS_BYTES_MAX = 256 * 1024

const ID_BYTES_MAX = 48
const BOOT_BYTES_MAX = 48
const FLAG_END = 1
const FLAG_POLY1305 = 2

export interface SegmentHeader {
  readonly epoch: number
  readonly begin: number
  readonly salt: number
  readonly id: string
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  const view = viewOf(bytes)
  view.setUint32(0, SEGMENT_MAGIC, true)
  view.setUint32(8, FORMAT_VERSION, true)
  view.setUint32(12, header.salt, true)
  setInteger(view, 16, header.epoch)
  setInteger(view, 24, header.begin)
  setText(bytes, 32, ID_BYTES_MAX, header.id)
  view.setUint32(4, crc32(bytes.subarray(8)), true)
  return bytes
}

/** Undefined when it is torn or damaged. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined
  const view = viewOf(bytes)
  if (view.getUint32(0, true) !== SEGMENT_MAGIC || view.getUint32(8, true) !== FORMAT_VERSION) {
    return undefined
  }
  if (view.getUint32(4, true) !== crc32(bytes.subarray(8, SEGMENT_HEADER_BYTES))) return undefined
  return {
    epoch: getInteger(view, 16),
    begin: getInteger(view, 24),
    salt: view.getUint32(12, true),
    id: getText(bytes, 32, ID_BYTES_MAX),
  }
}

/** The fixed part of a group, as read. */
export interface GroupHeader {
  readonly isEnd: boolean
  readonly begin: number
  readonly synced: number
  readonly checksum: ContentChecksum
  readonly contentBytes: number
  /** Header and registers: the content begins this far behind the header. */
  readonly headBytes: number
}

export interface GroupToWrite {
  readonly begin: number
  readonly synced: number
  readonly checksum: ContentChecksum
  readonly contentBytes: number
  readonly registers: Uint8Array
}

/** Writes the header and registers of a group to `target` at `at`; answers where they end. */
export function encodeGroupHeader(target: Uint8Array, at: number, salt: number, group: GroupToWrite): number {
  const end = at + GROUP_HEADER_BYTES + group.registers.length
  const view = viewOf(target)
  view.setUint32(at, GROUP_MAGIC, true)
  view.setUint32(at + 8, group.checksum.value, true)
  view.setUint32(at + 12, group.contentBytes, true)
  view.setUint32(at + 16, group.registers.length, true)
  view.setUint32(at + 20, flagsOf(group), true)
  setInteger(view, at + 24, group.begin)
  setInteger(view, at + 32, group.synced)
  target.set(group.registers, at + GROUP_HEADER_BYTES)
  view.setUint32(at + 4, crc32(target.subarray(at + 8, end), salt), true)
  return end
}

function flagsOf({ contentBytes, checksum }: GroupToWrite): number {
  return (contentBytes === 0 ? FLAG_END : 0) | (checksum.isPoly1305 ? FLAG_POLY1305 : 0)
}

/**
 * The group header at `at`: 'short' when more bytes are needed to tell, 'bad' when it is none. Lengths are checked
 * against what a group may hold, so whoever takes memory by them takes no more than that.
 */
export function decodeGroupHeader(
  bytes: Uint8Array,
  at: number,
  salt: number,
  contentBytesMax: number,
): GroupHeader | 'short' | 'bad' {
  const left = bytes.length - at
  if (left < GROUP_HEADER_BYTES) return 'short'
  const view = viewOf(bytes)
  if (view.getUint32(at, true) !== GROUP_MAGIC) return 'bad'
  const contentBytes = view.getUint32(at + 12, true)
  const registersBytes = view.getUint32(at + 16, true)
  if (contentBytes > contentBytesMax || registersBytes > REGISTERS_BYTES_MAX) return 'bad'
  const headBytes = GROUP_HEADER_BYTES + registersBytes
  if (left < headBytes) return 'short'
  if (view.getUint32(at + 4, true) !== crc32(bytes.subarray(at + 8, at + headBytes), salt)) return 'bad'
  const flags = view.getUint32(at + 20, true)
  return {
    isEnd: (flags & FLAG_END) !== 0,
    begin: getInteger(view, at + 24),
    synced: getInteger(view, at + 32),
    checksum: { isPoly1305: (flags & FLAG_POLY1305) !== 0, value: view.getUint32(at + 8, true) },
    contentBytes,
    headBytes,
  }
}

export interface HeadSlot {
  readonly count: number
  readonly boot: string
  readonly synced: number
  readonly segmentBegin: number
  /** Where the last synced group lies in its segment file; 0 when there is none yet. */
  readonly groupPosition: number
  readonly endPosition: number
}

export function encodeHeadSlot(slot: HeadSlot): Uint8Array {
  const bytes = new Uint8Array(HEAD_SLOT_BYTES)
  const view = viewOf(bytes)
  view.setUint32(0, HEAD_MAGIC, true)
  setInteger(view, 8, slot.count)
  setText(bytes, 16, BOOT_BYTES_MAX, slot.boot)
  setInteger(view, 64, slot.synced)
  setInteger(view, 72, slot.segmentBegin)
  setInteger(view, 80, slot.groupPosition)
  setInteger(view, 88, slot.endPosition)
  view.setUint32(4, crc32(bytes.subarray(8)), true)
  return bytes
}

/**
 * The newer slot of a head file. Undefined when one of the two is not whole: it is being written just now, or torn.
 */
export function decodeHead(bytes: Uint8Array): HeadSlot | undefined {
  const first = decodeHeadSlot(bytes.subarray(0, HEAD_SLOT_BYTES))
  const second = decodeHeadSlot(bytes.subarray(HEAD_SLOT_BYTES))
  const counts = [first?.count ?? 0, second?.count ?? 0] as const
  if (Math.abs(counts[0] - counts[1]) !== 1) return undefined
  return counts[0] > counts[1] ? first : second
}

function decodeHeadSlot(bytes: Uint8Array): HeadSlot | undefined {
  if (bytes.length < HEAD_SLOT_BYTES) return undefined
  const view = viewOf(bytes)
  if (view.getUint32(0, true) !== HEAD_MAGIC) return undefined
  if (view.getUint32(4, true) !== crc32(bytes.subarray(8, HEAD_SLOT_BYTES))) return undefined
  return {
    count: getInteger(view, 8),
    boot: getText(bytes, 16, BOOT_BYTES_MAX),
    synced: getInteger(view, 64),
    segmentBegin: getInteger(view, 72),
    groupPosition: getInteger(view, 80),
    endPosition: getInteger(view, 88),
  }
}

/** A small checked file: JSON text and its checksum. */
export function encodeRecord(value: unknown): Uint8Array {
  const text = JSON.stringify(value)
  return utf8.encode(text + recordTail(utf8.encode(text)))
}

/** Undefined when it is damaged. */
export function decodeRecord(bytes: Uint8Array): unknown {
  const text = bytes.subarray(0, Math.max(0, bytes.length - RECORD_TAIL_BYTES))
  if (new TextDecoder().decode(bytes.subarray(text.length)) !== recordTail(text)) return undefined
  return JSON.parse(new TextDecoder().decode(text))
}

function recordTail(text: Uint8Array): string {
  return `\n${crc32(text).toString(16).padStart(8, '0')}\n`
}

const RECORD_TAIL_BYTES = 10
const utf8 = new TextEncoder()

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const HIGH = 2 ** 32

function setInteger(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % HIGH, true)
  view.setUint32(at + 4, Math.floor(value / HIGH), true)
}

/** What lies at or beyond 2^53 was never written, and no checksum holds for it: no check is needed here. */
function getInteger(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * HIGH
}

function setText(bytes: Uint8Array, at: number, bytesMax: number, text: string): void {
  const encoded = utf8.encode(text)
  if (encoded.length > bytesMax) throw new RangeError(`longer than ${String(bytesMax)} bytes: ${text}`)
  bytes.set(encoded, at)
}

function getText(bytes: Uint8Array, at: number, bytesMax: number): string {
  const field = bytes.subarray(at, at + bytesMax)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
}
