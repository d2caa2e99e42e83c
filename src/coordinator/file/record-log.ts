import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import * as nodeFs from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { RecoveryLogError } from '../../errors/index.ts'
import { syncFolder as syncFolderSync, systemErrorCode } from '../../parts/index.ts'
import type { JsonValue } from '../state-store.ts'
import { encodeRecord, readRecords } from './record-line.ts'
import { ifThere, syncFile, syncFolder } from './system.ts'

/**
 * A log that any number of processes append to, so that all agree on what came first (adapters spec, Q5): a folder with
 * one file, named by its number. The system appends a record as a whole, behind those of others. Whoever appends then
 * reads what there is up to its own record: what that does, the records before it decide.
 *
 * A file that is long ends with an end: what comes behind it does not count. What counted of the file before, in few
 * records, is then linked, synced, to the next number, by anybody who finds the end; the first link is the one. Files before
 * the highest are removed. So a number may be free again when a link comes that has slept long, but it is never the highest:
 * who opens a file, or links one, looks afterwards whether it is that.
 */

/** What is in a log, as whoever uses it understands it. */
export interface RecordState {
  /** Forgets everything: what follows is read from the beginning. */
  begin(): void
  /** Takes a record, as JSON, behind those before it. */
  apply(json: string): void
  /** The records that say what all before them have said. */
  snapshot(): readonly JsonValue[]
}

const END = encodeRecord('end')
const END_JSON = '"end"'
const BEGIN = encodeRecord('begin')
const BEGIN_JSON = '"begin"'
/**
 * Says that the names of the file and its folder are on the disk, and the records with which it was made: whoever reads
 * it need not sync them once more.
 */
const NAMED = encodeRecord('named')
const NAMED_JSON = '"named"'

/** A reader that others are always ahead of looks again; each has made a newer file. */
const OPEN_TRIES = 1000
const READ_BYTES = 64 * 1024

const datasync = promisify(fdatasync)

/** What is read goes through the same memory: nothing waits while it is in use. */
const buffer = Buffer.allocUnsafeSlow(READ_BYTES)

export class RecordLog {
  readonly #folder: string
  /** Where files are written before they are linked. */
  readonly #aside: string
  readonly #state: RecordState
  #fd: number | undefined
  #number = 0
  /** Up to where the file was read. */
  #position = 0
  #hasBegun = false
  #hasEnded = false
  /** Whether the names of the file and its folder are on the disk: whoever has made them may have died before. */
  #isNamed = false
  /** How many records of the file were read, and how many of these are known to be on the disk. */
  #records = 0
  #durable = 0
  /** Descriptors that a sync is waiting for are closed behind it. */
  #syncs = 0
  readonly #left: number[] = []

  constructor(folder: string, aside: string, state: RecordState) {
    this.#folder = folder
    this.#aside = aside
    this.#state = state
  }

  /** How many bytes of the file were read. */
  get bytes(): number {
    return this.#position
  }

