import { crc32c, FRAME_HEADER_BYTES } from '../wire/index.ts'
import { encodeOperation } from './operations.ts'
import type { Change, Operation } from './operations.ts'

/** An operation as it lies in a log of a history. */
export interface RecordedOperation {
  readonly operation: Operation
  /** What the write writes; empty for everything else. */
  readonly content: Uint8Array
  /** The number of its log. */
  readonly log: number
  /** Where its frame begins, where its message does, where its content does, and where that ends. */
  readonly begin: number
  readonly messageBegin: number
  readonly messageEnd: number
  readonly end: number
  /** The write head that its recorder knew: a lower bound of `begin`. */
  readonly knownHead: number
  /** Whether it belongs to the history. A reader passes over the others, those of owners who had been replaced. */
  readonly isApplied: boolean
}

/** A recorder, in office or not: what it takes for the next operation's number and checksum. */
interface Author {
  readonly author: number
  readonly log: number
  seqNo: number
  checksum: number
  knownHead: number
}

interface File {
  readonly links: Set<string>
  content: Uint8Array
}

const NOTHING: Uint8Array = new Uint8Array(0)

/** Writes logs as recorders do, and keeps what is to be read from them. */
export class HistoryWriter {
  readonly records: RecordedOperation[] = []
  readonly properties = new Map<string, string>()
  readonly #logs: Uint8Array[][] = [[]]
  readonly #heads = [0]
  readonly #files = new Map<number, File>()
  readonly #links = new Map<string, number>()
  readonly #withChecksums: boolean
  readonly #late: Author[] = []
  #owner: Author

  constructor(options: { readonly author: number; readonly withChecksums: boolean }) {
    this.#withChecksums = options.withChecksums
    this.#owner = { author: options.author, log: 0, seqNo: 1, checksum: 0, knownHead: 0 }
    this.#record({ kind: 'noop' })
  }

