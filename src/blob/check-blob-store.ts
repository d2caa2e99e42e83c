import { RecoveryLogError } from '../errors/index.ts'
import type { BlobStore } from './blob-store.ts'
import { readBlob } from './read-blob.ts'

/** A promise that a store does not keep, and what was seen. */
export interface BlobStoreFault {
  /** `B1` to `B7`. */
  readonly promise: string
  readonly what: string
  /** What the store threw, when it was that. */
  readonly cause?: unknown
}

/** What is tried, in this order: each goes on from what the one before has left. */
const STEPS: readonly {
  promise: string
  what: string
  run: (store: BlobStore, at: string) => Promise<void>
}[] = [
  {
    promise: 'B1',
    what: 'put bytes and a stream, and read them back whole',
    async run(store, at) {
      await store.put(`${at}/a`, BYTES)
      await store.put(`${at}/b`, streamOf(BYTES))
      expectBytes(await readBlob(store, `${at}/a`), BYTES)
      expectBytes(await readBlob(store, `${at}/b`), BYTES)
    },
  },
  {
    promise: 'B2',
    what: 'put only if absent',
    async run(store, at) {
      if (!store.supports.conditionalPut) return
      const code = await codeOf(store.put(`${at}/a`, BYTES, { ifAbsent: true }))
      expect(code === 'CONFLICT', `a second put answered ${code}`)
    },
  },
  {
    promise: 'B3',
    what: 'read ranges, and what is not there',
    async run(store, at) {
      expectBytes(await store.get(`${at}/a`, { offset: 1, length: 2 }), BYTES.subarray(1, 3))
      expectBytes(await store.get(`${at}/a`, { offset: 4, length: 100 }), BYTES.subarray(4))
      const code = await codeOf(store.get(`${at}/none`, { offset: 0, length: 1 }))
      expect(code === 'NOT_FOUND', `reading a missing key answered ${code}`)
    },
  },
  {
    promise: 'B4',
    what: 'see at once what was put',
    async run(store, at) {
      await store.put(`${at}/c`, BYTES.subarray(1))
      const { size } = await store.stat(`${at}/c`)
      expect(size === BYTES.length - 1, `a blob of ${BYTES.length - 1} bytes has ${size}`)
    },
  },
  {
    promise: 'B5',
    what: 'list in the order of keys, and go on behind one',
    async run(store, at) {
      expectKeys(await keysOf(store, `${at}/`), [`${at}/a`, `${at}/b`, `${at}/c`])
      expectKeys(await keysOf(store, `${at}/`, `${at}/a`), [`${at}/b`, `${at}/c`])
    },
  },
  {
    promise: 'B6',
    what: 'move twice, and remove twice',
    async run(store, at) {
      await store.move(`${at}/a`, `${at}/moved`)
      await store.move(`${at}/a`, `${at}/moved`)
      const code = await codeOf(store.move(`${at}/a`, `${at}/none`))
      expect(code === 'NOT_FOUND', `moving a missing key answered ${code}`)
      expectBytes(await readBlob(store, `${at}/moved`), BYTES)
      await store.remove(`${at}/b`)
      await store.remove(`${at}/b`)
    },
  },
  {
    promise: 'B7',
    what: 'take any text for a key',
    async run(store, at) {
      const odd = `${at}/../\\x//é %+?*`
      await store.put(odd, BYTES)
      expectBytes(await readBlob(store, odd), BYTES)
      expectKeys(await keysOf(store, `${at}/..`), [odd])
    },
  },
]

const BYTES = Uint8Array.of(0, 1, 10, 127, 128, 255)

/**
 * Tries a store for real: writes, reads, ranges, lists, moves and removes under `prefix`, and removes all that it wrote.
 * For whoever sets one up: rights that are missing are found now, not weeks later at the first removal.
 *
 * @param options.prefix where nothing else lies; default `recoverylog-check`
 * @returns what does not hold; nothing when all does
 */
export async function checkBlobStore(
  store: BlobStore,
  options: { readonly prefix?: string } = {},
): Promise<BlobStoreFault[]> {
  const { prefix = 'recoverylog-check' } = options
  const faults: BlobStoreFault[] = []
  for (const { promise, what, run } of STEPS) {
    try {
      await run(store, prefix)
    } catch (cause) {
      faults.push({ promise, what: `cannot ${what}`, cause })
    }
  }
  try {
    for (const key of await keysOf(store, `${prefix}/`)) await store.remove(key)
    expectKeys(await keysOf(store, `${prefix}/`), [])
  } catch (cause) {
    faults.push({ promise: 'B6', what: 'cannot remove what was written', cause })
  }
  return faults
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (const byte of bytes) yield Uint8Array.of(byte)
}

async function keysOf(store: BlobStore, prefix: string, after?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix, after === undefined ? {} : { after })) keys.push(key)
  return keys
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'no error'
  } catch (error) {
    return error instanceof RecoveryLogError ? error.code : String(error)
  }
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  const isSame = actual.length === expected.length && actual.every((byte, i) => byte === expected[i])
  expect(isSame, `${actual.length} bytes came that are not the ${expected.length} that were put`)
}

function expectKeys(actual: readonly string[], expected: readonly string[]): void {
  expect(
    actual.join('\n') === expected.join('\n'),
    `listed ${actual.join(', ')} instead of ${expected.join(', ')}`,
  )
}
