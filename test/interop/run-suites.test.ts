import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { describeCounts, describeFailure, runSuites } from './run-suites.ts'
import type { VectorRun, VectorSuite } from './vector-run.ts'

const suites: readonly VectorSuite[] = [
  {
    file: 'north/numbers.json',
    async run(run) {
      for (const { name, value } of run.json<{ name: string; value: number }[]>('north/numbers.json')) {
        await run.check('north/numbers.json', name, value > 100 ? 'doubtful' : 'equal to Go', () => {
          expect(value).toBe(Number(name))
        })
      }
    },
  },
  {
    file: 'south/folders',
    async run(run) {
      for (const folder of run.list('south/folders')) {
        await run.check(`south/folders/${folder}`, folder, 'equal to Go', () => {
          expect(Buffer.from(run.bytes(`south/folders/${folder}/a.bin`)).toString()).toBe(folder)
        })
      }
    },
  },
]

const NORTH = { 'north/numbers.json': '[{"name":"1","value":1},{"name":"200","value":200}]' }
const SOUTH = { 'south/folders/x/a.bin': 'x', 'south/folders/y/a.bin': 'y' }
const BESIDE = { 'README.md': '', SHA256SUMS: '' }

const folders: string[] = []

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'vectors-'))
  folders.push(folder)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

function told(run: VectorRun): string[] {
  return run.failures.map(({ file, error }) => `${file}: ${(error as Error).message.split('\n')[0] ?? ''}`)
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

describe('vectors: a folder is run as a whole', () => {
  it('counts cases by file and rule, and passes what passes', async () => {
    const run = await runSuites(folderOf({ ...NORTH, ...SOUTH, ...BESIDE }), suites)
    expect(told(run)).toEqual([])
    expect(describeCounts(run).map((line) => line.replace(/ +/g, ' '))).toEqual([
      'north/numbers.json 2 1 equal to Go, 1 doubtful',
      'south/folders/x 1 1 equal to Go',
      'south/folders/y 1 1 equal to Go',
    ])
  })

  it('one half alone, or a folder that is itself one half, is enough', async () => {
    const alone = await runSuites(folderOf(NORTH), suites)
    expect([told(alone), alone.counts.size]).toEqual([[], 1])
    const itself = await runSuites(folderOf({ 'folders/x/a.bin': 'x', 'README.md': '' }), suites)
    expect([told(itself), itself.counts.size]).toEqual([[], 1])
  })

  it('a half that is to be built later is passed over', async () => {
    const run = await runSuites(folderOf({ ...NORTH, 'west/a.json': '[]' }), suites, ['west'])
    expect(told(run)).toEqual([])
  })

  it.each([
    [
      'a value that differs',
      { ...NORTH, 'north/numbers.json': '[{"name":"1","value":2}]' },
      'north/numbers.json: ',
    ],
    ['a file that nobody knows', { ...NORTH, 'north/letters.json': '[]' }, 'north/letters.json: no suite'],
    ['a folder that nobody knows', { ...NORTH, 'west/a.json': '[]' }, 'west/a.json: no suite'],
    [
      'a file deep in a known folder',
      { ...SOUTH, 'south/folders/x/b.bin': '' },
      'south/folders/x/b.bin: no suite',
    ],
    ['a second README', { ...NORTH, 'north/README.md': '' }, 'north/README.md: no suite'],
    ['a missing file', { 'north/other.json': '[]' }, 'north/numbers.json: ENOENT'],
    ['a file without cases', { 'north/numbers.json': '[]' }, 'north/numbers.json: no case'],
    ['a folder without vectors', BESIDE, '.: holds no north and no south'],
  ])('fails: %s', async (_, files: Record<string, string>, expected) => {
    expect((await runSuites(folderOf(files), suites)).failures.map(describeFailure).join('\n')).not.toBe('')
    expect(told(await runSuites(folderOf(files), suites)).join('\n')).toContain(expected)
  })

  it('fails: an empty folder, wherever', async () => {
    const folder = folderOf({ ...NORTH, ...SOUTH })
    mkdirSync(join(folder, 'south/nothing'))
    expect(told(await runSuites(folder, suites))).toEqual(['south/nothing: the folder is empty'])
    expect(told(await runSuites(folderOf({}), suites))).toContain('.: holds no north and no south')
  })

  it('a suite that breaks off is told once, and its folder is not called unknown', async () => {
    const breaking: VectorSuite = {
      file: 'south/folders',
      run: () => Promise.reject(new Error('unknown kind')),
    }
    expect(told(await runSuites(folderOf(SOUTH), [breaking]))).toEqual(['south/folders: unknown kind'])
  })

  it('a folder that was made: only what it says is run, and nothing else may be in it', async () => {
    const made = { 'made.json': '{"suites":["south/folders"]}', 'folders/x/a.bin': 'x' }
    const run = await runSuites(folderOf(made), suites)
    expect(told(run)).toEqual([])
    expect(describeCounts(run).map((line) => line.replace(/ +/g, ' '))).toEqual([
      'south/folders/x 1 1 equal to Go',
    ])
    const more = await runSuites(folderOf({ ...made, 'numbers.json': '[]' }), suites)
    expect(told(more)).toEqual(['numbers.json: no suite knows this file'])
    const none = await runSuites(folderOf({ ...made, 'made.json': '{"suites":["west"]}' }), suites)
    expect(told(none)[0]).toBe('.: holds no north and no south')
  })
})
