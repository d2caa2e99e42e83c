/** What does a durable directory cost: for SQLite on it, and to have it back after its machine is gone? */
import * as fs from 'node:fs'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as SQLite from 'wa-sqlite'
import SQLiteESMFactory from 'wa-sqlite/dist/wa-sqlite.mjs'
import { DurableDirectory, FileJournal } from '../src/node/index.ts'
import { DurableVFS, type DurableVFSFileSystem } from '../src/wa-sqlite/index.ts'
import { growth, question, WARM_ROUNDS, type Row, type Variant } from './harness.ts'
import { filesIn, piecesOf } from './support/file-pieces.ts'
import { PLAY, playChunks, type PlayInput } from './workloads.ts'

const TRANSACTIONS = 5_000
const fdatasync = promisify(fs.fdatasync)
const wasmBinary = fs.readFileSync(createRequire(import.meta.url).resolve('wa-sqlite/dist/wa-sqlite.wasm'))

/** Of the run before: without living instances V8 would forget what it has compiled for their classes. */
const kept: { vfs?: DurableVFS; state?: DurableDirectory } = {}

/** Transactions of one row of 100 bytes in WAL mode; `commit` after each. */
async function transact(
  fileSystem: DurableVFSFileSystem,
  dir: string,
  count: number,
  commit: (() => Promise<unknown>) | undefined,
): Promise<number> {
  const sqlite3 = SQLite.Factory(await SQLiteESMFactory({ wasmBinary }))
  kept.vfs = new DurableVFS({ fs: fileSystem, dir, durable: false })
  sqlite3.vfs_register(kept.vfs, false)
  const db = await sqlite3.open_v2(
    'bench.db',
    SQLite.SQLITE_OPEN_CREATE | SQLite.SQLITE_OPEN_READWRITE,
    'recoverylog',
  )
  await sqlite3.exec(db, 'PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; CREATE TABLE t (a, b)')
  const text = sqlite3.str_new(db, `INSERT INTO t VALUES (1, '${'x'.repeat(100)}')`)
  const prepared = await sqlite3.prepare_v2(db, sqlite3.str_value(text))
  if (prepared === null) throw new Error('the statement is empty')
  const begin = performance.now()
  for (let i = 0; i < count; i++) {
    await sqlite3.step(prepared.stmt)
    await sqlite3.reset(prepared.stmt)
    if (commit !== undefined) await commit()
  }
  const ms = performance.now() - begin
  await sqlite3.finalize(prepared.stmt)
  sqlite3.str_finish(text)
  await sqlite3.close(db)
  return ms
}

/** Each run in a folder of its own. */
function inFolder(count: number, run: (dir: string) => Promise<number>): Variant {
  let dir = ''
  return {
    operations: count,
    before() {
      dir = mkdtempSync(join(tmpdir(), 'recoverylog-bench-'))
    },
    run: () => run(dir),
    after() {
      rmSync(dir, { recursive: true })
    },
  }
}

function onState(count: number, isSynced: boolean): Variant {
  return inFolder(count, async (dir) => {
    await using state = await DurableDirectory.open({
      dir: join(dir, 'state'),
      journal: join(dir, 'journal'),
      hints: join(dir, 'hints'),
    })
    kept.state = state
    return await transact(state.fs, '/', count, isSynced ? () => state.sync() : undefined)
  })
}

function onNode(count: number, isSynced: boolean): Variant {
  return inFolder(count, async (dir) => {
    // The log of SQLite is what one fdatasync for each transaction has to make durable. SQLite makes it anew when it opens
    // the database: a descriptor from before would be that of a file that is gone, and nothing would be synced.
    let fd: number | undefined
    const sync = (): Promise<void> => fdatasync((fd ??= openSync(join(dir, 'bench.db-wal'), 'r+')))
    const ms = await transact(fs, dir, count, isSynced ? sync : undefined)
    if (fd !== undefined) closeSync(fd)
    return ms
  })
}

function sqlite(name: string, isSynced: boolean, atLeast: number, note: string): Row {
  const count = isSynced ? TRANSACTIONS / 5 : TRANSACTIONS
  return {
    name,
    goals: [{ of: 'ratio', atLeast }],
    prepare: () => ({
      unit: 'k/s',
      subject: onState(count, isSynced),
      floor: onNode(count, isSynced),
      rounds: WARM_ROUNDS,
      note,
    }),
  }
}

/** A journal that holds the log of `input`, and what opening a directory on it takes up to the first write. */
async function recovery(input: PlayInput): Promise<{ opening: Variant; copying: Variant; dir: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'recoverylog-bench-'))
  const log = join(dir, 'log')
  const journal = await FileJournal.open({ dir: log, durability: 'process' })
  for (const content of playChunks(input)) await journal.append({ content })
  await journal.close()
  const target = join(dir, 'target')
  const removeTargets = (): void => {
    for (const name of readdirSync(dir)) if (name !== 'log') rmSync(join(dir, name), { recursive: true })
  }
  const bytes = input.writes * input.size
  const opening: Variant = {
    operations: bytes,
    async run() {
      const begin = performance.now()
      const state = await DurableDirectory.open({ dir: target, journal: log, hints: join(dir, 'hints') })
      state.fs.writeFileSync('/first', 'write')
      const ms = performance.now() - begin
      await state.close()
      return ms
    },
    after: removeTargets,
  }
  const copying: Variant = {
    operations: bytes,
    run() {
      copyFolder(log, target)
    },
    after: removeTargets,
  }
  return { opening, copying, dir }
}

function copyFolder(from: string, to: string): void {
  fs.mkdirSync(to)
  for (const name of filesIn(from)) {
    const target = openSync(join(to, name), 'wx')
    for (const piece of piecesOf(join(from, name))) writeSync(target, piece)
    closeSync(target)
  }
}

await question('What does a durable directory cost?', [
  sqlite('directory/sqlite', false, 0.8, 'transactions in WAL mode, to the same VFS on node:fs'),
  sqlite('directory/sqlite-sync', true, 0.7, 'state.sync() after each, to one fdatasync each on node:fs'),
  growth('directory/sqlite/growth', {
    atMost: 1.3,
    prepare: () => ({
      unit: 'us',
      small: onState(TRANSACTIONS / 5, false),
      large: onState(TRANSACTIONS * 2, false),
    }),
  }),
  {
    name: 'directory/recover-1GiB',
    goals: [{ of: 'ratio', atLeast: 0.6 }],
    async prepare() {
      const { opening, copying, dir } = await recovery(PLAY['1MiB'])
      return {
        unit: 'GB/s',
        subject: opening,
        floor: copying,
        note: 'open to first write, to a copy of the journal in one thread',
        close: () => {
          rmSync(dir, { recursive: true })
        },
      }
    },
  },
  growth('directory/recover-1GiB/growth', {
    atMost: 1.3,
    async prepare() {
      const small = await recovery({ ...PLAY['1MiB'], writes: Math.floor(PLAY['1MiB'].writes / 10) })
      const large = await recovery(PLAY['1MiB'])
      return {
        unit: 'us',
        small: small.opening,
        large: large.opening,
        close: () => {
          for (const { dir } of [small, large]) rmSync(dir, { recursive: true })
        },
      }
    },
  }),
])
