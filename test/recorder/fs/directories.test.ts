import * as nodeFs from 'node:fs'
import { expect, test } from 'vitest'
import { FSM } from '../../../src/fsm/index.ts'
import { MemoryJournal } from '../../../src/journal/memory/index.ts'
import type { NodeFileSystem } from '../../../src/recorder/fs/index.ts'
import { Recorder } from '../../../src/recorder/index.ts'
import {
  codeOf,
  LOG,
  memoryDisk,
  promisesOnly,
  recorded,
  type Recorded,
  recover,
  temporaryFolder,
} from './recorded.ts'

const linksOf = ({ recorder }: Recorded): string[] => [...recorder.fsm.links()].map(({ path }) => path).sort()

test('directories: an empty one has a marker in the log for as long as it is empty, and never on the disk', async () => {
  const r = await recorded()
  const { fs } = r
  const after = (call: () => unknown): string[] => {
    call()
    return linksOf(r)
  }
  expect(linksOf(r)).toEqual(['/.emptydir'])
  expect(after(() => fs.mkdirSync('/d'))).toEqual(['/d/.emptydir'])
  expect(after(() => fs.mkdirSync('/d/e/f', { recursive: true }))).toEqual(['/d/e/f/.emptydir'])
  expect(
    after(() => {
      fs.writeFileSync('/d/a', '')
    }),
  ).toEqual(['/d/a', '/d/e/f/.emptydir'])
  expect(
    after(() => {
      fs.renameSync('/d/a', '/d/e/f/a')
    }),
  ).toEqual(['/d/e/f/a'])
  expect(
    after(() => {
      fs.renameSync('/d/e/f/a', '/a')
    }),
  ).toEqual(['/a', '/d/e/f/.emptydir'])
  expect(
    after(() => {
      fs.linkSync('/a', '/d/e/f/b')
    }),
  ).toEqual(['/a', '/d/e/f/b'])
  expect(
    after(() => {
      fs.unlinkSync('/d/e/f/b')
    }),
  ).toEqual(['/a', '/d/e/f/.emptydir'])
  expect(
    after(() => {
      fs.rmdirSync('/d/e/f')
    }),
  ).toEqual(['/a', '/d/e/.emptydir'])
  expect(
    after(() => {
      fs.renameSync('/d/e', '/e')
    }),
  ).toEqual(['/a', '/d/.emptydir', '/e/.emptydir'])
  expect(
    after(() => {
      fs.renameSync('/e', '/d')
    }),
  ).toEqual(['/a', '/d/.emptydir'])
  expect(after(() => fs.mkdtempSync('/d/t-')).map((path) => path.length)).toEqual([
    2,
    '/d/t-XXXXXX/.emptydir'.length,
  ])
  expect(
    after(() => {
      fs.rmSync('/d', { recursive: true })
    }),
  ).toEqual(['/a'])
  expect(
    after(() => {
      fs.rmSync('/a')
    }),
  ).toEqual(['/.emptydir'])
  expect(nodeFs.readdirSync(r.root)).toEqual([])
  await r.check()
})

test('directories: a log that others recorded gets its markers right at once', async () => {
  const journal = new MemoryJournal({ name: LOG })
  const fsm = new FSM({ log: LOG, liveNodes: [], properties: [] })
  const other = await Recorder.open({ journal, fsm, author: 7 })
  other.write(other.create('/d/file'), 0, Buffer.from('file'))
  other.create('/d/.emptydir') // stale: the directory is not empty
  other.write(other.create('/e/.emptydir'), 0, Buffer.from('no marker'))
  other.create('/f/.emptydir')
  await other.barrier()
  const root = temporaryFolder()
  const played = await recover(journal, nodeFs, `${root}/played`)
  const r = await recorded({ journal, fsm: played, root: `${root}/played` })
  expect(linksOf(r)).toEqual(['/d/file', '/e/.emptydir', '/f/.emptydir'])
  expect(nodeFs.readdirSync(`${r.root}/f`)).toEqual([])
  expect(r.fs.readFileSync('/e/.emptydir', 'utf8')).toBe('no marker')
  expect(
    codeOf(() => {
      r.fs.unlinkSync('/e/.emptydir')
    }),
  ).toBe('EPERM')
  await r.check()
  r.fs.rmSync('/e', { recursive: true })
  r.fs.mkdirSync('/e')
  expect(linksOf(r)).toEqual(['/d/file', '/e/.emptydir', '/f/.emptydir'])
  await r.check()
})

