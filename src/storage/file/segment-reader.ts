import { closeSync, open, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import type { StorageFolder } from './storage-folder.ts'

interface OpenSegment {
  readonly fd: number
  readers: number
  /** To be closed by its last reader. */
  isDropped: boolean
}

const openFile = promisify(open)

/** Reads from segment files, and keeps the most recently read ones open: opening costs as much as reading. */
export class SegmentReader {
  readonly #folder: StorageFolder
  readonly #openFilesMax: number
  /** By id, the least recently used first. */
  readonly #open = new Map<string, OpenSegment>()

  constructor(folder: StorageFolder, openFilesMax: number) {
    this.#folder = folder
    this.#openFilesMax = openFilesMax
  }

  /** So many bytes at `offset`, or as many as there are. */
  async read(id: string, offset: number, length: number): Promise<Buffer> {
    const segment = this.#warm(id) ?? this.#keep(id, await openFile(this.#folder.segmentPath(id), 'r'))
    segment.readers++
    try {
      const bytes = Buffer.allocUnsafeSlow(length)
      let filled = 0
      for (let count = -1; count !== 0 && filled < length; filled += count) {
        count = await readInto(segment.fd, bytes, filled, offset + filled)
      }
      return bytes.subarray(0, filled)
    } finally {
      segment.readers--
      if (segment.isDropped) closeUnread(segment)
    }
  }

  /** As `read`, at once. */
  readSync(id: string, offset: number, length: number): Buffer {
    const { fd } = this.#warm(id) ?? this.#keep(id, openSync(this.#folder.segmentPath(id), 'r'))
    const bytes = Buffer.allocUnsafeSlow(length)
    let filled = 0
    for (let count = -1; count !== 0 && filled < length; filled += count) {
      count = readSync(fd, bytes, filled, length - filled, offset + filled)
    }
    return bytes.subarray(0, filled)
  }

  /** Closes a segment, as soon as nobody reads it. */
  drop(id: string): void {
    const segment = this.#open.get(id)
    if (segment === undefined) return
    this.#open.delete(id)
    segment.isDropped = true
    closeUnread(segment)
  }

  dropAll(): void {
    for (const id of [...this.#open.keys()]) this.drop(id)
  }

  #warm(id: string): OpenSegment | undefined {
    const segment = this.#open.get(id)
    if (segment === undefined) return undefined
    this.#open.delete(id)
    this.#open.set(id, segment)
    return segment
  }

  #keep(id: string, fd: number): OpenSegment {
    this.drop(id) // somebody else may have opened it meanwhile
    for (const oldest of this.#open.keys()) {
      if (this.#open.size < this.#openFilesMax) break
      this.drop(oldest)
    }
    const segment = { fd, readers: 0, isDropped: false }
    this.#open.set(id, segment)
    return segment
  }
}

function closeUnread(segment: OpenSegment): void {
  if (segment.readers === 0) closeSync(segment.fd)
}

/** The callback costs less than a FileHandle does. */
async function readInto(fd: number, bytes: Buffer, at: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, bytes, at, bytes.length - at, position, (error, count) => {
      if (error === null) resolve(count)
      else reject(error)
    })
  })
}
