import { PGlite } from '@electric-sql/pglite'
import * as nodeFs from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DurablePGliteFileSystem } from '../../src/pglite/index.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pglite-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true })
})

it('pglite: a database on node:fs is there again after it was closed, each query passed its barrier', async () => {
  let syncs = 0
  const sync = (): Promise<void> => {
    syncs++
    return Promise.resolve()
  }
  const db = await PGlite.create({ fs: new DurablePGliteFileSystem({ fs: nodeFs, sync, dir }) })
  await db.exec('CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 1000)')
  expect(syncs).toBeGreaterThan(0)
  await db.close()
  const again = await PGlite.create({ fs: new DurablePGliteFileSystem({ fs: nodeFs, sync, dir }) })
  expect((await again.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 1000 }])
  await again.close()
})
