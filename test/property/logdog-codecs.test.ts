import fc from 'fast-check'
import protobuf from 'protobufjs/minimal.js'
import { describe, expect, it } from 'vitest'
import {
  decodeLogEntry,
  decodeLogIndex,
  encodeLogEntry,
  encodeLogIndex,
  peekStreamIndex,
} from '../../src/wire/logdog/index.ts'
import type { IndexEntry, LogContent, LogEntry, Time } from '../../src/wire/logdog/index.ts'
import { logdog } from '../support/logdog-static.js'

/** The codecs by hand against protobufjs, on whatever there can be. A failing seed is printed, and becomes a test. */

const size = fc.oneof(fc.constant(0), fc.nat(), fc.maxSafeNat())
const seconds = fc.oneof(fc.constant(0), fc.integer(), fc.maxSafeInteger())
const nanos = fc.oneof(fc.constant(0), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
const time: fc.Arbitrary<Time> = fc.record({ seconds, nanos })
const bytes = fc.uint8Array({ maxLength: 300 })
const delimiter = fc.oneof(fc.constantFrom('', '\n', '\r\n'), fc.string({ unit: 'grapheme', maxLength: 5 }))
const content: fc.Arbitrary<LogContent> = fc.oneof(
  fc.record({
    kind: fc.constant('text' as const),
    lines: fc.array(fc.record({ value: bytes, delimiter }), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('binary' as const), data: bytes }),
  fc.record({
    kind: fc.constant('datagram' as const),
    data: bytes,
    partial: fc.option(fc.record({ index: fc.nat({ max: 2 ** 32 - 1 }), size, last: fc.boolean() }), {
      nil: undefined,
    }),
  }),
)
const entry: fc.Arbitrary<LogEntry> = fc.record({
  timeOffset: fc.option(time, { nil: undefined }),
  prefixIndex: size,
  streamIndex: size,
  sequence: size,
  content: fc.option(content, { nil: undefined }),
})
const indexEntry: fc.Arbitrary<IndexEntry> = fc.record({
  offset: size,
  sequence: size,
  prefixIndex: size,
  streamIndex: size,
  timeOffset: fc.option(time, { nil: undefined }),
})

/** Fields that nobody knows: numbers from 100 on, of every wire type. */
const unknownFields = fc
  .array(fc.tuple(fc.integer({ min: 100, max: 10_000 }), fc.nat(), fc.constantFrom(0, 1, 2, 3, 5)), {
    maxLength: 4,
  })
  .map((fields) => {
    const writer = protobuf.Writer.create()
    for (const [number, value, wireType] of fields) {
      writer.uint32(number * 8 + wireType)
      if (wireType === 0) writer.uint64(value)
      else if (wireType === 1) writer.fixed64(value)
      else if (wireType === 2) writer.bytes(new Uint8Array(value % 10))
      else if (wireType === 5) writer.fixed32(value)
      else {
        writer
          .uint32(8)
          .uint64(value)
          .uint32(number * 8 + 4)
      }
    }
    return new Uint8Array(writer.finish())
  })

function plainEntry({ content: inner, ...rest }: LogEntry): object {
  return inner === undefined ? rest : { ...rest, [inner.kind]: inner }
}

function encodePlainly(value: LogEntry): Uint8Array {
  return new Uint8Array(logdog.LogEntry.encode(plainEntry(value)).finish())
}

describe('logdog codecs: by hand as by protobufjs', () => {
  it('entries: encoded to the same bytes', () => {
    fc.assert(
      fc.property(entry, (value) => {
        expect(encodeLogEntry(value)).toEqual(encodePlainly(value))
      }),
    )
  })

  it('entries: decoded to what was encoded, with the place and length of the bytes in a larger array', () => {
    fc.assert(
      fc.property(entry, fc.nat({ max: 20 }), (value, offset) => {
        const encoded = encodePlainly(value)
        const around = new Uint8Array(offset + encoded.length + 7).fill(0xff)
        around.set(encoded, offset)
        const decoded = decodeLogEntry(around, offset, offset + encoded.length)
        expect(encodeLogEntry(decoded)).toEqual(encoded)
        expect(peekStreamIndex(around, offset, offset + encoded.length)).toBe(value.streamIndex)
        expect(decoded.streamIndex).toBe(value.streamIndex)
        expect(decoded.timeOffset?.seconds).toBe(value.timeOffset?.seconds)
      }),
    )
  })

  it('entries: fields that are not known come back behind the others, wherever they stood', () => {
    fc.assert(
      fc.property(entry, unknownFields, fc.boolean(), (value, unknown, isFirst) => {
        const encoded = encodePlainly(value)
        const parts = isFirst ? [unknown, encoded] : [encoded, unknown]
        const decoded = decodeLogEntry(new Uint8Array(Buffer.concat(parts)))
        expect(encodeLogEntry(decoded)).toEqual(new Uint8Array(Buffer.concat([encoded, unknown])))
      }),
    )
  })

  it('entries: two messages one behind the other are merged as protobufjs does', () => {
    fc.assert(
      fc.property(entry, entry, (first, second) => {
        const both = new Uint8Array(Buffer.concat([encodePlainly(first), encodePlainly(second)]))
        const merged = logdog.LogEntry.decode(both)
        const expected = new Uint8Array(logdog.LogEntry.encode(merged).finish())
        expect(encodeLogEntry(decodeLogEntry(both))).toEqual(expected)
      }),
    )
  })

  it('entries: any bytes are read as protobufjs reads them, or refused with a place', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes_) => {
        expectSameJudgement(bytes_)
      }),
      { numRuns: 2000 },
    )
  })

  it('entries: a good one with one byte changed is read as protobufjs reads it, or refused', () => {
    fc.assert(
      fc.property(entry, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const encoded = encodePlainly(value)
        if (encoded.length === 0) return
        const place = at % encoded.length
        encoded[place] = (encoded[place] as number) ^ change
        expectSameJudgement(encoded)
      }),
      { numRuns: 2000 },
    )
  })

  it('indexes: encoded to the same bytes, and decoded again', () => {
    const index = fc.record({
      entries: fc.array(indexEntry, { maxLength: 20 }),
      lastPrefixIndex: size,
      lastStreamIndex: size,
      logEntryCount: size,
    })
    fc.assert(
      fc.property(index, (value) => {
        const encoded = encodeLogIndex(value)
        expect(encoded).toEqual(new Uint8Array(logdog.LogIndex.encode(value).finish()))
        expect(encodeLogIndex(decodeLogIndex(encoded))).toEqual(encoded)
      }),
    )
  })
})

