/**
 * Writes the content of many files at once, out of chunks of a log.
 *
 * Small writes are copied into a slot of each file's own, and go out 64 KiB at a time; large ones are written straight
 * from the chunk. Where the file system can write without waiting, several writes are under way while the log is read on.
 * When enough of them are, the next is done at once, so that this thread works too instead of waiting; but for a long one:
 * while this thread is in that, it gives the others nothing more to do. Measured with writes of 1 MiB: a tenth to a fifth
 * less time when they wait.
 *
 * Writes to one file are done in their order as far as they overlap: one that would overtake another is refused until
 * that one is done.
 */
import { Deferred } from '../async/index.ts'
import type { RecoveryLogError } from '../errors/index.ts'
import { fileError } from './file-error.ts'
import type { PlayerFileSystem } from './play-options.ts'
import { StagedFile } from './staged-file.ts'

/** A file's share of memory for small writes: with more, a hundred files leave the processor's cache. */
const SLOT_BYTES = 64 * 1024
/** All of it: 16 MiB, of which only what is used is taken. */
const SLOTS = 256
/** A larger write is not worth its copy. */
const COPY_BYTES_MAX = 16 * 1024
/** Below this a loop over words is faster than a view for `set`. */
const WORD_LOOP_BYTES_MAX = 256
const RECENT_FILES = 1024
/**
 * Writes under way. That of one chunk's small ones can all be, for none is seen to be done while a chunk is played; and
 * of large ones no more than the processor's cache holds, beside what is read ahead.
 */
const IN_FLIGHT_MAX = 64
const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024
/** A write that takes longer than others under way need for all that they have to do. */
const LONG_BYTES_MIN = 256 * 1024
/** Descriptors. More than `IN_FLIGHT_MAX`, so that there is always one to close. */
export const OPEN_FILES_MAX = 128

export class FileWriter {
  readonly #fs: PlayerFileSystem
  readonly #pathOf: (fnode: number) => string
  readonly #files = new Map<number, StagedFile>()
  /** Some of them at their numbers, modulo: a look into a table costs half as much as one into a Map. */
  readonly #recent: (StagedFile | undefined)[] = new Array<undefined>(RECENT_FILES).fill(undefined)
  /** In the order in which they were opened. */
  readonly #openFiles = new Map<number, StagedFile>()
  #slab = new Uint8Array(0)
  #slabView = new DataView(this.#slab.buffer)
  readonly #slotFiles: (StagedFile | undefined)[] = []
  readonly #freeSlots: number[] = []
  #nextVictim = 0
  #viewed = this.#slab as Uint8Array
  #view = this.#slabView as DataView
  #inFlight = 0
  #inFlightBytes = 0
  /** How many of the writes under way read from each chunk. */
  readonly #borrowed = new Map<Uint8Array, number>()
  #failure: RecoveryLogError | undefined
  #changed: Deferred | undefined

  constructor(fs: PlayerFileSystem, pathOf: (fnode: number) => string) {
    this.#fs = fs
    this.#pathOf = pathOf
  }

  create(fnode: number): void {
    this.#files.set(fnode, new StagedFile(fnode))
  }

  sizeOf(fnode: number): number {
    return this.#file(fnode).size
  }

