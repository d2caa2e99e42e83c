import * as nodeFs from 'node:fs'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemBootId } from '../../../src/journal/file/boot-id.ts'
import { encodeRecord } from '../../../src/journal/file/format.ts'
import { FileJournal } from '../../../src/journal/file/index.ts'
import type { FileJournalOptions, JournalFileSystem } from '../../../src/journal/file/index.ts'
import { systemClock } from '../../../src/journal/file/system-clock.ts'
import type { Clock } from '../../../src/parts/index.ts'
import { SimulatedDisk, systemError } from './simulated-disk.ts'

let root: string
let dir: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'file-journal-'))
  dir = join(root, 'log')
})

afterEach(() => {
  rmSync(root, { recursive: true })
})

function open(options: Partial<FileJournalOptions> = {}): Promise<FileJournal> {
  return FileJournal.open({ dir, durability: 'process', ...options })
}

function filled(bytes: number, value = 1): Uint8Array {
  return new Uint8Array(bytes).fill(value)
}

function files(pattern: RegExp): string[] {
  return readdirSync(dir).filter((name) => pattern.test(name))
}

/** node:fs with some calls replaced. */
function withCalls(calls: Partial<JournalFileSystem>): JournalFileSystem {
  return Object.assign(Object.create(nodeFs) as JournalFileSystem, calls)
}

