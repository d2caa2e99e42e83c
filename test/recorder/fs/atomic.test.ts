/** One call is one append, as long as it fits; a property of an old log; trees that were there; files recorded anew. */
import * as nodeFs from 'node:fs'
import { expect, test } from 'vitest'
import { FSM } from '../../../src/fsm/index.ts'
import type { AppendRequest, Commit } from '../../../src/journal/index.ts'
import { MemoryJournal } from '../../../src/journal/memory/index.ts'
import type { NodeFileSystem } from '../../../src/recorder/fs/index.ts'
import { Player } from '../../../src/player/index.ts'
import {
  codeOf,
  LOG,
  memoryDisk,
  promisesOnly,
  recorded,
  recoveredTree,
  temporaryFolder,
  treeOf,
} from './recorded.ts'

/** Knows where each append ended. */
class CountingJournal extends MemoryJournal {
  readonly ends: number[] = []

  override async append(request: AppendRequest): Promise<Commit> {
    const commit = await super.append(request)
    if (request.content.length > 0) this.ends.push(commit.end)
    return commit
  }
}

/** A journal with the first `end` bytes of another. */
async function prefix(journal: MemoryJournal, end: number): Promise<MemoryJournal> {
  const chunks: Uint8Array[] = []
  for await (const { bytes } of journal.read({ offset: 0 })) chunks.push(bytes.slice())
  return new MemoryJournal({
    name: LOG,
    content: [{ begin: 0, bytes: Buffer.concat(chunks).subarray(0, end) }],
  })
}

const CALLS: ((fs: NodeFileSystem) => Promise<unknown>)[] = [
  (fs) => fs.promises.writeFile('/a', 'first'),
  (fs) => fs.promises.writeFile('/a', 'second'),
  (fs) => fs.promises.link('/a', '/b'),
  (fs) => fs.promises.truncate('/b', 3),
  (fs) => fs.promises.writeFile('/b', ['a ', 'stream ', 'of ', 'pieces']),
  (fs) => fs.promises.mkdir('/d/e/f', { recursive: true }),
  (fs) => fs.promises.copyFile('/a', '/d/e/copy'),
  (fs) => fs.promises.cp('/d', '/cp', { recursive: true }),
  (fs) => fs.promises.rename('/d', '/moved'),
  (fs) => fs.promises.rename('/a', '/moved/e/a'), // memfs miscounts what is renamed over
  (fs) => fs.promises.rm('/moved', { recursive: true }),
  (fs) => fs.promises.mkdtemp('/cp/t-'),
  (fs) => fs.promises.unlink('/b'),
  (fs) => fs.promises.appendFile('/cp/e/copy', ' more'),
  (fs) => fs.promises.rmdir('/cp/e/f'),
]

for (const overPromises of [false, true]) {
  test(`atomic: every call is one append, and a replay up to it is the disk after it (promises only: ${String(overPromises)})`, async () => {
    const journal = new CountingJournal({ name: LOG })
    const disk = memoryDisk()
    const { fs, files } = await recorded({
      disk,
      journal,
      ...(overPromises ? { seen: promisesOnly(disk) } : {}),
    })
    await files.sync()
    for (const [index, call] of CALLS.entries()) {
      const appends = journal.ends.length
      await call(fs)
      await files.sync()
      expect([index, journal.ends.length - appends]).toEqual([index, 1])
      expect(await recoveredTree(journal)).toEqual(treeOf(disk, '/disk'))
    }
  })
}

test('atomic: a call beyond maxAppendBytes is split, and a stream of pieces is written as far as it came', async () => {
  const journal = new CountingJournal({ name: LOG, maxAppendBytes: 4096 })
  const { fs, check } = await recorded({ journal })
  const large = Buffer.alloc(10_000, 'large')
  fs.writeFileSync('/large', large)
  fs.copyFileSync('/large', '/copy')
  await fs.promises.writeFile(
    '/pieces',
    (function* () {
      for (let i = 0; i < 10; i++) yield Buffer.alloc(1000, String(i))
    })(),
  )
  async function* failing() {
    yield 'some'
    await Promise.resolve()
    throw new Error('the source failed')
  }
  await expect(fs.promises.writeFile('/failed', failing())).rejects.toThrow('the source failed')
  await expect(fs.promises.writeFile('/failed', { length: 1 } as unknown as string)).rejects.toMatchObject({
    code: 'ERR_INVALID_ARG_TYPE',
  })
  const tree = await check()
  expect(tree['/copy']).toBe(tree['/large'])
  expect(fs.statSync('/pieces').size).toBe(10_000)
  expect(tree['/failed']).toBe('"some"')
  expect(journal.ends.length).toBeGreaterThan(6)
})

