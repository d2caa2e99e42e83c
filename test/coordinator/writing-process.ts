import { changeDocument } from '../../src/coordinator/index.ts'
import { FileStreamStore, FileTaskQueue } from '../../src/coordinator/file/index.ts'

/**
 * Counts in a document that all share and in one of its own, and puts tasks, until it is killed:
 * `node writing-process.ts DIR NAME`. Says what is done. Documents are so long that their files often go on in others.
 */
const [dir = '', name = ''] = process.argv.slice(2)
const clock = { now: (): number => 0 }
await using store = await FileStreamStore.open({ dir: `${dir}/state`, clock })
await using queue = await FileTaskQueue.open({ dir: `${dir}/queue`, clock })

async function count(id: string): Promise<void> {
  const after = await changeDocument(store, 'kind', id, {}, (before) => {
    const { count: counted } = (before?.value ?? { count: 0 }) as { readonly count: number }
    const value = { count: counted + 1, text: 'x'.repeat(7000) }
    return { kind: 'kind', project: 'proj', name: id, dueMs: null, value }
  })
  console.log(`${id} ${String(after?.revision)}`)
}

async function put(step: number): Promise<void> {
  const id = `${name}-${step}`
  await queue.put({ project: 'proj', id, reason: 'archive', createdMs: 0 }, 0)
  console.log(`task ${id}`)
}

for (let step = 0; ; step++) await Promise.all([count('shared'), count(name), put(step)])
