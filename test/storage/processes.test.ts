import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FileStorage } from '../../src/storage/file/index.ts'
import { GENERATIONS, PROCESS_SEED, ProcessFolder } from '../support/process-folder.ts'
import { entryOf } from './named-entries.ts'

const processes = new ProcessFolder(
  'storage-processes-',
  fileURLToPath(new URL('putting-process.ts', import.meta.url)),
)

/** All indexes that are there of a stream; every entry that is must be whole. */
async function indexesOf(storage: FileStorage, path: string): Promise<Set<number>> {
  const indexes = new Set<number>()
  for await (const batch of storage.get({ stream: { project: 'project', path } })) {
    for (const { index, bytes } of batch) {
      if (!Buffer.from(bytes).equals(entryOf(path, index)) || indexes.has(index)) {
        throw new Error(`entry ${index} of ${path} is torn, or there twice`)
      }
      indexes.add(index)
    }
  }
  return indexes
}

function expectIndexes(there: ReadonlySet<number>, from: number, count: number): void {
  for (let index = from; index < from + count; index++) {
    if (!there.has(index)) throw new Error(`entry ${index} was acknowledged, and is lost`)
  }
}

/** What all processes were told must be there. */
async function expectAcknowledged(storage: FileStorage): Promise<void> {
  const streams = new Map<string, Set<number>>()
  for (const line of processes.lines) {
    const [path = '', from = '', count] = line.split(' ')
    if (count === undefined) continue
    let indexes = streams.get(path)
    if (indexes === undefined) streams.set(path, (indexes = await indexesOf(storage, path)))
    expectIndexes(indexes, Number(from), Number(count))
  }
  expect(storage.damage).toEqual([])
}

describe(`file storage: several processes (seed ${PROCESS_SEED})`, () => {
  it(`SIGKILL at random points: nothing acknowledged is lost, none is there in part (${GENERATIONS} generations of 2)`, async () => {
    for (let generation = 0; generation < GENERATIONS; generation++) {
      await processes.killSoon(processes.start(`g${generation}x`), processes.start(`g${generation}y`))
      await using storage = await FileStorage.open({ dir: processes.dir })
      await expectAcknowledged(storage)
    }
  }, 60_000)

  it('a seal by one process: what another was told before is there, and nothing is told afterwards', async () => {
    const child = processes.start('sealed')
    await using storage = await FileStorage.open({ dir: processes.dir, orderBytes: 6400 })
    for (const path of ['shared', 'sealed-a', 'sealed-b', 'sealed-c']) {
      const before = child.lines.length
      await child.until(() => child.lines.length >= before + 20)
      await storage.seal({ project: 'project', path }, 'attempt')
      const there = await indexesOf(storage, path)
      await child.until(() => child.lines.includes(`${path} SEALED`))
      const told = child.lines.filter((line) => line.startsWith(`${path} `) && !line.endsWith('SEALED'))
      for (const line of told) {
        const [, from, count] = line.split(' ')
        expectIndexes(there, Number(from), Number(count))
      }
    }
  }, 60_000)
})