  get logs(): Uint8Array[] {
    return this.#logs.map((pieces) => {
      const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
      let at = 0
      for (const piece of pieces) {
        bytes.set(piece, at)
        at += piece.length
      }
      return bytes
    })
  }

  /** Path to content of every file that is there now. */
  get files(): Map<string, Uint8Array> {
    return new Map(Array.from(this.#links, ([path, fnode]) => [path, this.#file(fnode).content]))
  }

  /** The paths that are there now. */
  get paths(): string[] {
    return [...this.#links.keys()]
  }

  /** Makes an empty file; one that is there under this name is replaced. */
  create(path: string): void {
    this.unlink(path)
    const fnode = this.#owner.seqNo
    this.#record({ kind: 'create', path })
    this.#links.set(path, fnode)
    this.#files.set(fnode, { links: new Set([path]), content: NOTHING })
  }

  write(path: string, offset: number, data: Uint8Array): void {
    this.#write(this.#fnodeAt(path), offset, data)
  }

  /** Gives a file another name; nothing when the name is taken. */
  link(path: string, to: string): void {
    if (this.#links.has(to)) return
    const fnode = this.#fnodeAt(path)
    this.#record({ kind: 'link', fnode, path: to })
    this.#links.set(to, fnode)
    this.#file(fnode).links.add(to)
  }

  /** Takes a name away; nothing when there is no such name. */
  unlink(path: string): void {
    const fnode = this.#links.get(path)
    if (fnode === undefined) return
    this.#record({ kind: 'unlink', fnode, path })
    this.#links.delete(path)
    const { links } = this.#file(fnode)
    links.delete(path)
    if (links.size === 0) this.#files.delete(fnode)
  }

  /** Nothing when both are names of one file. */
  rename(path: string, to: string): void {
    if (this.#fnodeAt(path) === this.#links.get(to)) return
    this.unlink(to)
    this.link(path, to)
    this.unlink(path)
  }

  /** Sets a property. Its path must not be that of a file, ever. */
  setProperty(path: string, content: string): void {
    this.#record({ kind: 'property', path, content })
    this.properties.set(path, content)
  }

  noop(): void {
    this.#record({ kind: 'noop' })
  }

  /** What has been recorded has committed, and the recorder knows. */
  commit(): void {
    this.#owner.knownHead = this.#headOf(this.#owner.log)
  }

  /** Another author takes over, in the same log or in a new one; the one before may go on without knowing. */
  handOff(author: number, toNewLog: boolean): void {
    this.#late.push(this.#owner)
    const { log, seqNo, checksum } = this.#owner
    this.#owner = { author, log, seqNo, checksum, knownHead: this.#headOf(log) }
    this.#record({ kind: 'noop' })
    if (!toNewLog) return
    this.#logs.push([])
    this.#heads.push(0)
    this.#owner = { ...this.#owner, log: this.#logs.length - 1, knownHead: 0 }
    this.#record({ kind: 'noop' })
    // So that hints have their last segment in this log (recovery-log spec, section 4).
    const lowest = Math.min(...this.#files.keys())
    if (this.#files.size > 0) this.#write(lowest, 0, NOTHING)
  }

  /** One who was replaced records a change that nobody will read. Nothing when nobody was. */
  recordLate(choice: number, change: Change, content: Uint8Array): void {
    const author = this.#late[choice % Math.max(1, this.#late.length)]
    if (author === undefined) return
    const complete = change.kind === 'write' ? { ...change, length: content.length } : change
    this.#append(author, complete, change.kind === 'write' ? content : NOTHING, false)
  }

  /** A hand-off that came too late: the number that it takes had been taken. */
  loseHandOff(author: number, ago: number): void {
    const { seqNo, log } = this.#owner
    const stale = this.records.find(
      (record) => record.isApplied && record.operation.seqNo === seqNo - 1 - ago,
    )
    if (stale?.log !== log) return
    const { checksum } = stale.operation
    const late = { author, log, seqNo: stale.operation.seqNo, checksum, knownHead: stale.begin }
    this.#append(late, { kind: 'noop' }, NOTHING, false)
  }

  #write(fnode: number, offset: number, data: Uint8Array): void {
    this.#record({ kind: 'write', fnode, offset, length: data.length }, data)
    const file = this.#file(fnode)
    // As on a disk, a write of nothing does not make a file longer.
    const length = data.length === 0 ? 0 : offset + data.length
    const content = new Uint8Array(Math.max(file.content.length, length))
    content.set(file.content)
    content.set(data, data.length === 0 ? 0 : offset)
    file.content = content
  }

  #record(change: Change, content = NOTHING): void {
    this.#append(this.#owner, change, content, true)
  }

  #append(author: Author, change: Change, content: Uint8Array, isApplied: boolean): void {
    const { log, seqNo, checksum, knownHead } = author
    const isChecked = this.#withChecksums && change.kind === 'write'
    const operation: Operation = {
      seqNo,
      checksum: checksum >>> 0,
      author: author.author,
      change,
      ...(isChecked && { contentChecksum: crc32c(0, content) >>> 0 }),
    }
    const frame = encodeOperation(operation)
    const begin = this.#headOf(log)
    const messageEnd = begin + frame.length
    const end = messageEnd + content.length
    const messageBegin = begin + FRAME_HEADER_BYTES
    this.#logs[log]?.push(frame, content)
    this.#heads[log] = end
    this.records.push({ operation, content, log, begin, messageBegin, messageEnd, end, knownHead, isApplied })
    author.seqNo++
    author.checksum = crc32c(checksum, frame, FRAME_HEADER_BYTES)
  }

  #headOf(log: number): number {
    return this.#heads[log] as number
  }

  #fnodeAt(path: string): number {
    const fnode = this.#links.get(path)
    if (fnode === undefined) throw new RangeError(`no file is at ${path}`)
    return fnode
  }

  #file(fnode: number): File {
    return this.#files.get(fnode) as File
  }
}
