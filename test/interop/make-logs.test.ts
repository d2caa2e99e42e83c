import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { decodeRecordedOp, OpKind, readFrameHeader, RecordedOp } from '../../src/wire/index.ts'
import { suite } from './logs.ts'
import { makeLog } from './make-logs.ts'
import { VectorRun } from './vector-run.ts'

const root = mkdtempSync(join(tmpdir(), 'made-vectors-'))
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 20)
const COUNT = 5

afterAll(() => {
  rmSync(root, { recursive: true })
})

function folderOf(i: number, half = 'recovery-log'): string {
  return join(root, half, 'logs', `made-${i}`)
}

describe(`make-logs: our logs in the layout of the vectors (SEED=${SEED})`, () => {
  it('every hints of each leads to the tree that was recorded', async () => {
    for (let i = 0; i < COUNT; i++) await makeLog(folderOf(i), `made-${i}`, SEED + i)
    const run = new VectorRun(root)
    await suite.run(run)
    expect(run.failures).toEqual([])
    const hints = Array.from({ length: COUNT }, (_, i) => readdirSync(folderOf(i))).flat()
    const plays = [...run.counts.values()]
      .flatMap((rules) => [...rules.values()])
      .reduce((sum, n) => sum + n, 0)
    expect(plays).toBe(hints.filter((file) => file.endsWith('.pb')).length)
    expect(plays).toBeGreaterThanOrEqual(4 * COUNT)
    const rules = [...run.counts.values()].flatMap((counted) => [...counted.keys()])
    expect(rules).toContain('cut hints')
  })

  it('the same seed makes the same bytes, another one others', async () => {
    await makeLog(folderOf(0, 'again'), 'made-0', SEED)
    await makeLog(folderOf(1, 'again'), 'made-0', SEED + 1)
    const bytesOf = (folder: string): string[] =>
      readdirSync(folder).map((file) => readFileSync(join(folder, file), 'hex'))
    expect(bytesOf(folderOf(0, 'again'))).toEqual(bytesOf(folderOf(0)))
    expect(bytesOf(folderOf(1, 'again'))).not.toEqual(bytesOf(folderOf(0)))
  })

  it('every log has every kind of operation, by two authors, and checksums of content by one', () => {
    for (let i = 0; i < COUNT; i++) {
      const log = readFileSync(join(folderOf(i), '1.log'))
      const kinds = new Set<number>()
      const authors = new Set<number>()
      const checking = new Set<number>()
      const op = new RecordedOp()
      for (let at = 0; at < log.length;) {
        const end = at + 8 + readFrameHeader(log, at)
        decodeRecordedOp(log, at + 8, end, op)
        kinds.add(op.kind)
        authors.add(op.author)
        if (op.hasContentChecksum) checking.add(op.author)
        at = end + (op.kind === OpKind.write ? op.length : 0)
      }
      expect([...kinds].sort()).toEqual(Object.values(OpKind).sort())
      expect([...authors].slice(1)).toEqual([...checking])
      expect(authors.size).toBe(2)
    }
  })
})
