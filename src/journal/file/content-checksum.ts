/**
 * The checksums of a group's content, one for each block of it: CRC-32; in long content, where the runtime has it, the
 * first four bytes of Poly1305, little-endian. With a key of zeros that protects from nobody, but it is as good a
 * checksum as a CRC of its size, and two or three times as fast: computing it is the most that the reader of a long log
 * has to do.
 *
 * Poly1305 is had as the tag of ChaCha20-Poly1305 over no text, key and nonce being zeros.
 */
import { createCipheriv, getCiphers } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 * So much is read, checked and used at once: it stays in the processor's cache meanwhile. Measured with a log of writes
 * of 1 MiB, played into files: in blocks of 4 MiB that takes half as long again.
 */
export const BLOCK_BYTES = 1024 * 1024

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
export interface ContentChecksums {
  readonly isPoly1305: boolean
  /** Of each block; of none when there is no content. */
  readonly blocks: readonly number[]
}

export function blockCount(contentBytes: number): number {
  return Math.ceil(contentBytes / BLOCK_BYTES)
}

export function contentChecksums(content: Uint8Array): ContentChecksums {
  const isPoly1305 = HAS_POLY1305 && content.length >= POLY1305_BYTES_MIN
  const blocks = Array.from({ length: blockCount(content.length) }, (_, block) => {
    return blockChecksum(blockOf(content, block), isPoly1305)
  })
  return { isPoly1305, blocks }
}

/** Whether all of `content` is as it was. Throws as `blockChecksum`. */
export function hasChecksums(content: Uint8Array, { isPoly1305, blocks }: ContentChecksums): boolean {
  return blocks.every((checksum, block) => blockChecksum(blockOf(content, block), isPoly1305) === checksum)
}

/** Throws the runtime's error when Poly1305 is asked for by content of one that has more. */
export function blockChecksum(bytes: Uint8Array, isPoly1305: boolean): number {
  if (!isPoly1305) return crc32(bytes)
  const cipher = createCipheriv(CIPHER, KEY, NONCE, TAG)
  cipher.setAAD(bytes, NO_TEXT)
  cipher.final()
  return cipher.getAuthTag().readUInt32LE()
}

function blockOf(content: Uint8Array, block: number): Uint8Array {
  return content.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)
}
