import { RecoveryLogError } from '../errors/index.ts'
import type { WithSignal } from '../storage/index.ts'

/**
 * The coordinator's state, by compare-and-set (adapters spec, Q4 and Q5): documents of plain JSON, with the few columns
 * by which they are looked for.
 */

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue | undefined }

export interface StateDocument {
  /** What sort of document it is: `stream`, `prefix`, `settings`, `writer`, `source`. Ids of different kinds never meet. */
  readonly kind: string
  readonly project: string
  /** By what it is listed, in byte order within kind and project, where no other has it; a stream's is its path. */
  readonly name: string
  /** When the sweep has to look at it, in milliseconds since 1970; null: never. */
  readonly dueMs: number | null
  readonly value: JsonValue
}

export interface StoredDocument extends StateDocument {
  readonly id: string
  /** From 1; each update makes the next. */
  readonly revision: number
}

/** Documents in the order of their names, or, with `dueUntilMs`, in the order of their due times. */
export interface StateQuery extends WithSignal {
  readonly kind: string
  /** Of this project. Default: all, which only `dueUntilMs` allows. */
  readonly project?: string
  /** Names that begin with it. Cost grows with what is under it, not with the store. Default: all. Not with `dueUntilMs`. */
  readonly head?: string
  /** Names behind this one. Not with `dueUntilMs`. */
  readonly after?: string
  /** Only documents that are due by then. */
  readonly dueUntilMs?: number
  /** Of those that are due, the ones behind this one. */
  readonly afterDue?: Pick<StoredDocument, 'dueMs' | 'id'>
  /** At most so many. */
  readonly limit: number
}

export interface StreamStore extends AsyncDisposable {
  read(kind: string, id: string, options?: WithSignal): Promise<StoredDocument | undefined>

  /** Makes a document; answers its revision, 1. @throws RecoveryLogError `CONFLICT` when there is one */
  create(id: string, document: StateDocument, options?: WithSignal): Promise<number>

  /** Replaces revision `revision`; answers the next. @throws RecoveryLogError `CONFLICT` when that is not the latest */
  update(id: string, revision: number, document: StateDocument, options?: WithSignal): Promise<number>

  /**
   * May lag behind what other processes do (`refreshMs`), never behind what this object did. Costs by the size of the
   * answer. Throws RangeError for a limit below 1, TypeError for a query without order.
   */
  query(query: StateQuery): Promise<readonly StoredDocument[]>

  close(): Promise<void>
}

/** The error for a compare-and-set that came too late; revision 0 is that of a document that was to be made. */
export function conflictAt(kind: string, id: string, revision: number): RecoveryLogError {
  const what = revision === 0 ? 'is there already' : `is not at revision ${revision} any more`
  return new RecoveryLogError('CONFLICT', `the ${kind} ${id} ${what}`, { kind, id, revision })
}
