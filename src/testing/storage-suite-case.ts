import type { IntermediateStorage, PutOutcome, StorageGet, StreamName } from '../storage/index.ts'
import { expectSame, expectThat } from './suite-test.ts'

/** What the tests of `storageSuite` are made of. */

/** What the harness of a back end can do, as plain data. A test that needs more is skipped. */
export interface StorageSuiteSupports {
  /** Has `open`: another object on the same storage, beside the first, or after it. */
  readonly open: boolean
  /** Has `kill`. */
  readonly kill: boolean
  /** Has `setNow`. */
  readonly clock: boolean
}

/** One storage that no other test uses, and what can be done to it. */
export interface StorageUnderTest {
  readonly storage: IntermediateStorage
  /** Another object on the same storage, as another process would have it. The suite closes it. */
  open?(): Promise<IntermediateStorage>
  /** Ends the first object as a killed process ends: it does nothing any more, and is not closed. */
  kill?(): Promise<void>
  /** Sets the clock of all objects on this storage, in milliseconds since 1970. */
  setNow?(ms: number): void
  /** Frees what the factory made, after the suite has closed the storages. */
  dispose?(): Promise<void>
}

/** What one test gets in its hands. */
export interface StorageSuiteCase {
  readonly storage: IntermediateStorage
  readonly under: StorageUnderTest
  /** How many entries a long stream has. */
  readonly manyEntries: number
  /** Opens another object, which is closed after the test. */
  readonly open: () => Promise<IntermediateStorage>
}

export interface StorageSuiteTest {
  /** Begins with the promise that it tests. */
  readonly name: string
  readonly needs?: readonly (keyof StorageSuiteSupports)[]
  readonly body: (test: StorageSuiteCase) => Promise<void>
}

export const STREAM: StreamName = { project: 'project', path: 'a/prefix/+/name' }

/** Names that a careless store takes for one another, or for something else. */
export const ODD_STREAMS: readonly StreamName[] = [
  STREAM,
  { project: 'project', path: 'a/prefix/+/name/' },
  { project: 'project', path: 'a/prefix/+/Name' },
  { project: 'project', path: 'a/prefix/+/nam' },
  { project: 'projecta', path: '/prefix/+/name' },
  { project: 'projec', path: 'ta/prefix/+/name' },
  { project: 'other', path: 'a/prefix/+/name' },
  { project: 'project', path: '../project/a/prefix/+/name' },
  { project: 'project', path: '..' },
  { project: '__proto__', path: 'constructor' },
  { project: 'project', path: 'x'.repeat(4000) },
  { project: 'project', path: `${'x'.repeat(4000)}y` },
]

/** Bytes that tell which entry they are: of every length from 0 to 199. */
export function entryBytes(index: number): Uint8Array {
  const bytes = new Uint8Array((index * 37) % 200)
  for (let i = 0; i < bytes.length; i++) bytes[i] = index * 7 + i
  return bytes
}

export async function put(
  storage: IntermediateStorage,
  from: number,
  count: number,
  stream = STREAM,
): Promise<PutOutcome> {
  return storage.put({ stream, from, entries: range(from, from + count).map(entryBytes) })
}

export function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, i) => begin + i)
}

export function sum(outcomes: readonly PutOutcome[], field: keyof PutOutcome): number {
  return outcomes.reduce((total, outcome) => total + outcome[field], 0)
}

export async function rawEntriesOf(
  storage: IntermediateStorage,
  get: Partial<StorageGet> = {},
): Promise<{ readonly index: number; readonly bytes: Uint8Array }[]> {
  const entries = []
  for await (const batch of storage.get({ stream: STREAM, ...get })) {
    for (const { index, bytes } of batch) entries.push({ index, bytes: bytes.slice() })
  }
  return entries
}

export async function entriesOf(
  storage: IntermediateStorage,
  get: Partial<StorageGet> = {},
): Promise<{ readonly index: number; readonly bytes: readonly number[] }[]> {
  const entries = await rawEntriesOf(storage, get)
  return entries.map(({ index, bytes }) => ({ index, bytes: Array.from(bytes) }))
}

/** Wants exactly these indexes, each with the bytes that `put` gives it. */
export async function expectEntries(
  storage: IntermediateStorage,
  indexes: readonly number[],
  get: Partial<StorageGet> = {},
): Promise<void> {
  const entries = await rawEntriesOf(storage, get)
  expectSame(
    entries.map(({ index }) => index),
    indexes,
    'indexes',
  )
  for (const { index, bytes } of entries) expectBytes(bytes, entryBytes(index), `entry ${index}`)
}

export function expectBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const isSame = actual.length === expected.length && actual.every((byte, i) => byte === expected[i])
  expectThat(isSame, `other bytes than were put, ${what}: ${actual.length} of ${expected.length}`)
}
