import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FileBlobStore } from '../../src/blob/file/index.ts'
import { readBlob } from '../../src/blob/index.ts'
import { GENERATIONS, PROCESS_SEED, ProcessFolder } from '../support/process-folder.ts'
import { contentOf } from './named-blobs.ts'

const processes = new ProcessFolder(
  'blob-processes-',
  fileURLToPath(new URL('putting-process.ts', import.meta.url)),
)

describe(`file blob store: several processes (seed ${PROCESS_SEED})`, () => {
  it(`SIGKILL at random points: nothing acknowledged is lost, nothing torn is seen (${GENERATIONS} generations)`, async () => {
    for (let generation = 0; generation < GENERATIONS; generation++) {
      await processes.killSoon(processes.start(`g${generation}`))
      await using store = await FileBlobStore.open({ dir: processes.dir, leftoverMs: 0 })
      const there = new Set<string>()
      for await (const { key } of store.list('')) {
        const name = key.replace(/^staging\//, '')
        const content = contentOf(name, Number(name.split('/')[2]))
        if (!Buffer.from(await readBlob(store, key)).equals(content)) throw new Error(`${key} is torn`)
        there.add(key)
      }
      expect(processes.lines.filter((key) => !there.has(key))).toEqual([])
    }
  }, 60_000)
})
