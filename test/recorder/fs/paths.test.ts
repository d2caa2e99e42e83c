import * as nodeFs from 'node:fs'
import { expect, test } from 'vitest'
import { normalise } from '../../../src/recorder/fs/paths.ts'
import { codeOf, memoryDisk, promisesOnly, recorded } from './recorded.ts'

test('paths: text, bytes and file URLs, absolute or not, are one place below /', async () => {
  const { fs, check } = await recorded()
  for (const path of [
    'a',
    '/a',
    './a',
    '//a',
    '/x/../a',
    '../../a',
    Buffer.from('/a'),
    new URL('file:///a'),
  ]) {
    fs.appendFileSync(path, '.')
  }
  expect(await check()).toEqual({ '/a': '"........"' })
})

test('paths: normalised', () => {
  const cases = {
    '/': '/',
    '.': '/',
    '..': '/',
    '/a/b': '/a/b',
    'a/b/': '/a/b',
    '/a//b': '/a/b',
    '/a/./b/.': '/a/b',
    '/a/../../b/..': '/',
    '/...': '/...',
    '/.a/..b': '/.a/..b',
  }
  for (const [path, normal] of Object.entries(cases)) expect([path, normalise(path)]).toEqual([path, normal])
})

test('paths: errors and results never name the folder below', async () => {
  const { fs, root } = await recorded()
  fs.mkdirSync('/d/e', { recursive: true })
  fs.writeFileSync('/d/f', '')
  const told: unknown[] = []
  const tell = (call: () => unknown): void => {
    try {
      told.push(call())
    } catch (error) {
      const { message, path, dest, stack } = error as NodeJS.ErrnoException & { dest?: string }
      told.push(message, path, dest, stack)
    }
  }
  tell(() => fs.readFileSync('/missing'))
  tell(() => fs.renameSync('/missing', '/d/x'))
  tell(() => fs.linkSync('/d/f', '/d/e'))
  tell(() => fs.rmdirSync('/d'))
  tell(() => fs.copyFileSync('/missing', '/d/x'))
  tell(() => fs.cpSync('/d', '/d/e/x', { recursive: true }))
  tell(() => fs.mkdtempSync('/missing/x'))
  tell(() => fs.mkdtempSync('/d/x'))
  tell(() => fs.realpathSync('/d/../d/e'))
  tell(() => fs.realpathSync.native('/d/none'))
  tell(() => fs.mkdirSync('/d/g/h', { recursive: true }))
  tell(() => fs.readdirSync('/', { withFileTypes: true, recursive: true }))
  const dir = fs.opendirSync('/d')
  tell(() => dir.path)
  dir.closeSync()
  tell(() => fs.opendirSync('/none'))
  tell(() => fs.watch('/none'))
  tell(() => fs.statfsSync('/none'))
  expect(told.length).toBeGreaterThan(20)
  expect(JSON.stringify(told)).not.toContain(root)
})

test('paths: entries of directories tell where they are', async () => {
  const { fs } = await recorded()
  fs.mkdirSync('/d/e', { recursive: true })
  fs.writeFileSync('/d/e/f', '')
  const entries = fs.readdirSync('/d', { withFileTypes: true, recursive: true })
  expect(entries.map(({ parentPath, name }) => `${parentPath} ${name}`).sort()).toEqual(['/d e', '/d/e f'])
  const dir = await fs.promises.opendir('/d')
  const seen: string[] = []
  for await (const { parentPath, name } of dir) seen.push(`${parentPath} ${name}`)
  expect(seen).toEqual(['/d e'])
  const sync = fs.opendirSync('/d')
  expect(sync.readSync()?.parentPath).toBe('/d')
  expect(sync.readSync()).toBe(null)
  sync.closeSync()
  const called = await new Promise<nodeFs.Dir>((resolve, reject) => {
    fs.opendir('/d', (error, opened) => {
      if (error === null) resolve(opened)
      else reject(error)
    })
  })
  await new Promise<void>((resolve) => {
    called.read((error, entry) => {
      expect([error, entry?.name]).toEqual([null, 'e'])
      called.close(() => {
        resolve()
      })
    })
  })
  await expect(called.read()).rejects.toMatchObject({ code: 'ERR_DIR_CLOSED' })
  await new Promise<void>((resolve) => {
    called.read((error) => {
      expect(error).toMatchObject({ code: 'ERR_DIR_CLOSED' })
      resolve()
    })
  })
})

