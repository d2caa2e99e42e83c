import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { FileStreamStore, FileTaskQueue } from '../../src/coordinator/file/index.ts'
import { streamStoreSuite, taskQueueSuite } from '../../src/testing/index.ts'

streamStoreSuite({
  runner: { describe, it },
  name: 'FileStreamStore',
  factory: async () => {
    const dir = await mkdtemp(join(tmpdir(), 'recoverylog-state-'))
    const open = (): Promise<FileStreamStore> =>
      FileStreamStore.open({ dir, clock: { now: () => 0 }, refreshMs: 0 })
    return { store: await open(), another: open, dispose: () => rm(dir, { recursive: true }) }
  },
  supports: { shared: true, durable: true },
})

taskQueueSuite({
  runner: { describe, it },
  name: 'FileTaskQueue',
  factory: async (parts) => {
    const dir = await mkdtemp(join(tmpdir(), 'recoverylog-tasks-'))
    const open = (): Promise<FileTaskQueue> => FileTaskQueue.open({ dir, ...parts })
    return { queue: await open(), another: open, dispose: () => rm(dir, { recursive: true }) }
  },
  supports: { shared: true },
})
