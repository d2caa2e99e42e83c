import { crc32 } from 'node:zlib'
import type { Label } from '../journal.ts'
import type { Seal } from './epoch-end.ts'
import {
  encodeGroupHeader,
  encodeHeadSlot,
  encodeSegmentHeader,
  GROUP_HEADER_BYTES,
  HEAD_SLOT_BYTES,
  SEGMENT_HEADER_BYTES,
} from './format.ts'
import { release, writeFully } from './journal-file-system.ts'
import { randomSalt } from './journal-folder.ts'
import type { JournalFolder } from './journal-folder.ts'
import { encodeRegisters } from './segment-file.ts'

/** Content from this size on becomes a group of its own, written from where it lies. Smaller ones share groups. */
export const OWN_GROUP_BYTES = 64 * 1024
/** A group of small ones is closed above this, so that a reader need not hold much to check it. */
const SHARED_GROUP_BYTES = 512 * 1024

/** One append, to be written. */
export interface WriteItem {
  readonly content: Uint8Array
  /** Of content of `OWN_GROUP_BYTES` and more; that of smaller ones is not looked at. */
  readonly contentCrc: number
  /** After it. */
  readonly registers: readonly Label[]
}

interface Segment {
  readonly begin: number
  readonly salt: number
  readonly fd: number
  /** For `syncNow` alone: each descriptor is told of a failed write-back once, so the two must not share one. */
  readonly syncFd: number
  /** Where the next group goes. */
  position: number
  /** Where the last whole group lies; 0 when there is none. */
  groupPosition: number
}

/** How far this epoch has got, written or synced. */
interface Progress {
  readonly offset: number
  readonly registers: readonly Label[]
}

/** The segment files and the head file of an epoch that is ours. Writes are synchronous, in call order. */
export class EpochWriter {
  readonly epoch: number
  readonly #folder: JournalFolder
  readonly #boot: string
  readonly #segmentBytes: number
  readonly #headFd: number
  #headCount = 0
  #segment: Segment | undefined
  #written: Progress
  #synced: Progress
  /** Descriptors wait here to be closed while an asynchronous sync runs. */
  readonly #toClose: number[] = []
  #syncing = 0
  #encoded: { readonly registers: readonly Label[]; readonly bytes: Uint8Array } | undefined

