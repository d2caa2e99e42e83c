import { RecoveryLogError } from '../errors/index.ts'
import { ENTRY_DATA_BYTES_MAX } from '../wire/logdog/index.ts'
import type { StorageGet, StoragePut, StreamName } from './storage.ts'

/** What all back ends ask of their callers, and answer them. */

/** One encoded entry: its data and what is around it (S4). An archive's frames have room for it. */
export const STORED_ENTRY_BYTES_MAX = ENTRY_DATA_BYTES_MAX + 64 * 1024

/**
 * Judges a put before anything is stored.
 *
 * @throws RangeError for indexes that are no safe integers from 0
 * @throws RecoveryLogError `ENTRY_INVALID` for an entry above the limit
 */
export function checkPut({ stream, from, entries }: StoragePut): void {
  assertIndex('from', from)
  assertIndex('the last index', from + entries.length)
  for (let i = 0; i < entries.length; i++) {
    const { length } = entries[i] as Uint8Array
    if (length <= STORED_ENTRY_BYTES_MAX) continue
    throw new RecoveryLogError(
      'ENTRY_INVALID',
      `entry ${from + i} of ${stream.path} has ${length} bytes, more than ${STORED_ENTRY_BYTES_MAX}`,
      { ...stream, streamIndex: from + i, bytes: length, maxBytes: STORED_ENTRY_BYTES_MAX },
    )
  }
}

/** The range that a get asks for. Throws RangeError for numbers that are none. */
export function rangeOf({ from = 0, limit = Number.POSITIVE_INFINITY }: StorageGet): {
  readonly from: number
  readonly limit: number
} {
  assertIndex('from', from)
  if (limit !== Number.POSITIVE_INFINITY) assertIndex('limit', limit)
  return { from, limit }
}

/** The error for a put into a sealed stream. */
export function sealedError(stream: StreamName): RecoveryLogError {
  return new RecoveryLogError('SEALED', `${stream.path} is sealed`, { ...stream })
}

/** The error for an entry that is there with other bytes. */
export function otherBytesError(stream: StreamName, streamIndex: number): RecoveryLogError {
  return new RecoveryLogError(
    'CONFLICT',
    `entry ${streamIndex} of ${stream.path} is there with other bytes`,
    {
      ...stream,
      streamIndex,
    },
  )
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function assertIndex(what: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return
  throw new RangeError(`expected a safe integer from 0 for ${what}, got ${value}`)
}