  /** See `Target.write`. */
  write(fnode: number, offset: number, bytes: Uint8Array, begin: number, end: number): boolean {
    const file = this.#file(fnode)
    const length = end - begin
    const place = offset - file.slotOffset
    if (length <= COPY_BYTES_MAX) {
      if (file.slot < 0 || place < 0 || place > file.fill || place + length > SLOT_BYTES) {
        if (!this.#empty(file)) return false
        this.#takeSlot(file, offset)
      }
      this.#copy(file.slot * SLOT_BYTES + offset - file.slotOffset, bytes, begin, length)
      const filled = offset - file.slotOffset + length
      if (filled > file.fill) file.fill = filled
    } else {
      if (place < file.fill && place + length > 0 && !this.#empty(file)) return false
      if (!this.#writeOut(file, offset, bytes, begin, length, -1)) return false
    }
    if (offset + length > file.size) file.size = offset + length
    return true
  }

  remove(fnode: number): void {
    const file = this.#file(fnode)
    this.#files.delete(fnode)
    this.#recent[fnode % RECENT_FILES] = undefined
    file.isRemoved = true
    if (file.slot >= 0) this.#freeSlot(file)
    if (file.inFlight === 0) this.#unlink(file)
  }

  /** See `Target.room`. */
  async room(): Promise<void> {
    await this.#progress()
    this.#throwFailure()
  }

  /** See `Target.release`. */
  release(bytes: Uint8Array): Promise<void> | undefined {
    this.#throwFailure()
    return this.#borrowed.has(bytes) ? this.#until(() => !this.#borrowed.has(bytes)) : undefined
  }

  /** Writes what the slots hold, makes files that have nothing, closes all. */
  async flush(): Promise<void> {
    for (const file of this.#files.values()) {
      while (!this.#empty(file)) await this.room()
      if (!file.isOnDisk) this.#open(file)
    }
    await this.#until(() => this.#inFlight === 0)
    for (const file of [...this.#openFiles.values()]) this.#close(file)
  }

  /** After a failure: as `unlinkAll`, once no write is under way. */
  async discard(): Promise<void> {
    while (this.#inFlight > 0) await this.#progress()
    this.unlinkAll()
  }

  /** Takes their own names from all files. Throws the first error, after all of them. */
  unlinkAll(): void {
    const errors: unknown[] = []
    for (const file of this.#files.values()) {
      try {
        this.#unlink(file)
      } catch (error) {
        errors.push(error)
      }
    }
    this.#files.clear()
    if (errors.length > 0) throw errors[0]
  }

  #file(fnode: number): StagedFile {
    const recent = this.#recent[fnode % RECENT_FILES]
    if (recent?.fnode === fnode) return recent
    const file = this.#files.get(fnode)
    if (file === undefined) throw new TypeError(`fnode ${fnode} has not been created`)
    this.#recent[fnode % RECENT_FILES] = file
    return file
  }

  #copy(to: number, bytes: Uint8Array, begin: number, length: number): void {
    if (length > WORD_LOOP_BYTES_MAX) {
      this.#slab.set(bytes.subarray(begin, begin + length), to)
      return
    }
    if (bytes !== this.#viewed) {
      this.#viewed = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    const from = this.#view
    const slab = this.#slabView
    let i = 0
    for (; i + 8 <= length; i += 8) {
      const low = from.getInt32(begin + i, true)
      const high = from.getInt32(begin + i + 4, true)
      slab.setInt32(to + i, low, true)
      slab.setInt32(to + i + 4, high, true)
    }
    for (; i < length; i++) this.#slab[to + i] = bytes[begin + i] as number
  }

  /** Gives an empty-handed file a slot that begins at `offset`. */
  #takeSlot(file: StagedFile, offset: number): void {
    if (file.slot < 0) {
      file.slot = this.#freeSlots.pop() ?? this.#newSlot()
      this.#slotFiles[file.slot] = file
    }
    file.slotOffset = offset
    file.fill = 0
  }

  #newSlot(): number {
    const count = this.#slotFiles.length
    if (count < SLOTS) {
      if (count === 0) {
        this.#slab = new Uint8Array(SLOTS * SLOT_BYTES)
        this.#slabView = new DataView(this.#slab.buffer)
      }
      this.#slotFiles.push(undefined)
      return count
    }
    // Those under way are few, so one of the next ones is a file's that can be written out now.
    for (;;) {
      const victim = this.#slotFiles[this.#nextVictim]
      this.#nextVictim = (this.#nextVictim + 1) % SLOTS
      if (victim === undefined || this.#isOverlapping(victim, victim.slotOffset, victim.fill)) continue
      const slot = victim.slot
      if (victim.fill > 0) {
        this.#writeSync(victim, victim.slotOffset, this.#slab, slot * SLOT_BYTES, victim.fill)
      }
      victim.slot = -1
      victim.fill = 0
      return slot
    }
  }

  #freeSlot(file: StagedFile): void {
    this.#slotFiles[file.slot] = undefined
    this.#freeSlots.push(file.slot)
    file.slot = -1
    file.fill = 0
  }

  /** Writes out what the file's slot holds. Answers false when that would overtake another write. */
  #empty(file: StagedFile): boolean {
    if (file.fill === 0) return true
    const begin = file.slot * SLOT_BYTES
    if (!this.#writeOut(file, file.slotOffset, this.#slab, begin, file.fill, file.slot)) return false
    file.fill = 0
    return true
  }

  /** `slot` is the one that `bytes` are in, or -1 for bytes of a chunk. Answers false when it has to wait. */
  #writeOut(
    file: StagedFile,
    offset: number,
    bytes: Uint8Array,
    begin: number,
    length: number,
    slot: number,
  ): boolean {
    this.#throwFailure()
    if (this.#isOverlapping(file, offset, length)) return false
    const isBusy = this.#inFlight >= IN_FLIGHT_MAX || this.#inFlightBytes >= IN_FLIGHT_BYTES_MAX
    if (isBusy && length >= LONG_BYTES_MIN) return false
    if (this.#fs.write === undefined || isBusy) {
      this.#writeSync(file, offset, bytes, begin, length)
      return true
    }
    this.#inFlight++
    this.#inFlightBytes += length
    if (file.inFlight++ === 0) {
      file.inFlightBegin = offset
      file.inFlightEnd = offset + length
    } else {
      file.inFlightBegin = Math.min(file.inFlightBegin, offset)
      file.inFlightEnd = Math.max(file.inFlightEnd, offset + length)
    }
    if (slot >= 0) {
      // The slot is the write's until it is done; the file takes another.
      this.#slotFiles[slot] = undefined
      file.slot = -1
    } else {
      this.#borrowed.set(bytes, (this.#borrowed.get(bytes) ?? 0) + 1)
    }
    this.#writeAsync(file, offset, bytes, begin, length, slot)
    return true
  }

  #isOverlapping(file: StagedFile, offset: number, length: number): boolean {
    return file.inFlight > 0 && offset < file.inFlightEnd && offset + length > file.inFlightBegin
  }

  #writeSync(file: StagedFile, offset: number, bytes: Uint8Array, begin: number, length: number): void {
    const fd = this.#open(file)
    try {
      for (let done = 0; done < length;) {
        const written = this.#fs.writeSync(fd, bytes, begin + done, length - done, offset + done)
        if (written === 0) throw new Error('no byte was written')
        done += written
      }
    } catch (error) {
      throw this.#fileError(error, file)
    }
  }

  #writeAsync(
    file: StagedFile,
    offset: number,
    bytes: Uint8Array,
    begin: number,
    length: number,
    slot: number,
  ): void {
    const fd = this.#open(file)
    this.#fs.write?.(fd, bytes, begin, length, offset, (error, written) => {
      if (error === null && written > 0 && written < length) {
        this.#inFlightBytes -= written
        this.#writeAsync(file, offset + written, bytes, begin + written, length - written, slot)
        return
      }
      if (error !== null || written === 0) {
        this.#failure ??= this.#fileError(error ?? 'no byte was written', file)
      }
      this.#inFlight--
      this.#inFlightBytes -= length
      file.inFlight--
      if (slot >= 0) this.#freeSlots.push(slot)
      else this.#giveBack(bytes)
      if (file.isRemoved && file.inFlight === 0) {
        try {
          this.#unlink(file)
        } catch (error) {
          this.#failure ??= this.#fileError(error, file)
        }
      }
      this.#changed?.resolve()
      this.#changed = undefined
    })
  }

  #giveBack(bytes: Uint8Array): void {
    const left = (this.#borrowed.get(bytes) ?? 0) - 1
    if (left > 0) this.#borrowed.set(bytes, left)
    else this.#borrowed.delete(bytes)
  }

  #open(file: StagedFile): number {
    if (file.fd >= 0) return file.fd
    if (this.#openFiles.size >= OPEN_FILES_MAX) this.#closeOldest()
    try {
      file.fd = this.#fs.openSync(this.#pathOf(file.fnode), file.isOnDisk ? 'r+' : 'wx', 0o666)
    } catch (error) {
      throw this.#fileError(error, file)
    }
    file.isOnDisk = true
    this.#openFiles.set(file.fnode, file)
    return file.fd
  }

  #closeOldest(): void {
    for (const file of this.#openFiles.values()) {
      if (file.inFlight > 0) continue
      this.#close(file)
      return
    }
  }

  #close(file: StagedFile): void {
    const { fd } = file
    if (fd < 0) return
    file.fd = -1
    this.#openFiles.delete(file.fnode)
    try {
      this.#fs.closeSync(fd)
    } catch (error) {
      throw this.#fileError(error, file)
    }
  }

  #unlink(file: StagedFile): void {
    this.#close(file)
    if (!file.isOnDisk) return
    try {
      this.#fs.unlinkSync(this.#pathOf(file.fnode))
    } catch (error) {
      throw this.#fileError(error, file)
    }
    file.isOnDisk = false
  }

  #fileError(error: unknown, file: StagedFile): RecoveryLogError {
    return fileError(error, this.#pathOf(file.fnode))
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (!isDone()) await this.#progress()
    this.#throwFailure()
  }

  /** Resolves when a write under way is done, or at once when there is none. */
  #progress(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    this.#changed ??= new Deferred()
    return this.#changed.promise
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}
