/**
 * The child of the demo: keeps a git repository and a SQLite database in a durable directory, and tells its parent, line
 * by line, what has been synced. It works until it is killed, or until it is fenced off.
 */
import git from 'isomorphic-git'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { DurableDirectory } from 'recoverylog/node'
import { DurableVFS } from 'recoverylog/wa-sqlite'
import * as SQLite from 'wa-sqlite'
import SQLiteESMFactory from 'wa-sqlite/dist/wa-sqlite.mjs'

const [dir = '', journal = '', hints = ''] = process.argv.slice(2)
const author = { name: 'demo', email: 'demo@example.com' }

function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

const state = await DurableDirectory.open({ dir, journal, hints, hintsIntervalMs: 500 })
const { fs } = state

const wasmBinary = readFileSync(createRequire(import.meta.url).resolve('wa-sqlite/dist/wa-sqlite.wasm'))
const sqlite3 = SQLite.Factory(await SQLiteESMFactory({ wasmBinary }))
sqlite3.vfs_register(new DurableVFS({ fs, durable: false }), false)
const db = await sqlite3.open_v2(
  'orders.db',
  SQLite.SQLITE_OPEN_CREATE | SQLite.SQLITE_OPEN_READWRITE,
  'recoverylog',
)
await sqlite3.exec(db, 'CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, what TEXT)')
await git.init({ fs, dir: '/repo', defaultBranch: 'main' })
tell({ began: state.author })

try {
  for (let id = 1; ; id++) {
    await sqlite3.exec(db, `INSERT INTO orders (what) VALUES ('order ${String(id)}'), ('and its shadow')`)
    await fs.promises.writeFile(`/repo/file-${String(id % 50)}.txt`, `content ${String(id)}\n`.repeat(100))
    await git.add({ fs, dir: '/repo', filepath: `file-${String(id % 50)}.txt` })
    const commit = await git.commit({ fs, dir: '/repo', message: `commit ${String(id)}`, author })
    const { end } = await state.sync()
    tell({ id, rows: 2 * id, commit, end })
  }
} catch (error) {
  tell({ ended: (error as { code?: string }).code ?? String(error) })
  process.exitCode = 3
}
await state.close()
