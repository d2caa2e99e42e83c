import { describe, it } from 'vitest'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import { streamStoreSuite, taskQueueSuite } from '../../src/testing/index.ts'

streamStoreSuite({
  runner: { describe, it },
  name: 'MemoryStreamStore',
  factory: async () => ({ store: new MemoryStreamStore() }),
  supports: { shared: false, durable: false },
})

taskQueueSuite({
  runner: { describe, it },
  name: 'MemoryTaskQueue',
  factory: async (parts) => ({ queue: new MemoryTaskQueue(parts) }),
  supports: { shared: false },
})
