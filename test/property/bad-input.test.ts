/**
 * Bad input of the archive half: each kind, cut at every length and with every bit turned, is either read, as something
 * else, or refused with a code of its own, and with what is wrong and where. A length that lies takes no memory. Archives as
 * a whole are damaged in test/archive, by `verifyArchive` and by its reader, which goes on with what is still whole.
 */
import { describe, expect, it } from 'vitest'
import { ArchiveIndex, decodeManifest, encodeManifest } from '../../src/archive/index.ts'
import { Collector } from '../../src/collector/index.ts'
import { Coordinator } from '../../src/coordinator/index.ts'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import type { ErrorCode } from '../../src/errors/index.ts'
import { assertDescriptor, assertEntry, assertStreamName } from '../../src/names/index.ts'
import { systemDeflate, systemInflate } from '../../src/node/system-zlib.ts'
import { MemoryStorage } from '../../src/storage/memory/index.ts'
import {
  decodeDescriptor,
  decodeLogEntry,
  encodeLogEntry,
  packBundle,
  StreamType,
  unpackBundle,
} from '../../src/wire/logdog/index.ts'
import type { ButlerLogBundle } from '../../src/wire/logdog/index.ts'
import { archiveOf, descriptor, entriesAt, entryAt, sha256 } from '../archive/archive-fixture.ts'
import { seededRandom } from '../support/directory.ts'

interface BadInput {
  readonly what: string
  readonly bytes: Uint8Array
  readonly read: (bytes: Uint8Array) => unknown
  readonly codes: readonly ErrorCode[]
}

const PROJECT = 'proj'
const secret = new Uint8Array(36).fill(7)

function bundleOf(own: Uint8Array): ButlerLogBundle {
  const logs = entriesAt(0, 1, 2).map((entry) => encodeLogEntry(entry))
  return {
    ...{ deprecatedSource: '', project: PROJECT, prefix: 'foo', secret: own },
    entries: [
      {
        desc: decodeDescriptor(descriptor),
        deprecatedEntrySecret: new Uint8Array(),
        ...{ terminal: true, terminalIndex: 2, logs },
      },
    ],
  }
}

const FRAMES = ['FRAME_TOO_LARGE', 'UNEXPECTED_END', 'VARINT_OVERFLOW', 'CORRUPT'] as const
const compressed = packBundle(bundleOf(secret), { deflate: systemDeflate, compressBytesMin: 0 })
const { blobs, manifest, keys } = await archiveOf(entriesAt(0, 1, 4), { terminalIndex: 5 })
const index = await blobs.get(keys.index, { offset: 0, length: 10_000 })
const unpack = (bytes: Uint8Array): unknown => unpackBundle(bytes, { inflate: systemInflate })

const INPUTS: readonly BadInput[] = [
  {
    what: 'a bundle',
    bytes: packBundle(bundleOf(secret)),
    read: unpack,
    codes: [...FRAMES, 'BUNDLE_INVALID'],
  },
  { what: 'a compressed bundle', bytes: compressed, read: unpack, codes: [...FRAMES, 'BUNDLE_INVALID'] },
  {
    what: 'an entry',
    bytes: encodeLogEntry(entryAt(3)),
    read: (bytes) => {
      const entry = decodeLogEntry(bytes)
      assertEntry(entry, StreamType.text)
    },
    codes: ['CORRUPT', 'ENTRY_INVALID'],
  },
  {
    what: 'a descriptor',
    bytes: descriptor,
    read: (bytes) => {
      const decoded = decodeDescriptor(bytes)
      assertDescriptor(decoded)
    },
    codes: ['CORRUPT', 'DESCRIPTOR_INVALID', 'NAME_INVALID'],
  },
  {
    what: 'a name',
    bytes: new TextEncoder().encode('a/b-1.c/d'),
    read: (bytes) => {
      const name = new TextDecoder().decode(bytes)
      assertStreamName(name, 'name')
    },
    codes: ['NAME_INVALID'],
  },
  {
    what: 'an index',
    bytes: index,
    read: (bytes) => [...ArchiveIndex.parse(bytes).entries()],
    codes: FRAMES,
  },
  { what: 'a manifest', bytes: encodeManifest(manifest), read: decodeManifest, codes: ['MANIFEST_INVALID'] },
]

