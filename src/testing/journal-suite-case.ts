/** What the tests of `journalSuite` are made of. */
import type { AppendRequest, Commit, Journal, JournalChunk, ReadRequest } from '../journal/index.ts'
import { expectSame, expectThat } from './suite-test.ts'

/** What the harness of a back end can do, as plain data. A test that needs more is skipped. */
export interface JournalSuiteSupports {
  /** As the journal's own `supports.prune`. */
  readonly prune: boolean
  /** As the journal's own `supports.appendSync`. */
  readonly appendSync: boolean
  /** Has `open`: another object on the same journal, beside the first, or after it. */
  readonly open: boolean
  /** Has `kill`. */
  readonly kill: boolean
  /** Has `recreate`. */
  readonly recreate: boolean
  /** Has `damage`. */
  readonly damage: boolean
  /** Has `loseAnswer`. */
  readonly loseAnswer: boolean
}

/** One journal that no other test uses, and what can be done to it. */
export interface JournalUnderTest {
  readonly journal: Journal
  /** Another object on the same journal, as another process would have it. The suite closes it. */
  open?(): Promise<Journal>
  /** Ends the first object as a killed process ends: it does nothing any more, and is not closed. */
  kill?(): Promise<void>
  /** Deletes the journal and makes it anew under the same name. */
  recreate?(): Promise<Journal>
  /** Changes the stored byte at an offset behind the journal's back. */
  damage?(offset: number): Promise<void>
  /** Lets the engine's answer to the next append be lost: a time-out, a broken connection, a failed sync. */
  loseAnswer?(): void
  /** Frees what the factory made, after the suite has closed the journals. */
  dispose?(): Promise<void>
}

export interface JournalSuiteSettings {
  /** This many bytes, in appends of 1,000, make several fragments. Default 200,000. */
  readonly severalFragmentsBytes: number
}

/** What one test gets in its hands. */
export interface SuiteCase {
  readonly journal: Journal
  readonly under: JournalUnderTest
  readonly settings: JournalSuiteSettings
  /** Opens another object, which is closed after the test. */
  readonly open: () => Promise<Journal>
}

export interface JournalSuiteTest {
  /** Begins with the promise that it tests. */
  readonly name: string
  readonly needs?: readonly (keyof JournalSuiteSupports)[]
  readonly body: (test: SuiteCase) => Promise<void>
}

/** Bytes that tell where they belong: those of `[offset, offset + length)` of one long sequence. */
export function patternAt(offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (offset + i) * 167 + ((offset + i) >>> 8) * 13
  return bytes
}

/** Appends the next bytes of the pattern. */
export async function grow(
  journal: Journal,
  at: number,
  bytes: number,
  more: Omit<AppendRequest, 'content'> = {},
): Promise<Commit> {
  const commit = await journal.append({ content: patternAt(at, bytes), ...more })
  expectSame([commit.begin, commit.end], [at, at + bytes], 'where the append landed')
  return commit
}

/** All that a read yields, with its own copy of each chunk. */
export async function readAll(journal: Journal, request: ReadRequest): Promise<JournalChunk[]> {
  const chunks: JournalChunk[] = []
  for await (const { offset, bytes } of journal.read(request)) chunks.push({ offset, bytes: bytes.slice() })
  return chunks
}

/** Reads to the head, and wants exactly the pattern from `offset` to `end`, without a gap. */
export async function expectPattern(journal: Journal, offset: number, end: number): Promise<void> {
  let at = offset
  for await (const chunk of journal.read({ offset })) {
    expectSame(chunk.offset, at, 'where a chunk begins')
    expectThat(chunk.bytes.length > 0, 'an empty chunk')
    expectBytes(chunk.bytes, patternAt(at, chunk.bytes.length), `at ${at}`)
    at += chunk.bytes.length
  }
  expectSame(at, end, `where a read from ${offset} ends`)
}

/** Wants the pattern in `[0, end)`, whatever comes behind it. */
export async function expectPatternUntil(journal: Journal, end: number): Promise<void> {
  for await (const { offset, bytes } of journal.read({ offset: 0 })) {
    if (offset >= end) break
    const length = Math.min(bytes.length, end - offset)
    expectBytes(bytes.subarray(0, length), patternAt(offset, length), `at ${offset}`)
  }
}

export function expectBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  expectSame(actual.length, expected.length, `bytes, ${what}`)
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] !== expected[i]) {
      throw new Error(`other bytes than were appended, ${what}: the first is number ${i}`)
    }
  }
}

/** The next chunk of an iterator that waits, or a failure when it ends instead. */
export async function nextChunk(iterator: AsyncIterator<JournalChunk>): Promise<JournalChunk> {
  const result = await iterator.next()
  if (result.done === true) throw new Error('the read ended')
  return result.value
}
