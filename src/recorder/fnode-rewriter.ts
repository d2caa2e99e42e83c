/**
 * A file as a new fnode (recovery-log spec, section 9, "a bounded horizon"; truncation in durable-directory spec,
 * section 2): a create, its content, and every name moved over. What does not fit one append is written under
 * `/.recoverylog/` first, and one append moves the names.
 */

import { raceAbort, throwIfAborted } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { pathFrameBytesMax, WRITE_FRAME_BYTES_MAX } from '../wire/index.ts'
import { FnodeHistory } from './fnode-history.ts'
import type { FnodeWatcher, OperationWriter } from './operation-writer.ts'
import { RESERVED_FOLDER } from './recorded-path.ts'

/** How much of a file is copied in one turn: others get to record in between. 1 MiB. */
const TURN_BYTES = 1024 * 1024

/** How often in a row a part may be written while it is being read. */
const STALE_READS_MAX = 100

/** The longest name of a part: see `reservedPath`. */
const RESERVED_PATH_LENGTH = RESERVED_FOLDER.length + 'rewrite-'.length + 16

/**
 * Answers `length` bytes of the file at `offset`, as the calls recorded so far have left it. They are copied before
 * anything else happens.
 */
export type ReadContent<Answer = Uint8Array | Promise<Uint8Array>> = (
  offset: number,
  length: number,
) => Answer

export interface RewriteOptions {
  /** The size of the file, now. */
  readonly size: number
  /** A promise is allowed: a part that is written while it is read is read again. */
  readonly read: ReadContent
  /** Called in the turn in which the names have moved: from now on the new fnode is the one to write. */
  readonly onReplaced?: (fnode: number) => void
  /** Ends the rewrite, and leaves the file as it was. */
  readonly signal?: AbortSignal
}

export class FnodeRewriter implements FnodeWatcher {
  /** Undefined unless histories are to be counted. */
  readonly history: FnodeHistory | undefined
  readonly #operations: OperationWriter
  readonly #rewrites = new Map<number, Rewrite>()

  constructor(operations: OperationWriter, countHistory: boolean) {
    this.#operations = operations
    this.history = countHistory ? new FnodeHistory(operations.fsm) : undefined
    this.#watch()
  }

  wrote(fnode: number, offset: number, data: Uint8Array, recordedBytes: number): void {
    this.history?.add(fnode, recordedBytes)
    const rewrite = this.#rewrites.get(fnode)
    if (rewrite !== undefined) this.#follow(rewrite, offset, data)
  }

  ended(fnode: number): void {
    this.history?.delete(fnode)
  }

  /** Unlinks the parts that an earlier owner has left: their names will not move any more. */
  dropLeftOver(): void {
    const { queue, fsm } = this.#operations
    const parts = [...fsm.links()].filter(({ path }) => path.startsWith(RESERVED_FOLDER))
    if (parts.length === 0) return
    queue.begin(0)
    for (const { path, fnode } of parts) this.#operations.unlink(fnode, path)
    queue.end()
  }

  /** Rewrites at once, and answers the new fnode. */
  replace(fnode: number, size: number, read: ReadContent<Uint8Array>): number {
    const { queue, fsm } = this.#operations
    const bytes = this.#moveBytes(fnode) + size + (1 + Math.ceil(size / TURN_BYTES)) * WRITE_FRAME_BYTES_MAX
    queue.admit(bytes)
    if (bytes > queue.appendBytesMax) return this.#replaceInParts(fnode, size, read, bytes)
    const content = size === 0 ? undefined : checkedContent(read(0, size), 0, size)
    const [first, ...others] = fsm.linksOf(fnode) as [string, ...string[]]
    queue.begin(bytes)
    try {
      this.#operations.unlink(fnode, first)
      const target = this.#operations.create(first)
      if (content !== undefined) this.#operations.write(target, 0, content)
      this.#moveNames(fnode, target, others)
      return target
    } finally {
      queue.end()
    }
  }

  /** Rewrites while others write. Answers the new fnode, or undefined when the file has ended meanwhile. */
  async rewrite(fnode: number, options: RewriteOptions): Promise<number | undefined> {
    const { queue } = this.#operations
    throwIfAborted(options.signal)
    if (this.#rewrites.has(fnode)) {
      throw new RecoveryLogError('CONFLICT', 'the file is being rewritten', { fnode })
    }
    this.#checkMove(this.#moveBytes(fnode))
    queue.admit(pathFrameBytesMax(RESERVED_PATH_LENGTH))
    const rewrite = new Rewrite(this.#createReserved(), options)
    this.#rewrites.set(fnode, rewrite)
    this.#watch()
    try {
      return await this.#run(fnode, rewrite)
    } finally {
      this.#rewrites.delete(fnode)
      this.#watch()
      await this.#dropReserved(rewrite.target)
    }
  }

  async #run(fnode: number, rewrite: Rewrite): Promise<number | undefined> {
    const { queue, fsm } = this.#operations
    const { signal, onReplaced } = rewrite.options
    for (;;) {
      await raceAbort(queue.committedAt(queue.position), signal)
      await queue.room(TURN_BYTES + WRITE_FRAME_BYTES_MAX + this.#moveBytes(fnode), signal)
      if (!fsm.isLive(fnode)) return undefined
      if (rewrite.broken !== undefined) throw rewrite.broken
      await this.#copyTurn(rewrite)
      if (rewrite.ranges.length > 0 || !fsm.isLive(fnode)) continue
      this.#moveAll(fnode, rewrite.target)
      onReplaced?.(rewrite.target)
      return rewrite.target
    }
  }

  /** Copies as much as one turn takes; less, when a part was written or the queue was filled while it was read. */
  async #copyTurn(rewrite: Rewrite): Promise<void> {
    const { ranges, options, target } = rewrite
    for (let left = TURN_BYTES; left > 0 && ranges.length > 0;) {
      const [begin, end] = rewrite.take(left)
      left -= end - begin
      const answer = options.read(begin, end - begin)
      const content = answer instanceof Uint8Array ? answer : await rewrite.whileReading(begin, end, answer)
      if (rewrite.stale || !this.#operations.queue.fits(end - begin)) {
        rewrite.readAgain(begin, end)
        return
      }
      rewrite.staleReads = 0
      this.#operations.write(target, begin, checkedContent(content, begin, end - begin))
    }
  }

