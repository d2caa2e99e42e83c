import { describe, expect, it } from 'vitest'
import { crc32 } from 'node:zlib'
import { contentChecksum, hasChecksum } from '../../../src/journal/file/content-checksum.ts'

const LONG = 32 * 1024

describe('content checksum', () => {
  it('of short content is its CRC-32', () => {
    expect(contentChecksum(Buffer.from('123456789'))).toEqual({ isPoly1305: false, value: 0xcbf43926 })
    expect(contentChecksum(new Uint8Array(LONG - 1)).isPoly1305).toBe(false)
  })

  it('of long content is Poly1305, and stays what it is: it lies on disks', () => {
    const content = Uint8Array.from({ length: LONG }, (_, i) => (i * 7) & 0xff)
    expect(contentChecksum(content)).toEqual({ isPoly1305: true, value: 86287386 })
  })

  it.each([
    { what: 'a CRC-32', length: LONG - 1 },
    { what: 'a Poly1305', length: LONG },
    { what: 'a Poly1305', length: 3 * LONG + 5 },
  ])('notices each flipped bit, by $what ($length bytes)', ({ length }) => {
    const content = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff)
    const checksum = contentChecksum(content)
    expect(hasChecksum(content, checksum)).toBe(true)
    for (const at of [0, 1, 15, 16, length >> 1, length - 1]) {
      for (let bit = 1; bit < 256; bit *= 2) {
        content[at] = (content[at] ?? 0) ^ bit
        expect(hasChecksum(content, checksum)).toBe(false)
        content[at] = (content[at] ?? 0) ^ bit
      }
    }
  })

  it('by CRC-32 holds for long content too: another runtime may have made it', () => {
    const content = new Uint8Array(2 * LONG).fill(3)
    expect(hasChecksum(content, { isPoly1305: false, value: crc32(content) })).toBe(true)
    expect(hasChecksum(content, { isPoly1305: false, value: 1 })).toBe(false)
  })
})
