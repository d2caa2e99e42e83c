import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeRecord } from '../../src/wire/index.ts'
import {
  decodeLogEntry,
  encodeLogEntry,
  LogEntryWriter,
  plainTextStreamIndex,
  putTextFrame,
} from '../../src/wire/logdog/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'

const number = fc.oneof(
  { weight: 9, arbitrary: fc.nat(300) },
  { weight: 9, arbitrary: fc.nat(2 ** 31 - 1) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
)
const entry = fc.record({
  timeOffset: fc.option(fc.record({ seconds: number, nanos: fc.nat(999_999_999) }), { nil: undefined }),
  prefixIndex: number,
  streamIndex: number,
  sequence: number,
  value: fc.uint8Array({ maxLength: 300 }),
  delimiter: fc.constantFrom('\n', '', '\r\n'),
})
const bytes = entry.map(({ value, delimiter, ...rest }) =>
  encodeLogEntry({ ...rest, content: { kind: 'text', lines: [{ value, delimiter }] } }),
)

function expectTrue(log: Uint8Array): void {
  const index = plainTextStreamIndex(log)
  if (index < 0) return
  const decoded = decodeLogEntry(log)
  expect(decoded.streamIndex).toBe(index)
  expect(decoded.content).toMatchObject({ kind: 'text', lines: [{}] })
  expect(encodeLogEntry(decoded)).toEqual(log)
}

function measuredFirst(value: LogEntry): Uint8Array {
  const writer = new LogEntryWriter()
  const target = new Uint8Array(writer.measure(value))
  expect(writer.write(target, 0)).toBe(target.length)
  return target
}

describe('plain text entries', () => {
  it('what is taken for one is one, and is written as it came: entries with a byte changed, put in or taken out', () => {
    const change = fc.tuple(bytes, fc.nat(), fc.nat(255), fc.constantFrom(0, 1, 2))
    fc.assert(
      fc.property(change, ([log, place, byte, kind]) => {
        const at = place % Math.min(log.length + 1, 24)
        expectTrue(log)
        expectTrue(
          Uint8Array.of(
            ...log.subarray(0, at),
            ...(kind > 0 ? [byte] : []),
            ...log.subarray(at + (kind < 2 ? 1 : 0)),
          ),
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('every line that ends as most lines do, with small numbers, is taken for one', () => {
    const small = fc.record({ at: fc.nat(2 ** 31 - 1), value: fc.uint8Array({ maxLength: 300 }) })
    fc.assert(
      fc.property(small, ({ at, value }) => {
        const timeOffset = { seconds: at % 100_000, nanos: at % 1_000_000_000 }
        const content = { kind: 'text' as const, lines: [{ value, delimiter: '\n' }] }
        const log = encodeLogEntry({ timeOffset, prefixIndex: at, streamIndex: at, sequence: at, content })
        expect(plainTextStreamIndex(log)).toBe(at)
      }),
    )
  })

  it('frames written in one go are those of what is measured first, and nothing is written without room', () => {
    // With so many bytes a frame's header has one byte or two.
    const lengths = fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 60, max: 130 }) },
      { weight: 1, arbitrary: fc.constantFrom(0, 1, 15_999, 16_000, 16_001) },
    )
    const given = fc.tuple(entry, lengths, fc.nat(3), fc.integer({ min: -30, max: 60 }))
    fc.assert(
      fc.property(given, ([{ value, delimiter, ...rest }, length, position, room]) => {
        const line = { value: new Uint8Array(length).fill(value[0] ?? 0), delimiter }
        const whole: LogEntry = { ...rest, content: { kind: 'text', lines: [line] } }
        const { timeOffset, prefixIndex, streamIndex, sequence } = rest
        const numbers = [timeOffset?.seconds ?? 0, prefixIndex, streamIndex, sequence]
        const isPlain = delimiter !== '\r\n' && Math.max(...numbers) < 2 ** 31 && length <= 16_000

        const frame = encodeRecord(measuredFirst(whole))
        const target = new Uint8Array(position + Math.max(0, frame.length + room)).fill(0xee)
        const expected = target.slice()
        const bytes = putTextFrame(target, position, whole)
        if (bytes < 0) expect(!isPlain || room < 46).toBe(true)
        else {
          expect(isPlain).toBe(true)
          expect(bytes).toBe(frame.length - (frame.length < 130 ? 1 : 2))
          expected.set(frame, position)
        }
        expect(Buffer.compare(target, expected)).toBe(0)
      }),
      { numRuns: 3000 },
    )
  })

  it('what has something unknown in it, or more than one line, is left to the general way', () => {
    const unknown = Uint8Array.of(0x78, 1)
    const line = { value: new Uint8Array(3), delimiter: '\n' }
    const content = { kind: 'text' as const, lines: [line] }
    const plain = {
      timeOffset: { seconds: 1, nanos: 2 },
      prefixIndex: 1,
      streamIndex: 1,
      sequence: 1,
      content,
    }
    const target = new Uint8Array(1000)
    const others: LogEntry[] = [
      { ...plain, unknown },
      { ...plain, timeOffset: { ...plain.timeOffset, unknown } },
      { ...plain, timeOffset: { seconds: -1, nanos: 0 } },
      { ...plain, content: { ...content, unknown } },
      { ...plain, content: { ...content, lines: [] } },
      { ...plain, content: { ...content, lines: [line, line] } },
      { ...plain, content: { ...content, lines: [{ ...line, unknown }] } },
      { ...plain, content: { kind: 'binary', data: line.value } },
      { ...plain, content: undefined },
    ]
    for (const other of others) {
      expect(putTextFrame(target, 0, other)).toBe(-1)
      expect(encodeLogEntry(decodeLogEntry(encodeLogEntry(other)))).toEqual(measuredFirst(other))
    }
    expect(target).toEqual(new Uint8Array(1000))
    expect(putTextFrame(target, 0, plain)).toBe(measuredFirst(plain).length)
  })
})
