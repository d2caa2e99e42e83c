import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'

const MIB = 1024 * 1024
const dir = mkdtempSync(join(tmpdir(), 'archive-a-long-stream-'))
const script = fileURLToPath(new URL('archive-a-long-stream.ts', import.meta.url))

afterAll(() => {
  rmSync(dir, { recursive: true })
})

// Each in a process of its own, because what it holds at most is what counts.
it.each(['write', 'read', 'verify'])('memory: 300 MiB in less than 64 MiB above the base (%s)', (what) => {
  const env = { ...process.env, NODE_V8_COVERAGE: undefined } // which takes memory itself
  const args = ['--import', 'tsx', script, dir, what, '300000']
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', env })
  expect(Number(output.trim())).toBeGreaterThan(0)
  expect(Number(output.trim())).toBeLessThan(64 * MIB)
})
