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
/** Streams lie in jobs of a hundred, and jobs in steps of ten. */
const JOB = 100
const STEP = 10 * JOB
const QUERIES = 100
const PROJECT = 'project'
const PREFIX = 'some/prefix/of/a/build'

/** So many streams, and everything that reads them. */
async function logsOf(streams: number): Promise<Logs> {
  const streamStore = new MemoryStreamStore()
  for (let i = 0; i < streams; i++) {
    const [step, job, part] = [Math.floor(i / STEP), Math.floor((i % STEP) / JOB), i % JOB]
    const record = recordOf(`step-${step}/job-${job}/part-${part}/stdout`)
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

/** Asks for one group of streams after another, all pages of each; answers the median in milliseconds. */
async function ask(logs: Logs, groupStreams: number, nameOf: (query: number) => string): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < QUERIES; i++) {
    const query = { project: PROJECT, path: `${PREFIX}/+/${nameOf(i)}`, tags: { os: 'linux' } }
    let found = 0
    const begin = performance.now()
    let page = await logs.query(query)
    for (;;) {
      found += page.streams.length
      const { nextPageToken: pageToken } = page
      if (pageToken === undefined) break
      page = await logs.query({ ...query, pageToken })
    }
    times.push(performance.now() - begin)
    assert.equal(found, groupStreams)
  }
  return times.sort((a, b) => a - b)[QUERIES >> 1] as number
}

/** Each time another of the jobs of so many streams. */
function askForJobs(logs: Logs, streams: number): Promise<number> {
  return ask(logs, JOB, (i) => `step-${(i * 7919) % (streams / STEP)}/job-${i % (STEP / JOB)}/*/stdout`)
}

function askForSteps(logs: Logs, streams: number): Promise<number> {
  return ask(logs, STEP, (i) => `step-${(i * 7919) % (streams / STEP)}/*/*/stdout`)
}

await question('How fast are streams found by a glob?', [
  {
    name: 'logs/query',
    goals: [{ of: 'value', atMost: 20 }],
    async prepare() {
      const logs = await logsOf(STREAMS)
      const subject = { operations: 1, run: () => askForJobs(logs, STREAMS) }
      return { unit: 'ms', subject, note: `p50; ${STREAMS} streams, ${JOB} match` }
    },
  },
  growth('logs/query/store', {
    atMost: 2,
    async prepare() {
      const few = STREAMS / 10
      const [small, large] = [await logsOf(few), await logsOf(STREAMS)]
      return {
        unit: 'ms',
        small: { operations: 1, run: () => askForJobs(small, few) },
        large: { operations: 1, run: () => askForJobs(large, STREAMS) },
        note: `the same answer from ${few} and from ${STREAMS} streams`,
      }
    },
  }),
  growth('logs/query/answer', {
    atMost: 1.3,
    async prepare() {
      const logs = await logsOf(STREAMS)
      return {
        unit: 'us',
        small: { operations: JOB, run: () => askForJobs(logs, STREAMS) },
        large: { operations: STEP, run: () => askForSteps(logs, STREAMS) },
        note: `for each stream found, ${JOB} and ${STEP} of the same ${STREAMS}`,
      }
    },
  }),
])
