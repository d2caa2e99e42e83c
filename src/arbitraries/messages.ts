import fc from 'fast-check'
import { int64s, uint32s } from './numbers.ts'
import type { Change, Operation } from './operations.ts'
import { bytesField, fixed32Field, int64Field, unknownFields } from './protobuf-fields.ts'
import { texts } from './texts.ts'

/** A message of an operation in whatever encoding, and the operation that is to be read from it. */
export interface OddMessage {
  readonly bytes: Uint8Array
  readonly operation: Operation
}

/** A field as it is written, and what it says to whoever knows it. */
interface Written {
  readonly bytes: readonly number[]
  readonly says: Readonly<Record<string, number | string>>
}

/**
 * Messages as protobuf allows them and no recorder writes them (recovery-log spec, section 2): fields in any order and
 * several times, where the last one counts; messages within them in pieces, which are merged; varints that are not
 * minimal; fields that nobody knows, groups among them.
 */
export function oddMessages(): fc.Arbitrary<OddMessage> {
  return fc.constantFrom(...KINDS).chain((kind) =>
    fc.array(fc.oneof(stamps(), bodies(kind), unknown(13)), { maxLength: 12 }).map((written) => ({
      bytes: Uint8Array.from(written.flatMap(({ bytes }) => bytes)),
      operation: operationOf(kind, said(written)),
    })),
  )
}

const KINDS = ['noop', 'create', 'link', 'unlink', 'write', 'property'] as const
type Kind = (typeof KINDS)[number]

const FIELD_OF_KIND = { create: 4, link: 5, unlink: 6, write: 7, property: 8 } as const

const utf8 = new TextEncoder()

function int64(field: number, name: string): fc.Arbitrary<Written> {
  return fc.tuple(int64s(), fc.nat({ max: 9 })).map(([value, padding]) => ({
    bytes: int64Field(field, value, padding),
    says: { [name]: value },
  }))
}

function fixed32(field: number, name: string): fc.Arbitrary<Written> {
  return uint32s().map((value) => ({ bytes: fixed32Field(field, value), says: { [name]: value } }))
}

function text(field: number, name: string): fc.Arbitrary<Written> {
  return fc.tuple(texts(), fc.nat({ max: 9 })).map(([value, padding]) => ({
    bytes: bytesField(field, utf8.encode(value), padding),
    says: { [name]: value },
  }))
}

function unknown(least: number): fc.Arbitrary<Written> {
  return unknownFields(least).map((bytes) => ({ bytes, says: {} }))
}

/** What may be in every operation; 9 to 11 say where one was read, and mean nothing in a log. */
function stamps(): fc.Arbitrary<Written> {
  return fc.oneof(
    int64(1, 'seqNo'),
    fixed32(2, 'checksum'),
    fixed32(3, 'author'),
    fixed32(12, 'contentChecksum'),
    int64(9, 'firstOffset'),
    int64(10, 'lastOffset'),
    text(11, 'log'),
  )
}

/** The message of a kind, or a piece of it. A no-op has none. */
function bodies(kind: Kind): fc.Arbitrary<Written> {
  if (kind === 'noop') return unknown(13)
  const fields = fc.array(fc.oneof({ weight: 3, arbitrary: bodyField(kind) }, unknown(4)), { maxLength: 5 })
  return fc.tuple(fields, fc.nat({ max: 9 })).map(([written, padding]) => ({
    bytes: bytesField(
      FIELD_OF_KIND[kind],
      written.flatMap(({ bytes }) => bytes),
      padding,
    ),
    says: { ...said(written), kind },
  }))
}

function bodyField(kind: Exclude<Kind, 'noop'>): fc.Arbitrary<Written> {
  switch (kind) {
    case 'create':
      return text(1, 'path')
    case 'link':
    case 'unlink':
      return fc.oneof(int64(1, 'fnode'), text(2, 'path'))
    case 'write':
      return fc.oneof(int64(1, 'fnode'), int64(2, 'offset'), int64(3, 'length'))
    case 'property':
      return fc.oneof(text(1, 'path'), text(2, 'content'))
  }
}

/** What is said last counts, field by field. */
function said(written: readonly Written[]): Record<string, number | string> {
  return Object.assign({}, ...written.map(({ says }) => says)) as Record<string, number | string>
}

function operationOf(kind: Kind, fields: Readonly<Record<string, number | string>>): Operation {
  const number = (name: string): number => (fields[name] ?? 0) as number
  const string = (name: string): string => (fields[name] ?? '') as string
  const changes: Record<Kind, Change> = {
    noop: { kind: 'noop' },
    create: { kind: 'create', path: string('path') },
    link: { kind: 'link', fnode: number('fnode'), path: string('path') },
    unlink: { kind: 'unlink', fnode: number('fnode'), path: string('path') },
    write: { kind: 'write', fnode: number('fnode'), offset: number('offset'), length: number('length') },
    property: { kind: 'property', path: string('path'), content: string('content') },
  }
  return {
    seqNo: number('seqNo'),
    checksum: number('checksum'),
    author: number('author'),
    change: changes['kind' in fields ? kind : 'noop'],
    ...('contentChecksum' in fields && { contentChecksum: number('contentChecksum') }),
  }
}
