import assert from 'node:assert/strict'
import { inflateSync } from 'node:zlib'
import protobuf from 'protobufjs/minimal.js'
import { Collector } from '../src/collector/index.ts'
import { CoordinatorCache } from '../src/coordinator-cache/index.ts'
import type { CachedRegisterRequest } from '../src/coordinator-cache/index.ts'
import { streamId } from '../src/names/index.ts'
import { MemoryStorage } from '../src/storage/index.ts'
import { decodeDescriptor, packBundle } from '../src/wire/logdog/index.ts'
import { logdog } from '../test/support/logdog-static.js'
import { question } from './harness.ts'
import type { Setup } from './harness.ts'
import { sha256 } from './support/archive-input.ts'
import { ARCHIVE_DESCRIPTOR, archiveEntry } from './workloads.ts'

const BUNDLES = 5000
const BUNDLE_ENTRIES = 100
const ENTRIES = BUNDLES * BUNDLE_ENTRIES

const secret = new Uint8Array(36).fill(7)

/** Messages of 100 entries each, of one long stream. */
function messages(): Uint8Array[] {
  const desc = decodeDescriptor(ARCHIVE_DESCRIPTOR)
  return Array.from({ length: BUNDLES }, (_, bundle) => {
    const logs = Array.from({ length: BUNDLE_ENTRIES }, (_, i) => archiveEntry(bundle * BUNDLE_ENTRIES + i))
    const entry = { desc, deprecatedEntrySecret: new Uint8Array(0), terminal: false, terminalIndex: 0, logs }
    return packBundle({
      deprecatedSource: '',
      entries: [entry],
      project: 'project',
      prefix: desc.prefix,
      secret,
    })
  })
}

/** One who knows every stream. */
function coordinator(): CoordinatorCache {
  return new CoordinatorCache({
    clock: { now: () => 0 },
    coordinator: {
      registerStream: async (request) => {
        const { project, path } = request as CachedRegisterRequest
        const id = streamId(path, sha256)
        return {
          project,
          path,
          id,
          protoVersion: '1',
          secret,
          terminalIndex: -1,
          archived: false,
          purged: false,
        }
      },
      terminateStream: async () => undefined,
    },
  })
}

async function collect(bundles: readonly Uint8Array[]): Promise<void> {
  const storage = new MemoryStorage()
  const collector = new Collector({
    coordinator: coordinator(),
    storage,
    inflate: (bytes, maxOutputLength) => inflateSync(bytes, { maxOutputLength }),
  })
  let stored = 0
  for (const bundle of bundles) stored += (await collector.collect(bundle)).stored
  assert.equal(stored, ENTRIES)
}

/** The plain stack: everything decoded by protobufjs, and each entry encoded again to be kept, as Go does. */
function collectPlainly(bundles: readonly Uint8Array[]): void {
  const kept = new Map<number, Uint8Array>()
  for (const message of bundles) {
    const reader = protobuf.Reader.create(message)
    reader.skip(reader.uint32())
    const bundle = logdog.ButlerLogBundle.decode(reader, reader.uint32()) as PlainBundle
    for (const { logs } of bundle.entries) {
      for (const log of logs) {
        const entry = logdog.LogEntry.decode(log) as PlainEntry
        kept.set(Number(entry.streamIndex), logdog.LogEntry.encode(entry).finish())
      }
    }
  }
  assert.equal(kept.size, ENTRIES)
}

interface PlainBundle {
  readonly entries: readonly { readonly logs: readonly Uint8Array[] }[]
}

interface PlainEntry {
  readonly streamIndex: unknown
}

function setup(): Setup {
  const bundles = messages()
  return {
    unit: 'M/s',
    subject: { operations: ENTRIES, run: () => collect(bundles) },
    floor: {
      operations: ENTRIES,
      run: () => {
        collectPlainly(bundles)
      },
    },
    note: 'protobufjs, decoded and encoded again',
  }
}

await question('How many entries a second does a collector take?', [
  { name: 'collector/bundle', goals: [{ of: 'value', atLeast: 1 }], prepare: setup },
])
