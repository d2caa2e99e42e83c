import { createFsFromVolume, Volume } from 'memfs'
import { beforeEach, describe, expect, it } from 'vitest'
import { DurableVFS } from '../../src/wa-sqlite/index.ts'
import * as sqlite from '../../src/wa-sqlite/constants.ts'
import { FileLocks } from '../../src/wa-sqlite/file-locks.ts'
import { TemporaryFile } from '../../src/wa-sqlite/temporary-file.ts'

const { SQLITE_LOCK_NONE: NONE, SQLITE_LOCK_SHARED: SHARED, SQLITE_LOCK_RESERVED: RESERVED } = sqlite
const {
  SQLITE_LOCK_PENDING: PENDING,
  SQLITE_LOCK_EXCLUSIVE: EXCLUSIVE,
  SQLITE_OK: OK,
  SQLITE_BUSY: BUSY,
} = sqlite

describe('locks between connections', () => {
  /** What SQLite asks for, against the highest level of the others (sqlite.org/lockingv3.html). */
  const table: readonly [wanted: number, other: number, answer: number][] = [
    [SHARED, NONE, OK],
    [SHARED, SHARED, OK],
    [SHARED, RESERVED, OK],
    [SHARED, PENDING, BUSY],
    [SHARED, EXCLUSIVE, BUSY],
    [RESERVED, NONE, OK],
    [RESERVED, SHARED, OK],
    [RESERVED, RESERVED, BUSY],
    [RESERVED, PENDING, BUSY],
    [RESERVED, EXCLUSIVE, BUSY],
    [EXCLUSIVE, NONE, OK],
    [EXCLUSIVE, SHARED, BUSY],
    [EXCLUSIVE, RESERVED, BUSY],
    [EXCLUSIVE, PENDING, BUSY],
    [EXCLUSIVE, EXCLUSIVE, BUSY],
  ]

  it.each(table)('locks: %i while another has %i gives %i', (wanted, other, answer) => {
    const locks = new FileLocks()
    if (other === PENDING) {
      locks.lock(3, SHARED)
      locks.lock(2, SHARED)
      expect(locks.lock(2, EXCLUSIVE)).toBe(BUSY) // waits for 3 to leave, and lets nobody in
      locks.unlock(3, NONE)
    } else if (other !== NONE) {
      expect(locks.lock(2, other)).toBe(OK)
    }
    expect(locks.lock(1, wanted)).toBe(answer)
    // Who wants it exclusively while others read keeps new readers out meanwhile.
    const isPending = wanted === EXCLUSIVE && other === SHARED
    expect(locks.isReserved).toBe(other >= RESERVED || isPending || (answer === OK && wanted >= RESERVED))
  })

  it('locks: are lowered step by step, and asking for less than one has is granted', () => {
    const locks = new FileLocks()
    locks.lock(1, EXCLUSIVE)
    expect(locks.lock(1, SHARED)).toBe(OK)
    expect(locks.levelOf(1)).toBe(EXCLUSIVE)
    locks.unlock(1, SHARED)
    expect(locks.levelOf(1)).toBe(SHARED)
    expect(locks.lock(2, RESERVED)).toBe(OK)
    locks.unlock(1, NONE)
    expect(locks.levelOf(1)).toBe(NONE)
  })
})

describe('a temporary file', () => {
  it('temporary: holds what is written, with zeros between, and gives no more than it has', () => {
    const file = new TemporaryFile()
    file.write(new Uint8Array([1, 2, 3, 4]), 4)
    file.truncate(6)
    file.write(new Uint8Array([9]), 8)
    expect(file.size).toBe(9)
    const read = new Uint8Array(20)
    expect(file.read(read, 3)).toBe(6)
    expect([...read.subarray(0, 6)]).toEqual([0, 1, 2, 0, 0, 9])
    expect(file.read(read, 100)).toBe(0)
  })
})

