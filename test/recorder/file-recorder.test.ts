import { createFsFromVolume, Volume } from 'memfs'
import { describe, expect, it } from 'vitest'
import type { SyncFileSystem } from '../../src/parts/index.ts'
import { FileRecorder } from '../../src/recorder/index.ts'
import type { OpenFlags, Recorder, RecorderOptions } from '../../src/recorder/index.ts'
import { bytes, HeldJournal, openRecorder, settled, text } from './recorders.ts'
import type { HeldJournalOptions } from './recorders.ts'
import { replay } from './replay.ts'

interface Disk {
  readonly recorder: Recorder
  readonly journal: HeldJournal
  readonly fs: SyncFileSystem
  readonly volume: Volume
  readonly open: (name: string, flags?: OpenFlags, fs?: Partial<SyncFileSystem>) => FileRecorder
  /** The disk's tree and the recovered one. */
  readonly trees: () => Promise<[object, object]>
}

async function disk(
  journalOptions: HeldJournalOptions = {},
  options: Partial<RecorderOptions> = {},
): Promise<Disk> {
  const { recorder, journal } = await openRecorder(new HeldJournal(journalOptions), options)
  const volume = Volume.fromJSON({}, '/')
  volume.mkdirSync('/dir')
  const fs = createFsFromVolume(volume) as unknown as SyncFileSystem
  return {
    recorder,
    journal,
    fs,
    volume,
    open: (name, flags = { create: true }, broken = {}) =>
      FileRecorder.open({ recorder, fs: { ...fs, ...broken }, path: `/dir/${name}`, ...flags }),
    trees: async () => {
      await recorder.barrier()
      const { tree } = await replay(journal)
      const recovered = Object.fromEntries([...tree].map(([path, content]) => [`/dir${path}`, text(content)]))
      return [volume.toJSON(), recovered]
    },
  }
}

