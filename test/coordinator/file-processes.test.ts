import { execFile } from 'node:child_process'
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileStreamStore, FileTaskQueue } from '../../src/coordinator/file/index.ts'
import { encodeRecord } from '../../src/coordinator/file/record-line.ts'
import type { TaskLease } from '../../src/coordinator/index.ts'

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
    await expect(FileTaskQueue.open({ dir, clock, triesMax: 0 })).rejects.toThrow(RangeError)
  })

  it('a file in the way: UNAVAILABLE with the system’s code', async () => {
    writeFileSync(join(dir, 'file'), '')
    const options = { dir: join(dir, 'file'), clock }
    await expect(FileStreamStore.open(options)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(FileTaskQueue.open(options)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('file task queue: its log', () => {
  const task = { project: 'proj', id: 'a', reason: 'archive', createdMs: 0 } as const
  const END = encodeRecord('end')

  it('damage: a changed byte is CORRUPT with its file', async () => {
    await using queue = await FileTaskQueue.open({ dir, clock })
    await queue.put(task, 0)
    const path = join(dir, 'tasks', '1')
    writeFileSync(path, readFileSync(path, 'utf8').replace('proj', 'poor'))
    const corrupt = { code: 'CORRUPT', data: { path } }
    await expect(FileTaskQueue.open({ dir, clock })).rejects.toMatchObject(corrupt)
  })

  it('a record that was cut, anywhere, is not there, and in nobody’s way', async () => {
    await (await FileTaskQueue.open({ dir, clock })).put(task, 0)
    const path = join(dir, 'tasks', '1')
    const whole = readFileSync(path)
    for (let length = whole.lastIndexOf('\n\n') + 1; length < whole.length - 1; length++) {
      writeFileSync(path, whole.subarray(0, length))
      await using queue = await FileTaskQueue.open({ dir, clock })
      expect(await queue.has(task)).toBe(false)
      expect(await queue.put(task, 0)).toBe(true)
      await using other = await FileTaskQueue.open({ dir, clock })
      expect((await other.lease({ max: 9, leaseMs: 1 })).map(({ task: { id } }) => id)).toEqual(['a'])
    }
  })

  it('a file that ends: leases, dead letters and tasks are there in the next', async () => {
    let nowMs = 0
    const options = { dir, clock: { now: () => nowMs }, triesMax: 1 }
    await using queue = await FileTaskQueue.open(options)
    await queue.put(task, 0)
    await queue.put({ ...task, id: 'dead' }, 0)
    const [first, second] = await queue.lease({ max: 2, leaseMs: 100 })
    const [held, dying] = first?.task.id === 'a' ? [first, second] : [second, first]
    await queue.release(dying as TaskLease, { afterMs: 0, reason: 'it was so', countsAsTry: true })
    await queue.put({ ...task, id: 'waiting' }, 1)
    appendFileSync(join(dir, 'tasks', '1'), END)
    // What was done behind the end is done in the next file.
    const longer = await queue.extend(held as TaskLease, 50)
    expect(readdirSync(join(dir, 'tasks'))).toEqual(['2'])
    await using other = await FileTaskQueue.open(options)
    for (const each of [queue, other]) {
      const letters = []
      for await (const letter of each.deadLetters()) letters.push(letter)
      expect(letters).toMatchObject([{ task: { id: 'dead' }, tries: 1, reason: 'it was so' }])
    }
    nowMs = 1
    expect((await other.lease({ max: 9, leaseMs: 1 })).map(({ task: { id } }) => id)).toEqual(['waiting'])
    await other.acknowledge(longer)
    expect(await queue.has(task)).toBe(false)
  })

  it('a long log goes on with the tasks that are there alone', async () => {
    await using queue = await FileTaskQueue.open({ dir, clock })
    await using other = await FileTaskQueue.open({ dir, clock })
    await queue.put(task, 0)
    const [lease] = await queue.lease({ max: 1, leaseMs: 1 })
    let held = lease as TaskLease
    for (let count = 0; count < 10_010; count++) held = await queue.extend(held, count + 1)
    expect(readdirSync(join(dir, 'tasks'))).toEqual(['2'])
    await other.acknowledge(held)
    expect(await queue.has(task)).toBe(false)
  })
})