for (const [where, seen] of [
  ['', undefined],
  [', promises only', promisesOnly(nodeFs)],
] as const) {
  test(`directories: a rename is one append, or EXDEV before anything is changed${where}`, async () => {
    const journal = new MemoryJournal({ name: LOG, maxAppendBytes: 8 * 1024 })
    const { fs, recorder, root, check } = await recorded({ journal, ...(seen === undefined ? {} : { seen }) })
    await fs.promises.mkdir('/few')
    await fs.promises.mkdir('/many/empty', { recursive: true })
    for (let i = 0; i < 60; i++) await fs.promises.writeFile(`/many/${'x'.repeat(40)}${String(i)}`, '')
    await fs.promises.writeFile('/few/a', 'a')
    const position = recorder.position
    await expect(fs.promises.rename('/many', '/moved')).rejects.toMatchObject({
      code: 'EXDEV',
      path: '/many',
      dest: '/moved',
    })
    expect(recorder.position).toBe(position)
    expect(nodeFs.existsSync(`${root}/moved`)).toBe(false)
    const open = await fs.promises.open('/few/a', 'r+')
    await fs.promises.rename('/few', '/moved')
    await open.write('b', 1)
    await open.close()
    expect(await fs.promises.readFile('/moved/a', 'utf8')).toBe('ab')
    await check()
  })
}

for (const disk of [undefined, memoryDisk]) {
  test(`directories: what Linux refuses of a rename and a link is refused (${disk === undefined ? 'node:fs' : 'memfs'})`, async () => {
    const { fs, check } = await recorded(disk === undefined ? {} : { disk: disk() })
    fs.mkdirSync('/d/e', { recursive: true })
    fs.mkdirSync('/x')
    fs.writeFileSync('/a', 'a')
    fs.linkSync('/a', '/b')
    const rename = (from: string, to: string) =>
      codeOf(() => {
        fs.renameSync(from, to)
      })
    expect(rename('/x', '/d')).toBe('ENOTEMPTY')
    expect(rename('/a', '/x')).toBe('EISDIR')
    expect(rename('/x', '/a')).toBe('ENOTDIR')
    expect(rename('/a/', '/x')).toBe('ENOTDIR')
    expect(rename('/a', '/x/')).toBe('ENOTDIR')
    expect(rename('/a', '/z/')).toBe('ENOTDIR')
    expect(rename('/d', '/d/e/f')).toBe('EINVAL')
    expect(rename('/d/e', '/d')).toBe('ENOTEMPTY')
    expect(rename('/', '/z')).toBe('EBUSY')
    expect(rename('/d', '/')).toBe('EBUSY')
    expect(rename('/none', '/z')).toBe('ENOENT')
    expect(rename('/a', '/b')).toBe('no error')
    expect(rename('/a', '/a')).toBe('no error')
    expect(
      codeOf(() => {
        fs.linkSync('/d', '/z')
      }),
    ).toBe('EPERM')
    expect(
      codeOf(() => {
        fs.linkSync('/d', '/z/')
      }),
    ).toBe('ENOENT')
    expect(
      codeOf(() => {
        fs.linkSync('/a', '/a/b')
      }),
    ).toBe('ENOTDIR')
    expect(
      codeOf(() => {
        fs.rmdirSync('/')
      }),
    ).toBe('EBUSY')
    expect(
      codeOf(() => {
        fs.rmSync('/', { recursive: true })
      }),
    ).toBe('EBUSY')
    expect(Object.keys(await check())).toEqual(['/a', '/b', '/d', '/d/e', '/x'])
  })

  test(`directories: rm and cp take and refuse what those of node do (${disk === undefined ? 'node:fs' : 'memfs'})`, async () => {
    const { fs, check } = await recorded(disk === undefined ? {} : { disk: disk() })
    fs.mkdirSync('/d/e', { recursive: true })
    fs.writeFileSync('/d/a', 'a')
    fs.writeFileSync('/d/e/b', 'b')
    const rm = (path: string, options?: object) =>
      codeOf(() => {
        fs.rmSync(path, options)
      })
    const cp = (from: string, to: string, options?: object) =>
      codeOf(() => {
        fs.cpSync(from, to, options)
      })
    expect(rm('/d')).toBe('ERR_FS_EISDIR')
    expect(rm('/none')).toBe('ENOENT')
    expect(rm('/none', { force: true })).toBe('no error')
    expect(cp('/d', '/f')).toBe('ERR_FS_EISDIR')
    expect(cp('/d', '/d/e/f', { recursive: true })).toBe('ERR_FS_CP_EINVAL')
    expect(cp('/d', '/d', { recursive: true })).toBe('ERR_FS_CP_EINVAL')
    expect(cp('/d', '/d/a', { recursive: true })).toBe('ERR_FS_CP_DIR_TO_NON_DIR')
    expect(cp('/d/a', '/d/e')).toBe('ERR_FS_CP_NON_DIR_TO_DIR')
    expect(cp('/none', '/f')).toBe('ENOENT')
    expect(cp('/d', '/new/copy', { recursive: true, filter: (path: string) => path !== '/d/a' })).toBe(
      'no error',
    )
    expect(cp('/d/a', '/new/copy/e/b', { force: false })).toBe('no error')
    expect(cp('/d/a', '/new/copy/e/b', { force: false, errorOnExist: true })).toBe('ERR_FS_CP_EEXIST')
    expect(fs.readFileSync('/new/copy/e/b', 'utf8')).toBe('b')
    fs.utimesSync('/d/a', 1000, 2000)
    expect(cp('/d/a', '/new/copy/e/b', { preserveTimestamps: true })).toBe('no error')
    expect(fs.statSync('/new/copy/e/b').mtimeMs).toBe(2_000_000)
    expect(cp('/d', '/new/copy', { recursive: true })).toBe('no error')
    expect(
      codeOf(() => {
        fs.copyFileSync('/d/a', '/d/e/b', 4)
      }),
    ).toBe('ENOSYS')
    fs.rmdirSync('/d', { recursive: true })
    expect(await check()).toEqual({
      '/new': 'dir',
      '/new/copy': 'dir',
      '/new/copy/a': '"a"',
      '/new/copy/e': 'dir',
      '/new/copy/e/b': '"b"',
    })
  })
}

