import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { WriteFolder } from './archives.ts'
import { suite } from './archives.ts'
import { makeArchive, writeArchiveList } from './make-archives.ts'
import { MADE_FILE, runSuites } from './run-suites.ts'

const root = mkdtempSync(join(tmpdir(), 'made-archives-'))
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 20)
const COUNT = 6

afterAll(() => {
  rmSync(root, { recursive: true })
})

function folderOf(i: number, under = 'archives'): string {
  return join(root, under, `made-${i}`)
}

describe(`make-archives: our archives in the layout of the vectors (SEED=${SEED})`, () => {
  it('each is what the rules say, is read as they say, and nothing else is in the folder', async () => {
    const list = []
    for (let i = 0; i < COUNT; i++) {
      const name = `made-${i}`
      list.push({ name, dir: name, cases: await makeArchive(folderOf(i), name, SEED + i) })
    }
    writeArchiveList(join(root, 'archives'), list)
    writeFileSync(join(root, MADE_FILE), JSON.stringify({ suites: ['archive/archives'] }))
    const run = await runSuites(root, [
      suite,
      { file: 'archive/other.json', run: () => Promise.reject(new Error('not made')) },
    ])
    expect(run.failures).toEqual([])
    expect([...run.counts.values()].map((rules) => rules.get('equal to Go'))).toEqual(Array(COUNT).fill(5))
  })

  it('there are text, binary and datagram, gaps, sparse indexes, dropped entries and raised times', () => {
    const folders = Array.from(
      { length: COUNT },
      (_, i) => JSON.parse(readFileSync(join(folderOf(i), 'case.json'), 'utf8')) as WriteFolder,
    )
    expect(new Set(folders.map(({ descriptor }) => descriptor.stream_type)).size).toBe(3)
    const cases = folders.flatMap((folder) => folder.cases)
    expect(cases.some(({ expected }) => expected.indexed_stream_indices.length > 1)).toBe(true)
    expect(cases.some(({ expected }) => expected.indexed_count < expected.written_count)).toBe(true)
    expect(cases.some(({ expected }) => expected.dropped_source_positions.length > 0)).toBe(true)
    expect(cases.some(({ expected }) => expected.raised_source_positions.length > 0)).toBe(true)
    const isOverGap = cases.some(({ reads }) =>
      reads?.some(({ gets }) => gets.some(({ returned }) => returned.length > 1)),
    )
    expect(isOverGap).toBe(true)
  })

  it('the same seed makes the same bytes, another one others', async () => {
    await makeArchive(folderOf(0, 'again'), 'made-0', SEED)
    await makeArchive(folderOf(1, 'again'), 'made-0', SEED + 3)
    const bytesOf = (folder: string): string[] =>
      readdirSync(folder).map((file) => readFileSync(join(folder, file), 'hex'))
    expect(bytesOf(folderOf(0, 'again'))).toEqual(bytesOf(folderOf(0)))
    expect(bytesOf(folderOf(1, 'again'))).not.toEqual(bytesOf(folderOf(0)))
  })
})
