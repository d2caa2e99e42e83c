/**
 * One large read of a segment. Its groups are found by their headers at once; their contents are checked when they are
 * asked for, so that they are still in the processor's cache when the consumer gets them.
 */
import { MAX_APPEND_BYTES } from '../append-rules.ts'
import type { JournalChunk } from '../journal.ts'
import { hasChecksum } from './content-checksum.ts'
import { decodeGroupHeader, GROUP_HEADER_BYTES, REGISTERS_BYTES_MAX } from './format.ts'
import type { GroupHeader } from './format.ts'
import type { JournalFileSystem } from './journal-file-system.ts'
import type { SegmentFile } from './segment-file.ts'

/** Four groups of 1 MiB with their headers; and two slabs stay in the processor's last cache. */
const SLAB_BYTES = 4 * 1024 * 1024 + 64 * 1024
/** Contents below this size are moved together, so that a chunk is worth a consumer's turn. */
const JOINED_BYTES_MAX = 128 * 1024
const CHUNK_BYTES_MAX = 1024 * 1024

/** Slabs that are kept for further use. More are only needed when a consumer keeps chunks. */
const POOLED_SLABS = 8

/** A place in a segment file where a group begins, and its offset in the journal. */
export interface GroupPlace {
  readonly position: number
  readonly offset: number
}

/** What stopped the walk through a slab, at `Slab.stop`. */
export type SlabEnd =
  | 'limit' // what follows is not known to be committed
  | 'end mark' // the segment is full
  | 'more' // the slab ends, the file goes on
  | 'damage' // what follows is committed, and no good header

interface FoundGroup {
  readonly begin: number
  /** Where the content begins in the slab. */
  readonly at: number
  readonly header: GroupHeader
}

/** The slabs of a reader: used again, for new memory costs as much as reading into it. */
export class SlabPool {
  readonly #free: Slab[] = []

  take(): Slab {
    return this.#free.pop() ?? new Slab((slab) => this.#give(slab))
  }

  #give(slab: Slab): void {
    if (this.#free.length < POOLED_SLABS) this.#free.push(slab)
  }
}

export class Slab {
  readonly #onFree: (slab: Slab) => void
  /** Chunks of it that a consumer keeps. */
  #kept = 0
  #isRetired = false
  #buffer: Uint8Array = new Uint8Array(0)
  #groups: FoundGroup[] = []
  #next = 0
  #end: SlabEnd = 'more'
  #stop: GroupPlace = { position: 0, offset: 0 }

  constructor(onFree: (slab: Slab) => void) {
    this.#onFree = onFree
  }

  get end(): SlabEnd {
    return this.#end
  }

  /** Where the walk stopped. */
  get stop(): GroupPlace {
    return this.#stop
  }

