/** What every back end asks of an append before it does anything, and how a failed one fails those behind it (J10). */
import { RecoveryLogError } from '../errors/index.ts'
import type { AppendRequest, Journal } from './journal.ts'
import { validateRegisterRequest } from './registers.ts'

/** J7 for memory and file: what a group may hold at most, and so what a reader must be able to hold at once. */
export const MAX_APPEND_BYTES = 16 * 1024 * 1024

/**
 * Refuses what no journal may take, before anything is changed: `APPEND_TOO_LARGE`, `REGISTER_INVALID`, and a
 * TypeError for content that is no Uint8Array.
 */
export function validateAppend(
  journal: Pick<Journal, 'name' | 'maxAppendBytes'>,
  request: AppendRequest,
): void {
  const { content } = request
  if (!(content instanceof Uint8Array)) throw new TypeError('content is not a Uint8Array')
  if (content.length > journal.maxAppendBytes) {
    throw new RecoveryLogError('APPEND_TOO_LARGE', 'more bytes than one append may have', {
      journal: journal.name,
      bytes: content.length,
      maxAppendBytes: journal.maxAppendBytes,
    })
  }
  validateRegisterRequest(request, content.length)
}

/**
 * How an append fails that was called after one that failed, and before that one's answer: with the same code, so
 * that whoever has many under way is told the same by each, and the first failure as its cause.
 */
export function failedBehind(first: unknown, journal: string): RecoveryLogError {
  const code = first instanceof RecoveryLogError ? first.code : 'UNAVAILABLE'
  return new RecoveryLogError(code, 'an append called before this one failed', { journal }, { cause: first })
}

export function closedError(journal: string): RecoveryLogError {
  return new RecoveryLogError('CLOSED', 'this journal object is closed', { journal })
}

/** Positions are safe integers from 0 on; anything else is the caller's mistake. */
export function assertOffset(offset: number, title: string): number {
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new RangeError(`${title} is not a safe integer from 0 on: ${String(offset)}`)
  }
  return offset
}
