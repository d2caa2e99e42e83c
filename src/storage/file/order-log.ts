import { closeSync, constants, fdatasync, openSync, readSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { systemErrorCode } from '../../parts/index.ts'
import {
  decodeRecord,
  encodeRecords,
  nextRecordStart,
  ORDER_RECORD_BYTES,
  OrderKind,
} from './order-record.ts'
import type { OrderRecord } from './order-record.ts'
import type { StorageFolder } from './storage-folder.ts'

const READ_BYTES = 64 * 1024
const datasync = promisify(fdatasync)

/** The file that goes on behind an end is gone: this process has slept through more than one. */
export class OrderGone extends Error {}

/**
 * The order log: what all processes append to, so that they agree on what came first. The system appends 64 bytes as a
 * whole, behind what others have appended. Its files are numbered; each ends with an end.
 */
export class OrderLog {
  readonly #folder: StorageFolder
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  #number: number
  #fd: number
  /** Up to where it was read. */
  #position = 0
  /** What was read up to there is on the disk. */
  #synced = 0
  /** Files before this one that were read, and may not be on the disk. */
  #unsynced: number[] = []

  constructor(folder: StorageFolder, number: number) {
    this.#folder = folder
    this.#number = number
    this.#fd = openOrder(folder, number)
  }

  get number(): number {
    return this.#number
  }

  /** How many bytes of the newest file were read. */
  get bytes(): number {
    return this.#position
  }

  /** Whether all that was read is on the disk. */
  get isSynced(): boolean {
    return this.#unsynced.length === 0 && this.#synced === this.#position
  }

  /**
   * Reads what there is behind what was read, and goes on to the next file at an end.
   *
   * @throws OrderGone
   */
  catchUp(apply: (record: OrderRecord) => void): void {
    for (;;) {
      const count = readSync(this.#fd, this.#buffer, 0, READ_BYTES, this.#position)
      const hasEnded = this.#take(this.#buffer.subarray(0, count), apply)
      if (hasEnded) this.#goOn()
      else if (count < READ_BYTES) return
    }
  }

  /** Appends records. Whether they count tells the next `catchUp`: behind an end they do not. */
  append(records: readonly OrderRecord[]): void {
    let bytes = encodeRecords(records)
    while (bytes.length > 0) {
      const written = writeSync(this.#fd, bytes, 0, bytes.length, null)
      // A record that was cut is no record: it is appended again.
      bytes = bytes.subarray(written - (written % ORDER_RECORD_BYTES))
    }
  }

  /** Waits until all that was read and appended is on the disk. */
  async sync(): Promise<void> {
    const position = this.#position
    const fd = this.#fd
    const before = this.#unsynced
    this.#unsynced = []
    await Promise.all([...before, fd].map(async (each) => datasync(each)))
    before.forEach(closeSync)
    if (fd === this.#fd) this.#synced = Math.max(this.#synced, position)
  }

  close(): void {
    for (const fd of [...this.#unsynced, this.#fd]) closeSync(fd)
    this.#unsynced = []
  }

  /** Applies the records in `bytes`; answers whether an end was among them. */
  #take(bytes: Buffer, apply: (record: OrderRecord) => void): boolean {
    let at = 0
    while (at + ORDER_RECORD_BYTES <= bytes.length) {
      const record = decodeRecord(bytes, at)
      if (record === undefined) {
        at = nextRecordStart(bytes, at)
        continue
      }
      at += ORDER_RECORD_BYTES
      apply(record)
      if (record.kind === OrderKind.end) return true
    }
    this.#position += at
    return false
  }

  #goOn(): void {
    const next = openOrder(this.#folder, this.#number + 1)
    this.#unsynced.push(this.#fd)
    this.#fd = next
    this.#number++
    this.#position = 0
    this.#synced = 0
  }
}

/** Opens a file of the log, which is never made here: one that was removed must not come back. */
function openOrder(folder: StorageFolder, number: number): number {
  try {
    return openSync(folder.orderPath(number), constants.O_RDWR | constants.O_APPEND)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') throw new OrderGone()
    throw error
  }
}