/** Cut at every length, and each bit of each byte turned. */
function* damaged(bytes: Uint8Array): Generator<{ readonly how: string; readonly bytes: Uint8Array }> {
  for (let length = 0; length < bytes.length; length++) {
    yield { how: `cut at ${length}`, bytes: bytes.slice(0, length) }
  }
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const turned = new Uint8Array(bytes) // a copy, also of a Buffer
      turned[at] = (turned[at] as number) ^ (1 << bit)
      yield { how: `bit ${bit} of byte ${at}`, bytes: turned }
    }
  }
}

function codeOf(read: () => unknown, how: string): ErrorCode | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (!(error instanceof RecoveryLogError)) throw new Error(`${how}: ${String(error)}`, { cause: error })
    expect(Object.keys(error.data), `${how}: ${error.message}`).not.toEqual([])
    return error.code
  }
}

describe('bad input: cut or turned anywhere', () => {
  it.each(INPUTS.map((input) => [input.what, input] as const))(
    '%s: read, or refused with a code of its own, the place and the value',
    (_, { bytes, read, codes }) => {
      read(bytes)
      const found = new Set<ErrorCode>()
      for (const { how, bytes: bad } of damaged(bytes)) {
        const code = codeOf(() => read(bad), how)
        if (code === undefined) continue
        expect(codes, how).toContain(code)
        found.add(code)
      }
      expect(found.size).toBeGreaterThan(0)
    },
  )

  it('a bundle at the collector: what is bad is told and dropped, what is whole is stored, nothing else', async () => {
    const random = seededRandom(1)
    const clock = { now: () => 1_700_000_000_000 }
    const coordinator = new Coordinator({
      ...{ streamStore: new MemoryStreamStore(), taskQueue: new MemoryTaskQueue({ clock }) },
      ...{ clock, random, sha256 },
    })
    const { secret: own } = await coordinator.registerPrefix({ project: PROJECT, prefix: 'foo' })
    const message = packBundle(bundleOf(own))
    let told = 0
    for (const { how, bytes } of damaged(message)) {
      const storage = new MemoryStorage()
      const collector = new Collector({ coordinator, storage, inflate: systemInflate })
      const { stored, faults } = await collector.collect(bytes)
      expect(stored + faults.length, how).toBeLessThanOrEqual(4)
      for (const fault of faults) expect(Object.keys(fault.data), `${how}: ${fault.message}`).not.toEqual([])
      told += faults.length
    }
    expect(told).toBeGreaterThan(message.length)
  })
})

describe('bad input: a lying length', () => {
  /** A field of bytes, and a frame, that say they are 1 GiB long. */
  const LENGTH = [0x80, 0x80, 0x80, 0x80, 0x04]
  const LIES: readonly (readonly [string, (bytes: Uint8Array) => unknown, Uint8Array])[] = [
    ['a bundle’s frame', unpack, Uint8Array.of(...LENGTH, 1)],
    ['a bundle’s second frame', unpack, Uint8Array.of(...compressed.subarray(0, 8), ...LENGTH, 1)],
    ['an entry’s text', decodeLogEntry, Uint8Array.of(0x52, ...LENGTH, 1)],
    ['an entry’s data', decodeLogEntry, Uint8Array.of(0x5a, 3, 0x12, ...LENGTH)],
    ['a descriptor’s name', decodeDescriptor, Uint8Array.of(0x12, ...LENGTH, 1)],
    ['an index’s descriptor', (bytes) => ArchiveIndex.parse(bytes), Uint8Array.of(0x0a, ...LENGTH, 1)],
    ['an index’s entry', (bytes) => ArchiveIndex.parse(bytes), Uint8Array.of(0x12, ...LENGTH, 1)],
  ]

  it.each(LIES)('%s: refused, and nothing is taken for it', (what, read, bytes) => {
    const before = process.memoryUsage().arrayBuffers
    expect(codeOf(() => read(bytes), what)).toBeDefined()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
  })
})
