/**
 * A child of the kill tests: opens a durable directory, tells what it finds, then works and tells each thing that has
 * been synced, until it is killed. Arguments: client, dir, journal, hints.
 */
import { PGlite } from '@electric-sql/pglite'
import git from 'isomorphic-git'
import { DurableDirectory } from '../../src/node/index.ts'
import { DurablePGliteFileSystem } from '../../src/pglite/index.ts'
import { openSQLite } from './sqlite.ts'

const [client = '', dir = '', journal = '', hints = ''] = process.argv.slice(2)

function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

const state = await DurableDirectory.open({ dir, journal, hints, hintsIntervalMs: 200 })
const { fs } = state

/** Adds one row after the other, each synced before it is told. */
async function workWithRows(
  count: () => Promise<number>,
  add: (id: number) => Promise<void>,
): Promise<never> {
  let rows = await count()
  tell({ found: rows })
  for (;;) {
    await add(rows + 1)
    await state.sync()
    rows++
    tell({ synced: rows })
  }
}

async function workWithSQLite(mode: string): Promise<never> {
  const db = await openSQLite('a.db', { fs, durable: false })
  await db.exec(`PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=${mode}`)
  await db.exec('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, filler BLOB)')
  const check = await db.exec('PRAGMA integrity_check')
  if (check[0]?.[0] !== 'ok') throw new Error(JSON.stringify(check))
  return workWithRows(
    async () => Number((await db.exec('SELECT count(*) FROM t'))[0]?.[0]),
    async (id) => {
      await db.exec(`INSERT INTO t VALUES (${String(id)}, randomblob(${String(100 + ((id * 977) % 5000))}))`)
    },
  )
}

async function workWithPGlite(): Promise<never> {
  const db = await PGlite.create({ fs: new DurablePGliteFileSystem({ fs, sync: () => state.sync() }) })
  await db.exec('CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, filler text)')
  return workWithRows(
    async () => (await db.query<{ n: number }>('SELECT count(*)::int AS n FROM t')).rows[0]?.n ?? -1,
    async (id) => {
      await db.query('INSERT INTO t VALUES ($1, $2)', [id, 'x'.repeat(id % 3000)])
    },
  )
}

/** Commits, branches, checkouts and packs; tells each commit. */
async function workWithGit(): Promise<never> {
  const repo = { fs, dir: '/repo' }
  const author = { name: 'a', email: 'a@example.com' }
  await git.init({ ...repo, defaultBranch: 'main' })
  const commits = await git.log(repo).catch(() => [])
  tell({ found: commits.length })
  for (let id = commits.length + 1; ; id++) {
    for (let i = 0; i < 5; i++) {
      const filepath = `f-${String((id * 5 + i) % 40)}.txt`
      await fs.promises.writeFile(`/repo/${filepath}`, `${String(id)}\n`.repeat(50))
      await git.add({ ...repo, filepath })
    }
    const oid = await git.commit({ ...repo, message: `commit ${String(id)}`, author })
    if (id % 4 === 0) {
      await git.branch({ ...repo, ref: `b-${String(id)}`, force: true })
      await git.checkout({ ...repo, ref: `b-${String(id)}`, force: true })
      await git.checkout({ ...repo, ref: 'main', force: true })
    }
    if (id % 6 === 0) await git.packObjects({ ...repo, oids: [oid], write: true })
    await state.sync()
    tell({ synced: id, oid })
  }
}

if (client === 'git') await workWithGit()
if (client === 'pglite') await workWithPGlite()
await workWithSQLite(client)