  /** Makes the log with its first records; answers false when there is one. */
  async create(records: readonly JsonValue[]): Promise<boolean> {
    mkdirSync(this.#folder, { recursive: true })
    const aside = join(this.#aside, randomBytes(8).toString('hex'))
    const fd = openSync(aside, 'ax')
    try {
      writeAll(fd, fileOf(records))
      await syncFile(fd)
      if (!this.#link(aside, 1)) return false
      await this.#syncNames()
      appendWhole(fd, NAMED)
      return true
    } finally {
      closeSync(fd)
      unlinkSync(aside)
    }
  }

  /** Reads what was appended since the last time; answers whether there is a log. @throws RecoveryLogError `CORRUPT` */
  catchUp(): boolean {
    if (this.#fd === undefined && !this.#open()) return false
    while (this.#readOn()) this.#goOn()
    return true
  }

  /** Appends a record, behind those that were read and those that others append now. Then `catchUp` tells what it does. */
  append(record: JsonValue): void {
    appendWhole(this.#fd as number, encodeRecord(record))
  }

  /**
   * Waits until all that was read is on the disk, which it mostly is: who acts on what another has written, and not yet
   * synced before it died, would else go further than what a loss of power leaves.
   */
  async settle(): Promise<void> {
    if (this.#durable < this.#records) await this.sync()
  }

  /** Syncs all that was read. @throws RecoveryLogError `UNAVAILABLE` when somebody has removed it */
  async sync(): Promise<void> {
    const fd = this.#fd as number
    this.#syncs++
    try {
      const isNamed = this.#isNamed
      const records = this.#records
      await Promise.all([datasync(fd), isNamed ? undefined : this.#syncNames()])
      if (!isNamed) appendWhole(fd, NAMED)
      if (fd !== this.#fd) return
      this.#durable = Math.max(this.#durable, records)
      if (fstatSync(fd).nlink === 0) this.#leaveRemoved(fd)
    } finally {
      this.#syncs--
      if (this.#syncs === 0) for (const each of this.#left.splice(0)) closeSync(each)
    }
  }

  /** Goes on in another file, with what counts now; does nothing once it is closed. */
  rotate(): void {
    if (this.#fd === undefined) return
    appendWhole(this.#fd, END)
    this.catchUp()
  }

  close(): void {
    if (this.#fd === undefined) return
    if (this.#syncs > 0) this.#left.push(this.#fd)
    else closeSync(this.#fd)
    this.#fd = undefined
  }

  /** A file without a name has ended, and others have made the next; or it was removed, with all that is in it. */
  #leaveRemoved(fd: number): void {
    this.catchUp()
    if (fd !== this.#fd) return
    this.close()
    const data = { folder: this.#folder }
    throw new RecoveryLogError('UNAVAILABLE', `the log ${this.#folder} was removed`, data)
  }

  async #syncNames(): Promise<void> {
    await Promise.all([syncFolder(this.#folder), syncFolder(dirname(this.#folder))])
  }

  /** Opens the highest file; answers false when there is none. */
  #open(): boolean {
    if (!existsSync(this.#folder)) return false
    // Most logs are in their first file.
    let number = 1
    for (let tries = 0; tries < OPEN_TRIES; tries++) {
      const fd = ifThere(() => openSync(this.#path(number), constants.O_RDWR | constants.O_APPEND))
      const highest = this.#highest()
      if (fd !== undefined && highest === number) {
        this.#begin(fd, number)
        return true
      }
      if (fd !== undefined) closeSync(fd)
      if (highest === 0) return false
      number = highest
    }
    const data = { folder: this.#folder }
    throw new RecoveryLogError('UNAVAILABLE', `${this.#folder} changes faster than it can be read`, data)
  }

  #begin(fd: number, number: number): void {
    this.#fd = fd
    this.#number = number
    this.#position = 0
    this.#hasBegun = false
    this.#hasEnded = false
    this.#isNamed = false
    this.#records = this.#durable = 0
    this.#state.begin()
  }

  /** Reads what there is; answers whether it ends. */
  #readOn(): boolean {
    for (;;) {
      const bytes = this.#read()
      const path = this.#path(this.#number)
      const count = readRecords(bytes, this.#take, { path, offset: this.#position })
      this.#position += count
      if (this.#hasEnded) return true
      if (bytes.length < READ_BYTES || count === 0) break
    }
    if (this.#hasBegun) return false
    const path = this.#path(this.#number)
    throw new RecoveryLogError('CORRUPT', `the file ${path} has lost its beginning`, { path, offset: 0 })
  }

  readonly #take = (json: string): boolean => {
    if (json === BEGIN_JSON) this.#hasBegun = true
    else if (json === END_JSON) this.#hasEnded = true
    else if (json === NAMED_JSON) this.#name()
    else this.#apply(json)
    return !this.#hasEnded
  }

  #name(): void {
    this.#isNamed = true
    // More than one may have come between the link and this.
    if (this.#records === 1) this.#durable = 1
  }

  #apply(json: string): void {
    this.#records++
    this.#state.apply(json)
  }

  /** Whatever there is behind the position, a whole line of it at least. */
  #read(): Buffer {
    let bytes = buffer.subarray(0, readSync(this.#fd as number, buffer, 0, READ_BYTES, this.#position))
    while (bytes.length >= READ_BYTES && !bytes.includes('\n', 1)) {
      const longer = Buffer.allocUnsafe(2 * bytes.length)
      const count = readSync(this.#fd as number, longer, 0, longer.length, this.#position)
      if (count <= bytes.length) break
      bytes = longer.subarray(0, count)
    }
    return bytes
  }

  /** Behind an end: makes the next file unless somebody has, and opens the highest. */
  #goOn(): void {
    const number = this.#number + 1
    if (this.#highest() < number) this.#makeNext(number)
    this.close()
    if (!this.#open()) {
      const data = { folder: this.#folder }
      throw new RecoveryLogError('CORRUPT', `the folder ${this.#folder} has lost its files`, data)
    }
  }

  #makeNext(number: number): void {
    const aside = join(this.#aside, randomBytes(8).toString('hex'))
    const fd = openSync(aside, 'wx')
    try {
      writeAll(fd, fileOf(this.#state.snapshot()))
      fsyncSync(fd)
      if (!this.#link(aside, number)) return
    } finally {
      closeSync(fd)
      unlinkSync(aside)
    }
    syncFolderSync(nodeFs, this.#folder)
    for (const older of this.#numbers()) {
      if (older < number) ifThere(() => unlinkSync(this.#path(older)))
    }
  }

  /** Whether the file at `aside` has become the one of that number, and that is the highest. */
  #link(aside: string, number: number): boolean {
    try {
      linkSync(aside, this.#path(number))
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') return false
      throw error
    }
    if (this.#highest() === number) return true
    ifThere(() => unlinkSync(this.#path(number)))
    return false
  }

  #highest(): number {
    return Math.max(0, ...this.#numbers())
  }

  #numbers(): number[] {
    return (ifThere(() => readdirSync(this.#folder)) ?? []).map(Number)
  }

  #path(number: number): string {
    return join(this.#folder, String(number))
  }
}

function fileOf(records: readonly JsonValue[]): Buffer {
  return Buffer.concat([BEGIN, ...records.map(encodeRecord)])
}

/** What was cut, by a full disk, is no record, and is appended again as a whole. */
function appendWhole(fd: number, bytes: Buffer): void {
  while (writeSync(fd, bytes) < bytes.length);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at)
}
