/** What callers hand in, checked as Node checks it. */
import { argumentError } from '../errors.ts'

export type Options = Readonly<Record<string, unknown>>

export function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)
}

export function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** The bytes of a buffer, shared. */
export function viewOf(value: unknown, name: string): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  const message = `The "${name}" argument must be an instance of Buffer, TypedArray, or DataView.`
  throw argumentError('ERR_INVALID_ARG_TYPE', message)
}

/** The part of a buffer that a read or a write is for: all that follows `offset` unless `length` is given. */
export function sliceOf(bytes: Uint8Array, offset: unknown, length: unknown): Uint8Array {
  const begin = checkedInteger(offset ?? 0, 'offset', bytes.length)
  const count = checkedInteger(length ?? bytes.length - begin, 'length', bytes.length - begin)
  return bytes.subarray(begin, begin + count)
}

/** An integer from 0 to `max`. */
export function checkedInteger(value: unknown, name: string, max: number): number {
  if (typeof value !== 'number') {
    throw argumentError('ERR_INVALID_ARG_TYPE', `The "${name}" argument must be of type number.`)
  }
  if (!Number.isInteger(value) || value < 0 || value > max) {
    const range = `It must be >= 0 && <= ${String(max)}. Received ${String(value)}`
    throw argumentError('ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. ${range}`)
  }
  return value
}
