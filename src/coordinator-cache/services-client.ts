import { fromBase64 } from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { WithSignal } from '../storage/index.ts'

/**
 * LUCI's services API (`logdog.Services`), as far as a collector calls it. Messages are in proto JSON: bytes are base64, an
 * int64 is a decimal text. That is what JSON over pRPC sends, and what `fromJson` and `fromObject` of the usual
 * libraries read.
 */
export interface ServicesClient {
  /** Answers `RegisterStreamResponse`: bytes may be bytes too, and an int64 a number or bigint. */
  registerStream(request: RegisterStreamMessage, options: WithSignal): Promise<unknown>
  /** Answers `google.protobuf.Empty`, which is not looked at. */
  terminateStream(request: TerminateStreamMessage, options: WithSignal): Promise<unknown>
}

export interface RegisterStreamMessage {
  readonly project: string
  readonly secret: string
  readonly protoVersion: string
  readonly desc: string
  readonly terminalIndex: string
}

export interface TerminateStreamMessage {
  readonly project: string
  readonly id: string
  readonly secret: string
  readonly terminalIndex: string
}

/** `InternalLogStreamState`, with the stream's ID. */
export interface RemoteState {
  readonly id: string
  readonly protoVersion: string
  readonly secret: Uint8Array
  readonly terminalIndex: number
  readonly archived: boolean
  readonly purged: boolean
}

/** The fields of what somebody else has made; of what is no object, none. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/**
 * Reads a `RegisterStreamResponse` without error. A field that is left out has its default, which is 0 for the terminal
 * index: a stream that goes on has -1, and says so.
 *
 * @throws RecoveryLogError `CORRUPT` with the field and its value
 */
export function decodeRegisterAnswer(answer: unknown): RemoteState {
  const { id, state } = fieldsOf(answer)
  if (typeof id !== 'string' || id === '') return refuse('id', id)
  if (typeof state !== 'object' || state === null) return refuse('state', state)
  const {
    protoVersion = '',
    secret = '',
    terminalIndex = 0,
    archived = false,
    purged = false,
  } = fieldsOf(state)
  if (typeof protoVersion !== 'string') return refuse('state.protoVersion', protoVersion)
  if (typeof archived !== 'boolean') return refuse('state.archived', archived)
  if (typeof purged !== 'boolean') return refuse('state.purged', purged)
  return {
    id,
    protoVersion,
    secret: bytesIn(secret) ?? refuse('state.secret', 'bytes that are none'),
    terminalIndex: integerIn(terminalIndex) ?? refuse('state.terminalIndex', terminalIndex),
    archived,
    purged,
  }
}

function bytesIn(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  // Proto JSON takes the alphabet of base64url too.
  return typeof value === 'string' ? fromBase64(value.replaceAll('-', '+').replaceAll('_', '/')) : undefined
}

function integerIn(value: unknown): number | undefined {
  const isText = typeof value === 'string' && /^-?[0-9]+$/.test(value)
  const number = isText || typeof value === 'bigint' ? Number(value) : value
  return Number.isSafeInteger(number) ? (number as number) : undefined
}

function refuse(field: string, value: unknown): never {
  throw new RecoveryLogError('CORRUPT', `the service answered no ${field}`, { field, value })
}
