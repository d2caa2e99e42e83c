import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileStreamStore, FileTaskQueue } from '../../src/coordinator/file/index.ts'
import { revisionText } from '../../src/coordinator/file/revision-file.ts'
import { readLatest, writeRevision } from '../../src/coordinator/file/revision-folder.ts'

const worker = join(import.meta.dirname, '../support/coordinator-worker.ts')
const document = { kind: 'kind', project: 'proj', name: 'name', dueMs: null, value: 'ours' }
const clock = { now: (): number => 0 }

let dir: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'recoverylog-processes-'))
})

afterEach(async () => {
  await rm(dir, { recursive: true })
})

/** Makes revision 1, then writes on it, while `others` do what they do right before the link. */
async function writeLate(others: (folder: string) => void): Promise<void> {
  const folder = join(dir, 'document')
  const write = { folder, aside: dir, id: 'a', document, known: undefined }
  await writeRevision({ ...write, revision: 0, announce: () => undefined })
  await writeRevision({
    ...write,
    revision: 1,
    announce: () => {
      others(folder)
    },
  })
}

function place(folder: string, revision: number, lineage: readonly string[]): void {
  const text = revisionText('a', revision, { ...document, value: 'theirs' }, lineage)
  writeFileSync(join(folder, String(revision)), text)
}

describe('file stream store: several processes', () => {
  it('counting: no step is lost, and each task is one process’s', async () => {
    await using queue = await FileTaskQueue.open({ dir: join(dir, 'tasks'), clock })
    const ids = Array.from({ length: 30 }, (_, i) => `task ${i}`)
    for (const id of ids) await queue.put({ project: 'proj', id, reason: 'archive', createdMs: 0 }, 0)
    const run = promisify(execFile)
    const outputs = await Promise.all(
      [15, 15, 15].map((steps) => run(process.execPath, ['--import', 'tsx', worker, dir, String(steps)])),
    )
    const done = outputs.flatMap(({ stdout }) => JSON.parse(stdout) as string[])
    expect(done.sort()).toEqual([...ids].sort())
    await using store = await FileStreamStore.open({ dir: join(dir, 'state'), clock })
    const counted = { value: 45, revision: 45, name: 'count 45' }
    expect(await store.read('kind', 'counter')).toMatchObject(counted)
    expect(await store.query({ kind: 'kind', dueUntilMs: 45, limit: 9 })).toMatchObject([counted])
  })

  it('a writer that has slept: its number is free again, and it has lost all the same', async () => {
    const late = writeLate((folder) => {
      place(folder, 2, ['x'])
      place(folder, 3, ['y', 'x'])
      unlinkSync(join(folder, '1'))
      unlinkSync(join(folder, '2'))
    })
    await expect(late).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(readdirSync(join(dir, 'document'))).toEqual(['3'])
    expect(readLatest(join(dir, 'document'))?.document.value).toBe('theirs')
  })

  it('a writer that has slept for too long to know: OUTCOME_UNKNOWN', async () => {
    const late = writeLate((folder) => {
      place(folder, 12, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
    })
    await expect(late).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', data: { revision: 2 } })
  })

  it('a writer that comes second: CONFLICT, and nothing of it stays', async () => {
    const late = writeLate((folder) => {
      place(folder, 2, ['x'])
    })
    await expect(late).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(readdirSync(dir)).toEqual(['document'])
  })

  it('old revisions: are removed', async () => {
    await writeLate(() => undefined)
    expect(readLatest(join(dir, 'document'))?.document.revision).toBe(2)
    expect(readdirSync(join(dir, 'document'))).toEqual(['2'])
  })

  it('damage: a changed byte is CORRUPT, with the file', async () => {
    await writeLate(() => undefined)
    const path = join(dir, 'document', '2')
    writeFileSync(path, readFileSync(path, 'utf8').replace('ours', 'yours'))
    expect(() => readLatest(join(dir, 'document'))).toThrow(
      expect.objectContaining({ code: 'CORRUPT', data: { path } }) as Error,
    )
  })

  it('lag: a query learns of others after `refreshMs`, of its own object at once', async () => {
    let nowMs = 0
    const options = { dir, clock: { now: () => nowMs }, refreshMs: 100 }
    await using one = await FileStreamStore.open(options)
    await using two = await FileStreamStore.open(options)
    const names = async (store: FileStreamStore): Promise<string[]> =>
      (await store.query({ kind: 'kind', project: 'proj', limit: 9 })).map(({ name }) => name)
    expect([await names(one), await names(two)]).toEqual([[], []])
    await one.create('a', { ...document, name: 'a' })
    expect([await names(one), await names(two)]).toEqual([['a'], []])
    nowMs += 100
    expect(await names(two)).toEqual(['a'])
    nowMs += 24 * 60 * 60 * 1000
    await one.create('b', { ...document, name: 'b' })
    expect(await names(two)).toEqual(['a', 'b'])
  })

  it('options: what is no time or number is a RangeError', async () => {
    await expect(FileStreamStore.open({ dir, clock, refreshMs: -1 })).rejects.toThrow(RangeError)
    await expect(FileTaskQueue.open({ dir, clock, refreshMs: Number.NaN })).rejects.toThrow(RangeError)
    await expect(FileTaskQueue.open({ dir, clock, triesMax: 0 })).rejects.toThrow(RangeError)
  })

  it('a file in the way: UNAVAILABLE with the system’s code', async () => {
    writeFileSync(join(dir, 'file'), '')
    const options = { dir: join(dir, 'file'), clock }
    await expect(FileStreamStore.open(options)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(FileTaskQueue.open(options)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('file task queue: damage', () => {
  it('a task that cannot be read: CORRUPT with its file', async () => {
    await using queue = await FileTaskQueue.open({ dir, clock })
    await queue.put({ project: 'proj', id: 'a', reason: 'archive', createdMs: 0 }, 0)
    const folder = join(dir, 'tasks', readdirSync(join(dir, 'tasks'))[0] ?? '')
    writeFileSync(join(folder, readdirSync(folder)[0] ?? ''), '{"project":1}')
    await expect(queue.lease({ max: 1, leaseMs: 1 })).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  it('what is left of a task that is done: is no task, and in nobody’s way', async () => {
    await using queue = await FileTaskQueue.open({ dir, clock })
    const task = { project: 'proj', id: 'a', reason: 'archive', createdMs: 0 } as const
    await queue.put(task, 0)
    const folder = join(dir, 'tasks', readdirSync(join(dir, 'tasks'))[0] ?? '')
    rmSync(join(folder, readdirSync(folder)[0] ?? ''))
    writeFileSync(join(folder, 'why'), 'it was so')
    expect(await queue.has(task)).toBe(false)
    expect(await queue.put(task, 0)).toBe(true)
    expect((await queue.lease({ max: 9, leaseMs: 1 })).length).toBe(1)
  })
})
