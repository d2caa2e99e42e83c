/**
 * The checksum of a group's content: CRC-32; for long ones, where the runtime has it, the first four bytes of Poly1305,
 * little-endian. With a key of zeros that protects from nobody, but it is as good a checksum as a CRC of its size, and
 * two or three times as fast: computing it is the most that the reader of a long log has to do.
 *
 * Poly1305 is had as the tag of ChaCha20-Poly1305 over no text, key and nonce being zeros.
 */
import { createCipheriv, getCiphers } from 'node:crypto'
import { crc32 } from 'node:zlib'

const CIPHER = 'chacha20-poly1305'
/** Missing where only approved ciphers are allowed, and in some runtimes. */
const HAS_POLY1305 = getCiphers().includes(CIPHER)
/** Below this, setting up a cipher costs more than it saves. */
const POLY1305_BYTES_MIN = 32 * 1024

const KEY = new Uint8Array(32)
const NONCE = new Uint8Array(12)
const TAG = { authTagLength: 16 }
const NO_TEXT = { plaintextLength: 0 }

/** What a group says of its content. */
export interface ContentChecksum {
  readonly isPoly1305: boolean
  readonly value: number
}

export function contentChecksum(content: Uint8Array): ContentChecksum {
  const isPoly1305 = HAS_POLY1305 && content.length >= POLY1305_BYTES_MIN
  return { isPoly1305, value: isPoly1305 ? poly1305(content) : crc32(content) }
}

/** Throws the runtime's error when it was made by one that has more. */
export function hasChecksum(content: Uint8Array, { isPoly1305, value }: ContentChecksum): boolean {
  return (isPoly1305 ? poly1305(content) : crc32(content)) === value
}

function poly1305(content: Uint8Array): number {
  const cipher = createCipheriv(CIPHER, KEY, NONCE, TAG)
  cipher.setAAD(content, NO_TEXT)
  cipher.final()
  return cipher.getAuthTag().readUInt32LE()
}
