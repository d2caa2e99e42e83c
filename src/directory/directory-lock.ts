/**
 * The lock of a durable directory (durable-directory spec, section 1, step 1): numbered files `<dir>.lock-<n>` beside
 * it, of which the highest holds.
 *
 * A number is never used twice, so that a slow taker cannot link a file that was removed meanwhile and believe itself
 * the holder: a release leaves its file with the word `released`, a taker makes the next number and only then removes
 * the lower ones, and looks again after it has made its own.
 */
import { RecoveryLogError } from '../errors/index.ts'
import {
  readSmallFile,
  syncFolder,
  systemErrorCode,
  unlinkIfThere,
  writeNewFile,
  type SyncFileSystem,
} from '../parts/index.ts'
import { judgeHolder, type ProcessHolder, type ProcessIdentity } from './process-identity.ts'

/** Each try that fails means that another taker has made a newer lock. */
const TAKE_TRIES_MAX = 64

interface LockRecord {
  readonly holder: ProcessHolder
  /** The names of the folders that this holder makes beside the directory end in it. */
  readonly author: number
  /** Milliseconds since 1970, for people. */
  readonly time: number
  readonly released: boolean
}

interface LockFile {
  readonly number: number
  readonly path: string
  /** undefined when it cannot be read as a lock: made by hand, or damaged. */
  readonly record: LockRecord | undefined
}

export interface DirectoryLockOptions {
  readonly fs: SyncFileSystem
  readonly dir: string
  readonly author: number
  readonly identity: ProcessIdentity
  readonly time: number
  /** Takes the lock from a holder that is alive or cannot be judged. */
  readonly takeLock: boolean
}

export class DirectoryLock {
  readonly #fs: SyncFileSystem
  readonly #dir: string
  readonly #number: number
  readonly #record: LockRecord
  /** Owners before this one, whose leftovers beside the directory may be removed. */
  readonly authorsBefore: readonly number[]
  #isReleased = false

  private constructor(options: DirectoryLockOptions, number: number, record: LockRecord, before: LockFile[]) {
    this.#fs = options.fs
    this.#dir = options.dir
    this.#number = number
    this.#record = record
    this.authorsBefore = before.flatMap((file) => file.record?.author ?? [])
  }

  /** @throws `DIRECTORY_IN_USE`, naming the holder, when it is alive or cannot be judged. */
  static take(options: DirectoryLockOptions): DirectoryLock {
    const { fs, dir, author, identity, time, takeLock } = options
    const record: LockRecord = { holder: identity.self, author, time, released: false }
    for (let tries = 0; tries < TAKE_TRIES_MAX; tries++) {
      const before = listLocks(fs, dir)
      const highest = before.at(-1)
      if (highest !== undefined && !takeLock) refuseUnlessFree(highest, dir, identity)
      const number = (highest?.number ?? 0) + 1
      if (!makeLock(fs, dir, number, record)) continue
      if (listLocks(fs, dir).at(-1)?.number === number) {
        return new DirectoryLock(options, number, record, before)
      }
      unlinkIfThere(fs, lockPath(dir, number))
    }
    throw new RecoveryLogError('DIRECTORY_IN_USE', `${dir}: too many others take its lock`, { dir })
  }

  /** Removes the locks of owners before this one. Only after their leftovers are gone: they name them. */
  forgetBefore(): void {
    for (const file of listLocks(this.#fs, this.#dir)) {
      if (file.number < this.#number) unlinkIfThere(this.#fs, file.path)
    }
  }

  /** May be called twice. Leaves a lock that somebody has taken over alone. */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    const path = lockPath(this.#dir, this.#number)
    if (listLocks(this.#fs, this.#dir).at(-1)?.number !== this.#number) return
    const aside = `${path}.released`
    unlinkIfThere(this.#fs, aside)
    writeNewFile(this.#fs, aside, encode({ ...this.#record, released: true }))
    this.#fs.renameSync(aside, path)
  }
}

function refuseUnlessFree(file: LockFile, dir: string, identity: ProcessIdentity): void {
  if (file.record?.released === true) return
  const judgement = file.record === undefined ? 'unknown' : judgeHolder(file.record.holder, identity)
  if (judgement === 'dead') return
  const { path, record } = file
  throw new RecoveryLogError(
    'DIRECTORY_IN_USE',
    record === undefined
      ? `${dir}: the lock ${path} cannot be read`
      : `${dir}: process ${String(record.holder.pid)} of machine ${record.holder.machine} holds it (${judgement})`,
    { dir, lock: path, judgement, holder: record?.holder, time: record?.time },
  )
}

/** False when another taker has made this number. The file is complete as soon as it has its name. */
function makeLock(fs: SyncFileSystem, dir: string, number: number, record: LockRecord): boolean {
  const aside = `${lockPath(dir, number)}.${record.author.toString(16)}`
  unlinkIfThere(fs, aside)
  writeNewFile(fs, aside, encode(record))
  try {
    fs.linkSync(aside, lockPath(dir, number))
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false
    throw error
  } finally {
    unlinkIfThere(fs, aside)
  }
  syncFolder(fs, parentOf(dir))
  return true
}

/** Lowest number first. */
function listLocks(fs: SyncFileSystem, dir: string): LockFile[] {
  const parent = parentOf(dir)
  const prefix = `${dir.slice(parent === '/' ? 1 : parent.length + 1)}.lock-`
  const files: LockFile[] = []
  for (const name of fs.readdirSync(parent).map(String)) {
    if (!name.startsWith(prefix)) continue
    const digits = name.slice(prefix.length)
    if (!/^[1-9]\d{0,14}$/.test(digits)) continue
    const number = Number(digits)
    const bytes = readSmallFile(fs, lockPath(dir, number))
    if (bytes !== undefined) files.push({ number, path: lockPath(dir, number), record: decode(bytes) })
  }
  return files.sort((a, b) => a.number - b.number)
}

function lockPath(dir: string, number: number): string {
  return `${dir}.lock-${String(number)}`
}

/** The folder in which `dir` lies; `dir` is absolute and normalised. */
export function parentOf(dir: string): string {
  return dir.slice(0, Math.max(1, dir.lastIndexOf('/')))
}

function encode(record: LockRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record)}\n`)
}

function decode(bytes: Uint8Array): LockRecord | undefined {
  try {
    const record = JSON.parse(new TextDecoder().decode(bytes)) as LockRecord
    const { holder } = record
    const isValid =
      typeof record.released === 'boolean' &&
      Number.isSafeInteger(record.author) &&
      Number.isSafeInteger(record.time) &&
      Number.isSafeInteger(holder.pid) &&
      [holder.machine, holder.boot, holder.pidNamespace, holder.startTime].every((s) => typeof s === 'string')
    return isValid ? record : undefined
  } catch {
    return undefined // no lock of ours: refuseUnlessFree names it as one that cannot be read
  }
}
