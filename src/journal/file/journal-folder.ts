import { randomBytes, randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { RecoveryLogError } from '../../errors/index.ts'
import { readSmallFile, syncFolder, systemErrorCode, unlinkIfThere, writeNewFile } from '../../parts/index.ts'
import type { Durability } from '../journal.ts'
import { decodeRecord, encodeRecord, FORMAT_VERSION } from './format.ts'
import { release } from './journal-file-system.ts'
import type { JournalFileSystem } from './journal-file-system.ts'

export type FileDurability = Extract<Durability, 'disk' | 'process'>

/** What the file `journal` says. */
export interface Identity {
  readonly format: number
  /** Random: a journal made anew in the same place has another one (J13). */
  readonly id: string
  readonly name: string
  readonly durability: FileDurability
}

/** A segment file, as its name tells it. */
export interface SegmentName {
  readonly epoch: number
  readonly begin: number
}

const EPOCH_DIGITS = 10
const OFFSET_DIGITS = 16
const INTENT = /^epoch-(\d{10})\.intent$/
const SEGMENT = /^epoch-(\d{10})-(\d{16})\.segment$/

/** The folder of one journal: names of files, and how they become visible. Knows nothing of what is in segments. */
export class JournalFolder {
  readonly fs: JournalFileSystem
  readonly dir: string
  readonly identity: Identity
  /** Held open: its link count tells when the journal has been deleted. */
  readonly #identityFd: number

  private constructor(fs: JournalFileSystem, dir: string, identity: Identity, identityFd: number) {
    this.fs = fs
    this.dir = dir
    this.identity = identity
    this.#identityFd = identityFd
  }

  /** Opens the journal in `dir`, and makes it when there is none. Claims nothing. */
  static open(
    fs: JournalFileSystem,
    dir: string,
    wanted: { readonly name: string | undefined; readonly durability: FileDurability | undefined },
  ): JournalFolder {
    const path = `${dir}/journal`
    if (readSmallFile(fs, path) === undefined) {
      fs.mkdirSync(dir, { recursive: true })
      const name = wanted.name ?? defaultName(dir)
      const identity: Identity = {
        format: 1,
        id: randomUUID(),
        name,
        durability: wanted.durability ?? 'disk',
      }
      publish(fs, dir, 'journal', encodeRecord(identity))
    }
    const fd = fs.openSync(path, 'r')
    try {
      const identity = decodeIdentity(dir, readSmallFile(fs, path) ?? new Uint8Array(0))
      assertWanted(dir, identity, wanted)
      return new JournalFolder(fs, dir, identity, fd)
    } catch (error) {
      release(fs, fd)
      throw error
    }
  }

  get isDisk(): boolean {
    return this.identity.durability === 'disk'
  }

  /** Throws `NOT_FOUND` when the journal has been deleted since: what lies under its name now is another one (J13). */
  assertThere(): void {
    if (this.fs.fstatSync(this.#identityFd).nlink === 0) {
      throw new RecoveryLogError('NOT_FOUND', 'the journal was deleted', {
        journal: this.identity.name,
        id: this.identity.id,
        dir: this.dir,
      })
    }
  }

  intentPath(epoch: number): string {
    return `${this.dir}/${epochName(epoch)}.intent`
  }

  headPath(epoch: number): string {
    return `${this.dir}/${epochName(epoch)}.head`
  }

  segmentPath({ epoch, begin }: SegmentName): string {
    return `${this.dir}/${epochName(epoch)}-${String(begin).padStart(OFFSET_DIGITS, '0')}.segment`
  }

  hasIntent(epoch: number): boolean {
    return this.fs.statSync(this.intentPath(epoch), { throwIfNoEntry: false }) !== undefined
  }

  /** Creates the intent of an epoch. False when somebody else has: of any number of racing callers one gets true. */
  createIntent(epoch: number): boolean {
    try {
      release(this.fs, this.fs.openSync(this.intentPath(epoch), 'wx'))
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') return false
      throw error
    }
    this.sync()
    return true
  }

  /** The highest epoch in the listing; one that is being created may be missing. */
  listedEpoch(): number {
    let newest = 0
    for (const name of this.#list()) newest = Math.max(newest, Number(INTENT.exec(name)?.[1] ?? 0))
    return newest
  }

  /** All segment files, by epoch, then begin. */
  listSegments(): SegmentName[] {
    const segments: SegmentName[] = []
    for (const name of this.#list()) {
      const [, epoch, begin] = SEGMENT.exec(name) ?? []
      if (epoch !== undefined) segments.push({ epoch: Number(epoch), begin: Number(begin) })
    }
    return segments.sort((a, b) => a.epoch - b.epoch || a.begin - b.begin)
  }

  readSeal(epoch: number): Uint8Array | undefined {
    return readSmallFile(this.fs, this.#sealPath(epoch))
  }

  /** Whoever links first decides. Answers whether that was us. */
  publishSeal(epoch: number, bytes: Uint8Array): boolean {
    return publish(this.fs, this.dir, `${epochName(epoch)}.seal`, bytes, this.isDisk)
  }

  removeFile(path: string): void {
    unlinkIfThere(this.fs, path)
  }

  /** Makes new names durable, where the journal is meant to be. */
  sync(): void {
    if (this.isDisk) syncFolder(this.fs, this.dir)
  }

  close(): void {
    release(this.fs, this.#identityFd)
  }

  #sealPath(epoch: number): string {
    return `${this.dir}/${epochName(epoch)}.seal`
  }

  #list(): string[] {
    return this.fs.readdirSync(this.dir).map(String)
  }
}

/** A random number for a segment's salt. */
export function randomSalt(): number {
  return randomBytes(4).readUInt32LE()
}

/** Writes aside, syncs, links and syncs the folder: the file is there whole, or not at all, and never replaced. */
function publish(
  fs: JournalFileSystem,
  dir: string,
  name: string,
  bytes: Uint8Array,
  isDisk = true,
): boolean {
  const aside = `${dir}/${name}.${randomUUID()}.aside`
  try {
    writeNewFile(fs, aside, bytes)
    fs.linkSync(aside, `${dir}/${name}`)
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false
    throw error
  } finally {
    unlinkIfThere(fs, aside)
    if (isDisk) syncFolder(fs, dir)
  }
}

function decodeIdentity(dir: string, bytes: Uint8Array): Identity {
  const record = decodeRecord(bytes) as Identity | undefined
  if (record === undefined) {
    throw new RecoveryLogError('CORRUPT', 'the identity of the journal is damaged', {
      journal: dir,
      offset: 0,
      length: bytes.length,
    })
  }
  if (record.format !== FORMAT_VERSION) {
    throw new RecoveryLogError('INVALID', 'a journal of a newer format', {
      journal: dir,
      format: record.format,
    })
  }
  return record
}

function assertWanted(
  dir: string,
  identity: Identity,
  wanted: { readonly name: string | undefined; readonly durability: FileDurability | undefined },
): void {
  for (const key of ['name', 'durability'] as const) {
    const value = wanted[key]
    if (value === undefined || value === identity[key]) continue
    throw new RecoveryLogError('INVALID', `the journal in this folder has another ${key}`, {
      dir,
      option: key,
      value,
      stored: identity[key],
    })
  }
}

/** A valid log name, however short the folder's own is. */
function defaultName(dir: string): string {
  return `journal/${basename(dir)}`
}

function epochName(epoch: number): string {
  return `epoch-${String(epoch).padStart(EPOCH_DIGITS, '0')}`
}
