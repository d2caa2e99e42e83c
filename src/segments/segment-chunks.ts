import type { Segment } from './segment.ts'

/** How many segments one chunk holds: no more than a byte can number. */
const CHUNK_SEGMENTS_MAX = 256
/** The rows of a new chunk, all free. */
const SLOTS = Uint8Array.from({ length: CHUNK_SEGMENTS_MAX }, (_, slot) => slot)

// A row of a chunk. Numbers up to 2^53, and uint32, are exact as doubles.
const LAST_SEQ_NO = 0
const FIRST_OFFSET = 1
const LAST_OFFSET = 2
const AUTHOR = 3
const FIRST_CHECKSUM = 4
/** Its place in the list of logs. */
const LOG = 5
const STRIDE = 6

/**
 * Members are rows of numbers and not objects, and rows stay where they are: among a million shuffled segments a change
 * costs what it touches of memory, so it moves keys and bytes only.
 */
interface Chunk {
  length: number
  /** `firstSeqNo` of each member, rising. */
  readonly keys: Float64Array
  /** In which row each member lies; behind `length`, the rows that are free. */
  readonly slots: Uint8Array
  readonly rows: Float64Array
}

/** Where a member lies. One past the last of a chunk is the first of the next. */
export interface Place {
  readonly chunk: number
  readonly index: number
}

/** Segments in the order of their first sequence numbers, in chunks, so that a change moves few of them. */
export class SegmentChunks {
  #size = 0
  readonly #chunks: Chunk[] = []
  /** The first key of each chunk. */
  readonly #firstKeys: number[] = []
  readonly #logs: string[] = []
  readonly #logNumbers = new Map<string, number>()

  get size(): number {
    return this.#size
  }

  get first(): Segment | undefined {
    return this.after({ chunk: 0, index: 0 }, 0)
  }