/** Ours refuses all that protobufjs refuses, and some numbers; what both take is written again alike. */
function expectSameJudgement(encoded: Uint8Array): void {
  let plain: object | undefined
  try {
    const reader = protobuf.Reader.create(encoded)
    reader.discardUnknown = true
    plain = logdog.LogEntry.decode(reader)
  } catch {
    plain = undefined
  }
  let ours: LogEntry | undefined
  let why = ''
  try {
    ours = decodeLogEntry(encoded)
  } catch (error) {
    why = `${String(error)}: ${Buffer.from(encoded).toString('hex')}`
    expect(error).toMatchObject({ code: 'CORRUPT', data: { message: 'LogEntry' } })
  }
  if (ours === undefined) {
    // As Go, and unlike protobufjs, ours looks at all 64 bits; unlike both, it takes nothing from 2^53 on.
    if (plain !== undefined) expect(why).toMatch(/a number is (beyond 64 bits|-?2\^53 or (more|less))/)
    return
  }
  expect(plain).toBeDefined()
  if (plain === undefined) return
  const known = encodeLogEntry(withoutUnknown(ours))
  expect(known).toEqual(new Uint8Array(logdog.LogEntry.encode(plain).finish()))
}

function withoutUnknown<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(withoutUnknown) as T
  const fields = Object.entries(value).filter(([key]) => key !== 'unknown')
  return Object.fromEntries(fields.map(([key, inner]) => [key, withoutUnknown(inner as unknown)])) as T
}
