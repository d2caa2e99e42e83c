import type { Label } from '../journal.ts'
import { contentChecksum } from './content-checksum.ts'
import type { ContentChecksum } from './content-checksum.ts'
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

/**
 * So many zeros are written ahead of small groups: a sync need not make a new size of the file durable then, only what is
 * in it. Measured with groups of 4 KiB: 170 us for a write and its sync, where a file that grows with each takes 250.
 */
const ZEROS = new Uint8Array(256 * 1024)
/** Larger writes are worth a new size, and would be written twice. */
const ZEROS_FOR_BYTES_MAX = 64 * 1024

/** One append, to be written. */
export interface WriteItem {
  readonly content: Uint8Array
  /** Of content of `OWN_GROUP_BYTES` and more, which gets a group of its own. */
  readonly ownChecksum: ContentChecksum | undefined
  /** After it. */
  readonly registers: readonly Label[]
}

interface Segment {
  readonly salt: number
  readonly fd: number
  /** For `syncNow` alone: each descriptor is told of a failed write-back once, so the two must not share one. */
  readonly syncFd: number
  /** Up to where the file holds groups and zeros. */
  zerosEnd: number
}

/** How far this epoch has got, written or synced. */
export interface Progress {
  readonly offset: number
  readonly registers: readonly Label[]
  readonly segmentBegin: number
  /** Where the last whole group lies in the segment; 0 when there is none. */
  readonly groupPosition: number
  /** Where the next group goes. */
  readonly endPosition: number
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
    this.#written = {
      offset: seal.begin,
      registers: seal.registers,
      segmentBegin: seal.begin,
      groupPosition: 0,
      endPosition: 0,
    }
    this.#synced = this.#written
    this.#headFd = folder.fs.openSync(folder.headPath(seal.epoch), 'w')
    try {
      // Before anything is written: a reader that finds no head would count groups that are not synced.
      this.publishHead(this.#written)
    } catch (error) {
      release(folder.fs, this.#headFd)
      throw error
    }
  }

  /** All that has been written, synced or not. */
  get written(): Progress {
    return this.#written
  }

  /** Whether the next write ends this segment first, which waits for all that is in it to be synced. */
  get isSegmentFull(): boolean {
    return this.#segment !== undefined && this.#written.endPosition >= this.#segmentBytes
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
    const groups: Progress[] = []
    const itemEnds: number[] = []
    const buffers: Uint8Array[] = []
    let progress = this.#written
    for (let first = 0; first < items.length;) {
      const end = groupEnd(items, first)
      progress = this.#plan(items.slice(first, end), segment.salt, progress, buffers)
      groups.push(progress)
      itemEnds.push(end)
      first = end
    }
    const from = this.#written.endPosition
    const { written, error } = writeFully(this.#folder.fs, segment.fd, buffers, from)
    const whole = groups.findLastIndex(({ endPosition }) => endPosition <= from + written)
    this.#written = groups[whole] ?? this.#written
    if (error === undefined) this.#writeZeros(segment, written)
    return { count: itemEnds[whole] ?? 0, error }
  }

  #writeZeros(segment: Segment, writtenBytes: number): void {
    const { endPosition } = this.#written
    if (endPosition <= segment.zerosEnd || !this.#folder.isDisk || writtenBytes > ZEROS_FOR_BYTES_MAX) return
    // When there is no room for them the groups are written all the same: the next one will tell.
    const { written } = writeFully(this.#folder.fs, segment.fd, [ZEROS], endPosition)
    segment.zerosEnd = endPosition + written
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

  /** All up to `synced` is synced: tells readers. */
  publishHead(synced: Progress): void {
    this.#synced = synced
    this.#headCount++
    const { offset, segmentBegin, groupPosition, endPosition } = synced
    const slot = {
      count: this.#headCount,
      boot: this.#boot,
      synced: offset,
      segmentBegin,
      groupPosition,
      endPosition,
    }
    const position = (this.#headCount % 2) * HEAD_SLOT_BYTES
    const { error } = writeFully(this.#folder.fs, this.#headFd, [encodeHeadSlot(slot)], position)
    if (error !== undefined) throw error as Error
  }

  close(): void {
    this.#closeSegment()
    this.#close(this.#headFd)
  }

  /** The segment that the next groups go to. A full one is ended first: only when all of it is synced. */
  #segmentFor(): Segment {
    if (this.#segment !== undefined && this.isSegmentFull) this.#endSegment(this.#segment)
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
      const place = { segmentBegin: begin, groupPosition: 0, endPosition: SEGMENT_HEADER_BYTES }
      this.#written = { ...this.#written, ...place }
      return { salt, fd, syncFd, zerosEnd: SEGMENT_HEADER_BYTES }
    } catch (error) {
      release(fs, fd)
      throw error
    }
  }

  #endSegment(segment: Segment): void {
    const mark = new Uint8Array(GROUP_HEADER_BYTES)
    const { offset, endPosition } = this.#written
    encodeGroupHeader(mark, 0, segment.salt, {
      begin: offset,
      synced: offset,
      checksum: contentChecksum(new Uint8Array(0)),
      contentBytes: 0,
      registers: new Uint8Array(0),
    })
    this.#folder.fs.ftruncateSync(segment.fd, endPosition) // zeros, and what a failed write left behind
    segment.zerosEnd = endPosition
    const { error } = writeFully(this.#folder.fs, segment.fd, [mark], endPosition)
    if (error !== undefined) throw error as Error
    this.syncNow()
    this.#closeSegment()
  }

  #closeSegment(): void {
    const segment = this.#segment
    if (segment === undefined) return
    this.#dropZeros(segment)
    this.#close(segment.fd)
    this.#close(segment.syncFd)
    this.#segment = undefined
  }

  /** Whoever reads the segment passes over zeros, so it does not matter when this fails. */
  #dropZeros({ fd, zerosEnd }: Segment): void {
    const { endPosition } = this.#written
    if (zerosEnd <= endPosition) return
    try {
      this.#folder.fs.ftruncateSync(fd, endPosition)
    } catch {
      // deliberately nothing: zeros are left
    }
  }

  #close(fd: number): void {
    if (this.#syncing > 0) this.#toClose.push(fd)
    else release(this.#folder.fs, fd)
  }

  /** Lays out one group behind `before`: adds what is to be written to `buffers`, and answers what will be then. */
  #plan(items: readonly WriteItem[], salt: number, before: Progress, buffers: Uint8Array[]): Progress {
    const contentBytes = items.reduce((sum, item) => sum + item.content.length, 0)
    const last = items.at(-1) as WriteItem
    const registers = this.#encode(last.registers)
    const headBytes = GROUP_HEADER_BYTES + registers.length
    const own = items.length === 1 ? last.ownChecksum : undefined
    const bytes = new Uint8Array(headBytes + (own === undefined ? contentBytes : 0))
    if (own === undefined) copyContents(items, bytes, headBytes)
    const checksum = own ?? contentChecksum(bytes.subarray(headBytes))
    const [begin, synced] = [before.offset, this.#synced.offset]
    encodeGroupHeader(bytes, 0, salt, { begin, synced, checksum, contentBytes, registers })
    buffers.push(bytes)
    if (own !== undefined) buffers.push(last.content)
    return {
      offset: begin + contentBytes,
      registers: last.registers,
      segmentBegin: before.segmentBegin,
      groupPosition: before.endPosition,
      endPosition: before.endPosition + headBytes + contentBytes,
    }
  }

  /** Registers seldom change: the last ones are kept as they lie in a group. */
  #encode(registers: readonly Label[]): Uint8Array {
    if (this.#encoded?.registers !== registers) {
      this.#encoded = { registers, bytes: encodeRegisters(registers) }
    }
    return this.#encoded.bytes
  }
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
