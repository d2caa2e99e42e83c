import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as SQLite from 'wa-sqlite'
import SQLiteESMFactory from 'wa-sqlite/dist/wa-sqlite.mjs'
import { DurableVFS, type DurableVFSOptions } from '../../src/wa-sqlite/index.ts'

const wasmBinary = readFileSync(createRequire(import.meta.url).resolve('wa-sqlite/dist/wa-sqlite.wasm'))

/** One SQLite over a VFS, with what the tests ask of it. */
export interface SQLiteDatabase {
  readonly vfs: DurableVFS
  exec(sql: string): Promise<unknown[][]>
  close(): Promise<void>
}

/** Opens a database; each call is a SQLite of its own unless `module` is shared. */
export async function openSQLite(file: string, options: DurableVFSOptions): Promise<SQLiteDatabase> {
  const sqlite3 = SQLite.Factory(await SQLiteESMFactory({ wasmBinary }))
  const vfs = new DurableVFS(options)
  sqlite3.vfs_register(vfs, false)
  const open = async (): Promise<number> =>
    sqlite3.open_v2(file, SQLite.SQLITE_OPEN_CREATE | SQLite.SQLITE_OPEN_READWRITE, vfs.name)
  const db = await open()
  return {
    vfs,
    async exec(sql) {
      const rows: unknown[][] = []
      await sqlite3.exec(db, sql, (row) => {
        rows.push(row)
      })
      return rows
    },
    async close() {
      await sqlite3.close(db)
    },
  }
}