test('paths: reserved, hidden and broken names are refused before anything is changed', async () => {
  const { fs, check, recorder } = await recorded()
  fs.writeFileSync('/a', 'a')
  const before = recorder.position
  const names = [
    '/.fnodes',
    '/.fnodes/x',
    '/.recoverylog',
    '/.recoverylog/x',
    '/.emptydir',
    '/d/.emptydir',
    '/.emptydir/x',
    '/\ud800',
  ]
  for (const name of names) {
    const calls = {
      writeFile: () => {
        fs.writeFileSync(name, '')
      },
      mkdir: () => fs.mkdirSync(name),
      rename: () => {
        fs.renameSync('/a', name)
      },
      renameFrom: () => {
        fs.renameSync(name, '/b')
      },
      link: () => {
        fs.linkSync('/a', name)
      },
      unlink: () => {
        fs.unlinkSync(name)
      },
      copyFile: () => {
        fs.copyFileSync('/a', name)
      },
      cp: () => {
        fs.cpSync('/a', name)
      },
      open: () => fs.openSync(name, 'a'),
      rm: () => {
        fs.rmSync(name)
      },
      rmdir: () => {
        fs.rmdirSync(name)
      },
      truncate: () => {
        fs.truncateSync(name)
      },
    }
    for (const [call, make] of Object.entries(calls)) {
      expect([name, call, codeOf(make)]).toEqual([name, call, 'EPERM'])
    }
    if (name !== '/\ud800') expect(codeOf(() => fs.statSync(name))).toMatch(/ENOENT|ENOTDIR/)
  }
  expect(codeOf(() => fs.mkdirSync(Buffer.from([0x2f, 0xff])))).toBe('EPERM')
  expect(recorder.position).toBe(before)
  fs.writeFileSync('/d.emptydir', '')
  fs.mkdirSync('/x')
  fs.writeFileSync('/x/.fnodes', '')
  fs.mkdirSync('/x/.recoverylog')
  expect(Object.keys(await check())).toEqual(['/a', '/d.emptydir', '/x', '/x/.fnodes', '/x/.recoverylog'])
})

test('paths: symbolic links are refused, in every form', async () => {
  const { fs } = await recorded()
  const wanted = "EPERM: operation not permitted, symlink 'target' -> '/link'"
  expect(() => {
    fs.symlinkSync('target', '/link')
  }).toThrow(wanted)
  await expect(fs.promises.symlink('target', '/link')).rejects.toMatchObject({ message: wanted, errno: -1 })
  const told = await new Promise((resolve) => {
    fs.symlink('target', '/link', resolve)
  })
  expect(told).toMatchObject({ code: 'EPERM', syscall: 'symlink', path: 'target', dest: '/link' })
})

test("paths: a caller's mistake is told as node tells it", async () => {
  const { fs } = await recorded()
  const wrong = (path: unknown): string => codeOf(() => fs.statSync(path as string))
  expect(wrong(5)).toBe('ERR_INVALID_ARG_TYPE')
  expect(wrong(undefined)).toBe('ERR_INVALID_ARG_TYPE')
  expect(wrong({ href: 'x' })).toBe('ERR_INVALID_ARG_TYPE')
  expect(wrong('/a\0b')).toBe('ERR_INVALID_ARG_VALUE')
  expect(wrong(new URL('http://a/b'))).toBe('ERR_INVALID_URL_SCHEME')
  expect(wrong(new URL('file:///a%2fb'))).toBe('ERR_INVALID_FILE_URL_PATH')
  expect(wrong('')).toBe('ENOENT')
  expect(codeOf(() => (fs.stat as unknown as (path: string) => void)('/a'))).toBe('ERR_INVALID_ARG_TYPE')
})

for (const make of [() => undefined, memoryDisk]) {
  test(`paths: too long a name is ENAMETOOLONG (${make.name})`, async () => {
    const disk = make()
    const { fs, check } = await recorded(disk === undefined ? {} : { disk })
    expect(codeOf(() => fs.mkdirSync(`/${'n'.repeat(256)}`))).toBe('ENAMETOOLONG')
    expect(codeOf(() => fs.mkdirSync(`/${'ä'.repeat(128)}`))).toBe('ENAMETOOLONG')
    expect(codeOf(() => fs.mkdirSync('/n'.repeat(2048)))).toBe('ENAMETOOLONG')
    fs.mkdirSync(`/${'n'.repeat(255)}`)
    await check()
  })
}

