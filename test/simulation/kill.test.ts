/**
 * Real clients in real processes, killed with SIGKILL at random points, again and again on the same log: what was told
 * as synced is there in the next life, and in a copy made elsewhere.
 */
import { PGlite } from '@electric-sql/pglite'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import * as nodeFs from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DurableDirectory } from '../../src/node/index.ts'
import { DurablePGliteFileSystem } from '../../src/pglite/index.ts'
import { openSQLite } from '../support/sqlite.ts'

const SEED = Number(process.env['RECOVERYLOG_SEED'] ?? Date.now() % 1_000_000)
const worker = join(import.meta.dirname, '../support/kill-worker.ts')

let place: string
let random: () => number
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'kill-'))
  let state = (SEED * 2654435761) | 1
  random = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
})
afterEach(() => {
  rmSync(place, { recursive: true, force: true })
})

interface Life {
  /** What the child found when it began. */
  readonly found: number
  /** The last thing that it told as synced. */
  readonly synced: number
  readonly oids: readonly string[]
}

/** One life of a child: it is killed some microseconds after a random one of its first `tellsMax` syncs. */
async function live(client: string, dir: string, tellsMax: number): Promise<Life> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', worker, client, dir, join(place, 'journal'), join(place, 'hints')],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exited = once(child, 'exit')
  const killAt = 1 + Math.floor(random() * tellsMax)
  let found = -1
  let synced = 0
  const oids: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line) as { found?: number; synced?: number; oid?: string }
    found = message.found ?? found
    synced = message.synced ?? synced
    if (message.oid !== undefined) oids.push(message.oid)
    if (synced - found >= killAt) {
      const until = performance.now() + random() * 5
      while (performance.now() < until) /* the child goes on meanwhile */ ;
      child.kill('SIGKILL')
    }
  }
  expect(await exited).toEqual([null, 'SIGKILL'])
  return { found, synced, oids }
}

/** Several lives on one log, each finding what the one before has synced. Answers what the last one has synced. */
async function liveAndDie(client: string, lives: number, tellsMax: number): Promise<Life> {
  let last: Life = { found: 0, synced: 0, oids: [] }
  for (let i = 0; i < lives; i++) {
    const life = await live(client, join(place, `machine-${String(i % 2)}`), tellsMax)
    expect(life.found, `life ${String(i)}`).toBeGreaterThanOrEqual(last.synced)
    last = { ...life, oids: [...last.oids, ...life.oids] }
  }
  return last
}

async function copy(): Promise<string> {
  const dir = join(place, 'copy')
  await DurableDirectory.recover({ dir, journal: join(place, 'journal'), hints: join(place, 'hints') })
  return dir
}

describe(`kill -9 (seed ${String(SEED)})`, () => {
  it.each(['DELETE', 'TRUNCATE', 'PERSIST', 'WAL'])(
    'sqlite, journal mode %s: every synced row survives',
    async (mode) => {
      const { synced } = await liveAndDie(mode, 3, 40)
      const db = await openSQLite('a.db', { fs: nodeFs, dir: await copy() })
      await db.exec('PRAGMA locking_mode=EXCLUSIVE')
      expect(await db.exec('PRAGMA integrity_check')).toEqual([['ok']])
      const [[rows, distinct] = []] = await db.exec('SELECT count(*), max(id) FROM t')
      expect(rows).toBe(distinct)
      expect(rows).toBeGreaterThanOrEqual(synced)
      await db.close()
    },
    120_000,
  )

  it('git: every synced commit survives, and git finds nothing wrong', async () => {
    const { oids } = await liveAndDie('git', 3, 12)
    const repo = join(await copy(), 'repo')
    const fsck = spawnSync('git', ['-C', repo, 'fsck', '--full'], { encoding: 'utf8' })
    expect(fsck.stderr + fsck.stdout).not.toMatch(/error|missing|corrupt/)
    expect(fsck.status).toBe(0)
    const log = spawnSync('git', ['-C', repo, 'log', '--format=%H'], { encoding: 'utf8' }).stdout.split('\n')
    expect(oids.filter((oid) => !log.includes(oid))).toEqual([])
  }, 120_000)

  it('pglite: every synced row survives', async () => {
    const { synced } = await liveAndDie('pglite', 2, 15)
    const fs = new DurablePGliteFileSystem({
      fs: nodeFs,
      sync: () => Promise.resolve(),
      dir: join(await copy(), 'pgdata'),
    })
    const db = await PGlite.create({ fs })
    const { rows } = await db.query<{ n: number; m: number }>(
      'SELECT count(*)::int AS n, max(id) AS m FROM t',
    )
    expect(rows[0]?.n).toBe(rows[0]?.m)
    expect(rows[0]?.n).toBeGreaterThanOrEqual(synced)
    await db.close()
  }, 120_000)
})
