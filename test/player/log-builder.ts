import { encodeOperation } from '../../src/arbitraries/operations.ts'
import type { Change } from '../../src/arbitraries/operations.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { Label } from '../../src/journal/index.ts'
import { crc32c } from '../../src/wire/index.ts'

export const A = 0x0a
export const B = 0x0b
export const LOG = 'a/log'

/** Writes the bytes of a log as a recorder would, or as none would. */
export class LogBuilder {
  author = A
  nextSeqNo = 1
  nextChecksum = 0
  #pieces: Uint8Array[] = []
  #length = 0

  /** Where the next byte goes. */
  get offset(): number {
    return this.#length
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#pieces)
  }

  /** Answers the fnode. */
  create(path: string): number {
    return this.op({ kind: 'create', path })
  }

  link(fnode: number, path: string): this {
    this.op({ kind: 'link', fnode, path })
    return this
  }

  unlink(fnode: number, path: string): this {
    this.op({ kind: 'unlink', fnode, path })
    return this
  }

  /** `checksum` puts a content checksum of these bytes into the frame. */
  write(fnode: number, offset: number, content: Uint8Array | string, checksum?: Uint8Array | string): this {
    const bytes = Buffer.from(content)
    const contentChecksum = checksum === undefined ? undefined : crc32c(0, Buffer.from(checksum)) >>> 0
    this.op({ kind: 'write', fnode, offset, length: bytes.length }, contentChecksum)
    return this.raw(bytes)
  }

  property(path: string, content: string): this {
    this.op({ kind: 'property', path, content })
    return this
  }

  noop(): this {
    this.op({ kind: 'noop' })
    return this
  }

  /** The frame alone. Answers its sequence number. */
  op(change: Change, contentChecksum?: number): number {
    const seqNo = this.nextSeqNo
    const checksum = this.nextChecksum
    const { author } = this
    const checked = contentChecksum === undefined ? {} : { contentChecksum }
    const frame = encodeOperation({ seqNo, checksum, author, change, ...checked })
    this.raw(frame)
    this.nextSeqNo++
    this.nextChecksum = crc32c(checksum, frame, 8) >>> 0
    return seqNo
  }

  raw(bytes: Uint8Array | string): this {
    const piece = Buffer.from(bytes)
    this.#pieces.push(piece)
    this.#length += piece.length
    return this
  }

  /** The state of the chain, to go on from it in another branch or log. */
  fork(author: number): LogBuilder {
    const other = new LogBuilder()
    other.author = author
    other.nextSeqNo = this.nextSeqNo
    other.nextChecksum = this.nextChecksum
    return other
  }

  /** Loses an operation that nobody will find in the log. */
  lose(): this {
    const { offset } = this
    const pieces = [...this.#pieces]
    this.noop()
    this.#pieces = pieces
    this.#length = offset
    return this
  }

  journal(options: { readonly name?: string; readonly registers?: readonly Label[] } = {}): MemoryJournal {
    return journalOf([{ begin: 0, bytes: this.bytes }], { head: this.offset, ...options })
  }

  /** The same with `[begin, end)` deleted. */
  journalWithHoles(...holes: readonly (readonly [number, number])[]): MemoryJournal {
    const content: { begin: number; bytes: Uint8Array }[] = []
    let at = 0
    for (const [begin, end] of [...holes, [this.offset, this.offset] as const]) {
      content.push({ begin: at, bytes: this.bytes.subarray(at, begin) })
      at = end
    }
    return journalOf(content, { head: this.offset })
  }
}

export function journalOf(
  content: readonly { readonly begin: number; readonly bytes: Uint8Array }[],
  options: { readonly name?: string; readonly head?: number; readonly registers?: readonly Label[] } = {},
): MemoryJournal {
  const pieces = content.filter(({ bytes }) => bytes.length > 0)
  return new MemoryJournal({ name: LOG, ...options, content: pieces })
}
