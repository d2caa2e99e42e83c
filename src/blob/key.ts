import { RecoveryLogError } from '../errors/index.ts'
import { utf8Length } from '../wire/index.ts'
import type { ByteRange } from './blob-store.ts'

/**
 * Judges a key (B7): 1 to `maxKeyBytes` bytes of UTF-8 without NUL.
 *
 * @throws RecoveryLogError `INVALID` with the key
 */
export function checkKey(key: string, maxKeyBytes: number): void {
  const bytes = utf8Length(key)
  if (bytes >= 1 && bytes <= maxKeyBytes && !key.includes('\0')) return
  const what =
    bytes === 0 ? 'is empty' : bytes > maxKeyBytes ? `has ${bytes} bytes` : 'holds a NUL, or half a pair'
  throw new RecoveryLogError('INVALID', `a key ${what}: it needs 1 to ${maxKeyBytes} bytes without NUL`, {
    key,
    bytes,
    maxKeyBytes,
  })
}

/** Throws RangeError unless both numbers are safe integers from 0. */
export function checkRange({ offset, length }: ByteRange): void {
  checkCount('offset', offset)
  checkCount('length', length)
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`expected an integer from 0 for ${name}, got ${value}`)
  }
}

/** The error for a key that is not there. */
export function notFound(key: string): RecoveryLogError {
  return new RecoveryLogError('NOT_FOUND', `there is no blob ${key}`, { key })
}

/** The error for a put that came too late. */
export function alreadyThere(key: string): RecoveryLogError {
  return new RecoveryLogError('CONFLICT', `there is a blob ${key} already`, { key })
}

/** The order of keys: that of their bytes in UTF-8, which is that of their code points. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left === right) continue
    // Halves of surrogate pairs stand for code points above all others.
    const isLeftPair = left >= 0xd800 && left <= 0xdfff
    const isRightPair = right >= 0xd800 && right <= 0xdfff
    if (isLeftPair !== isRightPair) return isLeftPair ? 1 : -1
    return left - right
  }
  return a.length - b.length
}
