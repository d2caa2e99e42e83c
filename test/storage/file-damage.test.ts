import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileStorage } from '../../src/storage/file/index.ts'
import type { FileStorageOptions } from '../../src/storage/file/index.ts'
import { entryOf } from './named-entries.ts'

const stream = { project: 'p', path: 'a/+/b' }

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'storage-damage-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true })
})

async function open(options: Omit<FileStorageOptions, 'dir'> = {}): Promise<FileStorage> {
  return FileStorage.open({ dir, bootId: 'boot', ...options })
}

function entries(from: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => entryOf(stream.path, from + i))
}

async function indexesOf(storage: FileStorage, from = 0): Promise<number[]> {
  const indexes: number[] = []
  for await (const batch of storage.get({ stream, from })) indexes.push(...batch.map(({ index }) => index))
  return indexes
}

function filesIn(folder: string): string[] {
  return readdirSync(join(dir, folder))
    .sort()
    .map((name) => join(dir, folder, name))
}

describe('file storage: damage', () => {
  it('power loss: the last group of a dead boot is there whole or not at all, wherever it was cut', async () => {
    {
      await using storage = await open()
      await storage.put({ stream, from: 0, entries: entries(0, 10) })
      await storage.put({ stream, from: 10, entries: entries(10, 10) })
    }
    const [segment] = filesIn('segments') as [string]
    const whole = readFileSync(segment)
    for (const cut of [1, 100, 5000]) {
      truncateSync(segment, whole.length - cut)
      await using storage = await open({ bootId: 'next boot' })
      expect(await indexesOf(storage)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(storage.damage).toEqual([])
      writeFileSync(segment, whole)
    }
    await using storage = await open({ bootId: 'next boot' })
    expect(await indexesOf(storage)).toHaveLength(20)
  })

  it('rot: what was acknowledged and cannot be read is CORRUPT with its place, and the rest is given', async () => {
    await using storage = await open()
    for (const from of [0, 10, 20]) await storage.put({ stream, from, entries: entries(from, 10) })
    const [segment] = filesIn('segments') as [string]
    const bytes = readFileSync(segment)
    const at = bytes.indexOf(Buffer.from(entryOf(stream.path, 15)))
    bytes[at + 3] = (bytes[at + 3] as number) ^ 1
    writeFileSync(segment, bytes)
    await using other = await open()
    const seen: number[] = []
    const reading = (async () => {
      for await (const batch of other.get({ stream })) seen.push(...batch.map(({ index }) => index))
    })()
    await expect(reading).rejects.toMatchObject({
      code: 'CORRUPT',
      data: { ...stream, streamIndex: 10, count: 10 },
    })
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await indexesOf(other, 20)).toHaveLength(10)
  })

  it('rot: a directory that cannot be read is told as damage', async () => {
    await using storage = await open()
    for (const from of [0, 10]) await storage.put({ stream, from, entries: entries(from, 10) })
    const [segment] = filesIn('segments') as [string]
    const bytes = readFileSync(segment)
    bytes[30] = (bytes[30] as number) ^ 1
    writeFileSync(segment, bytes)
    await using other = await open()
    expect(await indexesOf(other)).toHaveLength(10)
    expect(other.damage.map(({ code, data }) => [code, data['offset']])).toEqual([['CORRUPT', 0]])
  })

  it('a cut record in the order log is passed over by all, and what follows counts', async () => {
    await using storage = await open()
    await storage.put({ stream, from: 0, entries: entries(0, 2) })
    const [order] = filesIn('order') as [string]
    for (const garbage of ['RLO1', 'x'.repeat(63), 'RLO1'.repeat(40)]) {
      appendFileSync(order, garbage)
      const from = (await indexesOf(storage)).length
      await storage.put({ stream, from, entries: entries(from, 2) })
      await using other = await open()
      expect(await indexesOf(other)).toEqual(await indexesOf(storage))
      expect(await indexesOf(other)).toHaveLength(from + 2)
    }
  })

  it('segments: one in which nothing lies is removed, and its writer goes on in another', async () => {
    await using storage = await open()
    await storage.put({ stream, from: 0, entries: entries(0, 10) })
    await storage.expunge(stream)
    await using other = await open({ leftoverMs: -1 })
    expect(filesIn('segments')).toEqual([])
    expect(await storage.put({ stream, from: 0, entries: entries(0, 10) })).toEqual({
      stored: 10,
      existing: 0,
    })
    expect(await indexesOf(other)).toHaveLength(10)
    expect(filesIn('segments')).toHaveLength(1)
  })

  it('snapshots: take the place of the order log, which stays short, and of segments that are full of what was expunged', async () => {
    await using sleeper = await open()
    await sleeper.put({ stream, from: 0, entries: entries(0, 3) })
    {
      await using storage = await open({ orderBytes: 640, segmentBytes: 20_000 })
      for (let i = 0; i < 60; i++) {
        const other = { project: 'p', path: String(i) }
        await storage.put({ stream: other, from: 0, entries: entries(0, 10) })
        await storage.seal(other, 'attempt')
        await storage.expunge(other)
      }
    }
    expect(filesIn('order')).toHaveLength(1)
    expect(filesIn('snapshots')).toHaveLength(1)
    expect(filesIn('segments').length).toBeLessThan(4)
    await using later = await open()
    for (const each of [later, sleeper]) {
      expect(await indexesOf(each)).toEqual([0, 1, 2])
      const sealed = { project: 'p', path: '7' }
      await expect(each.put({ stream: sealed, from: 0, entries: entries(0, 1) })).rejects.toMatchObject({
        code: 'SEALED',
      })
    }
    expect(await sleeper.put({ stream, from: 3, entries: entries(3, 1) })).toEqual({ stored: 1, existing: 0 })
    expect(await indexesOf(later)).toEqual([0, 1, 2, 3])
  })

  it('snapshots: a damaged one is CORRUPT on opening', async () => {
    {
      await using storage = await open({ orderBytes: 64 })
      await storage.put({ stream, from: 0, entries: entries(0, 3) })
    }
    const [snapshot] = filesIn('snapshots') as [string]
    const bytes = readFileSync(snapshot)
    bytes[30] = (bytes[30] as number) ^ 1
    writeFileSync(snapshot, bytes)
    await expect(open()).rejects.toMatchObject({ code: 'CORRUPT' })
  })
})