test('paths: a link on the disk is followed within the root, and not out of it', async () => {
  const { fs, root, check } = await recorded()
  fs.mkdirSync('/d')
  fs.writeFileSync('/d/f', 'f')
  nodeFs.writeFileSync(`${root}-beside`, 'secret')
  nodeFs.symlinkSync('d/f', `${root}/relative`)
  nodeFs.symlinkSync(`${root}/d`, `${root}/absolute`)
  nodeFs.symlinkSync(`${root}-beside`, `${root}/out`)
  nodeFs.symlinkSync('../../../../etc', `${root}/up`)
  nodeFs.symlinkSync('loop', `${root}/loop`)
  nodeFs.symlinkSync(root, `${root}/self`)
  expect(fs.readFileSync('/relative', 'utf8')).toBe('f')
  fs.appendFileSync('/absolute/f', 'g')
  expect(fs.readFileSync('/self/self/d/f', 'utf8')).toBe('fg')
  expect(codeOf(() => fs.readFileSync('/out'))).toBe('EPERM')
  expect(codeOf(() => fs.readFileSync('/up/passwd'))).toBe('EPERM')
  expect(codeOf(() => fs.readFileSync('/loop'))).toBe('ELOOP')
  expect(fs.existsSync('/out')).toBe(false)
  expect(fs.existsSync('/relative')).toBe(true)
  expect(fs.lstatSync('/out').isSymbolicLink()).toBe(true)
  expect(fs.readlinkSync('/absolute')).toBe('/d')
  expect(fs.readlinkSync('/relative')).toBe('d/f')
  expect(fs.readlinkSync('/relative', 'buffer')).toEqual(Buffer.from('d/f'))
  expect(fs.realpathSync('/self/absolute/f')).toBe('/d/f')
  expect(
    codeOf(() => {
      fs.renameSync('/out', '/d/out')
    }),
  ).toBe('EPERM')
  expect(
    codeOf(() => {
      fs.linkSync('/out', '/d/out')
    }),
  ).toBe('EPERM')
  expect(
    codeOf(() => {
      fs.cpSync('/out', '/copy')
    }),
  ).toBe('EPERM')
  fs.unlinkSync('/out')
  expect(codeOf(() => fs.lstatSync('/out'))).toBe('ENOENT')
  expect(await check()).toEqual({ '/d': 'dir', '/d/f': '"fg"' })
  nodeFs.rmSync(`${root}-beside`)
})

test('paths: what was put there behind its back is read, removed, and not written', async () => {
  const { fs, root, check } = await recorded()
  nodeFs.writeFileSync(`${root}/foreign`, 'text')
  nodeFs.mkdirSync(`${root}/folder/inner`, { recursive: true })
  expect(fs.readFileSync('/foreign', 'utf8')).toBe('text')
  const calls = [
    () => {
      fs.writeFileSync('/foreign', '')
    },
    () => fs.openSync('/foreign', 'r+'),
    () => {
      fs.truncateSync('/foreign')
    },
    () => {
      fs.renameSync('/foreign', '/x')
    },
    () => {
      fs.linkSync('/foreign', '/x')
    },
  ]
  for (const call of calls) expect(codeOf(call)).toBe('EPERM')
  fs.rmSync('/foreign')
  fs.rmSync('/folder', { recursive: true })
  expect(await check()).toEqual({})
  expect(nodeFs.readdirSync(root)).toEqual([])
})

test('paths: on Windows also what a player there would refuse', async () => {
  const { fs } = await recorded({ platform: 'windows' })
  for (const name of ['/a\\b', '/a:b', '/con', '/d/NUL.txt', '/lpt1', '/a.', '/a /b']) {
    expect([name, codeOf(() => fs.mkdirSync(name))]).toEqual([name, 'EPERM'])
  }
  fs.mkdirSync('/console')
})

test('paths: the root of the underlying file system can be the root', async () => {
  const disk = memoryDisk()
  disk.rmdirSync('/disk')
  const { fs, recorder, files } = await recorded({ disk, root: '/' })
  fs.mkdirSync('/d')
  fs.writeFileSync('/d/a', 'a')
  expect(fs.realpathSync('/d/a')).toBe('/d/a')
  expect(() => fs.readFileSync('/d/x')).toThrow("open '/d/x'")
  expect(fs.readdirSync('/')).toEqual(['d'])
  await files.sync()
  expect([...recorder.fsm.links()].map(({ path }) => path)).toEqual(['/d/a'])
})

test('paths: over promises only they are found the same way', async () => {
  const { fs, root } = await recorded({ seen: promisesOnly(nodeFs) })
  await fs.promises.mkdir('/d')
  nodeFs.symlinkSync('/etc', `${root}/out`)
  nodeFs.symlinkSync('d', `${root}/in`)
  await expect(fs.promises.readdir('/out')).rejects.toMatchObject({ code: 'EPERM' })
  await fs.promises.writeFile('/in/a', 'a')
  expect(await fs.promises.realpath('/in/a')).toBe('/d/a')
  await expect(fs.promises.stat('/d/x')).rejects.toMatchObject({ path: '/d/x' })
})
