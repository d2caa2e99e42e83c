import { RecoveryLogError } from '../errors/index.ts'
import { hintsFromJson } from './hints-json-reader.ts'
import { hintsFromProto } from './hints-proto.ts'
import type { FSMHints } from './hints.ts'

const OPEN_BRACE = 0x7b

/**
 * Reads stored hints: JSON when the first byte is `{`, else protobuf (no message of hints begins so). Throws
 * `HINTS_INVALID`, with place and value, for what is neither, and for no bytes at all, which are no hints as in Go.
 */
export function decodeHints(bytes: Uint8Array): FSMHints {
  if (bytes.length === 0) throw new RecoveryLogError('HINTS_INVALID', 'no bytes', { at: 0, value: '' })
  return bytes[0] === OPEN_BRACE ? hintsFromJson(bytes) : hintsFromProto(bytes)
}