  constructor(folder: JournalFolder, seal: Seal, boot: string, segmentBytes: number) {
    this.#folder = folder
    this.epoch = seal.epoch
    this.#boot = boot
    this.#segmentBytes = segmentBytes
    this.#written = { offset: seal.begin, registers: seal.registers }
    this.#synced = this.#written
    this.#headFd = folder.fs.openSync(folder.headPath(seal.epoch), 'w')
    try {
      // Before anything is written: a reader that finds no head would count groups that are not synced.
      this.#writeHead()
    } catch (error) {
      release(folder.fs, this.#headFd)
      throw error
    }
  }

  /** All that has been written, synced or not. */
  get written(): Progress {
    return this.#written
  }

  /** All that is as durable as it is going to be. */
  get synced(): Progress {
    return this.#synced
  }

  /**
   * Writes appends as groups. Answers how many are whole in the file, and what stopped the rest; a group that is not
   * whole is overwritten by the next write.
   */
  write(items: readonly WriteItem[]): { readonly count: number; readonly error?: unknown } {
    let segment: Segment
    try {
      segment = this.#segmentFor()
    } catch (error) {
      return { count: 0, error }
    }
    const groups: PlannedGroup[] = []
    const buffers: Uint8Array[] = []
    let { position } = segment
    let begin = this.#written.offset
    for (let first = 0; first < items.length;) {
      const end = groupEnd(items, first)
      const group = this.#plan(items.slice(first, end), segment.salt, begin, buffers)
      groups.push({ ...group, position, itemEnd: end })
      position += group.bytes
      begin = group.end
      first = end
    }
    const { written, error } = writeFully(this.#folder.fs, segment.fd, buffers, segment.position)
    const whole = groups.filter((group) => group.position + group.bytes <= segment.position + written).at(-1)
    if (whole !== undefined) {
      segment.groupPosition = whole.position
      segment.position = whole.position + whole.bytes
      this.#written = { offset: whole.end, registers: whole.registers }
    }
    return { count: whole?.itemEnd ?? 0, error }
  }

  /** Makes all that has been written durable, in the background. */
  sync(): Promise<void> {
    const { fs } = this.#folder
    const fd = this.#segment?.fd
    if (!this.#folder.isDisk || fd === undefined) return Promise.resolve()
    this.#syncing++
    return new Promise((resolve, reject) => {
      fs.fdatasync(fd, (error) => {
        this.#syncing--
        if (this.#syncing === 0) for (const closing of this.#toClose.splice(0)) release(fs, closing)
        if (error === null) resolve()
        else reject(error)
      })
    })
  }

  /** Makes all that has been written durable, at once. */
  syncNow(): void {
    if (this.#folder.isDisk && this.#segment !== undefined) {
      this.#folder.fs.fdatasyncSync(this.#segment.syncFd)
    }
  }

  /** All that has been written is synced: tells readers. */
  publishHead(): void {
    this.#synced = this.#written
    this.#writeHead()
  }

  close(): void {
    this.#closeSegment()
    this.#close(this.#headFd)
  }

  #writeHead(): void {
    const segment = this.#segment
    this.#headCount++
    const bytes = encodeHeadSlot({
      count: this.#headCount,
      boot: this.#boot,
      synced: this.#synced.offset,
      segmentBegin: segment?.begin ?? this.#synced.offset,
      groupPosition: segment?.groupPosition ?? 0,
      endPosition: segment?.position ?? 0,
    })
    const { error } = writeFully(
      this.#folder.fs,
      this.#headFd,
      [bytes],
      (this.#headCount % 2) * HEAD_SLOT_BYTES,
    )
    if (error !== undefined) throw error as Error
  }

  /** The segment that the next groups go to. A full one is ended first: only when all of it is synced. */
  #segmentFor(): Segment {
    if (this.#segment !== undefined && this.#segment.position >= this.#segmentBytes) {
      this.#endSegment(this.#segment)
    }
    this.#segment ??= this.#beginSegment()
    return this.#segment
  }

  #beginSegment(): Segment {
    const { fs } = this.#folder
    const begin = this.#written.offset
    const path = this.#folder.segmentPath({ epoch: this.epoch, begin })
    const salt = randomSalt()
    // Not exclusive: what lies there is our own, left by a begin that failed, and nothing in it counts.
    const fd = fs.openSync(path, 'w')
    try {
      const header = encodeSegmentHeader({ epoch: this.epoch, begin, salt, id: this.#folder.identity.id })
      const { error } = writeFully(fs, fd, [header], 0)
      if (error !== undefined) throw error as Error
      this.#folder.sync()
      const syncFd = fs.openSync(path, 'r+')
      return { begin, salt, fd, syncFd, position: SEGMENT_HEADER_BYTES, groupPosition: 0 }
    } catch (error) {
      release(fs, fd)
      throw error
    }
  }

  #endSegment(segment: Segment): void {
    const mark = new Uint8Array(GROUP_HEADER_BYTES)
    const { offset } = this.#written
    encodeGroupHeader(mark, 0, segment.salt, {
      begin: offset,
      synced: offset,
      contentCrc: 0,
      contentBytes: 0,
      registers: new Uint8Array(0),
    })
    this.#folder.fs.ftruncateSync(segment.fd, segment.position) // what a failed write left behind
    const { error } = writeFully(this.#folder.fs, segment.fd, [mark], segment.position)
    if (error !== undefined) throw error as Error
    this.syncNow()
    this.#closeSegment()
  }

  #closeSegment(): void {
    if (this.#segment === undefined) return
    this.#close(this.#segment.fd)
    this.#close(this.#segment.syncFd)
    this.#segment = undefined
  }

  #close(fd: number): void {
    if (this.#syncing > 0) this.#toClose.push(fd)
    else release(this.#folder.fs, fd)
  }

  /** Lays out one group: adds what is to be written to `buffers`. */
  #plan(items: readonly WriteItem[], salt: number, begin: number, buffers: Uint8Array[]): GroupLayout {
    const contentBytes = items.reduce((sum, item) => sum + item.content.length, 0)
    const last = items.at(-1) as WriteItem
    const registers = this.#encode(last.registers)
    const headBytes = GROUP_HEADER_BYTES + registers.length
    const isOwn = contentBytes >= OWN_GROUP_BYTES && items.length === 1
    const bytes = new Uint8Array(headBytes + (isOwn ? 0 : contentBytes))
    if (!isOwn) copyContents(items, bytes, headBytes)
    const contentCrc = isOwn ? last.contentCrc : crc32(bytes.subarray(headBytes))
    const synced = this.#synced.offset
    encodeGroupHeader(bytes, 0, salt, { begin, synced, contentCrc, contentBytes, registers })
    buffers.push(bytes)
    if (isOwn) buffers.push(last.content)
    return { bytes: headBytes + contentBytes, end: begin + contentBytes, registers: last.registers }
  }

  /** Registers seldom change: the last ones are kept as they lie in a group. */
  #encode(registers: readonly Label[]): Uint8Array {
    if (this.#encoded?.registers !== registers) {
      this.#encoded = { registers, bytes: encodeRegisters(registers) }
    }
    return this.#encoded.bytes
  }
}

interface GroupLayout {
  /** What it takes in the file. */
  readonly bytes: number
  /** The offset behind it. */
  readonly end: number
  readonly registers: readonly Label[]
}

interface PlannedGroup extends GroupLayout {
  readonly position: number
  readonly itemEnd: number
}

/** Which items share a group with the one at `first`. */
function groupEnd(items: readonly WriteItem[], first: number): number {
  let bytes = 0
  let end = first
  for (; end < items.length && bytes < SHARED_GROUP_BYTES; end++) {
    const { length } = (items[end] as WriteItem).content
    if (length >= OWN_GROUP_BYTES) return Math.max(end, first + 1)
    bytes += length
  }
  return end
}

function copyContents(items: readonly WriteItem[], target: Uint8Array, from: number): void {
  let at = from
  for (const { content } of items) {
    target.set(content, at)
    at += content.length
  }
}