describe('a file recorder', () => {
  it('writes the disk and the log', async () => {
    const { open, trees } = await disk()
    const file = open('a')
    expect(file.write(bytes('hello'))).toBe(5)
    expect(file.write(bytes(', world'))).toBe(7)
    expect(file.write(bytes('J'), 0)).toBe(1)
    expect(file.write(bytes('e'))).toBe(1)
    expect(file.size).toBe(12)
    const buffer = new Uint8Array(20)
    expect(text(buffer.subarray(0, file.read(buffer, 3)))).toBe('lo, world')
    const [written, recovered] = await trees()
    expect(written).toEqual({ '/dir/a': 'Jello, world' })
    expect(recovered).toEqual(written)
    file.close()
  })

  it('records of a short write what was written', async () => {
    const { open, trees, fs } = await disk()
    const short: SyncFileSystem['writeSync'] = (fd, data, offset, _, position) =>
      fs.writeSync(fd, data, offset, 3, position)
    const file = open('a', { create: true }, { writeSync: short })
    expect(file.write(bytes('hello'))).toBe(3)
    expect(file.write(bytes('lo!'))).toBe(3)
    const [written, recovered] = await trees()
    expect(written).toEqual({ '/dir/a': 'hello!' })
    expect(recovered).toEqual(written)
  })

  it('records nothing of a failed write, and of none', async () => {
    const { open, recorder } = await disk()
    const error = new Error('ENOSPC')
    const file = open(
      'a',
      { create: true },
      {
        writeSync: (_fd, data) => {
          if (data.length > 0) throw error
          return 0
        },
      },
    )
    const { position } = recorder
    expect(() => file.write(bytes('hello'))).toThrow(error)
    expect(file.write(new Uint8Array(0))).toBe(0)
    expect(recorder.position).toBe(position)
  })

  it.each([
    ['known', {}, 'kept'],
    ['known, to create', { create: true }, 'kept'],
    ['known, to truncate', { truncate: true }, ''],
    ['unknown, to create', { create: true }, undefined],
    ['unknown, to create exclusively', { create: true, exclusive: true }, undefined],
  ] as const)('opens a file as the recorder does (%s)', async (name, flags, content) => {
    const { open, trees, recorder } = await disk()
    if (content !== undefined) {
      open('a').write(bytes('kept'))
      recorder.link('/dir/a', '/dir/second')
    }
    const fnode = recorder.fnodeOf('/dir/a')
    const file = open('a', flags)
    expect(file.fnode === fnode, name).toBe(content === 'kept')
    expect(recorder.fnodeOf('/dir/a')).toBe(file.fnode)
    const [written, recovered] = await trees()
    expect(written).toEqual({ '/dir/a': content ?? '' })
    expect(recovered).toMatchObject(written)
    // Truncation keeps all names, whatever the disk has.
    if (content !== undefined) expect(recovered).toHaveProperty('/dir/second', content)
  })

  it('asks the recorder before the disk, and records only what the disk took', async () => {
    const { open, recorder, volume } = await disk()
    expect(() => open('unknown', {})).toThrow('NOT_FOUND')
    expect(() => open('IDENTITY')).toThrow('PROPERTY_EXISTS')
    expect(() => open('../up')).toThrow('PATH_REFUSED')
    open('a').close()
    expect(() => open('a', { exclusive: true })).toThrow('ALREADY_EXISTS')
    expect(() => open('no/folder')).toThrow('ENOENT')
    expect(recorder.fnodeOf('/dir/no/folder')).toBeUndefined()
    volume.writeFileSync('/dir/stray', 'x')
    expect(() => open('stray', { create: true, exclusive: true })).toThrow('EEXIST')
    expect(volume.toJSON()).toEqual({ '/dir/a': '', '/dir/stray': 'x' })
  })

  it('closes what it has opened when it cannot go on', async () => {
    const { open, fs, recorder } = await disk()
    open('a').write(bytes('content'))
    const closed: number[] = []
    const broken = {
      ftruncateSync: () => {
        throw new Error('EIO')
      },
      closeSync: (fd: number) => {
        closed.push(fd)
        fs.closeSync(fd)
      },
    }
    const { position } = recorder
    expect(() => open('a', { truncate: true }, broken)).toThrow('EIO')
    expect(closed).toHaveLength(1)
    expect(recorder.position).toBe(position)
  })

  it.each([0, 3, 7, 8, 20])('is truncated as the disk is (to %i of 7 bytes)', async (size) => {
    const { open, trees, recorder } = await disk()
    const file = open('a')
    file.write(bytes('content'))
    const { fnode } = file
    file.truncate(size)
    expect(file.fnode === fnode).toBe(size >= 7)
    expect(recorder.fnodeOf('/dir/a')).toBe(file.fnode)
    file.write(bytes('!'), size)
    const [written, recovered] = await trees()
    expect(written).toEqual({ '/dir/a': `${'content'.slice(0, size).padEnd(size, '\0')}!` })
    expect(recovered).toEqual(written)
  })

  it('goes on on the disk alone when the file has no name any more', async () => {
    const { open, recorder, volume } = await disk()
    const file = open('a')
    file.write(bytes('content'))
    volume.unlinkSync('/dir/a')
    recorder.remove('/dir/a')
    const { position } = recorder
    file.write(bytes('!'))
    file.truncate(3)
    expect(file.size).toBe(3)
    expect(recorder.position).toBe(position)
  })

  it('touches no disk when the queue is full, or recording has ended', async () => {
    const { open, recorder, journal, volume } = await disk({ appendSync: false }, { queueBytesMax: 200 })
    const file = open('a')
    await recorder.barrier()
    journal.holds = true
    file.write(bytes('content'.repeat(10)))
    const before = volume.toJSON()
    expect(() => file.write(bytes('x'.repeat(100)), 0)).toThrow('BACKLOGGED')
    expect(() => file.truncate(60)).toThrow('BACKLOGGED')
    expect(volume.toJSON()).toEqual(before)
    await settled()
    journal.held[0]?.fail(new Error('gone'))
    await settled()
    expect(() => file.write(bytes('x'), 0)).toThrow('UNAVAILABLE')
    expect(() => file.truncate(0)).toThrow('UNAVAILABLE')
    expect(() => open('b')).toThrow('UNAVAILABLE')
    expect(volume.toJSON()).toEqual(before)
  })

  it('is rewritten when its history outweighs it', async () => {
    const { open, recorder, trees } = await disk({}, { countHistory: true })
    const file = open('a')
    file.write(bytes('content'))
    expect(await file.boundHistory()).toBe(false)
    const block = new Uint8Array(64 * 1024).fill(65)
    while (!recorder.outweighs(file.fnode, file.size)) file.write(block, 0)
    const { fnode } = file
    expect(await file.boundHistory({ signal: new AbortController().signal })).toBe(true)
    expect(file.fnode).not.toBe(fnode)
    file.write(bytes('after'), 0)
    await file.sync()
    expect(recorder.committed).toBe(recorder.position)
    const [written, recovered] = await trees()
    expect(recovered).toEqual(written)
  })

  it('cannot be rewritten when the disk has less of it than it says', async () => {
    const { open, fs } = await disk({}, { countHistory: true })
    const file = open(
      'a',
      { create: true },
      {
        readSync: (fd, buffer, offset, length, position) =>
          position === 0 ? fs.readSync(fd, buffer, offset, Math.min(3, length), 0) : 0,
      },
    )
    const block = new Uint8Array(64 * 1024).fill(65)
    for (let i = 0; i < 20; i++) file.write(block, 0)
    await expect(file.boundHistory()).rejects.toMatchObject({
      code: 'INVALID',
      data: { offset: 0, length: 65536, got: 3 },
    })
  })
})
