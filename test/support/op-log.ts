import {
  encodeCreate,
  encodeLink,
  encodeNoop,
  encodeProperty,
  encodeUnlink,
  encodeWrite,
  FRAME_HEADER_BYTES,
  decodeRecordedOp,
  RecordedOp,
} from '../../src/wire/index.ts'

/** What an operation does, without its place in a log. */
export type Change =
  | { readonly kind: 'none' }
  | { readonly kind: 'create'; readonly path: string }
  | { readonly kind: 'link' | 'unlink'; readonly fnode: number; readonly path: string }
  | { readonly kind: 'write'; readonly fnode: number; readonly length: number }
  | { readonly kind: 'property'; readonly path: string; readonly content: string }

export interface Stamp {
  readonly seqNo: number
  /** As uint32. */
  readonly checksum: number
  readonly author: number
}

/** An operation in a log, with all that a naive reader wants to know. */
export type LoggedOp = Change &
  Stamp & {
    readonly message: Uint8Array
    readonly firstOffset: number
    readonly lastOffset: number
    readonly log: string
  }

const scratch = new Uint8Array(16_384)

/** Encodes a change, and places it in a log. */
export function logOp(stamp: Stamp, change: Change, log: string, firstOffset: number): LoggedOp {
  const end = encode(stamp, change)
  const message = scratch.slice(FRAME_HEADER_BYTES, end)
  const lastOffset = firstOffset + end + (change.kind === 'write' ? change.length : 0)
  return { ...change, ...stamp, message, firstOffset, lastOffset, log }
}

function encode({ seqNo, checksum, author }: Stamp, change: Change): number {
  switch (change.kind) {
    case 'none':
      return encodeNoop(scratch, 0, seqNo, checksum, author)
    case 'create':
      return encodeCreate(scratch, 0, seqNo, checksum, author, change.path)
    case 'link':
      return encodeLink(scratch, 0, seqNo, checksum, author, change.fnode, change.path)
    case 'unlink':
      return encodeUnlink(scratch, 0, seqNo, checksum, author, change.fnode, change.path)
    case 'write':
      return encodeWrite(scratch, 0, seqNo, checksum, author, change.fnode, 0, change.length)
    case 'property':
      return encodeProperty(scratch, 0, seqNo, checksum, author, change.path, change.content)
  }
}

/** The operation as the library has it, in an object that the next call uses again. */
export function asRecordedOp(logged: LoggedOp): RecordedOp {
  decodeRecordedOp(logged.message, 0, logged.message.length, reused)
  reused.firstOffset = logged.firstOffset
  reused.lastOffset = logged.lastOffset
  reused.log = logged.log
  return reused
}

const reused = new RecordedOp()

/** Numbers that look random, the same for one seed: xorshift32. */
export function randomFrom(seed: number): (below: number) => number {
  let x = seed | 0 || 1
  return (below) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % below
  }
}
