import assert from 'node:assert/strict'
import { LRUCache } from 'lru-cache'
import { CoordinatorCache } from '../src/coordinator-cache/index.ts'
import type { CachedRegisterRequest } from '../src/coordinator-cache/index.ts'
import type { LogStreamState } from '../src/coordinator/index.ts'
import { question } from './harness.ts'
import type { Setup } from './harness.ts'

const KEYS = 4096
const HITS = 2_000_000
/** How often each key is asked for at once, when it is missing. */
const CALLERS = 8
const MISS_ROUNDS = 8
const EXPIRATION_MS = 10 * 60 * 1000

const project = 'project'
const paths = Array.from({ length: KEYS }, (_, i) => `some/prefix/of/a/build/+/step/${i}/stdout`)
const requests: readonly CachedRegisterRequest[] = paths.map((path) => ({
  project,
  path,
  secret: new Uint8Array(36),
  descriptor: new Uint8Array(80),
}))
const states = new Map<string, LogStreamState>(
  requests.map(({ path, secret }) => [
    path,
    { project, path, id: path, protoVersion: '1', secret, terminalIndex: -1, archived: false, purged: false },
  ]),
)
const load = async (path: string): Promise<LogStreamState> => states.get(path) as LogStreamState

/** The time as lru-cache reads it: once, and anew after a millisecond, as far as timers run. */
function now(): number {
  if (time === undefined) {
    time = performance.now()
    setTimeout(() => (time = undefined), 1).unref()
  }
  return time
}
let time: number | undefined

function cache(): CoordinatorCache {
  return new CoordinatorCache({
    clock: { now },
    size: 2 * KEYS,
    expirationMs: EXPIRATION_MS,
    coordinator: {
      registerStream: (request) => load((request as CachedRegisterRequest).path),
      terminateStream: async () => undefined,
    },
  })
}

/** What holds a promise for each key and expires it after as long. */
function lru(): LRUCache<string, LogStreamState> {
  return new LRUCache<string, LogStreamState>({ max: 2 * KEYS, ttl: EXPIRATION_MS, fetchMethod: load })
}

/** The keys in an order that is not that of their entry. */
const order = Array.from({ length: HITS }, (_, i) => (i * 2654435761) % KEYS)

async function hitSetup(awaitAll: boolean): Promise<Setup> {
  const subject = cache()
  const floor = lru()
  for (const request of requests) await subject.registerStream(request)
  for (const path of paths) await floor.fetch(path)
  return {
    unit: 'M/s',
    subject: {
      operations: HITS,
      async run() {
        let sum = 0
        for (let i = 0; i < HITS; i++) {
          const answer = subject.registerStream(requests[order[i] as number] as CachedRegisterRequest)
          const state = !awaitAll && !(answer instanceof Promise) ? answer : await answer
          sum += state.terminalIndex
        }
        assert.equal(sum, -HITS)
      },
    },
    floor: {
      operations: HITS,
      async run() {
        let sum = 0
        for (let i = 0; i < HITS; i++) {
          const state = await floor.fetch(paths[order[i] as number] as string)
          sum += (state as LogStreamState).terminalIndex
        }
        assert.equal(sum, -HITS)
      },
    },
    note: "lru-cache's fetch",
  }
}

function coalesceSetup(): Setup {
  const operations = KEYS * CALLERS * MISS_ROUNDS
  const run = async (ask: (key: number) => unknown): Promise<void> => {
    const waiting: unknown[] = []
    for (let key = 0; key < KEYS; key++) for (let i = 0; i < CALLERS; i++) waiting.push(ask(key))
    await Promise.all(waiting)
  }
  return {
    unit: 'M/s',
    subject: {
      operations,
      async run() {
        for (let round = 0; round < MISS_ROUNDS; round++) {
          const fresh = cache()
          await run((key) => fresh.registerStream(requests[key] as CachedRegisterRequest))
        }
      },
    },
    floor: {
      operations,
      async run() {
        for (let round = 0; round < MISS_ROUNDS; round++) {
          const fresh = lru()
          await run((key) => fresh.fetch(paths[key] as string))
        }
      },
    },
    note: "lru-cache's fetch",
  }
}

await question('How fast does the coordinator cache answer what is known, and share what is not?', [
  { name: 'cache/hit', goals: [{ of: 'ratio', atLeast: 2 }], prepare: () => hitSetup(false) },
  { name: 'cache/await', goals: [{ of: 'ratio', atLeast: 1 }], prepare: () => hitSetup(true) },
  { name: 'cache/coalesce', goals: [{ of: 'ratio', atLeast: 2 }], prepare: coalesceSetup },
])