  get last(): Segment | undefined {
    const end = this.before({ chunk: this.#chunks.length, index: 0 })
    return end && this.after(end, 0)
  }

  *[Symbol.iterator](): IterableIterator<Segment> {
    for (const chunk of this.#chunks) {
      for (let index = 0; index < chunk.length; index++) yield this.#read(chunk, index)
    }
  }

  /** Where the first member with a key of `firstSeqNo` or more is, or would be. */
  placeOf(firstSeqNo: number): Place {
    const chunk = Math.max(0, lowerBound(this.#firstKeys, this.#firstKeys.length, firstSeqNo + 1) - 1)
    const found = this.#chunks[chunk]
    return { chunk, index: found === undefined ? 0 : lowerBound(found.keys, found.length, firstSeqNo) }
  }

  /** The member `steps` after the place. */
  after(place: Place, steps: number): Segment | undefined {
    let index = place.index + steps
    for (let at = place.chunk; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as Chunk
      if (index < chunk.length) return this.#read(chunk, index)
      index -= chunk.length
    }
    return undefined
  }

  /** The place before, where a member always is; undefined for the first one. */
  before(place: Place): Place | undefined {
    if (place.index > 0) return { chunk: place.chunk, index: place.index - 1 }
    const chunk = this.#chunks[place.chunk - 1]
    return chunk && { chunk: place.chunk - 1, index: chunk.length - 1 }
  }

  /** Where the first member that `holds` is, or would be: before it none does, after it all do. */
  placeWhere(holds: (member: Segment) => boolean): Place {
    const at = firstIndex(this.#chunks.length - 1, (chunk) => {
      const found = this.#chunks[chunk] as Chunk
      return holds(this.#read(found, found.length - 1))
    })
    const chunk = this.#chunks[at]
    if (chunk === undefined) return { chunk: 0, index: 0 }
    return { chunk: at, index: firstIndex(chunk.length, (index) => holds(this.#read(chunk, index))) }
  }

  /** Puts `segment` in the place of the `count` members that begin there. */
  replace(place: Place, count: number, segment: Segment): void {
    if (count === 0) {
      this.#size++
      this.#write(this.#makeRoom(place), segment)
      return
    }
    const isPastChunk = place.index === this.#chunks[place.chunk]?.length
    const first = isPastChunk ? { chunk: place.chunk + 1, index: 0 } : place
    for (let rest = count - 1; rest > 0;) rest -= this.#removeAfter(first, rest)
    this.#write(first, segment)
  }

  #read({ keys, slots, rows }: Chunk, index: number): Segment {
    const row = (slots[index] as number) * STRIDE
    return {
      author: rows[row + AUTHOR] as number,
      firstSeqNo: keys[index] as number,
      firstOffset: rows[row + FIRST_OFFSET] as number,
      firstChecksum: rows[row + FIRST_CHECKSUM] as number,
      lastSeqNo: rows[row + LAST_SEQ_NO] as number,
      lastOffset: rows[row + LAST_OFFSET] as number,
      log: this.#logs[rows[row + LOG] as number] as string,
    }
  }

  #write({ chunk, index }: Place, segment: Segment): void {
    const { keys, slots, rows } = this.#chunks[chunk] as Chunk
    const row = (slots[index] as number) * STRIDE
    keys[index] = segment.firstSeqNo
    rows[row + AUTHOR] = segment.author
    rows[row + FIRST_OFFSET] = segment.firstOffset
    rows[row + FIRST_CHECKSUM] = segment.firstChecksum
    rows[row + LAST_SEQ_NO] = segment.lastSeqNo
    rows[row + LAST_OFFSET] = segment.lastOffset
    rows[row + LOG] = this.#numberOf(segment.log)
    if (index === 0) this.#firstKeys[chunk] = segment.firstSeqNo
  }

  #numberOf(log: string): number {
    let number = this.#logNumbers.get(log)
    if (number === undefined) {
      number = this.#logs.push(log) - 1
      this.#logNumbers.set(log, number)
    }
    return number
  }

  /** Makes room for one member at the place, and answers where that is then. */
  #makeRoom(place: Place): Place {
    const found = this.#chunks[place.chunk]
    if (found === undefined) return this.#insertChunk(place.chunk)
    if (found.length === CHUNK_SEGMENTS_MAX) {
      // Behind the last of all a new chunk begins, so that adding in order leaves full ones.
      const isEnd = place.index === found.length && place.chunk === this.#chunks.length - 1
      return isEnd ? this.#insertChunk(place.chunk + 1) : this.#makeRoom(this.#split(place, found))
    }
    const { keys, slots } = found
    const { index } = place
    const free = slots[found.length] as number
    keys.copyWithin(index + 1, index, found.length)
    slots.copyWithin(index + 1, index, found.length)
    slots[index] = free
    found.length++
    return place
  }

  /** Moves the second half of a chunk into a new one, and answers where the place is then. */
  #split(place: Place, full: Chunk): Place {
    const kept = CHUNK_SEGMENTS_MAX / 2
    this.#insertChunk(place.chunk + 1)
    const half = this.#chunks[place.chunk + 1] as Chunk
    half.length = CHUNK_SEGMENTS_MAX - kept
    for (let index = kept; index < CHUNK_SEGMENTS_MAX; index++) {
      const row = (full.slots[index] as number) * STRIDE
      half.keys[index - kept] = full.keys[index] as number
      half.rows.set(full.rows.subarray(row, row + STRIDE), (index - kept) * STRIDE)
    }
    this.#firstKeys[place.chunk + 1] = half.keys[0] as number
    full.length = kept
    return place.index > kept ? { chunk: place.chunk + 1, index: place.index - kept } : place
  }

  /** Inserts a chunk of one member, which is to be written, and answers the place of that. */
  #insertChunk(at: number): Place {
    const keys = new Float64Array(CHUNK_SEGMENTS_MAX)
    const rows = new Float64Array(CHUNK_SEGMENTS_MAX * STRIDE)
    this.#chunks.splice(at, 0, { length: 1, keys, slots: SLOTS.slice(), rows })
    this.#firstKeys.splice(at, 0, 0)
    return { chunk: at, index: 0 }
  }

  /** Removes up to `count` members after the place, as many as lie in one chunk, and tells how many. */
  #removeAfter(place: Place, count: number): number {
    const isLast = place.index + 1 === this.#chunks[place.chunk]?.length
    const at = isLast ? place.chunk + 1 : place.chunk
    const begin = isLast ? 0 : place.index + 1
    const chunk = this.#chunks[at] as Chunk
    const removed = Math.min(count, chunk.length - begin)
    const freed = chunk.slots.slice(begin, begin + removed)
    chunk.keys.copyWithin(begin, begin + removed, chunk.length)
    chunk.slots.copyWithin(begin, begin + removed, chunk.length)
    chunk.length -= removed
    chunk.slots.set(freed, chunk.length)
    this.#size -= removed
    if (chunk.length === 0) {
      this.#chunks.splice(at, 1)
      this.#firstKeys.splice(at, 1)
    } else if (begin === 0) {
      this.#firstKeys[at] = chunk.keys[0] as number
    }
    return removed
  }
}

/** The index of the first of `length` rising keys that is not below `key`. */
function lowerBound(keys: ArrayLike<number>, length: number, key: number): number {
  let begin = 0
  let end = length
  while (begin < end) {
    const middle = (begin + end) >>> 1
    if ((keys[middle] as number) < key) begin = middle + 1
    else end = middle
  }
  return begin
}

/** The first index below `length` that `holds`, else `length`. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let begin = 0
  let end = Math.max(0, length)
  while (begin < end) {
    const middle = (begin + end) >>> 1
    if (holds(middle)) end = middle
    else begin = middle + 1
  }
  return begin
}