  /** Lets a write of the file go to its rewrite too. */
  #follow(rewrite: Rewrite, offset: number, data: Uint8Array): void {
    const { queue } = this.#operations
    const end = offset + data.length
    rewrite.touched(offset, end)
    if (queue.inCall) {
      rewrite.ranges.push([offset, end]) // copied later: a call is not to outgrow its append by this
      return
    }
    try {
      this.#operations.write(rewrite.target, offset, data)
    } catch (error) {
      rewrite.broken = error as Error // the write itself is recorded: only the rewrite fails
    }
  }

  #replaceInParts(fnode: number, size: number, read: ReadContent<Uint8Array>, bytes: number): number {
    const operations = this.#operations
    this.#checkMove(this.#moveBytes(fnode))
    operations.queue.begin(bytes)
    try {
      const target = this.#createReserved()
      try {
        for (let offset = 0; offset < size; offset += TURN_BYTES) {
          const length = Math.min(TURN_BYTES, size - offset)
          operations.write(target, offset, checkedContent(read(offset, length), offset, length))
        }
      } catch (error) {
        operations.unlink(target, reservedPath(target))
        throw error
      }
      operations.queue.cut()
      this.#moveAll(fnode, target)
      return target
    } finally {
      operations.queue.end()
    }
  }

  #createReserved(): number {
    return this.#operations.create(reservedPath(this.#operations.fsm.nextSeqNo))
  }

  /** Unlinks a part whose names have not moved. */
  async #dropReserved(target: number): Promise<void> {
    const { queue, fsm } = this.#operations
    const path = reservedPath(target)
    if (fsm.fnodeOf(path) !== target) return
    try {
      await queue.room(pathFrameBytesMax(path.length), undefined)
    } catch {
      return // recording has ended: the next owner's first append unlinks it
    }
    this.#operations.unlink(target, path)
  }

  /** All names of `fnode` to the part `target`, in one append. */
  #moveAll(fnode: number, target: number): void {
    const { queue, fsm } = this.#operations
    queue.begin(this.#moveBytes(fnode))
    try {
      this.#moveNames(fnode, target, fsm.linksOf(fnode))
      this.#operations.unlink(target, reservedPath(target))
    } finally {
      queue.end()
    }
  }

  #moveNames(fnode: number, target: number, paths: readonly string[]): void {
    for (const path of paths) {
      this.#operations.unlink(fnode, path)
      this.#operations.link(target, path)
    }
  }

  /** The most bytes that moving all names takes, the reserved one included. */
  #moveBytes(fnode: number): number {
    let bytes = pathFrameBytesMax(RESERVED_PATH_LENGTH)
    for (const path of this.#operations.fsm.linksOf(fnode)) bytes += 2 * pathFrameBytesMax(path.length)
    return bytes
  }

  #checkMove(bytes: number): void {
    const { appendBytesMax } = this.#operations.queue
    if (bytes <= appendBytesMax) return
    const data = { bytes, maxAppendBytes: appendBytesMax }
    throw new RecoveryLogError('APPEND_TOO_LARGE', 'the names of the file do not fit one append', data)
  }

  #watch(): void {
    const watches = this.history !== undefined || this.#rewrites.size > 0
    this.#operations.watcher = watches ? this : undefined
  }
}

/** A rewrite under way. */
class Rewrite {
  readonly target: number
  readonly options: RewriteOptions
  /** What is still to be copied: `[begin, end)`, each. */
  readonly ranges: [number, number][] = []
  /** Whether what is being read has been written meanwhile. */
  stale = false
  staleReads = 0
  /** Why a write could not go to the target too. */
  broken: Error | undefined
  #reading: readonly [number, number] | undefined

  constructor(target: number, options: RewriteOptions) {
    this.target = target
    this.options = options
    if (options.size > 0) this.ranges.push([0, options.size])
  }

  /** The next range to copy, of `bytes` at most. */
  take(bytes: number): readonly [number, number] {
    const [begin, end] = this.ranges.pop() as [number, number]
    const taken = Math.min(end, begin + bytes)
    if (taken < end) this.ranges.push([taken, end])
    this.stale = false
    return [begin, taken]
  }

  async whileReading(begin: number, end: number, answer: Promise<Uint8Array>): Promise<Uint8Array> {
    this.#reading = [begin, end]
    try {
      return await answer
    } finally {
      this.#reading = undefined
    }
  }

  touched(begin: number, end: number): void {
    const reading = this.#reading
    if (reading !== undefined && begin < reading[1] && end > reading[0]) this.stale = true
  }

  readAgain(begin: number, end: number): void {
    this.ranges.push([begin, end])
    if (++this.staleReads < STALE_READS_MAX) return
    throw new RecoveryLogError('UNAVAILABLE', 'the file is written faster than it is read', { begin, end })
  }
}

/** The name of a part, which no other part has. */
function reservedPath(target: number): string {
  return `${RESERVED_FOLDER}rewrite-${String(target)}`
}

function checkedContent(content: Uint8Array, offset: number, length: number): Uint8Array {
  if (content.length === length) return content
  const data = { offset, length, got: content.length }
  throw new RecoveryLogError('INVALID', 'the file has less content than its size says', data)
}
