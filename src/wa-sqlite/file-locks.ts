/**
 * SQLite's five lock levels between the connections of one process (sqlite.org/lockingv3.html). No other process opens
 * the files of a durable directory: its own lock sees to that.
 */
import {
  SQLITE_BUSY,
  SQLITE_LOCK_EXCLUSIVE,
  SQLITE_LOCK_NONE,
  SQLITE_LOCK_PENDING,
  SQLITE_LOCK_RESERVED,
  SQLITE_LOCK_SHARED,
  SQLITE_OK,
} from './constants.ts'

/** Who holds what on one file: connections are SQLite's file ids. */
export class FileLocks {
  readonly #levels = new Map<number, number>()

  /** Raises the level of a connection; `SQLITE_BUSY` when another one's forbids it. */
  lock(fileId: number, level: number): number {
    const held = this.levelOf(fileId)
    if (held >= level) return SQLITE_OK
    const highest = this.#highestOfOthers(fileId)
    if (level === SQLITE_LOCK_SHARED && highest >= SQLITE_LOCK_PENDING) return SQLITE_BUSY
    if (level === SQLITE_LOCK_RESERVED && highest >= SQLITE_LOCK_RESERVED) return SQLITE_BUSY
    if (level === SQLITE_LOCK_EXCLUSIVE) {
      if (highest >= SQLITE_LOCK_RESERVED) return SQLITE_BUSY
      if (highest >= SQLITE_LOCK_SHARED) {
        this.#levels.set(fileId, SQLITE_LOCK_PENDING) // no new reader comes in while the others leave
        return SQLITE_BUSY
      }
    }
    this.#levels.set(fileId, level)
    return SQLITE_OK
  }

  unlock(fileId: number, level: number): void {
    if (level === SQLITE_LOCK_NONE) this.#levels.delete(fileId)
    else this.#levels.set(fileId, Math.min(level, this.levelOf(fileId)))
  }

  get isReserved(): boolean {
    return this.#highestOfOthers(undefined) >= SQLITE_LOCK_RESERVED
  }

  levelOf(fileId: number): number {
    return this.#levels.get(fileId) ?? SQLITE_LOCK_NONE
  }

  #highestOfOthers(fileId: number | undefined): number {
    let highest = SQLITE_LOCK_NONE
    for (const [id, level] of this.#levels) if (id !== fileId) highest = Math.max(highest, level)
    return highest
  }
}
