import { compareKeys, readBlob } from '../blob/index.ts'
import type { BlobStore } from '../blob/index.ts'
import { codeOf, expectSame, expectThat } from './suite-test.ts'

/** What `blobStoreSuite` tests, promise by promise. */

/** What the harness of a back end can do, as plain data. A test that needs more is skipped. */
export interface BlobSuiteSupports {
  /** As the store's own `supports.conditionalPut`. */
  readonly conditionalPut: boolean
  /** Has `damage`. */
  readonly damage: boolean
}

/** One store that no other test uses, and what can be done to it. */
export interface BlobStoreUnderTest {
  readonly store: BlobStore
  /** Changes the stored content of a blob of 100,000 bytes behind the store's back. */
  damage?(key: string): Promise<void>
  /** Frees what the factory made, after the suite has closed the store. */
  dispose?(): Promise<void>
}

/** What one test gets in its hands. */
export interface BlobSuiteCase {
  readonly store: BlobStore
  readonly under: BlobStoreUnderTest
  /** How many keys a long listing has. */
  readonly manyKeys: number
}

export interface BlobSuiteTest {
  /** Begins with the promise that it tests. */
  readonly name: string
  readonly needs?: keyof BlobSuiteSupports
  readonly body: (test: BlobSuiteCase) => Promise<void>
}

const MIB = 1024 * 1024