test('directories: a filter of cp may answer later, in the asynchronous forms', async () => {
  const { fs, check } = await recorded()
  fs.mkdirSync('/d')
  fs.writeFileSync('/d/a', 'a')
  fs.writeFileSync('/d/b', 'b')
  const asked: string[] = []
  const filter = async (from: string, to: string): Promise<boolean> => {
    asked.push(`${from} ${to}`)
    return !from.endsWith('b')
  }
  await fs.promises.cp('/d', '/e', { recursive: true, filter })
  expect(asked).toEqual(['/d /e', '/d/a /e/a', '/d/b /e/b'])
  expect(
    codeOf(() => {
      fs.cpSync('/d', '/f', { recursive: true, filter: filter as unknown as () => boolean })
    }),
  ).toBe('ERR_INVALID_RETURN_VALUE')
  expect(Object.keys(await check())).toEqual(['/d', '/d/a', '/d/b', '/e', '/e/a'])
})

test('directories: modes and times are kept on the disk', async () => {
  const { fs, recorder } = await recorded()
  fs.writeFileSync('/a', '', { mode: 0o640 })
  fs.mkdirSync('/d', { mode: 0o700 })
  fs.mkdirSync('/e', 0o750)
  expect([fs.statSync('/a'), fs.statSync('/d'), fs.statSync('/e')].map(({ mode }) => mode & 0o777)).toEqual([
    0o640, 0o700, 0o750,
  ])
  const position = recorder.position
  const fd = fs.openSync('/a', 'r')
  const calls: ((fs: NodeFileSystem) => void)[] = [
    (fs) => {
      fs.chmodSync('/a', 0o600)
    },
    (fs) => {
      fs.fchmodSync(fd, 0o604)
    },
    (fs) => {
      fs.chownSync('/a', 0, 0)
    },
    (fs) => {
      fs.fchownSync(fd, 0, 0)
    },
    (fs) => {
      fs.lchownSync('/a', 0, 0)
    },
    (fs) => {
      fs.utimesSync('/a', 1, 2)
    },
    (fs) => {
      fs.futimesSync(fd, 3, 4)
    },
    (fs) => {
      fs.lutimesSync('/a', 5, 6)
    },
  ]
  for (const call of calls) call(fs)
  expect(fs.statSync('/a')).toMatchObject({ atimeMs: 5000, mtimeMs: 6000 })
  expect(fs.statSync('/a').mode & 0o777).toBe(0o604)
  expect(recorder.position).toBe(position)
  fs.copyFileSync('/a', '/copy')
  expect(fs.statSync('/copy').mode & 0o777).toBe(0o604)
  fs.closeSync(fd)
})
