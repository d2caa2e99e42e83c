import * as nodeFs from 'node:fs'
import { text } from 'node:stream/consumers'
import { finished, pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { codeOf, memoryDisk, promisesOnly, recorded } from './recorded.ts'

const DISKS = {
  'node:fs': () => recorded(),
  memfs: () => recorded({ disk: memoryDisk() }),
  'promises only': () => recorded({ seen: promisesOnly(nodeFs) }),
}

for (const [name, begin] of Object.entries(DISKS)) {
  test(`file handle: every method does what it does in node (${name})`, async () => {
    const { fs, check, recorder } = await begin()
    const handle = await fs.promises.open('/a', 'w+')
    expect(handle.fd).toBeGreaterThan(2)
    expect(await handle.write('abc')).toEqual({ bytesWritten: 3, buffer: 'abc' })
    expect(await handle.write('ff', 3, 'hex')).toMatchObject({ bytesWritten: 1 })
    const bytes = Buffer.from('xyz')
    expect(await handle.write(bytes, 1)).toEqual({ bytesWritten: 2, buffer: bytes })
    expect(
      await (handle as unknown as { write(...args: unknown[]): Promise<object> }).write(bytes, {
        offset: 0,
        length: 1,
        position: 0,
      }),
    ).toMatchObject({
      bytesWritten: 1,
    })
    expect(
      await handle.write(new DataView(new ArrayBuffer(2)) as unknown as Uint8Array, null, null, 9),
    ).toMatchObject({
      bytesWritten: 2,
    })
    await handle.writeFile('whole')
    await handle.appendFile(['and', ' more'] as unknown as string)
    expect((await handle.writev([Buffer.from('1'), Buffer.from('2')])).bytesWritten).toBe(2)
    expect(await handle.readFile('utf8')).toBe('')
    expect((await handle.stat()).size).toBe(20)
    await handle.truncate(12)
    await handle.chmod(0o600)
    await handle.chown(0, 0)
    await handle.utimes(1, 2)
    await handle.sync()
    await handle.datasync()
    expect(recorder.committed).toBe(recorder.position)
    const second = await fs.promises.open('/a')
    expect((await second.read()).bytesRead).toBe(12)
    expect(await second.read({ buffer: Buffer.alloc(4), position: 1 })).toMatchObject({ bytesRead: 4 })
    expect(
      await second.read(Buffer.alloc(4), { position: 8n as unknown as number, length: 2 }),
    ).toMatchObject({ bytesRead: 2 })
    expect(await second.read(Buffer.alloc(4), 0, 4, -1)).toMatchObject({ bytesRead: 0 })
    expect((await second.readv([Buffer.alloc(5), Buffer.alloc(50)], 0)).bytesRead).toBe(12)
    expect(await second.readv([Buffer.alloc(5)])).toMatchObject({ bytesRead: 0 })
    await expect(second.write('x')).rejects.toMatchObject({ code: 'EBADF', syscall: 'write' })
    expect(await second.write(Buffer.alloc(0))).toMatchObject({ bytesWritten: 0 })
    await expect(second.truncate()).rejects.toMatchObject({ code: 'EINVAL', syscall: 'ftruncate' })
    const reading = second.read(Buffer.alloc(12), 0, 12, 0)
    const closing = second.close()
    expect((await reading).bytesRead).toBe(12)
    await closing
    await second.close()
    expect(second.fd).toBe(-1)
    await expect(second.stat()).rejects.toMatchObject({ code: 'EBADF' })
    await expect(second.write(Buffer.alloc(0))).rejects.toMatchObject({ code: 'EBADF' })
    await handle[Symbol.asyncDispose]()
    await check()
  })
}

test('file handle: appending goes to the end, wherever it is asked for', async () => {
  const { fs, check } = await recorded()
  fs.writeFileSync('/a', '0123')
  const handle = await fs.promises.open('/a', 'a+')
  await handle.write('x', 0)
  await handle.writev([Buffer.from('y'), Buffer.from('z')], 1)
  expect((await handle.read(Buffer.alloc(4), 0, 4, null)).bytesRead).toBe(4)
  await handle.close()
  expect(await check()).toEqual({ '/a': '"0123xyz"' })
})

test('file handle: takes the place of a path in readFile, writeFile and appendFile', async () => {
  const { fs, check } = await recorded()
  const handle = await fs.promises.open('/a', 'w+')
  await fs.promises.writeFile(handle, 'one')
  await fs.promises.appendFile(handle, ' two')
  await handle.truncate(5)
  expect(await fs.promises.readFile(handle)).toEqual(Buffer.alloc(0))
  await handle.close()
  const again = await fs.promises.open('/a')
  expect(await again.readFile()).toEqual(Buffer.from('one t'))
  await again.close()
  const fd = fs.openSync('/a', 'r')
  expect(fs.readFileSync(fd, 'latin1')).toBe('one t')
  expect(fs.readFileSync(fd, { encoding: 'hex' })).toBe('')
  expect(codeOf(() => fs.readFileSync('/new', { flag: 'w+' }))).toBe('EPERM')
  fs.closeSync(fd)
  expect(codeOf(() => fs.readFileSync(fd))).toBe('EBADF')
  await check()
})

test('file handle: lines, with every kind of end, and over the edges of chunks', async () => {
  const { fs, root } = await recorded()
  const cases = ['', 'one', 'one\n', 'a\r\nb\rc\nd', 'a\r\n', '\n\n', 'ä\u2028ö', 'last\r']
  for (const content of cases) {
    for (const highWaterMark of [1, 2, 64]) {
      fs.writeFileSync('/lines', content)
      const handle = await fs.promises.open('/lines')
      const plain = await nodeFs.promises.open(`${root}/lines`)
      const lines: string[] = []
      for await (const line of handle.readLines({ highWaterMark })) lines.push(line)
      const wanted: string[] = []
      for await (const line of plain.readLines()) wanted.push(line)
      expect([content, lines]).toEqual([content, wanted])
      expect(handle.fd).toBe(-1)
    }
  }
  fs.writeFileSync('/lines', 'a\nb')
  const handle = await fs.promises.open('/lines')
  handle.readLines().close()
  const lines = (await fs.promises.open('/lines')).readLines()[Symbol.asyncIterator]()
  expect(await lines.next()).toEqual({ value: 'a', done: false })
  await lines.return?.()
})

test('file handle: as a web stream', async () => {
  const { fs } = await recorded()
  const content = Buffer.alloc(200_000, 'web stream ')
  fs.writeFileSync('/a', content)
  const handle = await fs.promises.open('/a')
  const chunks: Uint8Array[] = []
  for await (const chunk of handle.readableWebStream() as AsyncIterable<Uint8Array>) chunks.push(chunk)
  expect(Buffer.concat(chunks).equals(content)).toBe(true)
  await handle.close()
})

for (const name of ['node:fs', 'memfs'] as const) {
  test(`streams: read ranges, in chunks, with an encoding, from a path, a descriptor and a handle (${name})`, async () => {
    const { fs } = await DISKS[name]()
    fs.writeFileSync('/a', '0123456789')
    const read = (options?: object): Promise<string> => text(fs.createReadStream('/a', options))
    expect(await read()).toBe('0123456789')
    expect(await read({ start: 3 })).toBe('3456789')
    expect(await read({ start: 3, end: 5, highWaterMark: 2 })).toBe('345')
    expect(await read({ end: 0 })).toBe('0')
    expect(await read({ start: 50 })).toBe('')
    const fd = fs.openSync('/a', 'r')
    fs.readSync(fd, Buffer.alloc(2), 0, 2, null)
    expect(await read({ fd, autoClose: false })).toBe('23456789')
    expect(await read({ fd, start: 1, end: 2 })).toBe('12')
    expect(codeOf(() => fs.fstatSync(fd))).toBe('EBADF')
    const handle = await fs.promises.open('/a')
    expect(await text(handle.createReadStream({ end: 3 }))).toBe('0123')
    expect(handle.fd).toBe(-1)
    const stream = fs.createReadStream('/a', 'hex')
    const opened = new Promise((resolve) => stream.on('open', resolve))
    expect([stream.path, stream.pending, stream.bytesRead]).toEqual(['/a', true, 0])
    expect(await text(stream)).toBe('30313233343536373839')
    expect(await opened).toBeGreaterThan(2)
    expect([stream.bytesRead, stream.pending]).toEqual([10, false])
    const missing = fs.createReadStream('/none')
    await expect(finished(missing)).rejects.toMatchObject({ code: 'ENOENT', path: '/none' })
    if (name === 'node:fs') {
      await expect(finished(fs.createReadStream('/').resume())).rejects.toMatchObject({ code: 'EISDIR' })
    }
    const closed = fs.createReadStream('/a')
    await new Promise<void>((resolve) => {
      closed.close(() => {
        resolve()
      })
    })
    const Constructor = fs.ReadStream as unknown as new (path: string) => Readable
    expect(await text(new Constructor('/a'))).toBe('0123456789')
    await expect(text(fs.createReadStream('/a', { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  test(`streams: writes are recorded, from a start, appended, to a descriptor and a handle (${name})`, async () => {
    const { fs, check, recorder } = await DISKS[name]()
    const write = async (parts: readonly (string | Uint8Array)[], options?: object): Promise<void> => {
      await pipeline(Readable.from(parts), fs.createWriteStream('/a', options as undefined))
    }
    await write(['0123', Buffer.from('456789')])
    expect(await check()).toEqual({ '/a': '"0123456789"' })
    await write(['ab'], { start: 2 })
    await write(['cd'], { flags: 'a' })
    expect(await check()).toEqual({ '/a': '"01ab456789cd"' })
    const fd = fs.openSync('/a', 'r+')
    await write(['X'], { fd })
    expect(codeOf(() => fs.fstatSync(fd))).toBe('EBADF')
    const handle = await fs.promises.open('/a', 'r+')
    await pipeline(Readable.from(['Y']), handle.createWriteStream({ start: 1, flush: true }))
    expect(recorder.committed).toBe(recorder.position)
    expect(handle.fd).toBe(-1)
    expect(await check()).toEqual({ '/a': '"XYab456789cd"' })
    const stream = fs.createWriteStream('/b', {
      encoding: 'hex',
      highWaterMark: 4,
      autoClose: true,
    } as object)
    for (const part of ['6162', '63', '6465']) stream.write(part)
    await new Promise<void>((resolve) => {
      stream.close(() => {
        resolve()
      })
    })
    expect([stream.path, stream.bytesWritten, stream.pending]).toEqual(['/b', 5, false])
    expect(await check()).toMatchObject({ '/b': '"abcde"' })
    await expect(finished(fs.createWriteStream('/none/x'))).rejects.toMatchObject({
      code: 'ENOENT',
      path: '/none/x',
    })
    await expect(finished(fs.createWriteStream('/b', 'latin1').end('bin'))).resolves.toBe(undefined)
    const open = fs.openSync('/b', 'r')
    const failing = fs.createWriteStream('', { fd: open })
    failing.end('x')
    await expect(finished(failing)).rejects.toMatchObject({ code: 'EBADF' })
    const kept = fs.createWriteStream('/c', { autoClose: false })
    await new Promise((resolve) => kept.write('c', resolve))
    kept.close()
    const Constructor = fs.WriteStream as unknown as new (path: string) => nodeFs.WriteStream
    await finished(new Constructor('/d').end('d'))
    expect(await check()).toMatchObject({ '/c': '"c"', '/d': '"d"' })
  })
}

test('watch: passes through, in every form that there is', async () => {
  const { fs } = await recorded()
  fs.writeFileSync('/a', 'a')
  const watcher = fs.watch('/')
  const seen = new Promise<unknown>((resolve) => {
    watcher.on('change', (_event, name) => {
      resolve(name)
    })
  })
  fs.writeFileSync('/a', 'b')
  expect(await seen).toBe('a')
  watcher.close()
  const abort = new AbortController()
  const events = fs.promises.watch('/', { signal: abort.signal })[Symbol.asyncIterator]()
  const next = events.next()
  for (let i = 0; i < 5; i++) await fs.promises.stat('/a')
  fs.writeFileSync('/b', '')
  expect((await next).value).toMatchObject({ filename: 'b' })
  abort.abort()
  await expect(events.next()).rejects.toMatchObject({ name: 'AbortError' })
  const listener = (): void => undefined
  fs.watchFile('/a', listener)
  fs.unwatchFile('/a', listener)
  expect(await (await fs.openAsBlob('/a')).text()).toBe('b')
  expect(codeOf(() => fs.watch('/none'))).toBe('ENOENT')
})

test("arguments: a caller's mistake is told as node tells it, and changes nothing", async () => {
  const { fs, recorder } = await recorded()
  const fd = fs.openSync('/a', 'w+')
  const position = recorder.position
  const wrong = (call: () => unknown): string => codeOf(call)
  expect(wrong(() => fs.writeSync(fd, 5 as unknown as string))).toBe('ERR_INVALID_ARG_TYPE')
  expect(wrong(() => fs.writeSync(fd, Buffer.alloc(2), 3))).toBe('ERR_OUT_OF_RANGE')
  expect(wrong(() => fs.writeSync(fd, Buffer.alloc(2), 0, 3))).toBe('ERR_OUT_OF_RANGE')
  expect(wrong(() => fs.writeSync(fd, Buffer.alloc(2), -1, 1, 0))).toBe('ERR_OUT_OF_RANGE')
  expect(wrong(() => fs.writeSync(fd, Buffer.alloc(2), '0' as unknown as number))).toBe(
    'ERR_INVALID_ARG_TYPE',
  )
  expect(wrong(() => fs.writevSync(fd, 'x' as unknown as []))).toBe('ERR_INVALID_ARG_TYPE')
  expect(wrong(() => fs.readSync(fd, 'x' as unknown as Buffer))).toBe('ERR_INVALID_ARG_TYPE')
  expect(
    wrong(() => {
      fs.writeFileSync('/b', {} as unknown as string)
    }),
  ).toBe('ERR_INVALID_ARG_TYPE')
  expect(
    wrong(() => {
      fs.writeFileSync('/b', '', { flag: 'nonsense' })
    }),
  ).toBe('ERR_INVALID_ARG_VALUE')
  expect(wrong(() => fs.openSync('/b', 'nonsense'))).toBe('ERR_INVALID_ARG_VALUE')
  expect(
    wrong(() => {
      fs.closeSync(99)
    }),
  ).toBe('EBADF')
  expect(
    wrong(() => {
      fs.closeSync('1' as unknown as number)
    }),
  ).toBe('EBADF')
  expect(wrong(() => fs.writeSync(1, 'to somebody else'))).toBe('EBADF')
  expect(recorder.position).toBe(position)
  fs.closeSync(fd)
})
