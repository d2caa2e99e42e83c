import * as nodeFs from 'node:fs'
import { expect, test } from 'vitest'
import { OpKind } from '../../../src/wire/index.ts'
import { MemoryJournal } from '../../../src/journal/memory/index.ts'
import { LOG, memoryDisk, promisesOnly, recorded } from './recorded.ts'
import { operationsOf } from './operations.ts'

const MIB = 1024 * 1024

for (const disk of [undefined, memoryDisk()]) {
  const where = disk === undefined ? 'node:fs' : 'memfs'
  const begin = () => recorded(disk === undefined ? {} : { disk: memoryDisk() })

  test(`truncation: shorter is a new fnode with what is left, under all names (${where})`, async () => {
    const { fs, recorder, check } = await begin()
    fs.mkdirSync('/d')
    fs.writeFileSync('/a', 'abcdef')
    fs.linkSync('/a', '/b')
    fs.linkSync('/a', '/d/c')
    const before = recorder.fnodeOf('/a')
    fs.truncateSync('/b', 4)
    const after = recorder.fnodeOf('/a') as number
    expect(after).not.toBe(before)
    expect(recorder.fsm.linksOf(after).sort()).toEqual(['/a', '/b', '/d/c'])
    expect(await check()).toEqual({ '/a': '"abcd"', '/b': '= /a', '/d': 'dir', '/d/c': '= /a' })
  })

  test(`truncation: open handles go on with the new fnode (${where})`, async () => {
    const { fs, check } = await begin()
    const [first, second] = [fs.openSync('/a', 'w+'), fs.openSync('/a', 'a')]
    fs.writeSync(first, 'abcdef')
    fs.linkSync('/a', '/b')
    fs.ftruncateSync(first, 3)
    fs.writeSync(second, 'X')
    fs.writeSync(first, Buffer.from('Y'), 0, 1, 0)
    expect(await check()).toEqual({ '/a': '"YbcX"', '/b': '= /a' })
    fs.writeFileSync('/a', '1')
    fs.writeSync(second, '2')
    fs.closeSync(first)
    fs.closeSync(fs.openSync('/b', 'w'))
    fs.writeSync(second, '3')
    fs.closeSync(second)
    expect(await check()).toEqual({ '/a': '"3"', '/b': '= /a' })
  })

  test(`truncation: longer is a zero byte at the end (${where})`, async () => {
    const { fs, journal, check } = await begin()
    fs.writeFileSync('/a', 'a')
    fs.truncateSync('/a', 3 * MIB)
    expect(fs.statSync('/a').size).toBe(3 * MIB)
    await check()
    const writes = (await operationsOf(journal)).filter(({ kind }) => kind === OpKind.write)
    expect(writes.map(({ offset, length }) => [offset, length])).toEqual([
      [0, 1],
      [3 * MIB - 1, 1],
    ])
  })

  test(`truncation: what changes nothing records nothing (${where})`, async () => {
    const { fs, recorder, check } = await begin()
    fs.writeFileSync('/a', 'abc')
    fs.writeFileSync('/empty', '')
    const before = recorder.position
    fs.truncateSync('/a', 3)
    fs.truncateSync('/empty')
    fs.writeFileSync('/empty', '')
    fs.closeSync(fs.openSync('/empty', 'w'))
    expect(recorder.position).toBe(before)
    await check()
  })
}

for (const seen of [undefined, promisesOnly(nodeFs)]) {
  test(`truncation: what does not fit one append is written aside first, ${seen === undefined ? 'sync' : 'promises only'}`, async () => {
    const journal = new MemoryJournal({ name: LOG, maxAppendBytes: 64 * 1024 })
    const { fs, check } = await recorded({ journal, ...(seen === undefined ? {} : { seen }) })
    const content = Buffer.alloc(300 * 1024, 'content ')
    await fs.promises.writeFile('/a', content)
    await fs.promises.link('/a', '/b')
    await fs.promises.truncate('/a', 200 * 1024)
    const operations = await operationsOf(journal)
    const aside = operations.filter(({ path }) => path.startsWith('/.recoverylog/'))
    expect(aside.map(({ kind }) => kind)).toEqual([OpKind.create, OpKind.unlink])
    expect(Object.values(await check())).toHaveLength(2)
    expect(await fs.promises.readFile('/b')).toEqual(content.subarray(0, 200 * 1024))
  })
}

test('truncation: a file without names is truncated and recorded no more', async () => {
  const { fs, recorder, check } = await recorded()
  const fd = fs.openSync('/a', 'w+')
  fs.writeSync(fd, 'abc')
  fs.unlinkSync('/a')
  const before = recorder.position
  fs.ftruncateSync(fd, 1)
  fs.ftruncateSync(fd, 5)
  fs.writeSync(fd, 'x')
  fs.writeSync(fd, Buffer.from('y'), 0, 1, 0)
  expect(fs.readFileSync(fd, 'utf8')).toBe('\0')
  expect(recorder.position).toBe(before)
  fs.closeSync(fd)
  expect(await check()).toEqual({})
})

test('truncation: the lengths that node refuses are refused', async () => {
  const { fs } = await recorded()
  fs.writeFileSync('/a', 'abc')
  expect(() => {
    fs.truncateSync('/a', 1.5)
  }).toThrow(RangeError)
  expect(() => {
    fs.truncateSync('/a', '1' as unknown as number)
  }).toThrow(TypeError)
  const fd = fs.openSync('/a', 'r')
  expect(() => {
    fs.ftruncateSync(fd, 0)
  }).toThrow('EINVAL: invalid argument, ftruncate')
  fs.closeSync(fd)
  fs.truncateSync('/a', -5)
  expect(fs.statSync('/a').size).toBe(0)
})