test('atomic: a copy of what does not fit one append is spilled where the queue is bounded', async () => {
  const journal = new MemoryJournal({ name: LOG, maxAppendBytes: 512 * 1024 })
  const { fs, check, root } = await recorded({ journal, recorder: { queueBytesMax: 1024 * 1024 } })
  nodeFs.mkdirSync(`${root}-outside`)
  fs.writeFileSync('/a', Buffer.alloc(5 * 1024 * 1024, 'a'))
  fs.copyFileSync('/a', '/b')
  await fs.promises.copyFile('/a', '/c')
  const tree = await check()
  expect(new Set(Object.values(tree)).size).toBe(1)
  nodeFs.rmdirSync(`${root}-outside`)
})

test('properties: of an old log, they are recorded whole, and stay', async () => {
  const root = temporaryFolder()
  nodeFs.mkdirSync(`${root}/d`)
  nodeFs.writeFileSync(`${root}/IDENTITY`, 'old')
  nodeFs.writeFileSync(`${root}/d/property`, 'text')
  const properties = [
    { path: '/IDENTITY', content: 'old' },
    { path: '/d/property', content: 'text' },
  ]
  const journal = new MemoryJournal({ name: LOG })
  const { fs, recorder } = await recorded({
    journal,
    root,
    fsm: new FSM({ log: LOG, liveNodes: [], properties }),
  })
  const now = () => recorder.fsm.properties.get('/IDENTITY')
  const fd = fs.openSync('/IDENTITY', 'r+')
  fs.writeSync(fd, Buffer.from('NEW'), 0, 3, 1)
  expect(now()).toBe('oNEW')
  fs.writevSync(fd, [Buffer.from('a'), Buffer.from('b')], 0)
  expect(now()).toBe('abEW')
  fs.ftruncateSync(fd, 2)
  expect(now()).toBe('ab')
  fs.ftruncateSync(fd, 3)
  expect(now()).toBe('ab\0')
  fs.writeFileSync('/IDENTITY', 'whole')
  expect(now()).toBe('whole')
  fs.appendFileSync('/IDENTITY', '!')
  expect(now()).toBe('whole!')
  fs.writeFileSync('/new', 'renamed')
  const renamed = fs.openSync('/new', 'r+')
  fs.renameSync('/new', '/IDENTITY')
  expect(now()).toBe('renamed')
  fs.writeSync(renamed, 'R')
  expect(now()).toBe('Renamed')
  fs.writeSync(fd, 'of no name any more')
  expect(now()).toBe('Renamed')
  fs.copyFileSync('/IDENTITY', '/copy')
  fs.copyFileSync('/copy', '/d/property')
  expect(recorder.fsm.properties.get('/d/property')).toBe('Renamed')
  const refused = [
    () => {
      fs.unlinkSync('/IDENTITY')
    },
    () => {
      fs.rmSync('/d', { recursive: true })
    },
    () => {
      fs.renameSync('/IDENTITY', '/other')
    },
    () => {
      fs.renameSync('/d', '/e')
    },
    () => {
      fs.linkSync('/IDENTITY', '/other')
    },
    () => {
      fs.writeFileSync('/IDENTITY', Buffer.from([0xff]))
    },
    () => {
      fs.writeSync(renamed, Buffer.from([0xff]), 0, 1, 0)
    },
  ]
  for (const call of refused) expect(codeOf(call)).toBe('EPERM')
  expect(
    codeOf(() => {
      fs.renameSync('/none', '/IDENTITY')
    }),
  ).toBe('ENOENT')
  expect(fs.readFileSync('/d/property', 'utf8')).toBe('Renamed')
  expect(fs.readFileSync('/IDENTITY', 'utf8')).toBe(now())
  fs.closeSync(fd)
  fs.closeSync(renamed)
  await recorder.barrier()
  expect(await recoveredTree(journal)).toEqual(treeOf(nodeFs, root))
})

