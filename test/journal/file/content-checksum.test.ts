import { describe, expect, it } from 'vitest'
import { crc32 } from 'node:zlib'
import { BLOCK_BYTES, contentChecksums, hasChecksums } from '../../../src/journal/file/content-checksum.ts'

const LONG = 32 * 1024

describe('content checksums', () => {
  it('of short content are its CRC-32', () => {
    expect(contentChecksums(Buffer.from('123456789'))).toEqual({ isPoly1305: false, blocks: [0xcbf43926] })
    expect(contentChecksums(new Uint8Array(LONG - 1)).isPoly1305).toBe(false)
  })

  it('of long content are Poly1305, and stay what they are: they lie on disks', () => {
    const content = Uint8Array.from({ length: LONG }, (_, i) => (i * 7) & 0xff)
    expect(contentChecksums(content)).toEqual({ isPoly1305: true, blocks: [86287386] })
  })

  it('are one for each block, and none of nothing', () => {
    const content = Uint8Array.from({ length: 2 * BLOCK_BYTES + 5 }, (_, i) => (i * 7) & 0xff)
    const { blocks } = contentChecksums(content)
    expect(blocks).toHaveLength(3)
    expect(blocks[1]).toBe(contentChecksums(content.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES)).blocks[0])
    expect(contentChecksums(content.subarray(0, 2 * BLOCK_BYTES)).blocks).toEqual(blocks.slice(0, 2))
    expect(contentChecksums(new Uint8Array(0))).toEqual({ isPoly1305: false, blocks: [] })
  })

  it.each([
    { what: 'a CRC-32', length: LONG - 1 },
    { what: 'a Poly1305', length: LONG },
    { what: 'a Poly1305', length: 3 * LONG + 5 },
    { what: 'two Poly1305', length: BLOCK_BYTES + 3 },
  ])('notices each flipped bit, by $what ($length bytes)', ({ length }) => {
    const content = Uint8Array.from({ length }, (_, i) => (i * 31) & 0xff)
    const checksums = contentChecksums(content)
    expect(hasChecksums(content, checksums)).toBe(true)
    for (const at of [0, 1, 15, 16, length >> 1, length - 1]) {
      for (let bit = 1; bit < 256; bit *= 2) {
        content[at] = (content[at] ?? 0) ^ bit
        expect(hasChecksums(content, checksums)).toBe(false)
        content[at] = (content[at] ?? 0) ^ bit
      }
    }
  })

  it('by CRC-32 holds for long content too: another runtime may have made it', () => {
    const content = new Uint8Array(2 * LONG).fill(3)
    expect(hasChecksums(content, { isPoly1305: false, blocks: [crc32(content)] })).toBe(true)
    expect(hasChecksums(content, { isPoly1305: false, blocks: [1] })).toBe(false)
  })
})
