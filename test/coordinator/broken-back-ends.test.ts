import { describe, expect, it } from 'vitest'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import type { StateQuery, StoredDocument, TaskLease } from '../../src/coordinator/index.ts'
import { streamStoreSuite, taskQueueSuite } from '../../src/testing/index.ts'

/** The suites must fail on each of these, in a test that names the promise that they break. */

type Create = Parameters<MemoryStreamStore['create']>
type Update = Parameters<MemoryStreamStore['update']>

const STORES: Readonly<Record<string, { promise: string; store: new () => MemoryStreamStore }>> = {
  'updates whatever revision there is': {
    promise: 'Q4 update',
    store: class extends MemoryStreamStore {
      override async update(...[id, , document, options]: Update): Promise<number> {
        const before = await this.read(document.kind, id)
        return super.update(id, before?.revision ?? 0, document, options)
      }
    },
  },
  'creates over what is there': {
    promise: 'Q4 create',
    store: class extends MemoryStreamStore {
      override async create(...[id, document, options]: Create): Promise<number> {
        const before = await this.read(document.kind, id)
        return before === undefined
          ? super.create(id, document, options)
          : this.update(id, before.revision, document, options)
      }
    },
  },
  'makes what it is to update': {
    promise: 'Q4 update',
    store: class extends MemoryStreamStore {
      override async update(...[id, revision, document, options]: Update): Promise<number> {
        const isThere = (await this.read(document.kind, id)) !== undefined
        return isThere ? super.update(id, revision, document, options) : super.create(id, document, options)
      }
    },
  },
  'loses a race in silence': {
    promise: 'Q4 update',
    store: class extends MemoryStreamStore {
      override async update(...args: Update): Promise<number> {
        return super.update(...args).catch(() => args[1] + 1)
      }
    },
  },
  'mixes kinds up': {
    promise: 'Q4 documents',
    store: class extends MemoryStreamStore {
      override async read(_: string, id: string): Promise<StoredDocument | undefined> {
        return (await super.read('kind', id)) ?? super.read('other', id)
      }
    },
  },
  'begins a page with the last of the one before': {
    promise: 'Q4 query',
    store: class extends MemoryStreamStore {
      override async query({ after, ...query }: StateQuery): Promise<readonly StoredDocument[]> {
        return super.query(after === undefined ? query : { ...query, head: after })
      }
    },
  },
  'lists what is due as if it were due by name': {
    promise: 'Q4 query',
    store: class extends MemoryStreamStore {
      override async query(query: StateQuery): Promise<readonly StoredDocument[]> {
        const found = await super.query(query)
        return query.dueUntilMs === undefined ? found : [...found].sort((a, b) => (a.name < b.name ? -1 : 1))
      }
    },
  },
  'gives out more than was asked for': {
    promise: 'Q4 query',
    store: class extends MemoryStreamStore {
      override async query(query: StateQuery): Promise<readonly StoredDocument[]> {
        return super.query({ ...query, limit: query.limit + 1 })
      }
    },
  },
  'goes on after it was closed': {
    promise: 'Q4 close',
    store: class extends MemoryStreamStore {
      override async close(): Promise<void> {
        // as if nothing had happened
      }
    },
  },
}

type Request = Parameters<MemoryTaskQueue['lease']>[0]