test('recordTree: records what is there, in place', async () => {
  const root = temporaryFolder()
  nodeFs.mkdirSync(`${root}/d/empty`, { recursive: true })
  nodeFs.writeFileSync(`${root}/d/a`, Buffer.alloc(2_500_000, 'a'))
  nodeFs.linkSync(`${root}/d/a`, `${root}/b`)
  nodeFs.writeFileSync(`${root}/zero`, '')
  nodeFs.symlinkSync('b', `${root}/link`)
  const { fs, files, check } = await recorded({ root })
  const progress: unknown[] = []
  const answer = await files.recordTree({ onProgress: (done) => progress.push(done) })
  expect(answer).toEqual({ files: 3, directories: 2, bytes: 2_500_000, left: ['/link'] })
  expect(progress).toHaveLength(3)
  await check()
  fs.renameSync('/d', '/e')
  fs.appendFileSync('/b', 'more')
  await check()
})

test('recordTree: a name that no player would make is refused before anything is recorded', async () => {
  for (const name of ['.fnodes', '.emptydir', '.recoverylog', Buffer.from([0xff, 0x41])]) {
    const root = temporaryFolder()
    nodeFs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name)]), '')
    const { files, recorder } = await recorded({ root })
    const position = recorder.position
    await expect(files.recordTree()).rejects.toMatchObject({ code: 'PATH_REFUSED' })
    expect(recorder.position).toBe(position)
  }
  const root = temporaryFolder()
  nodeFs.writeFileSync(`${root}/a`, '')
  const { files } = await recorded({ root })
  await expect(files.recordTree({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
})

for (const overPromises of [false, true]) {
  test(`rewrite: a file is recorded anew while it is written (promises only: ${String(overPromises)})`, async () => {
    const { fs, files, recorder, check } = await recorded(overPromises ? { seen: promisesOnly(nodeFs) } : {})
    const handle = await fs.promises.open('/a', 'w+')
    await handle.write(Buffer.alloc(3_000_000, 'a'))
    const before = recorder.fnodeOf('/a')
    const rewriting = files.rewrite('/a')
    for (let i = 0; i < 50; i++) {
      await handle.write('written', i * 60_000)
      await files.sync()
    }
    await rewriting
    expect(recorder.fnodeOf('/a')).not.toBe(before)
    await handle.write('behind', 2_999_999)
    await handle.close()
    await check()
    await expect(files.rewrite('/none')).rejects.toMatchObject({ code: 'ENOENT' })
  })
}

test('open: a recorder of another directory, or with properties of its own, is refused', async () => {
  await expect(recorded({ recorder: { dir: '/elsewhere' } })).rejects.toThrow(TypeError)
  await expect(recorded({ recorder: { properties: ['/p'] } })).rejects.toThrow(TypeError)
  await expect(recorded({ root: '/does/not/exist' })).rejects.toMatchObject({ code: 'ENOENT' })
})

test('open: what a half-done truncation left is no part of the tree', async () => {
  const journal = new MemoryJournal({ name: LOG, maxAppendBytes: 4096 })
  const { fs, files, recorder } = await recorded({ journal })
  fs.writeFileSync('/a', Buffer.alloc(20_000, 'a'))
  await files.sync()
  const before = recorder.head
  fs.truncateSync('/a', 15_000)
  await files.sync()
  // Somewhere in the middle of it, at the end of an append.
  const cut = await prefix(journal, before + Math.trunc((recorder.head - before) / 8192) * 4096)
  const { fs: memory } = { fs: memoryDisk() }
  const player = new Player({
    hints: { log: LOG, liveNodes: [], properties: [] },
    journals: { [LOG]: cut },
    dir: '/disk/played',
    fs: memory,
    directoryMarkers: true,
  })
  player.finishAtWriteHead()
  const { fsm } = await player.play()
  expect([...fsm.links()].some(({ path }) => path.startsWith('/.recoverylog/'))).toBe(true)
  const again = await recorded({ disk: memory, root: '/disk/played', fsm, journal: cut })
  expect(await again.check()).toMatchObject({ '/a': expect.stringContaining('20000') as string })
})
