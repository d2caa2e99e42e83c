import fc from 'fast-check'
import { expect, it } from 'vitest'
import { crc32c } from '../../src/wire/index.ts'

/** Bit by bit, as the polynomial says. */
function plainCrc32c(previous: number, bytes: Uint8Array): number {
  let crc = ~previous
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78
  }
  return ~crc
}

it('crc32c: the check value of the catalogue', () => {
  expect(crc32c(0, new TextEncoder().encode('123456789')) >>> 0).toBe(0xe3069283)
})

it('crc32c: is what the polynomial says, for every length of slice and rest (0 to 40 bytes)', () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, i) => (i * 151) & 0xff)
  for (let length = 0; length <= bytes.length; length++) {
    expect(crc32c(length, bytes, 0, length)).toBe(plainCrc32c(length, bytes.subarray(0, length)))
  }
})

it('crc32c: goes on from where it was cut, at every place and in views that begin anywhere', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), fc.nat({ max: 9 }), (bytes, previous, shift) => {
      const moved = new Uint8Array(bytes.length + 2 * shift)
      const view = moved.subarray(shift, shift + bytes.length)
      view.set(bytes)
      for (let cut = 0; cut <= bytes.length; cut++) {
        const first = crc32c(previous, view, 0, cut)
        expect(crc32c(first, view, cut)).toBe(plainCrc32c(previous, bytes))
        expect(crc32c(first, moved, shift + cut, shift + bytes.length)).toBe(plainCrc32c(previous, bytes))
      }
    }),
  )
})

it('crc32c: answers int32, and takes uint32 for the same number', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  expect(crc32c(0xffff_ffff, bytes)).toBe(crc32c(-1, bytes))
  expect(crc32c(0, bytes) | 0).toBe(crc32c(0, bytes))
})

it('crc32c: sees what was changed in a buffer since', () => {
  const bytes = new Uint8Array(16)
  const before = crc32c(0, bytes)
  bytes[9] = 1
  expect(crc32c(0, bytes)).not.toBe(before)
})

it.each([
  [-1, 2],
  [3, 2],
  [0, 5],
  [NaN, 2],
])('crc32c: a range that does not lie in the bytes is a RangeError ([%s, %s) of 4)', (begin, end) => {
  expect(() => crc32c(0, new Uint8Array(4), begin, end)).toThrow(RangeError)
})
