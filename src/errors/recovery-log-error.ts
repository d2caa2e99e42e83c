/** What went wrong, as a class of reactions: a caller decides by `kind` what to do, and by `code` what to say. */
export type ErrorKind =
  | 'invalid' // the input is wrong; the same call will fail again
  | 'unavailable' // the world is in the way; later it may work
  | 'fenced' // a newer owner has taken over; drop this object and start again from the log
  | 'corrupt' // stored bytes are damaged or gone
  | 'conflict' // somebody else was first, or holds it
  | 'not_found'
  | 'denied'
  | 'closed'
  | 'aborted'

/**
 * Every code that this package raises, with its kind. Codes are API: they are frozen within a major version;
 * messages are not.
 */
export const ERROR_KINDS = {
  ABORTED: 'aborted',
  ALREADY_EXISTS: 'conflict',
  APPENDER_REPLACED: 'conflict',
  APPEND_TOO_LARGE: 'invalid',
  BACKLOGGED: 'unavailable',
  BUNDLE_INVALID: 'invalid',
  CLOSED: 'closed',
  CONFLICT: 'conflict',
  CORRUPT: 'corrupt',
  DATA_LOSS: 'corrupt',
  DENIED: 'denied',
  DESCRIPTOR_INVALID: 'invalid',
  DIRECTORY_IN_USE: 'conflict',
  ENTRY_INVALID: 'invalid',
  EXPIRED: 'denied',
  FENCED: 'fenced',
  FNODE_NOT_TRACKED: 'not_found',
  FRAME_TOO_LARGE: 'corrupt',
  HINTS_CONFLICT: 'conflict',
  HINTS_EMPTY: 'invalid',
  HINTS_INVALID: 'invalid',
  INVALID: 'invalid',
  LATE: 'conflict',
  LINK_EXISTS: 'conflict',
  LOG_TAKEN: 'conflict',
  MANIFEST_INVALID: 'corrupt',
  NAME_INVALID: 'invalid',
  NOT_FOUND: 'not_found',
  NO_SUCH_LINK: 'not_found',
  OUTCOME_UNKNOWN: 'unavailable',
  PATH_REFUSED: 'invalid',
  PROPERTY_EXISTS: 'conflict',
  PURGED: 'not_found',
  QUARANTINED: 'conflict',
  REGISTER_INVALID: 'invalid',
  REGISTER_MISMATCH: 'fenced',
  SEALED: 'conflict',
  SEGMENT_INCONSISTENT: 'invalid',
  SEGMENT_INVALID: 'invalid',
  STALLED: 'unavailable',
  STREAM_BUSY: 'conflict',
  TARGET_NOT_EMPTY: 'conflict',
  UNAVAILABLE: 'unavailable',
  UNEXPECTED_END: 'corrupt',
  VARINT_OVERFLOW: 'corrupt',
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERROR_KINDS

/** The facts of an error: plain data, such as `{ log, offset, seqNo, path, value }`. */
export type ErrorData = Readonly<Record<string, unknown>>

const BRAND = Symbol.for('recoverylog.RecoveryLogError')

/**
 * The one error class of this package. The message begins with the code; `data` holds the place and the value;
 * `cause` is what the engine or the system said. `instanceof` works across duplicated installs.
 */
export class RecoveryLogError extends Error {
  readonly code: ErrorCode
  readonly kind: ErrorKind
  readonly data: ErrorData

  constructor(code: ErrorCode, message: string, data: ErrorData = {}, options?: ErrorOptions) {
    super(`${code}: ${message}`, options)
    this.name = code === 'ABORTED' ? 'AbortError' : 'RecoveryLogError'
    this.code = code
    this.kind = ERROR_KINDS[code]
    this.data = data
    Object.defineProperty(this, BRAND, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value
  }

  /** What was caught, as an error of this package: one of a foreign part is `UNAVAILABLE`, with it as the cause. */
  static from(caught: unknown): RecoveryLogError {
    if (caught instanceof RecoveryLogError) return caught
    return new RecoveryLogError('UNAVAILABLE', String(caught), {}, { cause: caught })
  }

  /** Whether `value` is an error of this package, with `code` when one is named. */
  static is(value: unknown, code?: ErrorCode): value is RecoveryLogError {
    return value instanceof RecoveryLogError && (code === undefined || value.code === code)
  }
}
