import { describe, expect, it } from 'vitest'
import { HISTORY_BYTES_MIN, HISTORY_FACTOR } from '../../src/recorder/index.ts'
import type { Recorder, RecorderOptions, RewriteOptions } from '../../src/recorder/index.ts'
import { AUTHOR, bytes, HeldJournal, LOG, openRecorder, settled, text } from './recorders.ts'
import type { HeldJournalOptions } from './recorders.ts'
import { kindsOf, replay, written } from './replay.ts'

const MIB = 1024 * 1024

/** A file as a disk would have it, of which everything is recorded. */
class Files {
  readonly recorder: Recorder
  readonly journal: HeldJournal
  content: Uint8Array = new Uint8Array(0)
  fnode: number
  reads = 0

  constructor(recorder: Recorder, journal: HeldJournal) {
    this.recorder = recorder
    this.journal = journal
    this.fnode = recorder.create('/dir/a')
  }

  static async open(
    journalOptions: HeldJournalOptions = {},
    options: Partial<RecorderOptions> = {},
  ): Promise<Files> {
    const { recorder, journal } = await openRecorder(new HeldJournal(journalOptions), options)
    return new Files(recorder, journal)
  }

  write(offset: number, data: Uint8Array): void {
    this.content = written(this.content, offset, data)
    this.recorder.write(this.fnode, offset, data)
  }

  readonly read = (offset: number, length: number): Uint8Array => {
    this.reads++
    return this.content.subarray(offset, offset + length)
  }

  rewrite(options: Partial<RewriteOptions> = {}): Promise<number | undefined> {
    const onReplaced = (fnode: number): void => {
      this.fnode = fnode
    }
    const { read } = this
    return this.recorder.rewrite(this.fnode, { size: this.content.length, read, onReplaced, ...options })
  }

  /** What a recovery would find under each name, with nothing left under the reserved folder. */
  async expectRecovered(...paths: string[]): Promise<void> {
    await this.recorder.barrier()
    const { tree, fsm } = await replay(this.journal)
    expect([...tree.keys()].sort()).toEqual(paths.sort())
    for (const path of paths) expect(isSame(tree.get(path), this.content), path).toBe(true)
    expect(fsm.nextChecksum).toBe(this.recorder.fsm.nextChecksum)
  }
}

/** Of a megabyte and more an `expect` of its own takes seconds. */
function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0
}

function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff)
}