export const BLOB_TESTS: readonly BlobSuiteTest[] = [
  {
    name: 'B1 put: bytes and streams of every size are stored whole',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      for (const size of [0, 1, 65_535, 65_536, 65_537, 3 * MIB + 1]) {
        const bytes = pattern(size)
        await store.put('bytes', bytes)
        expectSameBytes(await readBlob(store, 'bytes'), bytes)
        await store.put('stream', streamOf(bytes, 7 + Math.floor(size / 13)))
        expectSameBytes(await readBlob(store, 'stream'), bytes)
      }
    },
  },
  {
    name: 'B1 put: chunks are taken when they come, not when the put ends',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      const chunk = new Uint8Array(1000)
      await store.put('key', reusing(chunk))
      const expected = new Uint8Array(5000)
      for (let i = 0; i < 5; i++) expected.fill(i, i * 1000, (i + 1) * 1000)
      expectSameBytes(await readBlob(store, 'key'), expected)
    },
  },
  {
    name: 'B1 put: a broken stream leaves nothing, and what was there stays',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      const broken = new Error('broken')
      expectSame(
        await codeOf(() => store.put('new', breaking(pattern(MIB), broken))),
        String(broken),
        'the error',
      )
      expectSame(await keysOf(store, ''), [], 'keys')
      expectSame(await codeOf(() => store.stat('new')), 'NOT_FOUND', 'stat')
      await store.put('old', pattern(10))
      expectSame(
        await codeOf(() => store.put('old', breaking(pattern(MIB), broken))),
        String(broken),
        'the error',
      )
      expectSameBytes(await readBlob(store, 'old'), pattern(10))
    },
  },
  {
    name: 'B1 put: an abort in the middle leaves nothing, and ends the body',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      const abort = new AbortController()
      let ended = false
      async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
        try {
          yield pattern(100)
          abort.abort()
          yield pattern(100)
        } finally {
          ended = true
        }
      }
      expectSame(
        await codeOf(() => store.put('key', body(), { signal: abort.signal })),
        'ABORTED',
        'the error',
      )
      expectThat(ended, 'the body was not ended')
      expectSame(await keysOf(store, ''), [], 'keys')
    },
  },
  {
    name: 'B2 put: ifAbsent of a key that is there is a conflict, and changes nothing',
    needs: 'conditionalPut',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      await store.put('key', pattern(3), { ifAbsent: true })
      expectSame(
        await codeOf(() => store.put('key', pattern(4), { ifAbsent: true })),
        'CONFLICT',
        'a second put',
      )
      expectSameBytes(await readBlob(store, 'key'), pattern(3))
      await store.put('key', pattern(5))
      expectSameBytes(await readBlob(store, 'key'), pattern(5))
    },
  },
  {
    name: 'B2 put: of 16 racing puts with ifAbsent exactly one wins',
    needs: 'conditionalPut',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      const bodies = Array.from({ length: 16 }, (_, i) => new Uint8Array(1000 + i).fill(i))
      const codes = await Promise.all(
        bodies.map(async (bytes) => codeOf(() => store.put('key', streamOf(bytes, 400), { ifAbsent: true }))),
      )
      const winners = codes.flatMap((code, i) => (code === 'no error' ? [i] : []))
      expectSame(winners.length, 1, `winners among ${codes.join(', ')}`)
      expectSame(codes.filter((code) => code === 'CONFLICT').length, 15, 'conflicts')
      expectSameBytes(await readBlob(store, 'key'), bodies[winners[0] as number] as Uint8Array)
    },
  },
  {
    name: 'B3 get: a range is exactly that range, clipped at the end',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      const bytes = pattern(10_000)
      await store.put('key', bytes)
      for (const offset of [0, 1, 4096, 9999, 10_000, 20_000]) {
        for (const length of [0, 1, 4096, 100_000]) {
          expectSameBytes(await store.get('key', { offset, length }), bytes.subarray(offset, offset + length))
        }
      }
      const own = await store.get('key', { offset: 0, length: 10 })
      own.fill(99)
      expectSameBytes(await store.get('key', { offset: 0, length: 10 }), bytes.subarray(0, 10))
    },
  },
  {
    name: 'B3 get: a missing key is NOT_FOUND, in every way of asking',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      expectSame(await codeOf(() => store.get('none', { offset: 0, length: 1 })), 'NOT_FOUND', 'a range')
      expectSame(await codeOf(() => readBlob(store, 'none')), 'NOT_FOUND', 'a stream')
      expectSame(await codeOf(() => store.stat('none')), 'NOT_FOUND', 'stat')
    },
  },
  {
    name: 'B4 put: get, stat and list see it at once, and see its replacement',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      for (const size of [10, 20, 5]) {
        await store.put('a/key', pattern(size))
        expectSame((await store.stat('a/key')).size, size, 'size')
        expectSame((await store.get('a/key', { offset: 0, length: 100 })).length, size, 'range')
        expectSame(await listed(store, 'a/'), [['a/key', size]], 'list')
      }
    },
  },
  {
    name: 'B5 list: in byte order of keys, with prefixes and after',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      const keys = [...ODD_KEYS].sort(compareKeys)
      for (const key of ODD_KEYS) await store.put(key, pattern(1))
      expectSame(await keysOf(store, ''), keys, 'all')
      for (const prefix of ['a', 'a/', 'a/b', 'A', 'é', 'none', '.', '/', 'x'.repeat(80)]) {
        expectSame(
          await keysOf(store, prefix),
          keys.filter((key) => key.startsWith(prefix)),
          `prefix ${prefix}`,
        )
      }
      for (const after of [...keys, 'a/0', 'a0', '~', 'x'.repeat(79)]) {
        const behind = keys.filter((key) => compareKeys(key, after) > 0)
        expectSame(await keysOf(store, '', after), behind, `after ${after}`)
      }
    },
  },
  {
    name: 'B5 list: more keys than any page, and leaving early',
    body: async ({ store, manyKeys }: BlobSuiteCase): Promise<void> => {
      const keys = Array.from({ length: manyKeys }, (_, i) => `many/${String(i).padStart(6, '0')}`)
      for (let i = 0; i < keys.length; i += 50) {
        await Promise.all(keys.slice(i, i + 50).map((key) => store.put(key, pattern(2))))
      }
      expectSame(await keysOf(store, 'many/'), keys, 'all')
      for await (const { key } of store.list('many/')) {
        expectSame(key, keys[0], 'the first')
        break
      }
    },
  },
  {
    name: 'B6 move: replaces the target, and is idempotent, of a draft too',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      await store.put('from', pattern(8), { draft: true })
      await store.move('from', 'deep/to')
      expectSameBytes(await readBlob(store, 'deep/to'), pattern(8))
      await store.put('from', pattern(7))
      await store.put('deep/to', pattern(3))
      expectSame((await store.get('deep/to', { offset: 0, length: 9 })).length, 3, 'the target before')
      await store.move('from', 'deep/to')
      await store.move('from', 'deep/to')
      expectSameBytes(await store.get('deep/to', { offset: 0, length: 9 }), pattern(7))
      expectSame(await keysOf(store, ''), ['deep/to'], 'keys')
      expectSame(await codeOf(() => store.move('from', 'none')), 'NOT_FOUND', 'both gone')
      expectSame(await codeOf(() => store.get('from', { offset: 0, length: 1 })), 'NOT_FOUND', 'the source')
    },
  },
  {
    name: 'B6 remove: what is not there is removed already',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      await store.put('a/b', pattern(1))
      await store.get('a/b', { offset: 0, length: 1 })
      await store.remove('a/b')
      await store.remove('a/b')
      await store.remove('never/was')
      expectSame(await keysOf(store, ''), [], 'keys')
      expectSame(await codeOf(() => store.get('a/b', { offset: 0, length: 1 })), 'NOT_FOUND', 'a range')
    },
  },
  {
    name: 'B7 keys: any text is a name, and none means another',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      for (const [i, key] of ODD_KEYS.entries()) await store.put(key, new Uint8Array(i + 1).fill(i))
      for (const [i, key] of ODD_KEYS.entries()) {
        expectSameBytes(await readBlob(store, key), new Uint8Array(i + 1).fill(i))
      }
      for (const key of ODD_KEYS) await store.remove(key)
      expectSame(await keysOf(store, ''), [], 'keys')
    },
  },
  {
    name: 'B7 keys: the longest is taken; a longer one, none, NUL and half a pair are refused',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      const longest = `${'é'.repeat(Math.floor(store.maxKeyBytes / 2))}${'a'.repeat(store.maxKeyBytes % 2)}`
      await store.put(longest, pattern(1))
      expectSame(await keysOf(store, 'é'), [longest], 'keys')
      for (const key of ['', `${longest}a`, 'a\0b', 'a\ud800']) {
        expectSame(await codeOf(() => store.put(key, pattern(1))), 'INVALID', JSON.stringify(key.slice(0, 9)))
        expectSame(await codeOf(() => store.get(key, { offset: 0, length: 1 })), 'INVALID', 'get')
        expectSame(await codeOf(() => store.stat(key)), 'INVALID', 'stat')
        expectSame(await codeOf(() => store.move(longest, key)), 'INVALID', 'move')
        expectSame(await codeOf(() => store.remove(key)), 'INVALID', 'remove')
      }
    },
  },
  {
    name: 'B8 get: 300 streams left early, and 300 never begun, leave the store working',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      await store.put('key', pattern(MIB))
      for (let i = 0; i < 300; i++) {
        store.get('key')
        for await (const chunk of store.get('key')) {
          expectThat(chunk.length > 0, 'an empty chunk')
          break
        }
      }
      for (let i = 0; i < 300; i++) {
        await store.put(`many/${i}`, pattern(10))
        expectSameBytes(await store.get(`many/${i}`, { offset: 2, length: 3 }), pattern(10).subarray(2, 5))
      }
      expectSameBytes(await readBlob(store, 'key'), pattern(MIB))
    },
  },
  {
    name: 'B8 close: twice is once, and later calls are CLOSED',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      await store.put('key', pattern(1))
      const stream = store.get('key')
      await Promise.all([store.close(), store.close()])
      for (const call of [
        () => store.put('key', pattern(1)),
        () => store.get('key', { offset: 0, length: 1 }),
        () => stream[Symbol.asyncIterator]().next(),
        () => store.stat('key'),
        () => keysOf(store, ''),
        () => store.move('key', 'other'),
        () => store.remove('key'),
      ]) {
        expectSame(await codeOf(call), 'CLOSED', call.toString())
      }
    },
  },
  {
    name: 'B8 close: waits for a put under way',
    body: async ({ store }: BlobSuiteCase): Promise<void> => {
      const putting = store.put('key', streamOf(pattern(MIB), 1000))
      await store.close()
      let done = false
      putting.then(
        () => (done = true),
        () => undefined,
      )
      await Promise.resolve()
      await Promise.resolve()
      expectThat(done, 'close did not wait for the put')
    },
  },
  {
    name: 'B3 get: content that is not what was put is CORRUPT, at its end at the latest',
    needs: 'damage',
    body: async ({ store, under }: BlobSuiteCase): Promise<void> => {
      await store.put('key', pattern(100_000))
      await under.damage?.('key')
      expectSame(await codeOf(() => readBlob(store, 'key')), 'CORRUPT', 'the damaged blob')
    },
  },
]

