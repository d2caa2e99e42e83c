import { randomUUID } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../parts/index.ts'
import { ifThere } from './system.ts'

/**
 * How processes tell each other which documents they change, so that nobody has to look through all: each appends to a
 * file of its own which revision it is about to make, and reads what the others have appended. Nothing of this is synced:
 * after a loss of power everybody begins by looking through all.
 */

/** A document's folder and the revision that somebody is about to make of it. */
export interface Announcement {
  readonly hash: string
  readonly revision: number
}

const HASH_CHARACTERS = 64
const LINE_BYTES_MAX = 100
/** A new file is begun when one is longer, or has not been written to for so long: nobody appends to one removed. */
const FILE_BYTES_MAX = 1024 * 1024
const FILE_IDLE_MS = 15 * 60 * 1000
/** Files are removed so long after they were written to last. */
const KEPT_MS = 4 * FILE_IDLE_MS
/** Who has not read for so long may have missed a file, and looks through all. */
export const FEED_GAP_MS = 2 * FILE_IDLE_MS

const READ_BYTES = 64 * 1024

interface OwnFile {
  readonly name: string
  readonly fd: number
  bytes: number
  writtenMs: number
}

export class ChangeFeed {
  readonly #dir: string
  readonly #clock: Pick<Clock, 'now'>
  /** How far the others' files have been read. */
  readonly #offsets = new Map<string, number>()
  #own: OwnFile | undefined

  constructor(dir: string, clock: Pick<Clock, 'now'>) {
    mkdirSync(dir, { recursive: true })
    this.#dir = dir
    this.#clock = clock
  }

  /** To be called right before the revision is made, with nothing in between. */
  announce({ hash, revision }: Announcement): void {
    const nowMs = this.#clock.now()
    let own = this.#own
    if (own === undefined || own.bytes > FILE_BYTES_MAX || nowMs - own.writtenMs > FILE_IDLE_MS) {
      own = this.#begin()
    }
    own.bytes += writeSync(own.fd, `${hash} ${revision}\n`)
    own.writtenMs = nowMs
  }

  /** What the others have announced since the last time. */
  *news(): Generator<Announcement, void, undefined> {
    for (const name of readdirSync(this.#dir)) {
      if (name === this.#own?.name) continue
      for (const line of this.#linesOf(name)) {
        const [hash = '', revision] = line.split(' ')
        if (hash.length === HASH_CHARACTERS) yield { hash, revision: Number(revision) }
      }
    }
  }

  /** Passes over all that was announced until now, but for the last line of each file: that one may be still to come. */
  skip(): void {
    for (const name of readdirSync(this.#dir)) {
      const stat = ifThere(() => statSync(join(this.#dir, name)))
      if (stat !== undefined) this.#offsets.set(name, Math.max(0, stat.size - LINE_BYTES_MAX))
    }
  }

  close(): void {
    if (this.#own !== undefined) closeSync(this.#own.fd)
    this.#own = undefined
  }

  #begin(): OwnFile {
    this.close()
    this.#removeOld()
    const name = randomUUID()
    const fd = openSync(join(this.#dir, name), 'ax')
    this.#own = { name, fd, bytes: 0, writtenMs: this.#clock.now() }
    return this.#own
  }

  #removeOld(): void {
    for (const name of readdirSync(this.#dir)) {
      const path = join(this.#dir, name)
      const stat = ifThere(() => statSync(path))
      // By the system's own clock, which has dated the file.
      if (stat === undefined || Date.now() - stat.mtimeMs < KEPT_MS) continue
      ifThere(() => unlinkSync(path))
      this.#offsets.delete(name)
    }
  }

  /** Whole lines only: the last one may still be coming. */
  *#linesOf(name: string): Generator<string, void, undefined> {
    const fd = ifThere(() => openSync(join(this.#dir, name), 'r'))
    if (fd === undefined) return
    try {
      const buffer = Buffer.allocUnsafe(READ_BYTES)
      for (;;) {
        const offset = this.#offsets.get(name) ?? 0
        const text = buffer.toString('latin1', 0, readSync(fd, buffer, 0, READ_BYTES, offset))
        const end = text.lastIndexOf('\n') + 1
        this.#offsets.set(name, offset + end)
        if (end > 0) yield* text.slice(0, end - 1).split('\n')
        if (text.length - end < LINE_BYTES_MAX && text.length < READ_BYTES) return
      }
    } finally {
      closeSync(fd)
    }
  }
}
