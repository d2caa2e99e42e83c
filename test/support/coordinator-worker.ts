import { changeDocument } from '../../src/coordinator/index.ts'
import { FileStreamStore, FileTaskQueue } from '../../src/coordinator/file/index.ts'

/**
 * One of several processes on one state: `node coordinator-worker.ts DIR STEPS`. Counts to STEPS in one document, one
 * step at a time, and acknowledges all tasks; prints which.
 */
const [dir = '', steps = '0'] = process.argv.slice(2)
const clock = { now: (): number => Date.now() }
await using store = await FileStreamStore.open({ dir: `${dir}/state`, clock, refreshMs: 0 })
await using queue = await FileTaskQueue.open({ dir: `${dir}/tasks`, clock })

const done: string[] = []
for (let step = 0; step < Number(steps); step++) {
  await changeDocument(store, 'kind', 'counter', {}, (before) => {
    const value = Number(before?.value ?? 0) + 1
    return { kind: 'kind', project: 'proj', name: `count ${value}`, dueMs: value, value }
  })
  for (const lease of await queue.lease({ max: 2, leaseMs: 60_000 })) {
    done.push(lease.task.id)
    await queue.acknowledge(lease)
  }
}
console.log(JSON.stringify(done))