/** Keys that mean something elsewhere: to file systems, to shells, to those who join them. */
const ODD_KEYS = [
  ...['a', 'a/b', 'a/b/c', 'a-b', 'a.b', 'a0', 'A', 'B/b', 'a/B', 'a.blob', 'a.blob/b', 'a%', 'a%2e', 'a%+'],
  ...[
    '.',
    '..',
    '../../escape',
    './x',
    '/',
    '//',
    '/etc/passwd',
    'a/',
    'a//b',
    'con',
    'nul.txt',
    '~',
    ' ',
    'a b',
  ],
  ...[
    'back\\slash',
    '..\\..\\x',
    'c:\\x',
    'quote"\'',
    '*?<>|',
    'new\nline',
    '\u007f',
    'e\u0301',
    '\u00e9',
    '\u{1f600}',
    '\uffee',
  ],
  ...[
    'x'.repeat(79),
    'x'.repeat(80),
    'x'.repeat(81),
    `${'x'.repeat(80)}/y`,
    `${'x'.repeat(80)}-`,
    'x'.repeat(260),
  ],
  ...[`${'x'.repeat(79)}é`, `${'é'.repeat(60)}/a`, '-TRUNCATED-x/.meta'],
]

/** Bytes that differ from their neighbours and repeat late. */
function pattern(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = i * 7 + (i >>> 8)
  return bytes
}

async function* streamOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

async function* breaking(bytes: Uint8Array, error: Error): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
  throw error
}

/** Five chunks in one array, which is filled anew for each. */
async function* reusing(chunk: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let i = 0; i < 5; i++) yield chunk.fill(i)
}

async function listed(store: BlobStore, prefix: string): Promise<[string, number][]> {
  const found: [string, number][] = []
  for await (const { key, size } of store.list(prefix)) found.push([key, size])
  return found
}

async function keysOf(store: BlobStore, prefix: string, after?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix, after === undefined ? {} : { after })) keys.push(key)
  return keys
}

function expectSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  const isSame = actual.length === expected.length && actual.every((byte, i) => byte === expected[i])
  expectThat(isSame, `${actual.length} bytes came that are not the ${expected.length} expected`)
}
