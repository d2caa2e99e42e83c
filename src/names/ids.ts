import { RecoveryLogError } from '../errors/index.ts'
import type { Sha256Factory } from '../parts/index.ts'

/** Stream IDs and prefix IDs (log-archive spec, section 2): sha256 in lower-case hex. */

const encoder = new TextEncoder()
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The ID of the stream with `path`, which is not validated. */
export function streamId(path: string, sha256: Sha256Factory): string {
  return toHex(sha256OfText(path, sha256))
}

/** The ID of `prefix`, which is not validated. */
export function prefixId(prefix: string, sha256: Sha256Factory): string {
  return toHex(sha256OfText(prefix, sha256))
}

/**
 * A stream ID as somebody wrote it, in lower case. LUCI takes one digit more than 64, so that is taken too.
 *
 * @throws RecoveryLogError `NAME_INVALID`
 */
export function normalizeStreamId(id: string): string {
  if (/^[0-9a-f]{64,65}$/i.test(id)) return id.toLowerCase()
  throw new RecoveryLogError('NAME_INVALID', 'a stream ID is 64 hex digits', { value: id })
}

/** The sha256 of `text` in UTF-8: 32 bytes. */
export function sha256OfText(text: string, sha256: Sha256Factory): Uint8Array {
  const hash = sha256()
  hash.update(encoder.encode(text))
  return hash.digest()
}

/** `bytes` in lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** `bytes` in base64url, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const digits = Math.min(bytes.length - i, 3) + 1
    for (let digit = 0; digit < digits; digit++) text += BASE64URL.charAt((group >>> (18 - 6 * digit)) & 63)
  }
  return text
}
