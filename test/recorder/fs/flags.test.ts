import * as nodeFs from 'node:fs'
import { expect, test } from 'vitest'
import { FLAG_STRINGS, flagNumbersOf, LINUX_FLAGS, parseFlags } from '../../../src/recorder/fs/flags.ts'
import type { NodeFileSystem } from '../../../src/recorder/fs/index.ts'
import { codeOf, promisesOnly, recorded, temporaryFolder } from './recorded.ts'

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = nodeFs.constants

const STRINGS = [
  ...['r', 'rs', 'sr', 'r+', 'rs+', 'sr+', 'w', 'wx', 'xw', 'w+', 'wx+', 'xw+'],
  ...['a', 'ax', 'xa', 'as', 'sa', 'a+', 'ax+', 'xa+', 'as+', 'sa+'],
]

const NUMBERS = [O_RDONLY, O_WRONLY, O_RDWR].flatMap((access) =>
  subsets([O_CREAT, O_EXCL, O_TRUNC, O_APPEND]).map((rest) => access | rest),
)

/** What a path may be before it is opened. */
const BEFORE = {
  missing: () => undefined,
  file: (fs: NodeFileSystem, path: string) => {
    fs.writeFileSync(path, 'before')
  },
  directory: (fs: NodeFileSystem, path: string) => {
    fs.mkdirSync(path)
  },
}

/** Opens, writes at the beginning, reads at the beginning: each with its outcome, and the file after it. */
function story(fs: NodeFileSystem, path: string, flags: string | number): unknown {
  const opened: { fd?: number } = {}
  const open = codeOf(() => (opened.fd = fs.openSync(path, flags)))
  const { fd } = opened
  if (fd === undefined) return { open }
  const write = codeOf(() => fs.writeSync(fd, Buffer.from('WR'), 0, 2, 0))
  const read = codeOf(() => fs.readSync(fd, Buffer.alloc(4), 0, 4, 0))
  fs.closeSync(fd)
  const after = fs.statSync(path).isFile() ? fs.readFileSync(path, 'latin1') : 'directory'
  return { open, write, read, after }
}

for (const [before, prepare] of Object.entries(BEFORE)) {
  test(`open: every flag does what it does on node:fs (${before})`, async () => {
    const plain = temporaryFolder()
    const r = await recorded()
    for (const [index, flags] of [...STRINGS, ...NUMBERS].entries()) {
      const path = `/${String(index)}`
      prepare(r.fs, path)
      prepare(nodeFs, plain + path)
      expect([flags, story(r.fs, path, flags)]).toEqual([flags, story(nodeFs, plain + path, flags)])
    }
    await r.check()
  })

  test(`open: every flag is recorded over promises only (${before})`, async () => {
    const r = await recorded({ seen: promisesOnly(nodeFs) })
    for (const [index, flags] of [...STRINGS, ...NUMBERS].entries()) {
      const path = `/${String(index)}`
      if (before === 'file') await r.fs.promises.writeFile(path, 'before')
      if (before === 'directory') await r.fs.promises.mkdir(path)
      const handle = await r.fs.promises.open(path, flags).catch(() => undefined)
      await handle?.write('WR', 0).catch(() => undefined)
      await handle?.close()
    }
    await r.check()
  })
}

test('flags: the table is that of node, and nothing else is one', () => {
  expect(Object.keys(FLAG_STRINGS).sort()).toEqual([...STRINGS].sort())
  const numbers = flagNumbersOf(nodeFs.constants)
  for (const flags of ['', 'R', 'rw', 'toString', {}, true, 1.5]) {
    expect(codeOf(() => parseFlags(flags, numbers))).toBe('ERR_INVALID_ARG_VALUE')
  }
  expect(parseFlags(undefined, numbers)).toEqual(parseFlags('r', numbers))
})

test('flags: a file system that names no numbers has those of Linux, one that lacks some has 0 for them', () => {
  expect(flagNumbersOf(undefined)).toEqual(LINUX_FLAGS)
  expect(flagNumbersOf({ O_CREAT: 512 })).toMatchObject({ O_CREAT: 512, O_SYNC: 0 })
  expect(parseFlags('w', flagNumbersOf({ O_WRONLY: 1, O_CREAT: 512, O_TRUNC: 1024 }))).toMatchObject({
    number: 1537,
  })
})

function subsets(bits: readonly number[]): number[] {
  return Array.from({ length: 2 ** bits.length }, (_, set) =>
    bits.reduce((sum, bit, index) => sum | ((set >> index) & 1 ? bit : 0), 0),
  )
}
