import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeLogEntry, encodeLogEntry, plainTextStreamIndex } from '../../src/wire/logdog/index.ts'

const number = fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1), fc.maxSafeNat())
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
})
