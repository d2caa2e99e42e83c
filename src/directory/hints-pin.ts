/** A pin: what a running recovery or a standby still needs, so that pruning keeps it (durable-directory spec, section 4). */
import { RecoveryLogError } from '../errors/index.ts'

/** A span of a log that is kept; `end` absent reaches to the head and beyond. */
export interface KeptRange {
  readonly log: string
  readonly begin: number
  readonly end?: number | undefined
}

export interface HintsPin {
  /** Of `[a-z0-9-]`, at most 100 characters: names the reader, and renews its pin. */
  readonly id: string
  /** Who reads, for people. */
  readonly reader: string
  /** Milliseconds since 1970; later it no longer counts. */
  readonly expiresAt: number
  readonly ranges: readonly KeptRange[]
}

const ID = /^[a-z0-9-]{1,100}$/

/** @throws TypeError for an id that no back end could hold. */
export function encodePin(pin: HintsPin): Uint8Array {
  if (!ID.test(pin.id)) {
    throw new TypeError(`pin.id: expected 1 to 100 of [a-z0-9-], got ${JSON.stringify(pin.id)}`)
  }
  return new TextEncoder().encode(JSON.stringify(pin))
}

/** @throws `HINTS_INVALID`: an unreadable pin stops pruning, for nobody knows what it keeps. */
export function decodePin(name: string, bytes: Uint8Array): HintsPin {
  try {
    const pin = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as HintsPin
    const isValid =
      ID.test(pin.id) &&
      typeof pin.reader === 'string' &&
      Number.isSafeInteger(pin.expiresAt) &&
      pin.ranges.every(
        ({ log, begin, end }) =>
          typeof log === 'string' &&
          Number.isSafeInteger(begin) &&
          (end === undefined || Number.isSafeInteger(end)),
      )
    if (!isValid) throw new TypeError('a field is missing, or of another type')
    return pin
  } catch (error) {
    throw new RecoveryLogError('HINTS_INVALID', `pin ${name} cannot be decoded`, { name }, { cause: error })
  }
}
