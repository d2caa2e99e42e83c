import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const MIB = 1024 * 1024

/** A process of its own, because what it holds at most is what counts. */
function highWaterOf(entries: number): number {
  const script = fileURLToPath(new URL('archive-a-long-stream.ts', import.meta.url))
  const output = execFileSync(process.execPath, ['--import', 'tsx', script, String(entries)], {
    encoding: 'utf8',
  })
  return Number(output.trim())
}

it('memory: a stream of 300 MiB is archived and verified in less than 64 MiB above the base', () => {
  expect(highWaterOf(300_000)).toBeLessThan(64 * MIB)
})
