import { randomUUID } from 'node:crypto'
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import * as nodeFs from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder, systemErrorCode, unlinkIfThere, writeNewFile } from '../../parts/index.ts'

/**
 * Where a file storage lies:
 *
 * | name | holds |
 * | --- | --- |
 * | `format` | says that the storage was begun |
 * | `order/<number>` | the order log |
 * | `snapshots/<number>` | the table at the beginning of the order file of that number |
 * | `segments/<id>` | entries, each file of one writer |
 * | `tmp/` | what is being written |
 */
export class StorageFolder {
  readonly #dir: string

  /** Makes the folder when it is missing. */
  constructor(dir: string) {
    this.#dir = dir
    for (const name of ['order', 'snapshots', 'segments', 'tmp']) {
      mkdirSync(join(dir, name), { recursive: true })
    }
    if (existsSync(join(dir, 'format'))) return
    closeSync(openSync(this.orderPath(0), 'a'))
    syncFolder(nodeFs, join(dir, 'order'))
    this.#publish(Buffer.from('recoverylog storage 1\n'), join(dir, 'format'))
    syncFolder(nodeFs, dir)
  }

  orderPath(number: number): string {
    return join(this.#dir, 'order', nameOf(number))
  }

  segmentPath(id: string): string {
    return join(this.#dir, 'segments', Buffer.from(id, 'latin1').toString('hex'))
  }

  /** Makes the next file of the order log, before the end of the one before says that it is there. */
  beginOrder(number: number): void {
    closeSync(openSync(this.orderPath(number), 'a'))
    syncFolder(nodeFs, join(this.#dir, 'order'))
  }

  /** The number of the newest snapshot, 0 when there is none. */
  newestSnapshot(): number {
    return readdirSync(join(this.#dir, 'snapshots')).reduce(
      (newest, name) => Math.max(newest, Number(name)),
      0,
    )
  }

  readSnapshot(number: number): Buffer {
    return readFileSync(join(this.#dir, 'snapshots', nameOf(number)))
  }

  /** Stores a snapshot, unless another process has stored the same one; then removes what it makes superfluous. */
  writeSnapshot(number: number, bytes: Buffer): void {
    this.#publish(bytes, join(this.#dir, 'snapshots', nameOf(number)))
    syncFolder(nodeFs, join(this.#dir, 'snapshots'))
    for (const folder of ['order', 'snapshots']) {
      for (const name of readdirSync(join(this.#dir, folder))) {
        if (Number(name) < number) unlinkIfThere(nodeFs, join(this.#dir, folder, name))
      }
    }
  }

  /** Makes the name of a new segment durable. */
  syncSegments(): void {
    syncFolder(nodeFs, join(this.#dir, 'segments'))
  }

  /** Makes what was written to a segment durable, whoever wrote it. */
  async syncSegment(id: string): Promise<void> {
    let file
    try {
      file = await open(this.segmentPath(id), 'r')
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return // it was removed: nothing lies in it
      throw error
    }
    try {
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  removeSegment(id: string): void {
    unlinkIfThere(nodeFs, this.segmentPath(id))
  }

  /** Segments that nobody has written to for so long, whether there is something in them or not. */
  oldSegments(leftoverMs: number): string[] {
    const folder = join(this.#dir, 'segments')
    return readdirSync(folder)
      .filter((name) => isOld(join(folder, name), leftoverMs))
      .map((name) => Buffer.from(name, 'hex').toString('latin1'))
  }

  /** Removes what writers have left that died long ago. */
  removeLeftovers(leftoverMs: number): void {
    const folder = join(this.#dir, 'tmp')
    for (const name of readdirSync(folder)) {
      if (isOld(join(folder, name), leftoverMs)) unlinkIfThere(nodeFs, join(folder, name))
    }
  }

  /** Gives a synced file its name, unless there is one of that name. */
  #publish(bytes: Buffer, path: string): void {
    const aside = join(this.#dir, 'tmp', randomUUID())
    writeNewFile(nodeFs, aside, bytes)
    try {
      linkSync(aside, path)
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error
    } finally {
      unlinkSync(aside)
    }
  }
}

/** Names in the order of their numbers. */
function nameOf(number: number): string {
  return String(number).padStart(12, '0')
}

function isOld(path: string, leftoverMs: number): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > leftoverMs
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw error
  }
}
