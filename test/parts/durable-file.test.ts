import { createFsFromVolume, Volume } from 'memfs'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  readSmallFile,
  removeTree,
  syncFolder,
  systemErrorCode,
  unlinkIfThere,
  writeNewFile,
  type SyncFileSystem,
} from '../../src/parts/index.ts'

let fs: SyncFileSystem & ReturnType<typeof createFsFromVolume>
beforeEach(() => {
  fs = createFsFromVolume(new Volume())
  fs.mkdirSync('/d')
})

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

function throwing(code: string): () => never {
  return () => {
    throw systemError(code)
  }
}

const bytes = new Uint8Array([1, 2, 3, 4, 5])

describe('durable files', () => {
  it('writeNewFile: writes all, in as many pieces as the system takes, and never over another file', () => {
    const writeSync = fs.writeSync.bind(fs)
    fs.writeSync = ((fd: number, data: Uint8Array, offset: number, _length: number, position: number) =>
      writeSync(fd, data, offset, 1, position)) as typeof fs.writeSync
    writeNewFile(fs, '/d/a', bytes)
    expect(readSmallFile(fs, '/d/a')).toEqual(bytes)
    expect(() => {
      writeNewFile(fs, '/d/a', bytes)
    }).toThrow(expect.objectContaining({ code: 'EEXIST' }) as Error)
  })

  it('readSmallFile: undefined when there is none, what there is when the file shrinks under it', () => {
    expect(readSmallFile(fs, '/d/none')).toBeUndefined()
    fs.writeFileSync('/d/a', bytes)
    const openSync = fs.openSync.bind(fs)
    fs.openSync = throwing('EACCES')
    expect(() => readSmallFile(fs, '/d/a')).toThrow('EACCES')
    fs.openSync = openSync
    const readSync = fs.readSync.bind(fs)
    let reads = 0
    fs.readSync = ((fd: number, data: Uint8Array, offset: number, _length: number, position: number) =>
      reads++ < 2 ? readSync(fd, data, offset, 1, position) : 0) as typeof fs.readSync
    expect(readSmallFile(fs, '/d/a')).toEqual(bytes.subarray(0, 2))
  })

  it.each(['EISDIR', 'EPERM', 'EACCES', 'EINVAL'])(
    'syncFolder: a system that refuses by %s keeps names itself',
    (code) => {
      const openSync = fs.openSync.bind(fs)
      fs.openSync = throwing(code)
      syncFolder(fs, '/d')
      fs.openSync = openSync
      fs.fsyncSync = throwing(code)
      syncFolder(fs, '/d')
    },
  )

  it('syncFolder: a failing disk is told', () => {
    fs.fsyncSync = throwing('EIO')
    expect(() => {
      syncFolder(fs, '/d')
    }).toThrow('EIO')
    fs.openSync = throwing('EIO')
    expect(() => {
      syncFolder(fs, '/d')
    }).toThrow('EIO')
  })

  it('unlinkIfThere: no error when there is none, but any other', () => {
    fs.writeFileSync('/d/a', '')
    unlinkIfThere(fs, '/d/a')
    unlinkIfThere(fs, '/d/a')
    fs.unlinkSync = throwing('EBUSY')
    expect(() => {
      unlinkIfThere(fs, '/d/a')
    }).toThrow('EBUSY')
  })

  it('removeTree: removes all of it, and what links point to stays', () => {
    fs.mkdirSync('/d/sub/deep', { recursive: true })
    fs.writeFileSync('/d/sub/deep/a', '1')
    fs.mkdirSync('/kept')
    fs.writeFileSync('/kept/b', '2')
    fs.symlinkSync('/kept', '/d/sub/link')
    removeTree(fs, '/d')
    removeTree(fs, '/d')
    expect(fs.existsSync('/d')).toBe(false)
    expect(fs.readdirSync('/kept')).toEqual(['b'])
    fs.lstatSync = throwing('EIO')
    expect(() => {
      removeTree(fs, '/kept')
    }).toThrow('EIO')
  })

  it.each([
    [systemError('EIO'), 'EIO'],
    [new Error('plain'), undefined],
    [Object.assign(new Error('number'), { code: 5 }), undefined],
    ['text', undefined],
    [null, undefined],
  ])('systemErrorCode: of %s', (error, code) => {
    expect(systemErrorCode(error)).toBe(code)
  })
})
