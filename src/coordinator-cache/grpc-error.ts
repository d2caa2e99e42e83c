import { abortedError } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { ErrorCode } from '../errors/index.ts'
import { fieldsOf } from './services-client.ts'

/**
 * The codes of gRPC and pRPC in ours, by their numbers. `UNAVAILABLE` is what may go well later: there gRPC says so, or,
 * as with UNKNOWN and INTERNAL, LUCI takes it so.
 */
export const GRPC_CODES: readonly (readonly [name: string, code: ErrorCode])[] = [
  ['OK', 'UNAVAILABLE'], // is no error: whoever throws it is confused
  ['CANCELLED', 'UNAVAILABLE'], // not by us: that is told by the signal
  ['UNKNOWN', 'UNAVAILABLE'],
  ['INVALID_ARGUMENT', 'INVALID'],
  ['DEADLINE_EXCEEDED', 'UNAVAILABLE'],
  ['NOT_FOUND', 'NOT_FOUND'],
  ['ALREADY_EXISTS', 'ALREADY_EXISTS'],
  ['PERMISSION_DENIED', 'DENIED'],
  ['RESOURCE_EXHAUSTED', 'UNAVAILABLE'],
  ['FAILED_PRECONDITION', 'CONFLICT'], // another terminal index
  ['ABORTED', 'UNAVAILABLE'], // somebody else was writing
  ['OUT_OF_RANGE', 'INVALID'],
  ['UNIMPLEMENTED', 'INVALID'],
  ['INTERNAL', 'UNAVAILABLE'],
  ['UNAVAILABLE', 'UNAVAILABLE'],
  ['DATA_LOSS', 'CORRUPT'],
  ['UNAUTHENTICATED', 'DENIED'],
]

/**
 * What a client of gRPC or pRPC threw, as an error of ours. Its `code` may be the number or the name, in any spelling;
 * what has no such code never reached the service, and is `UNAVAILABLE`.
 */
export function errorOfClient(
  thrown: unknown,
  method: string,
  signal: AbortSignal | undefined,
): RecoveryLogError {
  if (signal?.aborted === true) return abortedError(signal)
  if (thrown instanceof RecoveryLogError) return thrown
  const { code, message } = fieldsOf(thrown)
  return errorOfCode(code, message, method, thrown)
}

/** As `errorOfClient`, for the error that an answer of the service holds. */
export function errorOfAnswer(error: unknown, method: string): RecoveryLogError {
  const { grpcCode, transient, msg } = fieldsOf(error)
  return errorOfCode(transient === true ? 'UNAVAILABLE' : grpcCode, msg, method, error)
}

function errorOfCode(code: unknown, message: unknown, method: string, cause: unknown): RecoveryLogError {
  const [grpcCode, ours] = GRPC_CODES[numberOf(code)] ?? [null, 'UNAVAILABLE']
  const text = typeof message === 'string' && message !== '' ? message : String(cause)
  return new RecoveryLogError(ours, `${method}: ${text}`, { method, grpcCode }, { cause })
}

/** The number of a code; `PermissionDenied`, `permission_denied` and `PERMISSION_DENIED` are the same name. */
function numberOf(code: unknown): number {
  if (typeof code === 'number') return code
  if (typeof code !== 'string') return -1
  const letters = lettersOf(code)
  return GRPC_CODES.findIndex(([name]) => lettersOf(name) === letters)
}

function lettersOf(name: string): string {
  return name.replaceAll('_', '').toUpperCase().replace('CANCELED', 'CANCELLED')
}
