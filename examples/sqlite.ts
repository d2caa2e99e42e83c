import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { DurableDirectory } from 'recoverylog/node'
import { DurableVFS } from 'recoverylog/wa-sqlite'
import * as SQLite from 'wa-sqlite'
import SQLiteESMFactory from 'wa-sqlite/dist/wa-sqlite.mjs'

// #region sqlite
const state = await DurableDirectory.open({ dir: 'state', journal: 'journal', hints: 'hints' })

const wasmBinary = readFileSync(createRequire(import.meta.url).resolve('wa-sqlite/dist/wa-sqlite.wasm'))
const sqlite3 = SQLite.Factory(await SQLiteESMFactory({ wasmBinary }))
sqlite3.vfs_register(new DurableVFS({ fs: state.fs, durable: false }), false)
const db = await sqlite3.open_v2('orders.db', undefined, 'recoverylog')

await sqlite3.exec(db, "CREATE TABLE orders (what TEXT); INSERT INTO orders VALUES ('tea')")
await state.sync() // one barrier for as many transactions as you like
// #endregion
await sqlite3.close(db)
await state.close()