describe('a replaced file', () => {
  it.each([0, 1, 1000, 2 * MIB])(
    'has a new fnode, all its names and content in one append (%i bytes)',
    async (size) => {
      const files = await Files.open()
      files.write(0, counting(3 * MIB))
      files.recorder.link('/dir/a', '/dir/b/c')
      await files.recorder.barrier()
      files.journal.appends.length = 0
      files.content = files.content.slice(0, size)
      const fnode = files.recorder.replace(files.fnode, size, files.read)
      expect([files.recorder.fnodeOf('/dir/a'), files.recorder.fnodeOf('/dir/b/c')]).toEqual([fnode, fnode])
      await files.expectRecovered('/a', '/b/c')
      const content = size === 0 ? [] : ['write']
      expect(files.journal.appends.map(kindsOf)).toEqual([['unlink', 'create', ...content, 'unlink', 'link']])
    },
  )

  it('is written under /.recoverylog/ first where one append does not hold it, and one append moves its names', async () => {
    const files = await Files.open({ maxAppendBytes: 64 * 1024 })
    files.write(0, counting(300 * 1024))
    files.recorder.link('/dir/a', '/dir/b')
    await files.recorder.barrier()
    files.journal.appends.length = 0
    files.content = files.content.slice(0, 200 * 1024)
    files.fnode = files.recorder.replace(files.fnode, 200 * 1024, files.read)
    await files.expectRecovered('/a', '/b')
    const kinds = files.journal.appends.map(kindsOf)
    expect(kinds.flat().slice(0, 2)).toEqual(['create', 'write'])
    expect(kinds.at(-1)?.slice(-5)).toEqual(['unlink', 'link', 'unlink', 'link', 'unlink'])
    expect(
      kinds
        .slice(1, -1)
        .flat()
        .every((kind) => kind === 'write'),
    ).toBe(true)
  })

  it('keeps its names in one append even when the last part and they do not fit one', async () => {
    for (let size = 65_000; size < 66_000; size += 23) {
      const files = await Files.open({ maxAppendBytes: 64 * 1024 })
      files.write(0, counting(size))
      await files.recorder.barrier()
      files.journal.appends.length = 0
      files.recorder.replace(files.fnode, size, files.read)
      await files.expectRecovered('/a')
      const withNames = files.journal.appends.map(kindsOf).filter((kinds) => kinds.includes('unlink'))
      expect(withNames).toHaveLength(1)
    }
  })

  it.each([true, false])(
    'has a part that is dropped when it cannot be read (appendSync: %s)',
    async (appendSync) => {
      const files = await Files.open({ maxAppendBytes: 64 * 1024, appendSync }, { queueBytesMax: 100_000 })
      await files.recorder.barrier()
      files.write(0, counting(3 * MIB))
      await files.recorder.barrier()
      const error = new Error('EIO')
      const read = (offset: number, length: number): Uint8Array => {
        if (offset > 0) throw error
        return files.read(offset, length)
      }
      expect(() => files.recorder.replace(files.fnode, 3 * MIB, read)).toThrow(error)
      await files.expectRecovered('/a')
    },
  )

  it('changes nothing when its names fit no append', async () => {
    const files = await Files.open({ maxAppendBytes: 1000 })
    for (let i = 0; i < 10; i++) files.recorder.link('/dir/a', `/dir/${'n'.repeat(50)}${i}`)
    const { position } = files.recorder
    const read = (): Uint8Array => counting(5)
    expect(() => files.recorder.replace(files.fnode, 5, read)).toThrow('APPEND_TOO_LARGE')
    await expect(files.rewrite()).rejects.toMatchObject({
      code: 'APPEND_TOO_LARGE',
      data: { maxAppendBytes: 1000 },
    })
    expect(files.recorder.position).toBe(position)
  })
})