describe('calls of the VFS', () => {
  let fs: ReturnType<typeof createFsFromVolume>
  let vfs: DurableVFS
  const out = new DataView(new ArrayBuffer(8))
  const CREATE = sqlite.SQLITE_OPEN_CREATE
  beforeEach(() => {
    fs = createFsFromVolume(new Volume())
    fs.mkdirSync('/db')
    vfs = new DurableVFS({ fs, dir: '/db' })
  })

  it('xOpen: makes a file only when asked to, and no second one when it is to be new', () => {
    expect(vfs.xOpen('a', 1, 0, out)).toBe(sqlite.SQLITE_CANTOPEN)
    expect(vfs.lastError).toMatchObject({ code: 'ENOENT' })
    expect(vfs.xOpen('a', 1, CREATE, out)).toBe(OK)
    expect(vfs.xOpen('/db/a', 2, sqlite.SQLITE_OPEN_READONLY, out)).toBe(OK)
    expect(vfs.xOpen('a', 3, CREATE | sqlite.SQLITE_OPEN_EXCLUSIVE, out)).toBe(sqlite.SQLITE_CANTOPEN)
    vfs.close()
    expect(vfs.xClose(1)).toBe(OK)
    expect(vfs.xFileSize(1, out)).toBe(sqlite.SQLITE_IOERR_FSTAT)
  })

  it('xRead: fills with zeros what is not there, and says so', () => {
    vfs.xOpen('a', 1, CREATE, out)
    vfs.xWrite(1, new Uint8Array([1, 2, 3]), 0)
    const data = new Uint8Array(5).fill(7)
    expect(vfs.xRead(1, data, 1)).toBe(sqlite.SQLITE_IOERR_SHORT_READ)
    expect([...data]).toEqual([2, 3, 0, 0, 0])
    expect(vfs.xRead(1, data.subarray(0, 2), 0)).toBe(OK)
    vfs.xTruncate(1, 1)
    vfs.xFileSize(1, out)
    expect(out.getBigInt64(0, true)).toBe(1n)
  })

  it('xOpen: without a name in memory, also for sizes, syncs and truncations', () => {
    expect(vfs.xOpen(null, 1, CREATE | sqlite.SQLITE_OPEN_DELETEONCLOSE, out)).toBe(OK)
    vfs.xWrite(1, new Uint8Array(10), 0)
    expect(vfs.xTruncate(1, 4)).toBe(OK)
    expect(vfs.xSync(1)).toBe(OK)
    vfs.xFileSize(1, out)
    expect(out.getBigInt64(0, true)).toBe(4n)
    expect(vfs.xRead(1, new Uint8Array(4), 0)).toBe(OK)
    expect(vfs.xClose(1)).toBe(OK)
    expect(fs.readdirSync('/db')).toEqual([])
  })

  it('xClose: removes what is to be gone with it', () => {
    vfs.xOpen('a', 1, CREATE | sqlite.SQLITE_OPEN_DELETEONCLOSE, out)
    expect(fs.existsSync('/db/a')).toBe(true)
    vfs.xClose(1)
    expect(fs.existsSync('/db/a')).toBe(false)
  })

  it('xSync: durable by default, and nothing when the owner syncs by itself', () => {
    let syncs = 0
    fs.fdatasyncSync = () => {
      syncs++
    }
    vfs.xOpen('a', 1, CREATE, out)
    expect(vfs.xSync(1)).toBe(OK)
    expect(syncs).toBe(1)
    const relaxed = new DurableVFS({ fs, dir: '/db/', durable: false, name: 'relaxed' })
    relaxed.xOpen('a', 1, 0, out)
    expect(relaxed.xSync(1)).toBe(OK)
    expect(syncs).toBe(1)
    expect([vfs.name, relaxed.name]).toEqual(['recoverylog', 'relaxed'])
  })

  it('xLock: connections of one file see each other, those of another do not', () => {
    for (const [id, name] of [
      [1, 'a'],
      [2, 'a'],
      [3, 'b'],
    ] as const) {
      vfs.xOpen(name, id, CREATE, out)
    }
    vfs.xLock(1, SHARED)
    vfs.xLock(1, RESERVED)
    expect(vfs.xLock(2, RESERVED)).toBe(BUSY)
    expect(vfs.xLock(3, RESERVED)).toBe(OK)
    vfs.xCheckReservedLock(2, out)
    expect(out.getInt32(0, true)).toBe(1)
    vfs.xUnlock(1, NONE)
    vfs.xCheckReservedLock(2, out)
    expect(out.getInt32(0, true)).toBe(0)
    expect(vfs.xLock(2, RESERVED)).toBe(OK)
  })

  it('xDelete, xAccess: tell what is there', () => {
    vfs.xOpen('a', 1, CREATE, out)
    vfs.xAccess('a', 0, out)
    expect(out.getInt32(0, true)).toBe(1)
    expect(vfs.xDelete('a')).toBe(OK)
    expect(vfs.xDelete('a')).toBe(sqlite.SQLITE_IOERR_DELETE_NOENT)
    vfs.xAccess('a', 0, out)
    expect(out.getInt32(0, true)).toBe(0)
  })

  it.each([
    ['unlinkSync', () => vfs.xDelete('a'), sqlite.SQLITE_IOERR_DELETE],
    ['existsSync', () => vfs.xAccess('a', 0, out), sqlite.SQLITE_IOERR_ACCESS],
    ['writeSync', () => vfs.xWrite(1, new Uint8Array(1), 0), sqlite.SQLITE_IOERR_WRITE],
    ['readSync', () => vfs.xRead(1, new Uint8Array(1), 0), sqlite.SQLITE_IOERR_READ],
    ['ftruncateSync', () => vfs.xTruncate(1, 0), sqlite.SQLITE_IOERR_TRUNCATE],
    ['fdatasyncSync', () => vfs.xSync(1), sqlite.SQLITE_IOERR_FSYNC],
    ['fstatSync', () => vfs.xFileSize(1, out), sqlite.SQLITE_IOERR_FSTAT],
    ['closeSync', () => vfs.xClose(1), sqlite.SQLITE_IOERR_CLOSE],
  ] as const)('errors: %s failing is told by its own number, and in lastError', (call, run, code) => {
    vfs.xOpen('a', 1, CREATE, out)
    const error = Object.assign(new Error('EIO'), { code: 'EIO' })
    Object.assign(fs, {
      [call]: () => {
        throw error
      },
    })
    expect(run()).toBe(code)
    expect(vfs.lastError).toBe(error)
  })

  it('errors: a full disk is told as that', () => {
    vfs.xOpen('a', 1, CREATE, out)
    fs.writeSync = () => {
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    }
    expect(vfs.xWrite(1, new Uint8Array(1), 0)).toBe(sqlite.SQLITE_FULL)
  })

  it('what a VFS says of itself', async () => {
    expect(vfs.xFileControl()).toBe(sqlite.SQLITE_NOTFOUND)
    expect(vfs.xSectorSize()).toBe(4096)
    expect(vfs.xDeviceCharacteristics() & sqlite.SQLITE_IOCAP_SAFE_APPEND).not.toBe(0)
    expect(await vfs.handleAsync(() => Promise.resolve(5))).toBe(5)
  })
})
