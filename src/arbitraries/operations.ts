import fc from 'fast-check'
import {
  encodeCreate,
  encodeLink,
  encodeNoop,
  encodeProperty,
  encodeUnlink,
  encodeWrite,
  NOOP_FRAME_BYTES_MAX,
  pathFrameBytesMax,
  propertyFrameBytesMax,
  WRITE_FRAME_BYTES_MAX,
} from '../wire/index.ts'
import { int64s, uint32s } from './numbers.ts'
import { texts } from './texts.ts'

/** What an operation does, as plain data. */
export type Change =
  | { readonly kind: 'noop' }
  | { readonly kind: 'create'; readonly path: string }
  | { readonly kind: 'link'; readonly fnode: number; readonly path: string }
  | { readonly kind: 'unlink'; readonly fnode: number; readonly path: string }
  | { readonly kind: 'write'; readonly fnode: number; readonly offset: number; readonly length: number }
  | { readonly kind: 'property'; readonly path: string; readonly content: string }

/** An operation as plain data: checksums and author as uint32. */
export interface Operation {
  readonly seqNo: number
  readonly checksum: number
  readonly author: number
  readonly change: Change
  /** Field 12: the crc32c of what a write writes. */
  readonly contentChecksum?: number
}

/** Operations of every kind with any numbers and texts in them: what can be encoded, not what makes sense in a log. */
export function operations(): fc.Arbitrary<Operation> {
  return fc
    .tuple(
      fc.record({ seqNo: int64s(), checksum: uint32s(), author: uint32s(), change: changes() }),
      fc.option(uint32s()),
    )
    .map(([operation, contentChecksum]) => {
      const isChecked = operation.change.kind === 'write' && contentChecksum !== null
      return isChecked ? { ...operation, contentChecksum } : operation
    })
}

function changes(): fc.Arbitrary<Change> {
  const path = fc.oneof(texts(), texts({ maxLength: 200 }))
  return fc.oneof(
    fc.record({ kind: fc.constant('noop' as const) }),
    fc.record({ kind: fc.constant('create' as const), path }),
    fc.record({ kind: fc.constantFrom('link' as const, 'unlink' as const), fnode: int64s(), path }),
    fc.record({ kind: fc.constant('write' as const), fnode: int64s(), offset: int64s(), length: int64s() }),
    fc.record({ kind: fc.constant('property' as const), path, content: texts() }),
  )
}

/** The frame of an operation, as a recorder writes it. */
export function encodeOperation(operation: Operation): Uint8Array {
  const out = new Uint8Array(frameBytesMax(operation.change))
  return out.slice(0, write(out, operation))
}

function write(out: Uint8Array, { seqNo, checksum, author, change, contentChecksum }: Operation): number {
  switch (change.kind) {
    case 'noop':
      return encodeNoop(out, 0, seqNo, checksum, author)
    case 'create':
      return encodeCreate(out, 0, seqNo, checksum, author, change.path)
    case 'link':
      return encodeLink(out, 0, seqNo, checksum, author, change.fnode, change.path)
    case 'unlink':
      return encodeUnlink(out, 0, seqNo, checksum, author, change.fnode, change.path)
    case 'write': {
      const { fnode, offset, length } = change
      return encodeWrite(out, 0, seqNo, checksum, author, fnode, offset, length, contentChecksum)
    }
    case 'property':
      return encodeProperty(out, 0, seqNo, checksum, author, change.path, change.content)
  }
}

function frameBytesMax(change: Change): number {
  if (change.kind === 'noop') return NOOP_FRAME_BYTES_MAX
  if (change.kind === 'write') return WRITE_FRAME_BYTES_MAX
  if (change.kind === 'property') return propertyFrameBytesMax(change.path.length, change.content.length)
  return pathFrameBytesMax(change.path.length)
}