/** What this process holds open, as Linux tells it. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return [] // that of the listing itself
    }
  })
}

async function read(journal: FileJournal, offset = 0): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const { bytes } of journal.read({ offset })) parts.push(bytes.slice())
  return Buffer.concat(parts)
}

describe('file journal: open', () => {
  it('makes the folder; name and durability are kept, and default to those of the stored journal', async () => {
    dir = join(root, 'deep', 'er', 'x')
    const journal = await FileJournal.open({ dir })
    expect([journal.name, journal.durability]).toEqual(['journal/x', 'disk'])
    await journal.close()
    rmSync(dir, { recursive: true })
    await (await open({ name: 'a/name' })).close()
    await using again = await FileJournal.open({ dir })
    expect([again.name, again.durability]).toEqual(['a/name', 'process'])
  })

  it.each<[string, Partial<FileJournalOptions>]>([
    ['name', { name: 'another/name' }],
    ['durability', { durability: 'disk' }],
  ])('with another %s than the stored one: INVALID', async (option, options) => {
    await (await open({ name: 'a/name' })).close()
    await expect(open(options)).rejects.toMatchObject({ code: 'INVALID', data: { option } })
  })

  it('a newer format is INVALID, and left alone', async () => {
    await (await open()).close()
    writeFileSync(join(dir, 'journal'), encodeRecord({ format: 2 }))
    await expect(open()).rejects.toMatchObject({ code: 'INVALID', data: { format: 2 } })
  })

  it('a place that is no folder is UNAVAILABLE', async () => {
    writeFileSync(dir, '')
    await expect(open()).rejects.toMatchObject({ code: 'UNAVAILABLE', data: { systemCode: 'ENOTDIR' } })
  })

  it.each([{ segmentBytes: 0 }, { segmentBytes: 1.5 }, { pollMs: -1 }])(
    '%o is a RangeError',
    async (options) => {
      await expect(open(options)).rejects.toThrow(RangeError)
    },
  )

  it('a signal that has fired: ABORTED, and nothing is made', async () => {
    await expect(open({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(readdirSync(root)).toEqual([])
  })
})

describe('file journal: what claims an epoch', () => {
  it('opening, reading, head() and an empty append claim nothing; nor does an append that is refused', async () => {
    await using journal = await open()
    await journal.head()
    await read(journal)
    await journal.append({ content: filled(0) })
    expect(files(/intent/)).toEqual([])
    await journal.append({ content: filled(1), union: [{ name: 'author', value: 'a' }] })
    expect(files(/intent/)).toEqual(['epoch-0000000001.intent'])
    await using other = await open()
    const check = { include: [{ name: 'author', value: 'b' }] }
    await expect(other.append({ content: filled(1), check })).rejects.toMatchObject({
      code: 'REGISTER_MISMATCH',
    })
    await expect(other.append({ content: filled(0), check })).rejects.toMatchObject({
      code: 'REGISTER_MISMATCH',
    })
    await expect(other.append({ content: filled(0), union: [] })).rejects.toMatchObject({
      code: 'REGISTER_INVALID',
    })
    expect((await other.append({ content: filled(0) })).end).toBe(1)
    expect(files(/intent/)).toHaveLength(1)
    await journal.append({ content: filled(1) })
  })

  it('a replaced appender is told so by its next append, and claims anew by the one after it', async () => {
    await using one = await open()
    await using other = await open()
    await one.append({ content: filled(1) })
    await other.append({ content: filled(2) })
    const replaced = { code: 'APPENDER_REPLACED', kind: 'conflict', data: { epoch: 1, offset: 1 } }
    const two = [one.append({ content: filled(4) }), one.append({ content: filled(0) })]
    await expect(two[0]).rejects.toMatchObject(replaced)
    await expect(two[1]).rejects.toMatchObject({ code: 'APPENDER_REPLACED' })
    expect((await one.append({ content: filled(8) })).begin).toBe(3)
    expect((await other.head()).offset).toBe(11)
  })

  it('an empty append of a replaced one is answered with what holds now', async () => {
    await using one = await open()
    await using other = await open()
    const union = (value: string): { name: string; value: string }[] => [{ name: 'author', value }]
    await one.append({ content: filled(1), union: union('a') })
    await other.append({ content: filled(2), union: union('b') })
    expect(await one.append({ content: filled(0) })).toEqual({ begin: 3, end: 3, registers: union('b') })
    const check = { include: union('a') }
    await expect(one.append({ content: filled(0), check })).rejects.toMatchObject({
      code: 'REGISTER_MISMATCH',
    })
    expect(one.appendSync({ content: filled(0) }).end).toBe(3)
  })

  it('an intent without a seal is finished by whoever comes by: head(), a read, an append of its owner', async () => {
    for (const look of ['head', 'read', 'append'] as const) {
      await using owner = await open()
      const { begin } = await owner.append({ content: filled(3) })
      const epoch = files(/intent/).length + 1
      const name = `epoch-${String(epoch).padStart(10, '0')}`
      writeFileSync(join(dir, `${name}.intent`), '') // its claimant died here
      await using other = await open()
      if (look === 'head') expect((await other.head()).offset).toBe(begin + 3)
      else if (look === 'read') expect(await read(other, begin)).toEqual(Buffer.from(filled(3)))
      else await expect(owner.append({ content: filled(1) })).resolves.toMatchObject({ begin: begin + 3 })
      expect(files(/seal/)).toContain(`${name}.seal`)
    }
  })

  it('others that are always faster: UNAVAILABLE after a while, not a loop', async () => {
    const openSync: JournalFileSystem['openSync'] = (path, flags, mode) => {
      if (path.endsWith('.intent')) throw systemError('EEXIST', path)
      return nodeFs.openSync(path, flags, mode)
    }
    await using journal = await open({ fs: withCalls({ openSync }) })
    const unavailable = { code: 'UNAVAILABLE', data: { attempts: 100 } }
    await expect(journal.append({ content: filled(1) })).rejects.toMatchObject(unavailable)
  })

  it('an intent without a seal, and no right to write: UNAVAILABLE', async () => {
    await using owner = await open()
    await owner.append({ content: filled(3) })
    writeFileSync(join(dir, 'epoch-0000000002.intent'), '')
    const openSync: JournalFileSystem['openSync'] = (path, flags, mode) => {
      if (flags !== 'r') throw systemError('EACCES', path)
      return nodeFs.openSync(path, flags, mode)
    }
    await using reader = await open({ fs: withCalls({ openSync }) })
    const denied = { code: 'UNAVAILABLE', data: { systemCode: 'EACCES' } }
    await expect(reader.head()).rejects.toMatchObject(denied)
    await expect(read(reader)).rejects.toMatchObject(denied)
    await expect(reader.append({ content: filled(1) })).rejects.toMatchObject(denied)
  })
})

describe('file journal: group commit', () => {
  function counting(): { fs: JournalFileSystem; syncs: string[] } {
    const syncs: string[] = []
    const fdatasync: JournalFileSystem['fdatasync'] = (fd, answer) => {
      syncs.push('async')
      nodeFs.fdatasync(fd, answer)
    }
    const fdatasyncSync = (fd: number): void => {
      syncs.push('sync')
      nodeFs.fdatasyncSync(fd)
    }
    return { fs: withCalls({ fdatasync, fdatasyncSync }), syncs }
  }

  it('what is asked for while a sync runs goes out with the next one', async () => {
    const { fs, syncs } = counting()
    await using journal = await FileJournal.open({ dir, fs })
    const first = journal.append({ content: filled(10) })
    await Promise.resolve()
    await Promise.resolve()
    const rest = Array.from({ length: 50 }, () => journal.append({ content: filled(100) }))
    await Promise.all([first, ...rest])
    expect(syncs).toEqual(['async', 'async'])
  })

  it('a synchronous append syncs once, for all before it', async () => {
    const { fs, syncs } = counting()
    await using journal = await FileJournal.open({ dir, fs })
    const before = [journal.append({ content: filled(10) }), journal.append({ content: filled(10) })]
    await Promise.resolve()
    await Promise.resolve()
    const later = journal.append({ content: filled(10) })
    expect(journal.appendSync({ content: filled(5) })).toMatchObject({ begin: 30, end: 35 })
    expect(syncs).toEqual(['async', 'sync'])
    expect((await Promise.all([...before, later])).map(({ end }) => end)).toEqual([10, 20, 30])
    expect((await journal.append({ content: filled(1) })).begin).toBe(35)
  })

  it('more than a batch holds goes out in several', async () => {
    const { fs, syncs } = counting()
    await using journal = await FileJournal.open({ dir, fs })
    const content = filled(3_000_000)
    const ends = await Promise.all(Array.from({ length: 5 }, () => journal.append({ content })))
    expect(ends.map(({ end }) => end)).toEqual([3e6, 6e6, 9e6, 12e6, 15e6])
    expect(syncs).toHaveLength(3)
  })

  it('durability process: no sync at all', async () => {
    const { fs, syncs } = counting()
    await using journal = await open({ fs })
    await journal.append({ content: filled(10) })
    journal.appendSync({ content: filled(10) })
    expect(syncs).toEqual([])
  })

  it('an asynchronous sync that fails after a synchronous one has answered for its batch changes no answer', async () => {
    let fail: ((error: Error) => void) | undefined
    const fdatasync: JournalFileSystem['fdatasync'] = (_fd, answer) => (fail = answer)
    await using journal = await FileJournal.open({ dir, fs: withCalls({ fdatasync }) })
    const first = journal.append({ content: filled(10) })
    await Promise.resolve()
    await Promise.resolve()
    expect(journal.appendSync({ content: filled(5) }).end).toBe(15)
    fail?.(systemError('EIO', 'late'))
    expect((await first).end).toBe(10)
    expect((await journal.head()).offset).toBe(15)
  })

  it('an append that is called in answer to one before a failure, and before the answer to that, fails too', async () => {
    await using journal = await open()
    await journal.append({ content: filled(1), union: [{ name: 'author', value: 'a' }] })
    const check = { include: [{ name: 'author', value: 'b' }] }
    const before = journal.append({ content: filled(2) })
    const failing = journal.append({ content: filled(3), check })
    const between = before.then(() => journal.append({ content: filled(4) }))
    const after = failing.catch(() => journal.append({ content: filled(5) }))
    await expect(failing).rejects.toMatchObject({ code: 'REGISTER_MISMATCH' })
    await expect(between).rejects.toMatchObject({ code: 'REGISTER_MISMATCH' })
    expect(await after).toMatchObject({ begin: 3, end: 8 })
  })

  it('short writes and short reads are gone on with', async () => {
    const writevSync: JournalFileSystem['writevSync'] = (fd, buffers, position) =>
      nodeFs.writeSync(fd, buffers.find(({ length }) => length > 0) ?? filled(0), 0, 1, position)
    const fs = withCalls({
      writevSync,
      readSync: (fd, buffer, offset, length, position) =>
        nodeFs.readSync(fd, buffer, offset, Math.min(length, 7), position),
      read: (fd, buffer, offset, length, position, answer) => {
        nodeFs.read(fd, buffer, offset, Math.min(length, 11), position, answer)
      },
    })
    await using journal = await open({ fs })
    await journal.append({ content: filled(30, 5) })
    await journal.append({ content: filled(20, 6) })
    expect(await read(journal)).toEqual(Buffer.concat([filled(30, 5), filled(20, 6)]))
  })

  it('a write that takes nothing is an error, not a loop', async () => {
    await using journal = await open({ fs: withCalls({ writevSync: () => 0 }) })
    await expect(journal.append({ content: filled(30) })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('file journal: in doubt', () => {
  it('a sync fails, and somebody else has sealed above it: OUTCOME_UNKNOWN, and no more appends', async () => {
    const disk = new SimulatedDisk()
    const options = { dir: '/j', name: 'a/log', bootId: 'boot' }
    const other = await FileJournal.open({ ...options, fs: disk.view() })
    let isFailing = false
    const fs = disk.view((name) => {
      if (!isFailing || name !== 'fdatasync') return
      other.appendSync({ content: filled(5) })
      throw systemError('EIO', name)
    })
    const journal = await FileJournal.open({ ...options, fs })
    await journal.append({ content: filled(10) })
    isFailing = true
    const unknown = { code: 'OUTCOME_UNKNOWN', kind: 'unavailable' }
    const two = [journal.append({ content: filled(20) }), journal.append({ content: filled(0) })]
    for (const append of two) await expect(append).rejects.toMatchObject(unknown)
    await expect(journal.append({ content: filled(1) })).rejects.toMatchObject(unknown)
    expect(() => journal.appendSync({ content: filled(1) })).toThrow('OUTCOME_UNKNOWN')
    expect((await journal.head()).offset).toBe(35)
    await Promise.all([journal.close(), other.close()])
  })

  it('the look for a later epoch fails: what readers may have seen by then stays, and is acknowledged', async () => {
    let isFailing = false
    const statSync = ((path: string, options?: { readonly throwIfNoEntry: false }) => {
      if (isFailing && path.endsWith('2.intent')) {
        isFailing = false
        throw systemError('EIO', path)
      }
      return options === undefined ? nodeFs.statSync(path) : nodeFs.statSync(path, options)
    }) as JournalFileSystem['statSync']
    await using journal = await open({ fs: withCalls({ statSync }) })
    await journal.append({ content: filled(10) })
    isFailing = true
    expect((await journal.append({ content: filled(20) })).end).toBe(30)
    expect(isFailing).toBe(false)
    expect(files(/seal/)).toHaveLength(2)
    expect((await journal.append({ content: filled(5) })).end).toBe(35)
  })

  it('a journal that is deleted under its objects: NOT_FOUND for append, head and read', async () => {
    const journal = await open()
    const reader = await open({ pollMs: 20 })
    await journal.append({ content: filled(10) })
    const waiting = (async () => {
      for await (const { offset } of reader.read({ offset: 0, block: true })) expect(offset).toBe(0)
    })()
    await new Promise((resolve) => setImmediate(resolve))
    rmSync(dir, { recursive: true })
    const gone = { code: 'NOT_FOUND', data: { id: journal.id } }
    await expect(journal.append({ content: filled(10) })).rejects.toMatchObject(gone)
    await expect(journal.append({ content: filled(10) })).rejects.toMatchObject(gone)
    await expect(journal.head()).rejects.toMatchObject(gone)
    await expect(reader.append({ content: filled(1) })).rejects.toMatchObject(gone)
    await expect(waiting).rejects.toMatchObject(gone)
    await Promise.all([journal.close(), reader.close()])
  })
})

describe('file journal: boot', () => {
  it('the head of another boot is ignored: whole groups count, and registers are those of the last', async () => {
    const journal = await open({ bootId: 'one' })
    const union = [{ name: 'author', value: 'a' }]
    await journal.append({ content: filled(10) })
    await journal.append({ content: filled(20), union })
    await journal.close()
    await using later = await open({ bootId: 'two' })
    expect(await later.head()).toEqual({ offset: 30, registers: union })
    expect(await read(later)).toHaveLength(30)
    expect(await later.append({ content: filled(5) })).toEqual({ begin: 30, end: 35, registers: union })
    await using reader = await open({ bootId: 'two' })
    expect((await reader.head()).offset).toBe(35)
  })

  it('the system names its boot; where it does not, the time of booting does', () => {
    expect(systemBootId()).toBe(systemBootId())
    expect(systemBootId('/no/such/file')).toMatch(/^up-\d+$/)
  })
})

describe('file journal: segments', () => {
  it('pruning an epoch removes its head too, and what it left can be appended to and read', async () => {
    const options = { segmentBytes: 400 }
    const journal = await open(options)
    for (let i = 0; i < 6; i++) await journal.append({ content: filled(150, i) })
    await journal.close()
    await using next = await open(options)
    for (let i = 6; i < 9; i++) await next.append({ content: filled(150, i) })
    const fragments = await next.fragments()
    expect(fragments.length).toBeGreaterThan(4)
    for (const fragment of fragments.slice(0, -1)) await next.remove(fragment)
    expect(files(/head/)).toEqual(['epoch-0000000002.head'])
    expect(files(/seal/)).toHaveLength(2)
    await using again = await open(options)
    expect((await again.append({ content: filled(1) })).begin).toBe(1_350)
    const [first] = await again.fragments()
    expect(await read(again)).toHaveLength(1_351 - (first?.begin ?? 0))
  })

  it('zeros are written ahead of small appends on a disk, and taken away when it is closed', async () => {
    const sizes: number[] = []
    const size = (): number => nodeFs.statSync(join(dir, files(/segment$/)[0] as string)).size
    const journal = await open({ durability: 'disk' })
    for (const bytes of [100, 100, 300_000, 100]) {
      await journal.append({ content: filled(bytes) })
      sizes.push(size())
    }
    expect(sizes[0]).toBeGreaterThan(262_000)
    expect(sizes[1]).toBe(sizes[0])
    expect(sizes[2]).toBeLessThan(301_000) // a large one is not written twice
    expect(sizes[3]).toBeGreaterThan(562_000)
    const other = await open({ durability: 'disk' }) // it reads beside the zeros
    expect(await read(other)).toEqual(Buffer.from(filled(300_300)))
    await other.close()
    await journal.close()
    expect(size()).toBeLessThan(301_000)
  })

  it('no room for zeros, and none to take them away: nothing is lost', async () => {
    const fs = withCalls({
      writevSync: (fd, buffers, position) => {
        if (buffers[0]?.length === 262_144) throw systemError('ENOSPC', 'write')
        return nodeFs.writevSync(fd, buffers, position)
      },
    })
    await using journal = await open({ durability: 'disk', fs })
    await journal.append({ content: filled(100) })
    expect(await read(journal)).toHaveLength(100)
    const ftruncateSync = (): never => {
      throw systemError('EIO', 'ftruncate')
    }
    const untidy = await open({ durability: 'disk', fs: withCalls({ ftruncateSync }) })
    await untidy.append({ content: filled(50) })
    await untidy.close()
    const torn: unknown[] = []
    await using next = await open({ durability: 'disk', onTornTail: (tail) => torn.push(tail) })
    expect(await next.append({ content: filled(1) })).toMatchObject({ begin: 150 })
    expect([await read(next), torn]).toEqual([Buffer.from(filled(151)), []])
  })

  it('groups larger than what is read at once, between small ones', async () => {
    await using journal = await open()
    const sizes = [10, 16 * 1024 * 1024, 1, 9_000_000, 65_536, 2]
    let at = 0
    for (const [i, size] of sizes.entries()) at = (await journal.append({ content: filled(size, i + 1) })).end
    const bytes = await read(journal)
    expect(bytes).toHaveLength(at)
    let begin = 0
    for (const [i, size] of sizes.entries()) {
      expect(Buffer.compare(bytes.subarray(begin, begin + size), filled(size, i + 1))).toBe(0)
      begin += size
    }
  })

  it('segments that were all removed by hand: a read ends at the head', async () => {
    await using journal = await open({ segmentBytes: 100 })
    for (let i = 0; i < 3; i++) await journal.append({ content: filled(60) })
    for (const name of files(/segment$/)) rmSync(join(dir, name))
    expect(await read(journal)).toHaveLength(0)
    expect(await journal.fragments()).toEqual([])
  })

  it('registers as many and as long as they may be', async () => {
    await using journal = await open()
    const union = Array.from({ length: 64 }, (_, i) => ({
      name: `${'"'.repeat(60)}${String(i).padStart(3, '0')}`,
      value: '\\'.repeat(1_024),
    }))
    await journal.append({ content: filled(10), union })
    await journal.append({ content: filled(10) })
    await using other = await open()
    expect((await other.head()).registers).toEqual(union)
    expect(await read(other)).toHaveLength(20)
    expect((await other.append({ content: filled(1), check: { include: union } })).registers).toEqual(union)
  })

  it('a failed read is UNAVAILABLE; the journal goes on', async () => {
    let isFailing = true
    const fs = withCalls({
      read: (fd, buffer, offset, length, position, answer) => {
        if (isFailing) setImmediate(answer, systemError('EIO', 'read'), 0)
        else nodeFs.read(fd, buffer, offset, length, position, answer)
      },
    })
    await using journal = await open({ fs })
    await journal.append({ content: filled(10) })
    await expect(read(journal)).rejects.toMatchObject({ code: 'UNAVAILABLE', data: { systemCode: 'EIO' } })
    isFailing = false
    expect(await read(journal)).toHaveLength(10)
  })
})

describe('file journal: waking', () => {
  /** A clock whose sleeps end when the test says so. */
  function handClock(): { clock: Clock; tick: () => void; sleeping: () => number } {
    const sleeps = new Set<() => void>()
    return {
      clock: {
        now: () => 0,
        sleep: (_ms, signal) =>
          new Promise((resolve, reject) => {
            const end = (): void => {
              sleeps.delete(end)
              resolve()
            }
            sleeps.add(end)
            signal?.addEventListener('abort', () => {
              sleeps.delete(end)
              reject(signal.reason as Error)
            })
          }),
      },
      tick: () => {
        for (const end of [...sleeps]) end()
      },
      sleeping: () => sleeps.size,
    }
  }

  it.each(['cannot watch', 'stops watching'])(
    'a system that %s: the poll finds what was appended',
    async (how) => {
      const { clock, tick, sleeping } = handClock()
      let isClosed = false
      const watch: JournalFileSystem['watch'] = () => {
        if (how === 'cannot watch') throw systemError('ENOSPC', 'inotify')
        return {
          close: () => (isClosed = true),
          on: (_event, listener) => setImmediate(listener, systemError('EPERM', 'watch')),
        }
      }
      await using writer = await open()
      await using reader = await open({ fs: withCalls({ watch }), clock })
      const iterator = reader.read({ offset: 0, block: true })[Symbol.asyncIterator]()
      const next = iterator.next()
      await new Promise((resolve) => setImmediate(resolve))
      await writer.append({ content: filled(10) })
      expect(sleeping()).toBe(1)
      tick()
      expect((await next).value).toMatchObject({ offset: 0 })
      await iterator.return?.()
      await new Promise((resolve) => setImmediate(resolve))
      expect([sleeping(), isClosed]).toEqual([0, how === 'stops watching'])
    },
  )

  it('the clock of its own sleeps, and frees its timer', async () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000)
    await systemClock.sleep(1)
    await systemClock.sleep(1, new AbortController().signal)
    const abort = new AbortController()
    const sleeping = systemClock.sleep(1e9, abort.signal)
    abort.abort()
    await expect(sleeping).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(systemClock.sleep(1, abort.signal)).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('leaves nothing open: descriptors, watches', async () => {
    const journal = await open({ segmentBytes: 100 })
    for (let i = 0; i < 5; i++) await journal.append({ content: filled(60) })
    for await (const { bytes } of journal.read({ offset: 0 })) if (bytes.length > 0) break
    for await (const { bytes } of journal.read({ offset: 0, block: true })) if (bytes.length > 0) break
    const waiting = journal.read({ offset: 300, block: true })[Symbol.asyncIterator]()
    const next = waiting.next()
    await journal.fragments()
    await journal.close()
    await expect(next).rejects.toMatchObject({ code: 'CLOSED' })
    expect(openFiles().filter((path) => path.startsWith(root))).toEqual([])
  })

  it('the files of a journal are those that the format names', async () => {
    await using journal = await open()
    await journal.append({ content: filled(10) })
    expect(readdirSync(dir).sort()).toEqual([
      'epoch-0000000001-0000000000000000.segment',
      'epoch-0000000001.head',
      'epoch-0000000001.intent',
      'epoch-0000000001.seal',
      'journal',
    ])
    expect(readFileSync(join(dir, 'journal'), 'utf8')).toContain('"name":"journal/log"')
  })
})
