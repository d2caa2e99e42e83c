import assert from 'node:assert/strict'
import { Logs, streamDocument, streamDocumentId } from '../src/coordinator/index.ts'
import type { StreamRecord } from '../src/coordinator/index.ts'
import { MemoryStreamStore } from '../src/coordinator/memory/index.ts'
import { MemoryStorage } from '../src/storage/memory/index.ts'
import { MemoryBlobStore } from '../src/blob/memory/index.ts'
import { streamId } from '../src/names/index.ts'
import { encodeDescriptor, StreamType } from '../src/wire/logdog/index.ts'
import { growth, question } from './harness.ts'
import { sha256 } from './support/archive-input.ts'

const STREAMS = 100_000
/** Of them this many match a glob. */
const MATCHING = 100
const QUERIES = 100
const PROJECT = 'project'
const PREFIX = 'some/prefix/of/a/build'

/** Streams in groups of a hundred, and everything that reads them. */
async function logsOf(streams: number): Promise<Logs> {
  const streamStore = new MemoryStreamStore()
  for (let i = 0; i < streams; i++) {
    const record = recordOf(`step-${Math.floor(i / MATCHING)}/part-${i % MATCHING}/stdout`)
    await streamStore.create(streamDocumentId(record), streamDocument(record, null))
  }
  return new Logs({
    ...{ streamStore, storage: new MemoryStorage(), blobs: new MemoryBlobStore(), sha256 },
    coordinator: { purgeStream: () => Promise.reject(new Error('nothing is purged here')) },
    clock: { sleep: async () => undefined },
  })
}

function recordOf(name: string): StreamRecord {
  const path = `${PREFIX}/+/${name}`
  const descriptor = encodeDescriptor({
    ...{ prefix: PREFIX, name, streamType: StreamType.text, contentType: 'text/plain', binaryFileExt: '' },
    timestamp: { seconds: 1, nanos: 0 },
    tags: new Map([['os', 'linux']]),
  })
  return {
    ...{
      project: PROJECT,
      path,
      id: streamId(path, sha256),
      protoVersion: '1',
      descriptor,
      terminalIndex: -1,
    },
    ...{ phase: 'streaming', claim: null, archive: null, reason: null, skipDamaged: false, differedCount: 0 },
    ...{
      createdMs: 1,
      changedMs: 1,
      terminatedMs: null,
      dispatchedMs: null,
      archivedMs: null,
      cleanedMs: null,
    },
    purgedMs: null,
  }
}

/** Asks for a group of streams, each time another; answers the median in milliseconds. */
async function ask(logs: Logs, streams: number): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < QUERIES; i++) {
    const group = (i * 7919) % (streams / MATCHING)
    const path = `${PREFIX}/+/step-${group}/*/stdout`
    const begin = performance.now()
    const page = await logs.query({ project: PROJECT, path, tags: { os: 'linux' } })
    times.push(performance.now() - begin)
    assert.equal(page.streams.length, MATCHING)
  }
  return times.sort((a, b) => a - b)[QUERIES >> 1] as number
}

await question('How fast are streams found by a glob?', [
  {
    name: 'logs/query',
    goals: [{ of: 'value', atMost: 20 }],
    async prepare() {
      const logs = await logsOf(STREAMS)
      const subject = { operations: 1, run: () => ask(logs, STREAMS) }
      return { unit: 'ms', subject, note: `p50; ${STREAMS} streams, ${MATCHING} match` }
    },
  },
  growth('logs/query/store', {
    atMost: 2,
    async prepare() {
      const few = STREAMS / 10
      const [small, large] = [await logsOf(few), await logsOf(STREAMS)]
      return {
        unit: 'ms',
        small: { operations: 1, run: () => ask(small, few) },
        large: { operations: 1, run: () => ask(large, STREAMS) },
        note: `the same answer from ${few} and from ${STREAMS} streams`,
      }
    },
  }),
])
