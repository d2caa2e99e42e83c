import type { JsonValue, StateDocument, StateQuery, StreamStore } from '../coordinator/index.ts'
import { codeOf, expectSame, expectThat } from './suite-test.ts'

/** What `streamStoreSuite` tests, promise by promise (adapters spec, Q4 and Q5). */

/** What the harness of a back end can do, as plain data. A test that needs more is skipped. */
export interface StreamStoreSuiteSupports {
  /** Has `another`. */
  readonly shared: boolean
  /** What was written is there after the store was closed and opened. Needs `another` too. */
  readonly durable: boolean
}

/** One store that no other test uses. */
export interface StreamStoreUnderTest {
  readonly store: StreamStore
  /** Another object on the same documents, as another process has it. Its queries do not lag. */
  another?(): Promise<StreamStore>
  /** Frees what the factory made, after the suite has closed the stores. */
  dispose?(): Promise<void>
}

export interface StreamStoreSuiteCase {
  readonly store: StreamStore
  /** As `store`, where nothing is shared. */
  readonly another: StreamStore
  readonly reopen: () => Promise<StreamStore>
}

export interface StreamStoreSuiteTest {
  /** Begins with the promise that it tests. */
  readonly name: string
  readonly needs?: keyof StreamStoreSuiteSupports
  readonly body: (test: StreamStoreSuiteCase) => Promise<void>
}

