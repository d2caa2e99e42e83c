import { deflateSync, inflateSync } from 'node:zlib'
import type { Deflate, Inflate } from '../wire/logdog/index.ts'

/** The system's zlib, bounded: it stops inflating at the limit, and throws. What lies behind the zlib stream is ignored. */
export const systemInflate: Inflate = (bytes, maxBytes) =>
  plainBytes(inflateSync(bytes, { maxOutputLength: maxBytes }))

/** The system's zlib, at the level that it takes by default. */
export const systemDeflate: Deflate = (bytes) => plainBytes(deflateSync(bytes))

/** Not a Buffer, which does some things otherwise than a Uint8Array. */
function plainBytes({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
