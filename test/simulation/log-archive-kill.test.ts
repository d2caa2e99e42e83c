/**
 * A real process that writes a stream of a log archive, killed with SIGKILL at random points, again and again: what it told
 * as stored is there in the next life, at once, and nothing is there twice.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { LogArchive } from '../../src/node/index.ts'
import { entriesOf, lineOf } from '../log-archive/log-world.ts'
import { seededRandom } from '../support/directory.ts'

const SEED = Number(process.env['RECOVERYLOG_SEED'] ?? Date.now() % 1_000_000)
const LIVES = 3
const PATH = 'killed/+/stdout'
const worker = join(import.meta.dirname, '../support/log-archive-worker.ts')

interface Life {
  readonly found: number
  readonly stored: number
}

/** One life of a child: it is killed after `tells` of its flushes, or ends by itself. */
async function live(dir: string, tells: number, lines = ''): Promise<Life> {
  const child = spawn(process.execPath, ['--import', 'tsx', worker, dir, PATH, lines], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let found = -1
  let stored = 0
  let told = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line) as { found?: number; stored?: number }
    found = message.found ?? found
    stored = message.stored ?? stored
    if (++told === tells) child.kill('SIGKILL')
  }
  expect(await exited).toEqual(lines === '' ? [null, 'SIGKILL'] : [0, null])
  return { found, stored }
}

describe(`log archive: kill -9 (seed ${String(SEED)})`, () => {
  it('what was stored is there in the next life, and once in the archive', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'log-archive-kill-'))
    const random = seededRandom(SEED)
    try {
      let stored = 0
      for (let i = 0; i < LIVES; i++) {
        const life = await live(dir, 2 + ((random(1)[0] as number) % 40))
        expect(life.found, `life ${String(i)}`).toBeGreaterThanOrEqual(stored)
        stored = life.stored
      }
      const count = stored + 500
      await live(dir, Infinity, String(count))
      await using archive = await LogArchive.open({ dir, archivist: false, sweep: false })
      const lines = (await entriesOf(archive, PATH)).map(lineOf).join('')
      const expected = Array.from({ length: count }, (_, i) => `line ${String(i)} ${'x'.repeat(i % 100)}\n`)
      expect(lines).toBe(expected.join(''))
      const report = await archive.verify(PATH)
      expect(report).toMatchObject({ isGood: true, manifest: { complete: true, dropped: { indexes: 0 } } })
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }, 120_000)
})
