/**
 * One large read of a segment. The blocks of its groups are found by their heads at once; they are checked when they are
 * asked for, so that they are still in the processor's cache when the consumer gets them.
 */
import type { JournalChunk } from '../journal.ts'
import { BLOCK_BYTES, blockChecksum } from './content-checksum.ts'
import { decodeGroupHead, GROUP_HEAD_BYTES_MAX } from './format.ts'
import type { GroupHeader } from './format.ts'
import type { JournalFileSystem } from './journal-file-system.ts'
import type { SegmentFile } from './segment-file.ts'

/** What is read behind a block: nearly always enough for the head of the next group, and for many small groups. */
const BEHIND_BYTES = 64 * 1024
const SLAB_BYTES = BLOCK_BYTES + BEHIND_BYTES
/** Contents below this size are moved together, so that a chunk is worth a consumer's turn. */
const JOINED_BYTES_MAX = 128 * 1024
const CHUNK_BYTES_MAX = 1024 * 1024

/** Slabs that are kept for further use. More than two are only needed when a consumer keeps chunks. */
const POOLED_SLABS = 16

/** A place in a segment file where a group begins, or a block of one, and its offset in the journal. */
export interface GroupPlace {
  readonly position: number
  readonly offset: number
  /** What is known of the group that the block is of. */
  readonly rest?: GroupRest | undefined
}

/** The blocks of a group from number `block` on. */
interface GroupRest {
  readonly header: GroupHeader
  readonly block: number
}

/** What stopped the walk through a slab, at `Slab.stop`. */
export type SlabEnd =
  | 'limit' // what follows is not known to be committed
  | 'end mark' // the segment is full
  | 'more' // the slab ends, the file goes on
  | 'damage' // what follows is committed, and no good header

interface FoundBlock {
  readonly begin: number
  /** Where it lies in the slab. */
  readonly at: number
  readonly length: number
  readonly isPoly1305: boolean
  readonly checksum: number
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
  #blocks: FoundBlock[] = []
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

  /** Reads from `from` on and finds the blocks that begin below `limit`, all of which must have been committed before. */
  async fill(fs: JournalFileSystem, segment: SegmentFile, from: GroupPlace, limit: number): Promise<void> {
    this.#isRetired = false
    const left = segment.size - from.position
    for (let wanted = wantedBytes(from); ;) {
      if (this.#buffer.length < Math.min(wanted, left)) {
        this.#buffer = newBuffer(Math.min(Math.max(wanted, SLAB_BYTES), left))
      }
      const length = await readFully(fs, segment.fd, this.#buffer, Math.min(wanted, left), from.position)
      const need = this.#walk(this.#buffer.subarray(0, length), segment.salt ?? 0, from, limit)
      if (this.#end !== 'more' || this.#blocks.length > 0) return
      if (length < wanted) {
        this.#end = 'damage' // the file ends in a group
        return
      }
      wanted = need // bounded, and checked: the head of a group and one block
    }
  }

  /**
   * The next chunk from `offset` on, checked; undefined when the slab is used up; the place of a damaged block. Several
   * small blocks are moved together, over what lies between them. With `keep` the chunk has a `release`.
   */
  take(
    offset: number,
    keep: boolean,
  ): JournalChunk | { readonly damaged: { offset: number; length: number } } | undefined {
    this.#skipBelow(offset)
    const first = this.#blocks[this.#next]
    if (first === undefined) return undefined
    const { begin, at, length } = first
    if (!this.#isWhole(first)) return { damaged: { offset: begin, length } }
    this.#next++
    const start = at + Math.max(0, offset - begin)
    const end = at + length
    const joinedEnd = length < JOINED_BYTES_MAX ? this.#join(start, end) : end
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
    for (; this.#next < this.#blocks.length; this.#next++) {
      const { begin, length } = this.#blocks[this.#next] as FoundBlock
      if (begin + length > offset) return
    }
  }

  #join(start: number, end: number): number {
    let joined = end
    for (; this.#next < this.#blocks.length; this.#next++) {
      const block = this.#blocks[this.#next] as FoundBlock
      const { at, length } = block
      if (length >= JOINED_BYTES_MAX || joined - start + length > CHUNK_BYTES_MAX) break
      if (!this.#isWhole(block)) break // told when it is asked for
      this.#buffer.copyWithin(joined, at, at + length)
      joined += length
    }
    return joined
  }

  #isWhole({ at, length, isPoly1305, checksum }: FoundBlock): boolean {
    return blockChecksum(this.#buffer.subarray(at, at + length), isPoly1305) === checksum
  }

  /** Answers how many bytes it takes to have what the slab ended in. */
  #walk(bytes: Uint8Array, salt: number, from: GroupPlace, limit: number): number {
    this.#blocks = []
    this.#next = 0
    this.#end = 'more'
    let { offset: begin, rest } = from
    let at = 0
    let need = 0
    for (;;) {
      if (rest === undefined) {
        const header = decodeGroupHead(bytes, at, salt)
        this.#end = endAt(header, begin, limit)
        if (this.#end !== 'more') break
        need = at + GROUP_HEAD_BYTES_MAX
        if (typeof header === 'string') break
        rest = { header, block: 0 }
        at += header.headBytes
      }
      const { header, block } = rest
      const length = Math.min(bytesFrom(rest), BLOCK_BYTES)
      need = at + length
      if (need > bytes.length) break
      const { isPoly1305, blocks } = header.checksums
      this.#blocks.push({ begin, at, length, isPoly1305, checksum: blocks[block] as number })
      at = need
      begin += length
      rest = block + 1 < blocks.length ? { header, block: block + 1 } : undefined
    }
    this.#stop = { position: from.position + at, offset: begin, rest }
    return need
  }
}

/** How much is read from a place on, so that little of it is half a block, which would have to be read again. */
function wantedBytes({ rest }: GroupPlace): number {
  if (rest === undefined) return SLAB_BYTES
  const left = bytesFrom(rest)
  if (left > BLOCK_BYTES) return BLOCK_BYTES
  // The next groups are likely to be as long as this one.
  const { headBytes, contentBytes } = rest.header
  const next = Math.floor((BLOCK_BYTES - left) / (headBytes + contentBytes))
  return left + next * (headBytes + contentBytes) + BEHIND_BYTES
}

/** How much content a group has from a block on. */
function bytesFrom({ header, block }: GroupRest): number {
  return header.contentBytes - block * BLOCK_BYTES
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
