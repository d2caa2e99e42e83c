import { randomBytes } from 'node:crypto'
import { closeSync, fdatasync, openSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import type { StorageFolder } from './storage-folder.ts'

const datasync = promisify(fdatasync)

/** The segment file that this process writes to. */
export class SegmentWriter {
  readonly #folder: StorageFolder
  readonly #segmentBytes: number
  #fd: number | undefined
  #id = ''
  #position = 0
  #isNew = false

  constructor(folder: StorageFolder, segmentBytes: number) {
    this.#folder = folder
    this.#segmentBytes = segmentBytes
  }

  /** The segment that was written to last: 16 bytes, one a character. */
  get id(): string {
    return this.#id
  }

  /** Whether groups may still be written to the segment `id`. */
  isOpen(id: string): boolean {
    return this.#fd !== undefined && this.#id === id
  }

  /** Writes a group, to another segment when this one would be longer than it is to be; answers where it lies. */
  write(group: Uint8Array): number {
    if (this.#position > 0 && this.#position + group.length > this.#segmentBytes) this.leave()
    this.#fd ??= this.#begin()
    const offset = this.#position
    for (let at = 0; at < group.length;) {
      at += writeSync(this.#fd, group, at, group.length - at, offset + at)
    }
    this.#position += group.length
    return offset
  }

  /** Waits until all that was written to this segment is on the disk. */
  async sync(): Promise<void> {
    if (this.#fd === undefined) return
    const { id } = this
    await datasync(this.#fd)
    if (!this.#isNew || id !== this.#id) return
    this.#folder.syncSegments()
    this.#isNew = false
  }

  /** Writes to this segment no more. */
  leave(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #begin(): number {
    this.#id = randomBytes(16).toString('latin1')
    this.#position = 0
    this.#isNew = true
    return openSync(this.#folder.segmentPath(this.#id), 'wx')
  }
}
