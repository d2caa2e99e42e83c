import * as nodeFs from 'node:fs'
import { promisify } from 'node:util'
import { memfs } from 'memfs'
import { expect, test } from 'vitest'
import {
  FS_SUPPORT,
  HANDLE_SUPPORT,
  type NodeFileSystem,
  PROMISES_SUPPORT,
} from '../../../src/recorder/fs/index.ts'
import { memoryDisk, promisesOnly, recorded } from './recorded.ts'

type Members = Record<string, unknown>

/** Data that is shared, not called. */
const SHARED = new Set([
  'Stats',
  'Dirent',
  'Dir',
  '_toUnixTimestamp',
  'promises',
  'constants',
  'F_OK',
  'R_OK',
  'W_OK',
  'X_OK',
])

/** In some versions of Node only. */
const NOT_EVERYWHERE = new Set([
  'glob',
  'globSync',
  'mkdtempDisposable',
  'mkdtempDisposableSync',
  'Utf8Stream',
  'lchmod',
  'lchmodSync',
])

const names = (object: object): string[] =>
  Object.keys(object).filter((name) => (object as Members)[name] !== undefined)

test('support: every member of node:fs is in the table and on the recorded one', async () => {
  const { fs } = await recorded()
  for (const name of names(nodeFs)) {
    if (name === 'default') continue
    expect([name, name in fs]).toEqual([name, true])
    if (!SHARED.has(name)) expect([name, FS_SUPPORT[name]]).toEqual([name, expect.any(String)])
  }
  for (const name of Object.keys(FS_SUPPORT)) {
    if (!NOT_EVERYWHERE.has(name)) {
      expect([name, typeof (fs as unknown as Members)[name]]).toEqual([name, 'function'])
    }
  }
})

test('support: every member of fs.promises is in the table and on the recorded one', async () => {
  const { promises } = (await recorded()).fs
  for (const name of names(nodeFs.promises)) {
    expect([name, name in promises]).toEqual([name, true])
    if (name !== 'constants') expect([name, PROMISES_SUPPORT[name]]).toEqual([name, expect.any(String)])
  }
})

test('support: every method of a file handle is in the table and on a recorded one', async () => {
  const { fs, root } = await recorded()
  const plain = await nodeFs.promises.open(`${root}/x`, 'w+')
  const ours = await fs.promises.open('/y', 'w+')
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(plain))) {
    if (name === 'constructor' || name === 'fd') continue
    expect([name, HANDLE_SUPPORT[name]]).toEqual([name, expect.any(String)])
    expect([name, typeof (ours as unknown as Members)[name]]).toEqual([name, 'function'])
  }
  expect(() => (ours as unknown as { getAsyncId(): number }).getAsyncId()).toThrow('ENOSYS')
  await plain.close()
  await ours.close()
})

test('support: what the underlying one can do beyond the table is refused, not reached around', async () => {
  const disk = memoryDisk()
  const seen = Object.assign(Object.create(disk) as NodeFileSystem, {
    newestSync: () => 'reached',
    promises: Object.assign(Object.create(disk.promises) as object, { newest: () => 'reached' }),
  })
  const { fs } = await recorded({ disk, seen })
  expect((fs as unknown as { newestSync: () => void }).newestSync).toThrow(
    'ENOSYS: function not implemented, newestSync',
  )
  expect((fs.promises as unknown as { newest: () => void }).newest).toThrow('ENOSYS')
  expect((fs as unknown as { globSync: () => void }).globSync).toThrow('ENOSYS') // memfs has one
  expect('__vol' in memfs().fs && !('__vol' in fs)).toBe(true)
})

test('support: over promises only there are callbacks and promises, and no synchronous forms', async () => {
  const disk = memoryDisk()
  const { fs, check } = await recorded({ disk, seen: promisesOnly(disk) })
  expect(Object.keys(fs).filter((name) => name.endsWith('Sync'))).toEqual([])
  await new Promise<void>((resolve) => {
    fs.writeFile('/a', 'text', () => {
      resolve()
    })
  })
  expect(await fs.promises.readFile('/a', 'utf8')).toBe('text')
  await expect((async () => fs.createReadStream('/a'))()).rejects.toThrow('ENOSYS')
  await expect((async () => fs.createWriteStream('/a'))()).rejects.toThrow('ENOSYS')
  await check()
})

test('support: promisified calls answer what those of node do', async () => {
  const { fs } = await recorded()
  const fd = await promisify(fs.open)('/a', 'w+')
  const data = Buffer.from('abc')
  expect(await promisify(fs.write)(fd, data, 0, 3, 0)).toEqual({ bytesWritten: 3, buffer: data })
  expect(await promisify(fs.writev)(fd, [data], 3)).toEqual({ bytesWritten: 3, buffers: [data] })
  expect(await promisify(fs.read)(fd, Buffer.alloc(3), 0, 3, 2)).toEqual({
    bytesRead: 3,
    buffer: Buffer.from('cab'),
  })
  expect(await promisify(fs.readv)(fd, [Buffer.alloc(2)], 0)).toEqual({
    bytesRead: 2,
    buffers: [Buffer.from('ab')],
  })
  const { exists } = fs as unknown as { exists: (path: string, tell: (is: boolean) => void) => undefined }
  expect(await promisify<string, boolean>(exists as never)('/a')).toBe(true)
  expect(await promisify<string, boolean>(exists as never)('/b')).toBe(false)
  expect(
    await new Promise((resolve) => {
      exists('/a', resolve)
    }),
  ).toBe(true)
  expect(await promisify(fs.stat)('/a')).toMatchObject({ size: 6 })
  await promisify(fs.close)(fd)
})

test('support: lchmod is there where the underlying file system has it', async () => {
  const { fs, root } = await recorded()
  expect('lchmod' in fs).toBe('lchmodSync' in nodeFs && names(nodeFs).includes('lchmodSync'))
  const seen = { ...nodeFs, lchmod: nodeFs.chmod, lchmodSync: nodeFs.chmodSync }
  const other = (await recorded({ seen, root })).fs
  other.writeFileSync('/a', '')
  ;(other as unknown as Record<string, (path: string, mode: number) => void>)['lchmodSync']?.('/a', 0o600)
  expect(other.statSync('/a').mode & 0o777).toBe(0o600)
})
