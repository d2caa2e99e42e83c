import { compareKeys } from '../blob/index.ts'
import { SortedBlocks } from './sorted-blocks.ts'
import type { StateDocument, StateQuery } from './state-store.ts'

/** What of a document a query looks at. */
export interface IndexedDocument extends Omit<StateDocument, 'value'> {
  readonly id: string
}

type DuePlace = Pick<IndexedDocument, 'dueMs' | 'id'>

/** The orders in which documents are asked for: a query costs a search and the size of its answer (Q4). */
export class DocumentIndex<T extends IndexedDocument> {
  /** By kind and project. */
  readonly #byName = new Map<string, SortedBlocks<T>>()
  /** By kind, and by kind and project; only what is due at some time. */
  readonly #byDue = new Map<string, SortedBlocks<T>>()

  add(document: T): void {
    orderIn(this.#byName, keyOf(document), compareNames).add(document)
    for (const key of dueKeysOf(document)) orderIn(this.#byDue, key, compareDues).add(document)
  }

  delete(document: T): void {
    this.#byName.get(keyOf(document))?.delete(document)
    for (const key of dueKeysOf(document)) this.#byDue.get(key)?.delete(document)
  }

  /** The first `limit` documents that match. Throws TypeError and RangeError for a query that is none. */
  find(query: StateQuery): T[] {
    checkQuery(query)
    return query.dueUntilMs === undefined ? this.#inNameOrder(query) : this.#inDueOrder(query)
  }

  #inDueOrder({ kind, project, dueUntilMs = Infinity, afterDue, limit }: StateQuery): T[] {
    const found: T[] = []
    const order = this.#byDue.get(project === undefined ? kind : keyOf({ kind, project }))
    const isBefore = (document: T): boolean => afterDue !== undefined && compareDues(document, afterDue) <= 0
    for (const document of order?.from(isBefore) ?? []) {
      if (found.length === limit || (document.dueMs as number) > dueUntilMs) break
      found.push(document)
    }
    return found
  }

  #inNameOrder({ kind, project = '', head = '', after, limit }: StateQuery): T[] {
    const found: T[] = []
    const isBefore = ({ name }: T): boolean =>
      compareKeys(name, head) < 0 || (after !== undefined && compareKeys(name, after) <= 0)
    const order = this.#byName.get(keyOf({ kind, project }))
    for (const document of order?.from(isBefore) ?? []) {
      if (found.length === limit || !document.name.startsWith(head)) break
      found.push(document)
    }
    return found
  }
}

/** Throws TypeError when a query mixes both orders or names no project, RangeError for a limit below 1. */
function checkQuery({ project, head, after, dueUntilMs, afterDue, limit }: StateQuery): void {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RangeError(`expected an integer from 1 for limit, got ${limit}`)
  }
  if (dueUntilMs === undefined && (project === undefined || afterDue !== undefined)) {
    throw new TypeError(
      'a query without dueUntilMs is in the order of names: it takes a project and no afterDue',
    )
  }
  if (dueUntilMs !== undefined && (head !== undefined || after !== undefined)) {
    throw new TypeError('a query with dueUntilMs is in the order of due times: it takes no head and no after')
  }
}

function orderIn<T>(
  orders: Map<string, SortedBlocks<T>>,
  key: string,
  compare: (a: T, b: T) => number,
): SortedBlocks<T> {
  let order = orders.get(key)
  if (order === undefined) orders.set(key, (order = new SortedBlocks(compare)))
  return order
}

/** A kind has no NUL in it, so that a kind alone is never a kind with a project. */
function keyOf({ kind, project }: Pick<IndexedDocument, 'kind' | 'project'>): string {
  return `${kind}\0${project}`
}

function dueKeysOf(document: IndexedDocument): string[] {
  return document.dueMs === null ? [] : [document.kind, keyOf(document)]
}

function compareNames(a: IndexedDocument, b: IndexedDocument): number {
  return compareKeys(a.name, b.name) || compareKeys(a.id, b.id)
}

function compareDues(a: DuePlace, b: DuePlace): number {
  return (a.dueMs as number) - (b.dueMs as number) || compareKeys(a.id, b.id)
}
