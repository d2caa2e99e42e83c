import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { MemoryStreamStore, MemoryTaskQueue } from '../../src/coordinator/memory/index.ts'
import { LogArchive, nodeWritable, systemClock } from '../../src/node/index.ts'
import { MemoryStorage } from '../../src/storage/memory/index.ts'
import { entriesOf, lineOf, PATH, textOf } from '../log-archive/log-world.ts'
import { settle } from '../support/directory.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'log-archive-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

const AT_ONCE = { archiveDelayMs: 0, storageCleanupDelayMs: 0 }

describe('log archive on files', () => {
  it('a folder is enough: it is written, opened again, archived and read', async () => {
    const first = await LogArchive.open({ dir })
    const stream = await first.openStream({ path: PATH })
    await stream.write('one\ntwo\n')
    await first.close()

    await using archive = await LogArchive.open({ dir, settings: AT_ONCE, archivist: false, sweep: false })
    const again = await archive.openStream({ path: PATH })
    expect(again.resumedAt).toEqual({ nextIndex: 2, sequence: 2, lineBytes: 0 })
    await again.write('three\n')
    await again.close()
    expect(await archive.archiveDue()).toEqual({ dispatched: 1, done: 1 })
    expect(await textOf(archive)).toBe('one\ntwo\nthree\n')
    expect((await archive.verify(PATH)).isGood).toBe(true)
    expect(readdirSync(dir).sort()).toEqual(['blobs', 'storage', 'streams', 'tasks'])
  })

  it('two archives share a folder: one writes, the other follows and archives', async () => {
    await using writing = await LogArchive.open({ dir, settings: AT_ONCE, archivist: false, sweep: false })
    await using other = await LogArchive.open({
      ...{ dir, settings: AT_ONCE, pollMs: 1 },
      archivist: { pollMs: 1 },
      sweep: { everyMs: 1 },
    })
    const stream = await writing.openStream({ path: PATH })
    await expect(other.openStream({ path: PATH })).rejects.toMatchObject({ code: 'STREAM_BUSY' })
    const followed = entriesOf(other, PATH, { follow: true })
    for (let i = 0; i < 300; i++) await stream.write(`${i}\n`)
    await stream.close()
    expect((await followed).map(lineOf).join('')).toBe(
      Array.from({ length: 300 }, (_, i) => `${i}\n`).join(''),
    )
    for (let phase = ''; phase !== 'cleaned';) {
      phase = (await other.logs.tail({ project: 'default', path: PATH })).stream.phase
    }
    expect(await entriesOf(writing, PATH, { tail: 1 })).toHaveLength(1)
  })

  it('what is handed in is used, and not closed with it', async () => {
    const blobs = new MemoryBlobStore()
    const storage = new MemoryStorage()
    const streamStore = new MemoryStreamStore()
    const taskQueue = new MemoryTaskQueue({ clock: systemClock })
    const coordinator = { streamStore, taskQueue }
    const archive = await LogArchive.open({ blobs, storage, coordinator, settings: AT_ONCE })
    const stream = await archive.openStream({ path: PATH })
    await stream.write('a\n')
    await stream.close()
    await archive.archiveDue()
    await archive.close()
    const keys: string[] = []
    for await (const { key } of blobs.list('')) keys.push(key)
    expect(keys).toContain('archive/default/build/1/+/stdout/logstream.entries')
    expect(await storage.tail({ project: 'default', path: PATH })).toBeUndefined()
  })

  it('neither dir nor all parts is a TypeError, and what was opened is closed', async () => {
    await expect(LogArchive.open({ blobs: new MemoryBlobStore() })).rejects.toThrow(TypeError)
    await expect(LogArchive.open({ dir, settings: { archiveDelayMs: -1 } })).rejects.toMatchObject({
      code: 'INVALID',
    })
  })
})

describe('nodeWritable', () => {
  it('takes what is piped into it, and closes the stream at the end', async () => {
    await using archive = await LogArchive.open({ dir, archivist: false, sweep: false })
    const lines = Array.from({ length: 5000 }, (_, i) => `line ${i} ${'x'.repeat(i % 700)}\n`)
    const chunks = lines.join('').match(/[^]{1,997}/g) ?? []
    await pipeline(Readable.from(chunks), nodeWritable(await archive.openStream({ path: PATH })))
    expect((await entriesOf(archive)).map(lineOf)).toEqual(lines)
    await expect(archive.openStream({ path: PATH })).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('leaves the stream when its source breaks, with what has come', async () => {
    await using archive = await LogArchive.open({ dir, archivist: false, sweep: false })
    const source = Readable.from(
      (function* () {
        yield 'one\n'
        throw new Error('the source has died')
      })(),
    )
    const piped = pipeline(source, nodeWritable(await archive.openStream({ path: PATH })))
    await expect(piped).rejects.toThrow('the source has died')
    for (;;) {
      // What it leaves is stored behind the pipeline's back.
      await settle()
      const stream = await archive.openStream({ path: PATH }).catch(() => undefined)
      if (stream === undefined) continue
      expect(stream.resumedAt.sequence).toBeLessThanOrEqual(1)
      await stream.leave()
      break
    }
  })

  it('is destroyed with the error of a stream that fails', async () => {
    await using archive = await LogArchive.open({ dir, archivist: false, sweep: false })
    const writable = nodeWritable(await archive.openStream({ path: PATH, type: 'datagram' }))
    const refused = pipeline(Readable.from([new Uint8Array(11 * 1024 * 1024)]), writable)
    await expect(refused).rejects.toMatchObject({ code: 'ENTRY_INVALID' })
  })
})
