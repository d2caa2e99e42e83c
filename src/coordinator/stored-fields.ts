import { RecoveryLogError } from '../errors/index.ts'
import { fromBase64 } from './base64.ts'
import type { JsonValue, StateDocument } from './state-store.ts'

/** Reads the fields of a stored document: what is not as it was written is `CORRUPT`, with document and field. */
export class StoredFields {
  readonly #document: Pick<StateDocument, 'kind' | 'project' | 'name'>
  readonly #fields: Readonly<Record<string, JsonValue | undefined>>

  constructor(document: StateDocument, value: JsonValue | undefined = document.value) {
    const { kind, project, name } = document
    this.#document = { kind, project, name }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#damage('value')
    this.#fields = value as Readonly<Record<string, JsonValue>>
  }

  text(field: string): string {
    const value = this.#fields[field]
    if (typeof value === 'string') return value
    throw this.#damage(field)
  }

  oneOf<T extends string>(field: string, values: readonly T[]): T {
    const value = this.#fields[field]
    if ((values as readonly unknown[]).includes(value)) return value as T
    throw this.#damage(field)
  }

  flag(field: string): boolean {
    const value = this.#fields[field]
    if (typeof value === 'boolean') return value
    throw this.#damage(field)
  }

  integer(field: string): number {
    const value = this.#fields[field]
    if (Number.isSafeInteger(value)) return value as number
    throw this.#damage(field)
  }

  bytes(field: string): Uint8Array {
    const bytes = fromBase64(this.text(field))
    if (bytes !== undefined) return bytes
    throw this.#damage(field)
  }

  orNull<T>(field: string, read: (field: string) => T): T | null {
    return this.#fields[field] === null ? null : read(field)
  }

  /** As it is stored, for whoever judges it further. */
  value(field: string): JsonValue | undefined {
    return this.#fields[field]
  }

  #damage(field: string): RecoveryLogError {
    const { kind, project, name } = this.#document
    const data = { kind, project, name, field }
    return new RecoveryLogError(
      'CORRUPT',
      `the ${kind} ${name} has no good ${field} in the state store`,
      data,
    )
  }
}
