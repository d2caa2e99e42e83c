import assert from 'node:assert/strict'
import {
  encodeCreate,
  encodeLink,
  encodeNoop,
  encodeProperty,
  encodeUnlink,
  encodeWrite,
  FRAME_HEADER_BYTES,
  OpKind,
} from '../../src/wire/index.ts'
import type { RecordedOp } from '../../src/wire/index.ts'
import { protobufjsEncode } from '../support/recovery-log-proto.ts'
import { knownKeys } from './known-keys.ts'

/** Text, or bytes that are none. */
export type Text = string | { readonly hex: string }

/** An int64: a string where a double would lose digits. */
export type Int64 = number | string

/** An operation as the vectors spell it. */
export interface OpFields {
  readonly seqNo: Int64
  readonly checksum: number
  readonly author: number
  readonly create?: { readonly path: Text }
  readonly link?: { readonly fnode: Int64; readonly path: Text }
  readonly unlink?: { readonly fnode: Int64; readonly path: Text }
  readonly write?: { readonly fnode: Int64; readonly offset: Int64; readonly length: Int64 }
  readonly property?: { readonly path: Text; readonly content: Text }
  readonly firstOffset?: Int64
  readonly lastOffset?: Int64
  readonly log?: string
}

const KINDS = ['create', 'link', 'unlink', 'write', 'property'] as const
const PLACE_KEYS = ['firstOffset', 'lastOffset', 'log'] as const
const KIND_KEYS = ['fnode', 'path', 'offset', 'length', 'content']
const TEXT_KEYS = ['path', 'content', 'log']

export function fromHex(hex: string): Uint8Array {
  assert.match(hex, /^([0-9a-f]{2})*$/)
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Whether the operation is one that Go takes and we refuse: README of the vectors, rule 5. */
export function isMalformed(op: OpFields): boolean {
  const kinds = KINDS.filter((kind) => op[kind] !== undefined)
  return kinds.length > 1 || [op, ...kinds.map((kind) => op[kind] as object)].some(holdsRefused)
}

function holdsRefused(fields: object): boolean {
  return Object.entries(fields).some(([key, value]: [string, unknown]) => {
    if (typeof value === 'number') return value < 0
    if (typeof value === 'string') return !TEXT_KEYS.includes(key)
    return TEXT_KEYS.includes(key) // bytes that are no text
  })
}

/** Whether it says where it was read, which is never written. */
export function isPlaced(op: OpFields): boolean {
  return PLACE_KEYS.some((key) => op[key] !== undefined)
}

/** The message as protobufjs writes it: what the bytes of the vector must be whatever we make of them. */
export function plainMessage(op: OpFields): Uint8Array {
  knownKeys(op, ['seqNo', 'checksum', 'author', ...KINDS, ...PLACE_KEYS])
  const fields: Record<string, unknown> = { ...op }
  for (const key of ['seqNo', 'firstOffset', 'lastOffset'] as const) fields[key] = BigInt(op[key] ?? 0)
  if (op.log !== undefined) fields['log'] = Buffer.from(op.log)
  for (const kind of KINDS) if (op[kind] !== undefined) fields[kind] = plainKind(op[kind])
  return protobufjsEncode('RecordedOp', fields)
}

function plainKind(kind: object): object {
  knownKeys(kind, KIND_KEYS)
  const fields = Object.entries(kind).map(([key, value]: [string, Text | Int64]) => {
    if (typeof value === 'object') return [key, fromHex(value.hex)]
    return [key, TEXT_KEYS.includes(key) ? Buffer.from(value as string) : BigInt(value)]
  })
  return Object.fromEntries(fields) as object
}

/** What we decoded is what the vector says. */
export function expectOp(op: RecordedOp, expected: OpFields): void {
  assert.equal(op.seqNo, expected.seqNo)
  assert.equal(op.checksum >>> 0, expected.checksum)
  assert.equal(op.author >>> 0, expected.author)
  const kind = KINDS.find((name) => expected[name] !== undefined)
  assert.equal(op.kind, kind === undefined ? OpKind.none : OpKind[kind])
  const { fnode, offset, length, path, content } = op
  const defaults = { fnode: 0, offset: 0, length: 0, path: '', content: '' }
  assert.deepEqual({ fnode, offset, length, path, content }, { ...defaults, ...(kind && expected[kind]) })
}

/** The frame that we write for what was decoded. */
export function frameOf(op: RecordedOp): Uint8Array {
  const out = new Uint8Array(100 + 3 * (op.pathEnd - op.pathBegin + op.contentEnd - op.contentBegin))
  const at = 5
  return out.slice(at, encode(out, at, op))
}

function encode(out: Uint8Array, at: number, op: RecordedOp): number {
  const { seqNo, checksum, author, fnode } = op
  switch (op.kind) {
    case OpKind.none:
      return encodeNoop(out, at, seqNo, checksum, author)
    case OpKind.create:
      return encodeCreate(out, at, seqNo, checksum, author, op.path)
    case OpKind.link:
      return encodeLink(out, at, seqNo, checksum, author, fnode, op.path)
    case OpKind.unlink:
      return encodeUnlink(out, at, seqNo, checksum, author, fnode, op.path)
    case OpKind.write:
      return encodeWrite(out, at, seqNo, checksum, author, fnode, op.offset, op.length)
    case OpKind.property:
      return encodeProperty(out, at, seqNo, checksum, author, op.path, op.content)
  }
}

/** A message with the header of a frame in front, made by hand. */
export function framed(message: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + message.length)
  frame.write('66339336', 'hex')
  frame.writeUInt32LE(message.length, 4)
  frame.set(message, FRAME_HEADER_BYTES)
  return frame
}
