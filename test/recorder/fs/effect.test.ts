/** Recorded is what took effect: short writes and errors of the disk, in every call that records. */
import * as nodeFs from 'node:fs'
import { expect, test } from 'vitest'
import type { NodeFileSystem } from '../../../src/recorder/fs/index.ts'
import { faulty, type Fault } from './faults.ts'
import { codeOf, recorded } from './recorded.ts'

interface Case {
  readonly name: string
  readonly faults: readonly Fault[]
  readonly call: (fs: NodeFileSystem) => unknown
  readonly answer: unknown
  readonly tree: Record<string, string>
}

const write =
  (call: string) =>
  (fs: NodeFileSystem): unknown => {
    const fd = fs.openSync('/a', 'r+')
    try {
      return call === 'lean'
        ? fs.writeSync(fd, Buffer.from('xyz'), 0, 3, 1)
        : fs.writevSync(fd, [Buffer.from('xyz'), Buffer.from('u')], 1)
    } finally {
      fs.closeSync(fd)
    }
  }

const CASES: Case[] = [
  {
    name: 'writeSync falls short',
    faults: [{ call: 'writeSync', after: 0, bytes: 2 }],
    call: write('lean'),
    answer: 2,
    tree: { '/a': '"axydef"' },
  },
  {
    name: 'writeSync fails',
    faults: [{ call: 'writeSync', after: 0, code: 'EIO' }],
    call: write('lean'),
    answer: 'EIO',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'writev falls short',
    faults: [{ call: 'writevSync', after: 0, bytes: 1 }],
    call: write('writev'),
    answer: 1,
    tree: { '/a': '"axcdef"' },
  },
  {
    name: 'writev fails',
    faults: [{ call: 'writevSync', after: 0, code: 'ENOSPC' }],
    call: write('writev'),
    answer: 'ENOSPC',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'writeFile goes on after a short write',
    faults: [{ call: 'writeSync', after: 0, bytes: 1 }],
    call: (fs) => {
      fs.writeFileSync('/a', 'xyz')
    },
    answer: undefined,
    tree: { '/a': '"xyz"' },
  },
  {
    name: 'writeFile fails behind its first write',
    faults: [
      { call: 'writeSync', after: 0, bytes: 1 },
      { call: 'writeSync', after: 0, code: 'ENOSPC' },
    ],
    call: (fs) => {
      fs.writeFileSync('/a', 'xyz')
    },
    answer: 'ENOSPC',
    tree: { '/a': '"x"' },
  },
  {
    name: 'writeFile of a new file fails',
    faults: [{ call: 'writeSync', after: 0, code: 'EIO' }],
    call: (fs) => {
      fs.writeFileSync('/b', 'xyz')
    },
    answer: 'EIO',
    tree: { '/a': '"abcdef"', '/b': '""' },
  },
  {
    name: 'appendFile fails',
    faults: [{ call: 'writeSync', after: 0, code: 'EIO' }],
    call: (fs) => {
      fs.appendFileSync('/a', 'xyz')
    },
    answer: 'EIO',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'open fails',
    faults: [{ call: 'openSync', after: 0, code: 'EMFILE' }],
    call: (fs) => {
      fs.writeFileSync('/b', '')
    },
    answer: 'EMFILE',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'close fails',
    faults: [{ call: 'closeSync', after: 0, code: 'EIO' }],
    call: (fs) => {
      fs.writeFileSync('/b', 'b')
    },
    answer: 'EIO',
    tree: { '/a': '"abcdef"', '/b': '"b"' },
  },
  {
    name: 'truncate fails',
    faults: [{ call: 'ftruncateSync', after: 0, code: 'EIO' }],
    call: (fs) => {
      fs.truncateSync('/a', 2)
    },
    answer: 'EIO',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'growing fails',
    faults: [{ call: 'ftruncateSync', after: 0, code: 'EFBIG' }],
    call: (fs) => {
      fs.truncateSync('/a', 200)
    },
    answer: 'EFBIG',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'reading what is left fails',
    faults: [{ call: 'readSync', after: 0, code: 'EIO' }],
    call: (fs) => {
      fs.truncateSync('/a', 2)
    },
    answer: 'EIO',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'rename fails',
    faults: [{ call: 'renameSync', after: 0, code: 'EIO' }],
    call: (fs) => {
      fs.renameSync('/a', '/b')
    },
    answer: 'EIO',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'link fails',
    faults: [{ call: 'linkSync', after: 0, code: 'EMLINK' }],
    call: (fs) => {
      fs.linkSync('/a', '/b')
    },
    answer: 'EMLINK',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'unlink fails',
    faults: [{ call: 'unlinkSync', after: 0, code: 'EBUSY' }],
    call: (fs) => {
      fs.unlinkSync('/a')
    },
    answer: 'EBUSY',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'mkdir fails halfway',
    faults: [{ call: 'mkdirSync', after: 1, code: 'ENOSPC' }],
    call: (fs) => fs.mkdirSync('/d/e/f', { recursive: true }),
    answer: 'ENOSPC',
    tree: { '/a': '"abcdef"', '/d': 'dir' },
  },
  {
    name: 'copyFile fails at its read',
    faults: [{ call: 'readSync', after: 0, code: 'EIO' }],
    call: (fs) => {
      fs.copyFileSync('/a', '/b')
    },
    answer: 'EIO',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'copyFile over a file fails at its write',
    faults: [{ call: 'writeSync', after: 1, code: 'ENOSPC' }],
    call: (fs) => {
      fs.writeFileSync('/b', 'old')
      fs.copyFileSync('/a', '/b')
    },
    answer: 'ENOSPC',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'rm fails halfway',
    faults: [{ call: 'unlinkSync', after: 1, code: 'EIO' }],
    call: (fs) => {
      fs.mkdirSync('/d')
      fs.writeFileSync('/d/1', '')
      fs.writeFileSync('/d/2', '')
      fs.rmSync('/d', { recursive: true })
    },
    answer: 'EIO',
    tree: { '/a': '"abcdef"', '/d': 'dir', '/d/1': '""' },
  },
  {
    name: 'cp fails halfway',
    faults: [{ call: 'writeSync', after: 3, code: 'ENOSPC' }],
    call: (fs) => {
      fs.mkdirSync('/d')
      fs.writeFileSync('/d/1', '1')
      fs.writeFileSync('/d/2', '2')
      fs.cpSync('/d', '/e', { recursive: true })
    },
    answer: 'ENOSPC',
    tree: { '/a': '"abcdef"', '/d': 'dir', '/d/1': '"1"', '/d/2': '"2"', '/e': 'dir', '/e/1': '"1"' },
  },
  {
    name: 'mkdtemp fails',
    faults: [{ call: 'mkdtempSync', after: 0, code: 'EIO' }],
    call: (fs) => fs.mkdtempSync('/t'),
    answer: 'EIO',
    tree: { '/a': '"abcdef"' },
  },
  {
    name: 'rmdir fails',
    faults: [{ call: 'rmdirSync', after: 0, code: 'EBUSY' }],
    call: (fs) => {
      fs.mkdirSync('/d')
      fs.rmdirSync('/d')
    },
    answer: 'EBUSY',
    tree: { '/a': '"abcdef"', '/d': 'dir' },
  },
]

for (const { name, faults, call, answer, tree } of CASES) {
  test(`effect: ${name}`, async () => {
    const pending: Fault[] = []
    const { fs, check } = await recorded({ seen: faulty(nodeFs, pending) })
    fs.writeFileSync('/a', 'abcdef')
    pending.push(...faults.map((fault) => ({ ...fault })))
    let answered: unknown
    const code = codeOf(() => (answered = call(fs)))
    expect(code === 'no error' ? answered : code).toBe(answer)
    expect(pending).toEqual([])
    expect(await check()).toEqual(tree)
  })
}