export const STREAM_STORE_TESTS: readonly StreamStoreSuiteTest[] = [
  {
    name: 'Q4 create and read: what comes back is what was written, with revision 1',
    body: async ({ store, another }: StreamStoreSuiteCase): Promise<void> => {
      const value = { text: 'ä\u{1f600}\n"\\', number: -1.5, deep: [{ a: null }, [], true], empty: '' }
      const document = documentOf('some/name', { value, dueMs: 7 })
      expectSame(await store.read('kind', 'a'), undefined, 'before')
      expectSame(await store.create('a', document), 1, 'the revision')
      const expected = sorted({ ...document, id: 'a', revision: 1 })
      expectSame(sorted(await store.read('kind', 'a')), expected, 'what was written')
      expectSame(sorted(await another.read('kind', 'a')), expected, 'as another reads it')
    },
  },
  {
    name: 'Q4 documents: neither kinds nor ids nor projects meet, whatever they are called',
    body: async ({ store }: StreamStoreSuiteCase): Promise<void> => {
      const ids = ['a', 'A', 'a/b', '../a', 'x'.repeat(300), 'ä', ' ', 'a\u0001']
      for (const kind of ['kind', 'other']) {
        for (const id of ids) await store.create(id, { ...documentOf(id), kind, value: `${kind} ${id}` })
      }
      for (const kind of ['kind', 'other']) {
        for (const id of ids) {
          expectSame((await store.read(kind, id))?.value, `${kind} ${id}`, `${kind} ${id.slice(0, 9)}`)
        }
      }
    },
  },
  {
    name: 'Q4 create: what is there is CONFLICT, and stays',
    body: async ({ store, another }: StreamStoreSuiteCase): Promise<void> => {
      await store.create('a', documentOf('a', { value: 1 }))
      for (const one of [store, another]) {
        expectSame(await codeOf(() => one.create('a', documentOf('a', { value: 2 }))), 'CONFLICT', 'again')
      }
      await store.update('a', 1, documentOf('a', { value: 3 }))
      expectSame(await codeOf(() => another.create('a', documentOf('a', { value: 4 }))), 'CONFLICT', 'later')
      expectSame((await another.read('kind', 'a'))?.value, 3, 'the value')
    },
  },
  {
    name: 'Q4 update: the latest revision only; any other is CONFLICT and changes nothing',
    body: async ({ store, another }: StreamStoreSuiteCase): Promise<void> => {
      expectSame(await codeOf(() => store.update('a', 1, documentOf('a'))), 'CONFLICT', 'what is not there')
      expectSame(await store.read('kind', 'a'), undefined, 'what is not there stays away')
      await store.create('a', documentOf('a', { value: 1 }))
      expectSame(await another.update('a', 1, documentOf('a', { value: 2 })), 2, 'the revision')
      for (let revision = 2; revision < 30; revision++) {
        const stale = await codeOf(() => store.update('a', revision - 1, documentOf('a', { value: 0 })))
        expectSame(stale, 'CONFLICT', `revision ${revision - 1} again`)
        const next = await store.update('a', revision, documentOf('a', { value: revision + 1 }))
        expectSame(next, revision + 1, 'the next')
      }
      for (const revision of [1, 2, 3, 15, 29, 31]) {
        const code = await codeOf(() => another.update('a', revision, documentOf('a', { value: 0 })))
        expectSame(code, 'CONFLICT', `revision ${revision}, long ago or never`)
      }
      expectSame((await store.read('kind', 'a'))?.value, 30, 'the value')
    },
  },
  {
    name: 'Q4 update: of any number who update one revision at once, one wins',
    body: async ({ store, another }: StreamStoreSuiteCase): Promise<void> => {
      await store.create('a', documentOf('a', { value: -1 }))
      for (let revision = 1; revision <= 5; revision++) {
        const codes = await Promise.all(
          Array.from({ length: 8 }, (_, i) =>
            codeOf(() =>
              (i % 2 === 0 ? store : another).update('a', revision, documentOf('a', { value: i })),
            ),
          ),
        )
        expectSame(codes.filter((code) => code === 'no error').length, 1, 'winners')
        expectSame(codes.filter((code) => code === 'CONFLICT').length, 7, 'losers')
        const stored = await another.read('kind', 'a')
        expectSame(
          [stored?.revision, stored?.value],
          [revision + 1, codes.indexOf('no error')],
          'what stands',
        )
      }
    },
  },
  {
    name: 'Q4 create: of any number who create at once, one wins',
    body: async ({ store, another }: StreamStoreSuiteCase): Promise<void> => {
      const codes = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          codeOf(() => (i % 2 === 0 ? store : another).create('a', documentOf('a', { value: i }))),
        ),
      )
      expectSame(codes.filter((code) => code === 'CONFLICT').length, 7, 'losers')
      expectSame((await store.read('kind', 'a'))?.value, codes.indexOf('no error'), 'what stands')
    },
  },
  {
    name: 'Q4 update: lost updates are none: counted by many at once, every step is there',
    body: async ({ store, another }: StreamStoreSuiteCase): Promise<void> => {
      await store.create('a', documentOf('a', { value: 0 }))
      const count = async (one: StreamStore): Promise<void> => {
        let done = 0
        for (let tries = 0; tries < 1000 && done < 10; tries++) {
          const before = await one.read('kind', 'a')
          const value = Number(before?.value) + 1
          const code = await codeOf(() => one.update('a', before?.revision ?? 0, documentOf('a', { value })))
          if (code === 'no error') done++
          else expectSame(code, 'CONFLICT', 'a lost race')
        }
      }
      await Promise.all([count(store), count(another), count(store)])
      expectSame((await store.read('kind', 'a'))?.value, 30, 'the count')
    },
  },
  {
    name: 'Q4 values: nobody changes what is stored by changing what he has',
    body: async ({ store }: StreamStoreSuiteCase): Promise<void> => {
      const value = { list: [1] }
      await store.create('a', documentOf('a', { value }))
      value.list.push(2)
      const read = await store.read('kind', 'a')
      ;(read?.value as typeof value).list.push(3)
      expectSame((await store.read('kind', 'a'))?.value, { list: [1] }, 'the value as it is read')
      const [listed] = await store.query({ kind: 'kind', project: 'proj', limit: 1 })
      expectSame(listed?.value, { list: [1] }, 'the value as it is listed')
    },
  },
  {
    name: 'Q4 query: by name, in the order of bytes, in pages, of one kind and project',
    body: async ({ store, another }: StreamStoreSuiteCase): Promise<void> => {
      const names = ['a', 'a/+/b', 'a/+/b/c', 'a/b', 'ab', 'b', 'B', '-', 'é', '\u{1f600}', '\uffee']
      await insertAll(store, names)
      await store.create('x1', { ...documentOf('a/x'), kind: 'other' })
      await store.create('x2', { ...documentOf('a/x'), project: 'other' })
      for (const one of [store, another]) {
        expectSame(await namesOf(one, {}), inByteOrder(names), 'all')
        expectSame(await namesOf(one, { head: 'a' }), ['a', 'a/+/b', 'a/+/b/c', 'a/b', 'ab'], 'head a')
        expectSame(await namesOf(one, { head: 'a/+/b' }), ['a/+/b', 'a/+/b/c'], 'head a/+/b')
        expectSame(await namesOf(one, { head: 'c' }), [], 'head c')
        expectSame(await namesOf(one, { head: 'a', after: 'a/+/b', limit: 2 }), ['a/+/b/c', 'a/b'], 'a page')
        expectSame(await namesOf(one, { after: 'a/+/c', limit: 1 }), ['a/b'], 'after what is not there')
        expectSame(await namesOf(one, { head: 'b', after: 'a' }), ['b'], 'after what is before the head')
        expectSame(await namesOf(one, { after: '\u{1f600}' }), [], 'after the last')
        expectSame(await namesOf(one, { project: 'other' }), ['a/x'], 'another project')
      }
    },
  },
  {
    name: 'Q4 query: what was just written is in it, as it is now',
    body: async ({ store, another }: StreamStoreSuiteCase): Promise<void> => {
      await insertAll(store, ['a', 'b'])
      expectSame(await namesOf(store, {}), ['a', 'b'], 'before')
      await store.update('a', 1, documentOf('c', { value: 'new' }))
      await store.create('id-d', documentOf('d'))
      for (const one of [store, another]) {
        expectSame(await namesOf(one, {}), ['b', 'c', 'd'], 'after')
        const found = await one.query({ kind: 'kind', project: 'proj', head: 'c', limit: 5 })
        expectSame(
          sorted(found[0]),
          sorted({ ...documentOf('c', { value: 'new' }), id: 'a', revision: 2 }),
          'c',
        )
      }
    },
  },
  {
    name: 'Q4 query: by due time, of one project or of all, behind what was seen',
    body: async ({ store, another }: StreamStoreSuiteCase): Promise<void> => {
      const dues = [30, 10, null, 20, 10, 40]
      for (const [i, dueMs] of dues.entries()) {
        const project = i === 4 ? 'other' : 'proj'
        await store.create(`id${i}`, { ...documentOf(`name${i}`, { dueMs }), project })
      }
      await store.create('id9', { ...documentOf('name', { dueMs: 5 }), kind: 'other' })
      for (const one of [store, another]) {
        expectSame(await dueOf(one, { dueUntilMs: 9 }), [], 'nothing yet')
        expectSame(await dueOf(one, { dueUntilMs: 30 }), ['id1', 'id4', 'id3', 'id0'], 'of all')
        expectSame(await dueOf(one, { dueUntilMs: 30, project: 'proj' }), ['id1', 'id3', 'id0'], 'of one')
        expectSame(await dueOf(one, { dueUntilMs: 30, limit: 2 }), ['id1', 'id4'], 'a page')
        const afterDue = { dueMs: 10, id: 'id4' }
        expectSame(await dueOf(one, { dueUntilMs: Infinity, afterDue }), ['id3', 'id0', 'id5'], 'the rest')
      }
      await store.update('id1', 1, documentOf('name1', { dueMs: 35 }))
      await another.update('id3', 1, documentOf('name3', { dueMs: null }))
      for (const one of [store, another]) {
        expectSame(await dueOf(one, { dueUntilMs: 35 }), ['id4', 'id0', 'id1'], 'after they have changed')
      }
    },
  },
  {
    name: 'Q4 query: one that is none is refused',
    body: async ({ store }: StreamStoreSuiteCase): Promise<void> => {
      const project = 'proj'
      const afterDue = { dueMs: 0, id: '' }
      const bad: readonly [StateQuery, typeof RangeError | typeof TypeError][] = [
        [{ kind: 'kind', project, limit: 0 }, RangeError],
        [{ kind: 'kind', project, limit: 1.5 }, RangeError],
        [{ kind: 'kind', limit: 1 }, TypeError],
        [{ kind: 'kind', project, limit: 1, afterDue }, TypeError],
        [{ kind: 'kind', limit: 1, dueUntilMs: 5, head: 'a' }, TypeError],
        [{ kind: 'kind', limit: 1, dueUntilMs: 5, after: 'a' }, TypeError],
      ]
      for (const [query, type] of bad) {
        const refused = await store.query(query).then(
          () => false,
          (error: unknown) => error instanceof type,
        )
        expectThat(refused, `${JSON.stringify(query)} was not refused as ${type.name}`)
      }
    },
  },
  {
    name: 'Q4 query: many documents in any order come in theirs',
    body: async ({ store }: StreamStoreSuiteCase): Promise<void> => {
      const names = Array.from(
        { length: 700 },
        (_, i) => `stream/${String((i * 271) % 700).padStart(3, '0')}`,
      )
      for (let at = 0; at < names.length; at += 50) await insertAll(store, names.slice(at, at + 50))
      const found: string[] = []
      for (let after = ''; found.length <= names.length; after = found.at(-1) ?? '') {
        const page = await namesOf(store, { after, limit: 64 })
        found.push(...page)
        if (page.length === 0) break
      }
      expectSame(found, inByteOrder(names), 'all')
    },
  },
  {
    name: 'Q4 close: twice is once, and later calls are CLOSED; an abort does nothing',
    body: async ({ store }: StreamStoreSuiteCase): Promise<void> => {
      const signal = AbortSignal.abort()
      expectSame(await codeOf(() => store.create('a', documentOf('a'), { signal })), 'ABORTED', 'create')
      expectSame(await store.read('kind', 'a'), undefined, 'what was not created')
      const query = { kind: 'kind', project: 'proj', limit: 1 }
      expectSame(await codeOf(() => store.query({ ...query, signal })), 'ABORTED', 'query')
      expectSame(await codeOf(() => store.read('kind', 'a', { signal })), 'ABORTED', 'read')
      await Promise.all([store.close(), store.close()])
      for (const call of [
        () => store.read('kind', 'a'),
        () => store.create('a', documentOf('a')),
        () => store.update('a', 1, documentOf('a')),
        () => store.query(query),
      ]) {
        expectSame(await codeOf(call), 'CLOSED', call.toString())
      }
    },
  },
  {
    name: 'Q5 durable: all is there after the store was opened anew',
    needs: 'durable',
    body: async ({ store, reopen }: StreamStoreSuiteCase): Promise<void> => {
      await insertAll(store, ['a', 'b'])
      await store.update('a', 1, documentOf('a', { value: 2, dueMs: 3 }))
      await store.close()
      const opened = await reopen()
      try {
        expectSame((await opened.read('kind', 'a'))?.value, 2, 'the value')
        expectSame(await dueOf(opened, { dueUntilMs: 3 }), ['a'], 'what is due')
        expectSame(await namesOf(opened, {}), ['a', 'b'], 'the names')
        expectSame(await opened.update('a', 2, documentOf('a', { value: 3 })), 3, 'the revision')
      } finally {
        await opened.close()
      }
    },
  },
  {
    name: 'Q5 shared: a query that was made before learns what another writes after',
    needs: 'shared',
    body: async ({ store, another }: StreamStoreSuiteCase): Promise<void> => {
      await insertAll(store, ['a'])
      expectSame(await namesOf(another, {}), ['a'], 'before')
      for (let i = 1; i < 20; i++) {
        await (i % 2 === 0 ? store : another).update('a', i, documentOf(`a${i}`, { dueMs: i }))
        expectSame(await namesOf(another, {}), [`a${i}`], 'the name')
        expectSame(await dueOf(store, { dueUntilMs: i }), ['a'], 'what is due')
      }
    },
  },
]

