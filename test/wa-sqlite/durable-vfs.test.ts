import * as nodeFs from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFsFromVolume, Volume } from 'memfs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSQLite } from '../support/sqlite.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vfs-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true })
})

const MODES = ['DELETE', 'TRUNCATE', 'PERSIST', 'WAL'] as const

describe('wa-sqlite: a database on node:fs', () => {
  it.each(MODES)('journal mode %s: rows survive a close, and the check is clean', async (mode) => {
    const db = await openSQLite('a.db', { fs: nodeFs, dir })
    await db.exec('PRAGMA locking_mode=EXCLUSIVE')
    expect(await db.exec(`PRAGMA journal_mode=${mode}`)).toEqual([[mode.toLowerCase()]])
    await db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)')
    for (let i = 0; i < 20; i++) {
      await db.exec(`BEGIN; INSERT INTO t (b) VALUES ('row ${String(i)}'), ('x'); COMMIT`)
    }
    await db.exec('DELETE FROM t WHERE a % 3 = 0; VACUUM')
    await db.close()
    const again = await openSQLite('a.db', { fs: nodeFs, dir })
    await again.exec('PRAGMA locking_mode=EXCLUSIVE') // WAL without shared memory is for one connection
    expect(await again.exec('PRAGMA integrity_check')).toEqual([['ok']])
    expect(await again.exec('SELECT count(*) FROM t')).toEqual([[27]])
    await again.close()
  })
})

describe('wa-sqlite: a database on memfs', () => {
  it('sorts in temporary files that are not in the folder', async () => {
    const fs = createFsFromVolume(new Volume())
    fs.mkdirSync('/db')
    const db = await openSQLite('a.db', { fs, dir: '/db', name: 'mem' })
    await db.exec('PRAGMA temp_store=FILE; PRAGMA cache_size=10; CREATE TABLE t (a, b)')
    await db.exec(
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 20000) ' +
        'INSERT INTO t SELECT i, hex(randomblob(40)) FROM n',
    )
    const rows = await db.exec('SELECT count(*) FROM (SELECT b FROM t ORDER BY b, a LIMIT -1 OFFSET 1)')
    expect(rows).toEqual([[19_999]])
    await db.close()
    expect(fs.readdirSync('/db')).toEqual(['a.db'])
  })

  it('tells what the file system said when SQLite cannot', async () => {
    const fs = createFsFromVolume(new Volume())
    await expect(openSQLite('a.db', { fs, dir: '/missing' })).rejects.toThrow()
  })
})
