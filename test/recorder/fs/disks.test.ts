/** Underlying file systems that have less than node:fs: what they have is used, what they lack is told. */
import * as nodeFs from 'node:fs'
import { expect, test } from 'vitest'
import { Disk } from '../../../src/recorder/fs/disk.ts'
import { operationError, retold, systemError, withVirtualPaths } from '../../../src/recorder/fs/errors.ts'
import { codeOf, promisesOnly, recorded } from './recorded.ts'

type Members = Record<string, unknown>

const some = (keep: (name: string) => boolean): object =>
  Object.fromEntries(Object.entries(nodeFs).filter(([name]) => keep(name)))

const DISKS = {
  'synchronous functions only': some((name) => name.endsWith('Sync')),
  'no promises': some((name) => name !== 'promises'),
  'no callbacks': some((name) => name.endsWith('Sync') || name === 'promises'),
  'no constants': { ...nodeFs, constants: undefined, promises: { ...nodeFs.promises, constants: undefined } },
  'methods of a class': Object.create(nodeFs) as object,
}

for (const [name, seen] of Object.entries(DISKS)) {
  test(`disk: every form works over ${name}`, async () => {
    const { fs, check } = await recorded({ seen })
    fs.mkdirSync('/d')
    await fs.promises.writeFile('/d/a', 'text')
    expect(await fs.promises.readFile('/d/a', 'utf8')).toBe('text')
    expect(await fs.promises.readdir('/d')).toEqual(['a'])
    const handle = await fs.promises.open('/d/a', 'r+')
    expect((await handle.read(Buffer.alloc(2), 0, 2, 1)).bytesRead).toBe(2)
    expect((await handle.stat()).size).toBe(4)
    await handle.close()
    await expect(fs.promises.stat('/none')).rejects.toMatchObject({ code: 'ENOENT', path: '/none' })
    const told = await new Promise((resolve) => {
      fs.stat('/none', resolve)
    })
    expect(told).toMatchObject({ code: 'ENOENT', path: '/none' })
    await check()
  })
}

test('disk: what it lacks is ENOSYS when it is asked for', async () => {
  const { statfsSync: _one, statfs: _other, ...rest } = nodeFs
  const { statfs: _third, ...promises } = nodeFs.promises
  const { fs } = await recorded({ seen: { ...rest, promises } })
  expect(codeOf(() => fs.statfsSync('/'))).toBe('ENOSYS')
  await expect(fs.promises.statfs('/')).rejects.toMatchObject({ code: 'ENOSYS' })
  const bare = await recorded({ seen: { promises } })
  await expect(bare.fs.promises.statfs('/')).rejects.toMatchObject({ code: 'ENOSYS' })
})

test('disk: a handle that lacks a method, and one that is not open, are told', async () => {
  const open = async (...args: Parameters<typeof nodeFs.promises.open>): Promise<object> => {
    const handle = await nodeFs.promises.open(...args)
    return { close: () => handle.close() }
  }
  const disk = new Disk({ promises: { ...nodeFs.promises, open } }, '/')
  const fd = (await disk.callAsync('open', ['/dev/null', 0, 0])) as number
  await expect(disk.callAsync('fstat', [fd])).rejects.toMatchObject({ code: 'ENOSYS' })
  await disk.callAsync('close', [fd])
  await expect(disk.callAsync('fstat', [fd])).rejects.toMatchObject({ code: 'EBADF' })
})

test('disk: without a Buffer of its own there are bytes, and UTF-8 alone', async () => {
  const realpath = async (path: string): Promise<string> => nodeFs.promises.realpath(path)
  const { fs } = await recorded({ seen: { ...nodeFs, promises: { ...nodeFs.promises, realpath } } })
  fs.writeFileSync('/a', 'ä')
  const fd = fs.openSync('/a', 'r')
  const bytes = fs.readFileSync(fd)
  expect([bytes, Buffer.isBuffer(bytes)]).toEqual([new TextEncoder().encode('ä'), false])
  fs.closeSync(fd)
  const again = fs.openSync('/a', 'r')
  expect(fs.readFileSync(again, 'utf8')).toBe('ä')
  expect(codeOf(() => fs.readFileSync(again, 'latin1'))).toBe('ERR_INVALID_ARG_VALUE')
  expect(
    codeOf(() => {
      fs.writeFileSync('/b', 'ff', 'hex')
    }),
  ).toBe('ERR_INVALID_ARG_VALUE')
  fs.closeSync(again)
})

test('disk: promises that answer no Dir, and streams, are what the underlying one has', async () => {
  const { fs } = await recorded({ seen: promisesOnly(nodeFs) })
  await fs.promises.mkdir('/d')
  const dir = await fs.promises.opendir('/')
  expect((await dir.read())?.name).toBe('d')
  await dir.close()
  expect('watch' in (fs as unknown as Members)).toBe(false)
})

test('errors: are of the shape of those of node', () => {
  const error = systemError('ENOENT', 'rename', '/a', '/b')
  const path = '/does/not/exist'
  const dest = '/does/not/exist/either'
  const real = (() => {
    try {
      nodeFs.renameSync(path, dest)
    } catch (caught) {
      return caught as NodeJS.ErrnoException
    }
    throw new Error('it exists')
  })()
  expect({ ...systemError('ENOENT', 'rename', path, dest) }).toEqual({ ...real })
  expect(systemError('ENOENT', 'rename', path, dest).message).toBe(real.message)
  expect(retold(error, 'copyfile', '/x', '/y')).toMatchObject({
    message: "ENOENT: no such file or directory, copyfile '/x' -> '/y'",
    code: 'ENOENT',
    errno: -2,
    syscall: 'copyfile',
    path: '/x',
    dest: '/y',
  })
  const others = [
    new TypeError('wrong'),
    'text',
    undefined,
    operationError('ERR_FS_CP_EINVAL', 'cp', 'EINVAL', 'same', '/a'),
  ]
  for (const other of others) expect(retold(other, 'cp', '/a', '/b')).toBe(other)
  for (const other of [...others.slice(0, 3), systemError('EBADF', 'read')]) {
    expect(withVirtualPaths(other, () => 'mapped')).toBe(other)
  }
})