  /** Reads from `from` on and finds the groups that begin below `limit`, all of which must have been committed before. */
  async fill(fs: JournalFileSystem, segment: SegmentFile, from: GroupPlace, limit: number): Promise<void> {
    this.#isRetired = false
    const left = segment.size - from.position
    for (let wanted = SLAB_BYTES; ;) {
      if (this.#buffer.length < Math.min(wanted, left)) this.#buffer = newBuffer(Math.min(wanted, left))
      const length = await readFully(fs, segment.fd, this.#buffer, Math.min(wanted, left), from.position)
      const need = this.#walk(this.#buffer.subarray(0, length), segment.salt ?? 0, from, limit)
      if (this.#end !== 'more' || this.#groups.length > 0) return
      if (length < wanted) {
        this.#end = 'damage' // the file ends in a group
        return
      }
      wanted = need // bounded, and checked: one group with its header
    }
  }

  /**
   * The next chunk from `offset` on, checked; undefined when the slab is used up; the place of a damaged group. Several
   * small groups are moved together, over their headers. With `keep` the chunk has a `release`.
   */
  take(
    offset: number,
    keep: boolean,
  ): JournalChunk | { readonly damaged: { offset: number; length: number } } | undefined {
    this.#skipBelow(offset)
    const first = this.#groups[this.#next]
    if (first === undefined) return undefined
    const { begin, at, header } = first
    if (!this.#isWhole(first)) return { damaged: { offset: begin, length: header.contentBytes } }
    this.#next++
    const start = at + Math.max(0, offset - begin)
    const end = at + header.contentBytes
    const joinedEnd = header.contentBytes < JOINED_BYTES_MAX ? this.#join(start, end) : end
    const chunk = { offset: Math.max(offset, begin), bytes: this.#buffer.subarray(start, joinedEnd) }
    return keep ? { ...chunk, release: this.#keep() } : chunk
  }

  /** No more is taken from it: it is free once nothing of it is kept. */
  retire(): void {
    this.#isRetired = true
    if (this.#kept === 0) this.#onFree(this)
  }

  #keep(): () => void {
    this.#kept++
    let isKept = true
    return () => {
      if (!isKept) return
      isKept = false
      this.#kept--
      if (this.#isRetired && this.#kept === 0) this.#onFree(this)
    }
  }

  #skipBelow(offset: number): void {
    for (; this.#next < this.#groups.length; this.#next++) {
      const { begin, header } = this.#groups[this.#next] as FoundGroup
      if (begin + header.contentBytes > offset) return
    }
  }

  #join(start: number, end: number): number {
    let joined = end
    for (; this.#next < this.#groups.length; this.#next++) {
      const group = this.#groups[this.#next] as FoundGroup
      const { contentBytes } = group.header
      if (contentBytes >= JOINED_BYTES_MAX || joined - start + contentBytes > CHUNK_BYTES_MAX) break
      if (!this.#isWhole(group)) break // told when it is asked for
      this.#buffer.copyWithin(joined, group.at, group.at + contentBytes)
      joined += contentBytes
    }
    return joined
  }

  #isWhole({ at, header }: FoundGroup): boolean {
    return hasChecksum(this.#buffer.subarray(at, at + header.contentBytes), header.checksum)
  }

  /** Answers how many bytes the group needs at which the slab ended. */
  #walk(bytes: Uint8Array, salt: number, from: GroupPlace, limit: number): number {
    this.#groups = []
    this.#next = 0
    let at = 0
    let begin = from.offset
    let need = 0
    for (;;) {
      const header = decodeGroupHeader(bytes, at, salt, MAX_APPEND_BYTES)
      this.#end = endAt(header, begin, limit)
      if (this.#end !== 'more') break
      need = at + GROUP_HEADER_BYTES + REGISTERS_BYTES_MAX
      if (typeof header === 'string') break
      need = at + header.headBytes + header.contentBytes
      if (need > bytes.length) break
      this.#groups.push({ begin, at: at + header.headBytes, header })
      at = need
      begin += header.contentBytes
    }
    this.#stop = { position: from.position + at, offset: begin }
    return need
  }
}

/** What a header says about going on; 'more' is: with this group, as soon as it is here. */
function endAt(header: GroupHeader | 'short' | 'bad', begin: number, limit: number): SlabEnd {
  if (begin >= limit) return 'limit'
  if (header === 'short') return 'more'
  if (header === 'bad' || header.begin !== begin) return 'damage'
  return header.isEnd ? 'end mark' : 'more'
}

/** No Buffer: chunks of it go to callers, and the `slice` of a Buffer is no copy. */
function newBuffer(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
}

async function readFully(
  fs: JournalFileSystem,
  fd: number,
  buffer: Uint8Array,
  wanted: number,
  position: number,
): Promise<number> {
  let length = 0
  while (length < wanted) {
    const count = await readOnce(fs, fd, buffer, length, wanted - length, position + length)
    if (count === 0) break
    length += count
  }
  return length
}

function readOnce(
  fs: JournalFileSystem,
  fd: number,
  buffer: Uint8Array,
  at: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, buffer, at, length, position, (error, bytesRead) => {
      if (error === null) resolve(bytesRead)
      else reject(error)
    })
  })
}
