import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FileStreamStore, FileTaskQueue } from '../../src/coordinator/file/index.ts'
import { GENERATIONS, PROCESS_SEED, ProcessFolder } from '../support/process-folder.ts'

const processes = new ProcessFolder(
  'coordinator-processes-',
  fileURLToPath(new URL('writing-process.ts', import.meta.url)),
)
const clock = { now: (): number => 0 }

describe(`coordinator on files: several processes (seed ${PROCESS_SEED})`, () => {
  it(`SIGKILL at random points: no revision and no task that was told of is lost (${GENERATIONS} generations of 2)`, async () => {
    for (let generation = 0; generation < GENERATIONS; generation++) {
      await processes.killSoon(processes.start(`g${generation}x`), processes.start(`g${generation}y`))
      await using store = await FileStreamStore.open({ dir: `${processes.dir}/state`, clock })
      await using queue = await FileTaskQueue.open({ dir: `${processes.dir}/queue`, clock })
      const told = new Map<string, number>()
      for (const line of processes.lines) {
        const [id = '', what = ''] = line.split(' ')
        if (id !== 'task') told.set(id, Math.max(told.get(id) ?? 0, Number(what)))
        else expect(await queue.has({ project: 'proj', id: what, reason: 'archive' }), what).toBe(true)
      }
      expect(told.size).toBeGreaterThan(1)
      expect(new Set(processes.lines).size, 'each revision is told of once').toBe(processes.lines.length)
      for (const [id, revision] of told) {
        const document = await store.read('kind', id)
        expect(document?.revision, id).toBeGreaterThanOrEqual(revision)
        // Each revision has counted one further: none was made twice.
        expect(document?.value).toMatchObject({ count: document?.revision })
      }
    }
  }, 60_000)
})