function documentOf(
  name: string,
  { value = {}, dueMs = null }: { value?: JsonValue; dueMs?: number | null } = {},
): StateDocument {
  return { kind: 'kind', project: 'proj', name, dueMs, value }
}

/** Each under its name. */
async function insertAll(store: StreamStore, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => store.create(name, documentOf(name))))
}

async function namesOf(store: StreamStore, query: Partial<StateQuery>): Promise<string[]> {
  const found = await store.query({ kind: 'kind', project: 'proj', limit: 1000, ...query })
  return found.map(({ name }) => name)
}

async function dueOf(store: StreamStore, query: Partial<StateQuery>): Promise<string[]> {
  const found = await store.query({ kind: 'kind', limit: 1000, ...query })
  return found.map(({ id }) => id)
}

function inByteOrder(names: readonly string[]): string[] {
  const points = (name: string): number[] =>
    Array.from(name, (character) => character.codePointAt(0) as number)
  return [...names].sort((a, b) => {
    const [left, right] = [points(a), points(b)]
    const at = left.findIndex((point, i) => point !== right[i])
    return at < 0 ? left.length - right.length : (left[at] as number) - (right[at] ?? -1)
  })
}

/** With its fields in one order, so that documents can be compared. */
function sorted(document: object | undefined): unknown {
  return document === undefined ? undefined : Object.fromEntries(Object.entries(document).sort())
}
