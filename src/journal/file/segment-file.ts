/** Reading a segment file step by step, synchronously: for finding its end, and a place in it. */
import { MAX_APPEND_BYTES } from '../append-rules.ts'
import type { Label } from '../journal.ts'
import { hasChecksum } from './content-checksum.ts'
import {
  decodeGroupHeader,
  decodeSegmentHeader,
  GROUP_HEADER_BYTES,
  GROUP_MAGIC_BYTES,
  REGISTERS_BYTES_MAX,
  SEGMENT_HEADER_BYTES,
} from './format.ts'
import type { GroupHeader } from './format.ts'
import { readFully, release } from './journal-file-system.ts'
import type { JournalFileSystem } from './journal-file-system.ts'
import type { JournalFolder, SegmentName } from './journal-folder.ts'

/** Enough for most groups, small enough to be had at once. */
const SCAN_WINDOW_BYTES = 1024 * 1024

/** A segment file that is open for reading. */
export class SegmentFile {
  readonly name: SegmentName
  readonly fd: number
  /** Undefined when the header is torn or damaged, or belongs to another journal or place. */
  readonly salt: number | undefined
  readonly #fs: JournalFileSystem
  #window = new Uint8Array(0)
  #windowPosition = 0

  constructor(folder: JournalFolder, name: SegmentName) {
    this.name = name
    this.#fs = folder.fs
    this.fd = folder.fs.openSync(folder.segmentPath(name), 'r')
    const header = decodeSegmentHeader(this.bytesAt(0, SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES))
    const isOurs =
      header?.id === folder.identity.id && header.epoch === name.epoch && header.begin === name.begin
    this.salt = isOurs ? header.salt : undefined
  }

  get size(): number {
    return this.#fs.fstatSync(this.fd).size
  }

  close(): void {
    release(this.#fs, this.fd)
  }

  /** Bytes from `position` on: at least `need`, fewer only where the file ends. Good until the next call. */
  bytesAt(position: number, need: number, windowBytes: number): Uint8Array {
    const at = position - this.#windowPosition
    if (at >= 0 && at + need <= this.#window.length) return this.#window.subarray(at)
    const buffer = new Uint8Array(Math.max(need, windowBytes))
    this.#window = buffer.subarray(0, readFully(this.#fs, this.fd, buffer, position))
    this.#windowPosition = position
    return this.#window
  }

  /** The group header at `position`; 'short' where the file ends in it, 'bad' when there is none. */
  groupAt(position: number, windowBytes: number): GroupHeader | 'short' | 'bad' {
    const salt = this.salt
    if (salt === undefined) return 'bad'
    const group = decodeGroupHeader(
      this.bytesAt(position, GROUP_HEADER_BYTES, windowBytes),
      0,
      salt,
      MAX_APPEND_BYTES,
    )
    if (group !== 'short') return group
    const more = this.bytesAt(position, GROUP_HEADER_BYTES + REGISTERS_BYTES_MAX, windowBytes)
    return decodeGroupHeader(more, 0, salt, MAX_APPEND_BYTES)
  }

  /** The registers after the group at `position`, whose header has been found good. */
  registersAt(position: number, group: GroupHeader): readonly Label[] {
    const bytes = this.bytesAt(position, group.headBytes, SCAN_WINDOW_BYTES)
    return decodeRegisters(bytes.subarray(GROUP_HEADER_BYTES, group.headBytes))
  }

  /**
   * Walks whole groups from `position`, which begins at `offset`, checking every byte, and says where they stop.
   */
  scan(position: number, offset: number): SegmentScan {
    let last: { position: number; group: GroupHeader } | undefined
    let [at, end] = [position, offset]
    for (;;) {
      const group = this.groupAt(at, SCAN_WINDOW_BYTES)
      const isNext = typeof group === 'object' && group.begin === end
      if (!isNext || group.isEnd || !this.#isWhole(at, group)) {
        const isEnded = isNext && group.isEnd
        return {
          offset: end,
          position: at,
          last,
          isEnded,
          tornBytes: isEnded ? 0 : this.#bytesBehind(at),
        }
      }
      last = { position: at, group }
      at += group.headBytes + group.contentBytes
      end += group.contentBytes
    }
  }

  /** The next good group header behind `position`, wherever it lies. For telling damage from a torn tail. */
  findGroup(position: number): { readonly position: number; readonly group: GroupHeader } | undefined {
    for (let from = position; ;) {
      const bytes = this.bytesAt(from, GROUP_HEADER_BYTES, SCAN_WINDOW_BYTES)
      if (bytes.length < GROUP_HEADER_BYTES) return undefined
      const found = indexOfMagic(bytes)
      if (found < 0) {
        from += bytes.length - GROUP_MAGIC_BYTES.length + 1
        continue
      }
      const group = this.groupAt(from + found, SCAN_WINDOW_BYTES)
      if (typeof group === 'object') return { position: from + found, group }
      from += found + 1
    }
  }

  /** How much lies behind `position`, but for the zeros that an appender writes ahead. */
  #bytesBehind(position: number): number {
    let end = position
    for (let from = position; ;) {
      const bytes = this.bytesAt(from, 1, SCAN_WINDOW_BYTES)
      if (bytes.length === 0) return end - position
      const last = bytes.findLastIndex((byte) => byte !== 0)
      if (last >= 0) end = from + last + 1
      from += bytes.length
    }
  }

  #isWhole(position: number, group: GroupHeader): boolean {
    const need = group.headBytes + group.contentBytes
    const bytes = this.bytesAt(position, need, SCAN_WINDOW_BYTES)
    return bytes.length >= need && hasChecksum(bytes.subarray(group.headBytes, need), group.checksum)
  }
}

/** Where the whole groups of a segment stop. */
export interface SegmentScan {
  readonly offset: number
  readonly position: number
  /** The last whole group that the scan came by. */
  readonly last: { readonly position: number; readonly group: GroupHeader } | undefined
  /** An end mark follows: the segment is full. */
  readonly isEnded: boolean
  /** What lies behind, and is neither a whole group nor an end mark. */
  readonly tornBytes: number
}

/** Opens a segment; undefined when there is no such file (any more). */
export function openSegment(folder: JournalFolder, name: SegmentName): SegmentFile | undefined {
  try {
    return new SegmentFile(folder, name)
  } catch (error) {
    if (folder.fs.statSync(folder.segmentPath(name), { throwIfNoEntry: false }) === undefined) {
      return undefined
    }
    throw error
  }
}

export function encodeRegisters(registers: readonly Label[]): Uint8Array {
  return utf8.encode(JSON.stringify(registers.map(({ name, value }) => [name, value])))
}

function decodeRegisters(bytes: Uint8Array): readonly Label[] {
  return labelsOf(JSON.parse(new TextDecoder().decode(bytes)))
}

/** Labels from the pairs that a record or a group holds. */
export function labelsOf(pairs: unknown): readonly Label[] {
  return (pairs as [string, string][]).map(([name, value]) => ({ name, value }))
}

const utf8 = new TextEncoder()

function indexOfMagic(bytes: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(GROUP_MAGIC_BYTES)
}
