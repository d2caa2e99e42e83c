/**
 * npm run demo: a directory that survives its machine.
 *
 * A child process keeps a git repository and a SQLite database in a durable directory, and is killed with SIGKILL while
 * it works. The directory is rebuilt in another place from the journal; git and SQLite check it; everything that was
 * reported synced is there. Then another child works, a standby follows it, is promoted, and the child is fenced off.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DurableDirectory, type Progress } from 'recoverylog/node'
import { DurableVFS } from 'recoverylog/wa-sqlite'
import * as nodeFs from 'node:fs'
import * as SQLite from 'wa-sqlite'
import SQLiteESMFactory from 'wa-sqlite/dist/wa-sqlite.mjs'

const WORK_MS = 4_000
const place = mkdtempSync(join(tmpdir(), 'recoverylog-demo-'))
const journal = join(place, 'journal')
const hints = join(place, 'hints')
const machine = (name: string): string => join(place, name)
let failures = 0

interface Synced {
  readonly id: number
  readonly rows: number
  readonly commit: string
  readonly end: number
}

interface Owner {
  readonly child: ChildProcess
  readonly exited: Promise<unknown>
  /** What it reported synced, in order. */
  readonly synced: Synced[]
  /** The code of the error with which it ended. */
  ended: string | undefined
}

function check(what: string, isGood: boolean, detail = ''): void {
  if (!isGood) failures++
  console.log(`  ${isGood ? 'ok  ' : 'FAIL'}  ${what}${detail === '' ? '' : ` (${detail})`}`)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function bar({ bytesDone, bytesTotal, bytesPerSecond }: Progress): void {
  const share = bytesTotal === undefined || bytesTotal === 0 ? 1 : Math.min(bytesDone / bytesTotal, 1)
  const filled = '#'.repeat(Math.round(share * 30)).padEnd(30, '.')
  process.stdout.write(`\r  [${filled}] ${megabytes(bytesDone)}, ${megabytes(bytesPerSecond)}/s   `)
  if (share === 1 && process.stdout.isTTY) process.stdout.write('')
}

async function startOwner(dir: string): Promise<Owner> {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), join(import.meta.dirname, 'demo-owner.ts'), dir, journal, hints],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const owner: Owner = { child, exited: once(child, 'exit'), synced: [], ended: undefined }
  const lines = createInterface({ input: child.stdout })
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => {
      reject(new Error('the child ended before it began'))
    })
    lines.on('line', (line) => {
      const message = JSON.parse(line) as Synced & { began?: number; ended?: string }
      if (message.ended !== undefined) owner.ended = message.ended
      else if (message.began === undefined) owner.synced.push(message)
      resolve()
    })
  })
  return owner
}

async function kill({ child, exited }: Owner): Promise<void> {
  child.kill('SIGKILL')
  await exited
}

/** Rows of the database, and what SQLite finds when it checks it. */
async function lookIntoDatabase(dir: string): Promise<{ rows: number; integrity: string }> {
  const wasmBinary = readFileSync(createRequire(import.meta.url).resolve('wa-sqlite/dist/wa-sqlite.wasm'))
  const sqlite3 = SQLite.Factory(await SQLiteESMFactory({ wasmBinary }))
  sqlite3.vfs_register(new DurableVFS({ fs: nodeFs, dir }), false)
  const db = await sqlite3.open_v2('orders.db', SQLite.SQLITE_OPEN_READWRITE, 'recoverylog')
  const answers: unknown[] = []
  await sqlite3.exec(db, 'PRAGMA integrity_check; SELECT count(*) FROM orders', (row) => {
    answers.push(row[0])
  })
  await sqlite3.close(db)
  return { integrity: String(answers[0]), rows: Number(answers[1]) }
}

function git(dir: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('git', ['-C', join(dir, 'repo'), ...args], {
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

async function checkContent(dir: string, synced: readonly Synced[]): Promise<void> {
  const fsck = git(dir, 'fsck', '--full', '--strict')
  check('git fsck --full', fsck.status === 0, fsck.output.trim().split('\n')[0])
  const log = git(dir, 'log', '--format=%H').output.split('\n')
  const missing = synced.filter(({ commit }) => !log.includes(commit))
  check(`all of ${String(synced.length)} synced commits are there`, missing.length === 0)
  const { rows, integrity } = await lookIntoDatabase(dir)
  check('PRAGMA integrity_check', integrity === 'ok', integrity)
  const rowsSynced = synced.at(-1)?.rows ?? 0
  check(`at least ${String(rowsSynced)} synced rows are there`, rows >= rowsSynced, `${String(rows)} rows`)
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

async function timed<T>(work: Promise<T>): Promise<[T, string]> {
  const begin = performance.now()
  const result = await work
  return [result, `${((performance.now() - begin) / 1000).toFixed(2)} s`]
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

async function killedWhileItWorks(): Promise<void> {
  console.log('1. A machine keeps a git repository and a SQLite database, and dies.')
  const owner = await startOwner(machine('machine-1'))
  await sleep(WORK_MS)
  await kill(owner)
  const last = owner.synced.at(-1)
  console.log(
    `  killed with SIGKILL after ${String(owner.synced.length)} syncs, journal ${megabytes(sizeOf(journal))}`,
  )
  check('it had work in hand', owner.synced.length > 10)

  console.log('2. The directory is rebuilt on another machine.')
  const plan = await DurableDirectory.plan({ journal, hints })
  console.log(`  the plan: ${megabytes(plan.bytes)} of the journal are to be read`)
  const [copy, seconds] = await timed(
    DurableDirectory.recover({ dir: machine('machine-2'), journal, hints, onProgress: bar }),
  )
  console.log(`\n  ${String(copy.files)} files, ${megabytes(sizeOf(machine('machine-2')))}, in ${seconds}`)
  check('the log was read through the last sync', copy.end.end >= (last?.end ?? 0))
  await checkContent(machine('machine-2'), owner.synced)
}

async function handedOver(): Promise<void> {
  console.log('3. A standby follows the next owner, and takes over.')
  const owner = await startOwner(machine('machine-3'))
  const standby = await DurableDirectory.follow({ dir: machine('machine-4'), journal, hints })
  await standby.caughtUp
  await sleep(WORK_MS / 2)
  console.log(`  the standby is ${megabytes(standby.lag)} behind`)
  const [state, seconds] = await timed(standby.promote())
  console.log(`  promoted in ${seconds}`)
  await Promise.race([owner.exited, sleep(10_000)])
  check('the old owner was fenced', owner.ended === 'FENCED', owner.ended)
  await kill(owner)
  state.fs.writeFileSync('/new-owner.txt', 'it goes on\n')
  await state.sync()
  check('the new owner writes', true, JSON.stringify(await state.status()))
  await state.close()
  await checkContent(machine('machine-4'), owner.synced)
  const copy = await DurableDirectory.recover({ dir: machine('machine-5'), journal, hints })
  check(
    'and what it wrote is in the log',
    readFileSync(join(copy.dir, 'new-owner.txt'), 'utf8') === 'it goes on\n',
  )
}

try {
  await killedWhileItWorks()
  await handedOver()
} finally {
  rmSync(place, { recursive: true, force: true })
}
console.log(failures === 0 ? 'All checks passed.' : `${String(failures)} checks FAILED.`)
process.exitCode = failures === 0 ? 0 : 1