const QUEUES: Readonly<Record<string, { promise: string; queue: new (parts: Parts) => MemoryTaskQueue }>> = {
  'takes whatever lease it is shown': {
    promise: 'Q1 a lapsed lease',
    queue: class extends MemoryTaskQueue {
      override async acknowledge(...args: Parameters<MemoryTaskQueue['acknowledge']>): Promise<void> {
        await super.acknowledge(...args).catch(() => undefined)
      }
    },
  },
  'extends nothing': {
    promise: 'Q1 extend',
    queue: class extends MemoryTaskQueue {
      override async extend(lease: TaskLease): Promise<TaskLease> {
        return lease
      }
    },
  },
  'leases more than was asked for': {
    promise: 'Q1 lease',
    queue: class extends MemoryTaskQueue {
      override async lease(request: Request): Promise<readonly TaskLease[]> {
        return super.lease({ ...request, max: request.max + 1 })
      }
    },
  },
  'takes each put for a new one': {
    promise: 'Q3 put',
    queue: class extends MemoryTaskQueue {
      override async put(...args: Parameters<MemoryTaskQueue['put']>): Promise<boolean> {
        await super.put(...args)
        return true
      }
    },
  },
  'puts a dead letter anew': {
    promise: 'Q3 dead letters',
    queue: class extends MemoryTaskQueue {
      override async put(...args: Parameters<MemoryTaskQueue['put']>): Promise<boolean> {
        return (await super.revive(args[0])) || super.put(...args)
      }
    },
  },
  'counts each release as a try': {
    promise: 'Q3 tries',
    queue: class extends MemoryTaskQueue {
      override async release(...[lease, options]: Parameters<MemoryTaskQueue['release']>): Promise<void> {
        await super.release(lease, { ...options, countsAsTry: true })
      }
    },
  },
  'counts no try at all': {
    promise: 'Q3 dead letters',
    queue: class extends MemoryTaskQueue {
      constructor(parts: Parts) {
        super({ ...parts, triesMax: Number.MAX_SAFE_INTEGER })
      }
    },
  },
  'gives a task back at once': {
    promise: 'Q1 release',
    queue: class extends MemoryTaskQueue {
      override async release(...[lease, options]: Parameters<MemoryTaskQueue['release']>): Promise<void> {
        await super.release(lease, { ...options, afterMs: Math.min(options.afterMs, 0) })
      }
    },
  },
  'forgets why': {
    promise: 'Q3 dead letters',
    queue: class extends MemoryTaskQueue {
      override async release(...[lease, options]: Parameters<MemoryTaskQueue['release']>): Promise<void> {
        await super.release(lease, { ...options, reason: '' })
      }
    },
  },
}

type Parts = ConstructorParameters<typeof MemoryTaskQueue>[0]

interface Registered {
  readonly name: string
  readonly body: () => Promise<void>
}

async function failuresOf(register: (runner: SuiteRunnerOf) => void): Promise<string[]> {
  const tests: Registered[] = []
  register({
    describe: (_, body) => {
      body()
    },
    it: (name, body) => tests.push({ name, body }),
  })
  const failed: string[] = []
  for (const { name, body } of tests) await body().catch(() => failed.push(name))
  return failed
}

type SuiteRunnerOf = Parameters<typeof streamStoreSuite>[0]['runner']

const storeFailures = (Store: new () => MemoryStreamStore): Promise<string[]> =>
  failuresOf((runner) => {
    streamStoreSuite({
      runner,
      name: Store.name,
      factory: async () => ({ store: new Store() }),
      supports: { shared: false, durable: false },
    })
  })

const queueFailures = (Queue: new (parts: Parts) => MemoryTaskQueue): Promise<string[]> =>
  failuresOf((runner) => {
    taskQueueSuite({
      runner,
      name: Queue.name,
      factory: async (parts) => ({ queue: new Queue(parts) }),
      supports: { shared: false },
    })
  })

describe('stream store suite: fails on what is broken, and names the promise', () => {
  it('a good store: passes all', async () => {
    expect(await storeFailures(MemoryStreamStore)).toEqual([])
  })

  it.each(Object.entries(STORES))('%s', async (_, { promise, store }) => {
    const failed = await storeFailures(store)
    expect(
      failed.some((name) => name.startsWith(promise)),
      failed.join('\n'),
    ).toBe(true)
  })
})

describe('task queue suite: fails on what is broken, and names the promise', () => {
  it('a good queue: passes all', async () => {
    expect(await queueFailures(MemoryTaskQueue)).toEqual([])
  })

  it.each(Object.entries(QUEUES))('%s', async (_, { promise, queue }) => {
    const failed = await queueFailures(queue)
    expect(
      failed.some((name) => name.startsWith(promise)),
      failed.join('\n'),
    ).toBe(true)
  })
})