describe('a rewrite', () => {
  it.each([0, 1, MIB, MIB + 1, 3 * MIB])('makes a new fnode with all names (%i bytes)', async (size) => {
    const files = await Files.open()
    files.write(0, counting(size))
    files.recorder.link('/dir/a', '/dir/b')
    const before = files.fnode
    const fnode = await files.rewrite()
    expect(fnode).toBe(files.fnode)
    expect(fnode).not.toBe(before)
    expect(files.recorder.fsm.isLive(before)).toBe(false)
    await files.expectRecovered('/a', '/b')
    expect(files.reads).toBe(Math.ceil(size / MIB))
  })

  it('moves all names in one append', async () => {
    const files = await Files.open()
    files.write(0, counting(100))
    files.recorder.link('/dir/a', '/dir/b')
    await files.recorder.barrier()
    files.journal.appends.length = 0
    await files.rewrite()
    await files.recorder.barrier()
    expect(files.journal.appends.map(kindsOf)).toEqual([
      ['create'],
      ['write'],
      ['unlink', 'link', 'unlink', 'link', 'unlink'],
    ])
  })

  it.each(['sync', 'async'])(
    'goes on while the file is written, in calls of any kind (%s reader)',
    async (kind) => {
      const files = await Files.open()
      files.write(0, counting(3 * MIB))
      const read = (offset: number, length: number): Uint8Array | Promise<Uint8Array> => {
        const content = files.read(offset, length)
        return kind === 'sync' ? content : settled().then(() => content)
      }
      const rewriting = files.rewrite({ read })
      for (let turn = 0; turn <= 60; turn++) {
        await settled()
        const at = (turn * 7919) % (3 * MIB)
        files.write(at, bytes(`single ${turn}`))
        files.recorder.atomic(() => {
          files.write(at + 1000, bytes(`grouped ${turn}`))
          files.write(3 * MIB + turn, bytes('!'))
        })
      }
      expect(await rewriting).toBe(files.fnode)
      files.write(5, bytes('after'))
      await files.expectRecovered('/a')
    },
  )

  it('reads a part again that was written while it was read', async () => {
    const files = await Files.open()
    files.write(0, bytes('stale content'))
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      const content = files.read(offset, length).slice()
      await settled()
      if (files.reads === 1) files.write(2, bytes('XXX'))
      return content
    }
    await files.rewrite({ read })
    expect(files.reads).toBe(2)
    expect(text(files.content)).toBe('stXXX content')
    await files.expectRecovered('/a')
  })

  it('does not mind what is written beside the part that is read', async () => {
    const files = await Files.open()
    files.write(0, bytes('content'))
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      const content = files.read(offset, length).slice()
      await settled()
      files.write(7, bytes('behind'))
      return content
    }
    await files.rewrite({ read })
    expect(files.reads).toBe(1)
    await files.expectRecovered('/a')
  })

  it('is UNAVAILABLE when the file is written faster than it is read', async () => {
    const files = await Files.open()
    files.write(0, bytes('content'))
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      await settled()
      files.write(0, bytes('again'))
      return files.read(offset, length)
    }
    await expect(files.rewrite({ read })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      data: { begin: 0, end: 7 },
    })
    await files.expectRecovered('/a')
  })

  it('leaves the file as it was when it is aborted, and the part does not stay', async () => {
    const files = await Files.open()
    files.write(0, counting(3 * MIB))
    const controller = new AbortController()
    const before = files.fnode
    const read = (offset: number, length: number): Uint8Array => {
      if (files.reads === 1) controller.abort('enough')
      return files.read(offset, length)
    }
    await expect(files.rewrite({ read, signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    expect(files.fnode).toBe(before)
    await files.expectRecovered('/a')
    await expect(files.rewrite({ signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await files.rewrite()).toBe(files.fnode)
    await files.expectRecovered('/a')
  })

  it.each([
    ['fails to read', () => Promise.reject(new Error('EIO')), 'EIO'],
    ['has less content than its size', () => counting(3), 'INVALID'],
  ])('leaves the file as it was when it %s', async (_, read, message) => {
    const files = await Files.open()
    files.write(0, counting(100))
    await expect(files.rewrite({ read })).rejects.toThrow(message)
    await files.expectRecovered('/a')
  })

  it.each([
    ['removed', (files: Files) => files.recorder.remove('/dir/a'), [] as string[]],
    ['replaced', (files: Files) => files.recorder.replace(files.fnode, 3 * MIB, files.read), ['/a']],
  ])('ends without a word when the file is %s meanwhile', async (_, change, paths) => {
    const files = await Files.open()
    files.write(0, counting(3 * MIB))
    const read = (offset: number, length: number): Uint8Array => {
      const content = files.read(offset, length)
      void settled().then(() => files.reads === 1 && change(files))
      return content
    }
    files.journal.holds = true
    const rewriting = files.rewrite({ read })
    for (let i = 0; i < 40; i++) {
      await settled()
      files.journal.held[0]?.commit()
    }
    files.journal.holds = false
    expect(await rewriting).toBeUndefined()
    await files.expectRecovered(...paths)
  })

  it('follows the names that the file has in the end', async () => {
    const files = await Files.open()
    files.write(0, counting(100))
    files.journal.holds = true
    const rewriting = files.rewrite()
    await settled()
    files.recorder.link('/dir/a', '/dir/b')
    files.recorder.remove('/dir/a')
    files.journal.holds = false
    files.journal.held[0]?.commit()
    expect(await rewriting).toBe(files.recorder.fnodeOf('/dir/b'))
    await files.expectRecovered('/b')
  })

  it('is one at a time for a file', async () => {
    const files = await Files.open()
    files.write(0, counting(100))
    const first = files.rewrite()
    await expect(files.rewrite()).rejects.toMatchObject({ code: 'CONFLICT', data: { fnode: files.fnode } })
    await first
    await files.expectRecovered('/a')
    await expect(files.recorder.rewrite(99, { size: 0, read: files.read })).rejects.toMatchObject({
      code: 'FNODE_NOT_TRACKED',
    })
  })

  it('gives way when the queue is full: the write is recorded, the rewrite fails', async () => {
    const files = await Files.open({ appendSync: false }, { queueBytesMax: 3000 })
    files.write(0, counting(1000))
    await files.recorder.barrier()
    const rewriting = files.rewrite()
    rewriting.catch(() => undefined)
    files.journal.holds = true
    await settled()
    files.write(0, counting(1500))
    files.journal.holds = false
    files.journal.held[0]?.commit()
    await expect(rewriting).rejects.toMatchObject({ code: 'BACKLOGGED' })
    await files.expectRecovered('/a')
  })

  it('leaves its part to the next owner when recording ends meanwhile', async () => {
    const files = await Files.open()
    files.write(0, counting(3 * MIB))
    const read = (offset: number, length: number): Uint8Array => {
      if (files.reads === 1) files.journal.holds = true
      return files.read(offset, length)
    }
    const rewriting = files.rewrite({ read })
    for (let i = 0; i < 10; i++) await settled()
    files.journal.held[0]?.fail(new Error('gone'))
    await expect(rewriting).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    files.journal.holds = false
    const left = await replay(files.journal)
    expect([...left.tree.keys()].filter((path) => path.startsWith('/.recoverylog/'))).toHaveLength(1)
    const next = await openRecorder(files.journal, { fsm: left.fsm, author: AUTHOR + 1 })
    await next.recorder.barrier()
    const { tree } = await replay(files.journal)
    expect([...tree.keys()]).toEqual(['/a'])
    expect(isSame(tree.get('/a'), files.content)).toBe(true)
  })
})

describe('history', () => {
  it('counts what is recorded for each file, from what the log had on (countHistory)', async () => {
    const files = await Files.open({}, { countHistory: true })
    expect(files.recorder.historyBytes(files.fnode)).toBe(0)
    const { position } = files.recorder
    files.write(0, counting(1000))
    files.write(0, counting(10))
    const history = files.recorder.position - position
    expect(files.recorder.historyBytes(files.fnode)).toBe(history)
    await files.recorder.close()
    const { fsm } = await replay(files.journal)
    const { recorder } = await openRecorder(files.journal, { fsm, countHistory: true })
    expect(recorder.historyBytes(files.fnode)).toBe(position + history)
    recorder.remove('/dir/a')
    expect(recorder.historyBytes(files.fnode)).toBe(0)
  })

  it('outweighs a file when it is larger by a factor, and worth it', async () => {
    const files = await Files.open({}, { countHistory: true })
    while (files.recorder.historyBytes(files.fnode) <= HISTORY_BYTES_MIN) {
      expect(files.recorder.outweighs(files.fnode, 0)).toBe(false)
      files.write(0, counting(100_000))
    }
    const history = files.recorder.historyBytes(files.fnode)
    const size = Math.floor(history / HISTORY_FACTOR)
    expect([size - 1, size + 1].map((bytes) => files.recorder.outweighs(files.fnode, bytes))).toEqual([
      true,
      false,
    ])
    await files.rewrite()
    expect(files.recorder.historyBytes(files.fnode)).toBeLessThan(files.content.length + 200)
    expect(files.recorder.outweighs(files.fnode, files.content.length)).toBe(false)
  })

  it('is not counted unless asked for', async () => {
    const files = await Files.open()
    files.write(0, counting(10_000))
    expect(files.recorder.historyBytes(files.fnode)).toBe(0)
    expect(files.recorder.outweighs(files.fnode, 0)).toBe(false)
    expect(files.recorder.journal.name).toBe(LOG)
  })
})
