/** Order, the queue's limit, durable points, and what happens after a failure. */
import { expect, test } from 'vitest'
import { MemoryJournal } from '../../../src/journal/memory/index.ts'
import { HeldJournal } from './faults.ts'
import {
  codeOf,
  LOG,
  memoryDisk,
  promisesOnly,
  recorded,
  type RecordedOptions,
  recoveredTree,
} from './recorded.ts'

async function held(options: Partial<RecordedOptions> & { appendSync?: boolean } = {}) {
  const journal = new MemoryJournal({ name: LOG })
  const gate = new HeldJournal(journal, options.appendSync)
  const r = await recorded({
    disk: memoryDisk(),
    journal,
    recorded: gate,
    recorder: { queueBytesMax: 1500 },
    ...options,
  })
  await r.files.sync()
  gate.isHolding = true
  return { ...r, gate }
}

const KIB = Buffer.alloc(900, 'k')

test('queue: synchronous calls throw BACKLOGGED before anything is changed, where the journal cannot flush', async () => {
  const { fs, gate, recorder, check } = await held()
  const fd = fs.openSync('/open', 'w')
  fs.writeFileSync('/a', KIB)
  while (
    codeOf(() => {
      fs.appendFileSync('/a', 'x')
    }) === 'no error'
  ) {
    continue
  }
  const [position, before] = [recorder.position, fs.readFileSync('/a')]
  const calls = [
    () => {
      fs.truncateSync('/a', 5000)
    },
    () => {
      fs.linkSync('/a', '/b')
    },
    () => {
      fs.unlinkSync('/a')
    },
    () => fs.mkdtempSync('/t'),
    () => fs.openSync('/b', 'w'),
    () => fs.openSync('/a', 'w'),
    () => {
      fs.writeFileSync('/b', KIB)
    },
    () => {
      fs.writeSync(fd, KIB, 0, KIB.length, 0)
    },
    () => {
      fs.writeSync(fd, KIB)
    },
    () => {
      fs.writevSync(fd, [KIB])
    },
    () => {
      fs.truncateSync('/a', 800)
    },
    () => {
      fs.copyFileSync('/a', '/b')
    },
    () => {
      fs.cpSync('/a', '/b')
    },
    () => {
      fs.mkdirSync(`/${'d'.repeat(200)}`)
    },
    () => {
      fs.renameSync('/a', '/b')
    },
    () => {
      fs.rmSync('/a', { force: true })
    },
  ]
  for (const call of calls) expect(codeOf(call)).toBe('BACKLOGGED')
  expect(recorder.position).toBe(position)
  expect(fs.readdirSync('/')).toEqual(['a', 'open'])
  expect(fs.readFileSync('/a')).toEqual(before)
  fs.chmodSync('/a', 0o600) // nothing to record
  fs.closeSync(fd)
  gate.release()
  await check()
})

test('queue: synchronous calls flush where the journal can', async () => {
  const { fs, recorder, journal } = await held({ appendSync: true })
  const fd = fs.openSync('/open', 'w')
  for (let at = 0; at < 5; at++) fs.writeSync(fd, KIB, 0, KIB.length, at * KIB.length)
  expect(recorder.committed).toBeGreaterThan(3 * KIB.length)
  fs.writeFileSync('/large', Buffer.alloc(5000, 'l')) // larger than the queue: alone
  fs.fsyncSync(fd)
  expect(recorder.committed).toBe(recorder.position)
  expect(Object.keys(await recoveredTree(journal))).toEqual(['/large', '/open'])
  fs.closeSync(fd)
})

test('queue: asynchronous calls wait for room, in their order, and have copied their data', async () => {
  const { fs, gate, check } = await held()
  const data = Buffer.alloc(900, 'd')
  const text = Buffer.from('text')
  const done: string[] = []
  const all = [
    fs.promises.writeFile('/a', data).then(() => done.push('a')),
    fs.promises.writeFile('/b', data).then(() => done.push('b')),
    fs.promises.appendFile('/b', text).then(() => done.push('append')),
    fs.promises.rename('/b', '/c').then(() => done.push('rename')),
    fs.promises.mkdir('/d').then(() => done.push('mkdir')),
  ]
  const handle = fs.promises.open('/c', 'r+')
  data.fill('x')
  text.fill('y')
  await Promise.resolve()
  expect(fs.readdirSync('/')).toEqual(['a'])
  expect(codeOf(() => fs.mkdirSync('/e'))).toBe('BACKLOGGED')
  gate.release()
  await Promise.all(all)
  expect(done).toHaveLength(5)
  expect(fs.readFileSync('/c', 'utf8')).toBe(`${'d'.repeat(900)}text`)
  const open = await handle
  const views = [Buffer.alloc(900, 'v'), Buffer.alloc(900, 'w')]
  gate.isHolding = true
  const writes = [
    open.writev(views, 0),
    open.writev(views),
    open.write(views[0] as Buffer),
    open.truncate(10),
  ]
  for (const view of views) view.fill('z')
  gate.release()
  await Promise.all(writes)
  await open.close()
  expect(fs.readFileSync('/c', 'utf8')).toBe('v'.repeat(10))
  await check()
})

test('queue: a synchronous call that can flush brings to an end what waits before it', async () => {
  const { fs, gate, check } = await held({ appendSync: true })
  const waiting = [
    fs.promises.writeFile('/a', KIB),
    fs.promises.writeFile('/b', KIB),
    fs.promises.rename('/b', '/c'),
    fs.promises.rename('/none', '/c').catch((error: unknown) => error),
  ]
  expect(fs.existsSync('/c')).toBe(false)
  fs.writeFileSync('/d', 'sync')
  expect(fs.readdirSync('/')).toEqual(['a', 'c', 'd'])
  gate.release()
  expect(await Promise.all(waiting)).toMatchObject([undefined, undefined, undefined, { code: 'ENOENT' }])
  await check()
})

test('queue: a call larger than the queue waits until it is empty, over promises only too', async () => {
  const disk = memoryDisk()
  const { fs, gate, check } = await held({ disk, seen: promisesOnly(disk) })
  const large = Buffer.alloc(5000, 'l')
  const all = [
    fs.promises.writeFile('/a', large),
    fs.promises.writeFile('/b', large),
    fs.promises.copyFile('/a', '/c'),
  ]
  large.fill('x')
  gate.release()
  await Promise.all(all)
  expect(fs.existsSync).toBe(undefined)
  expect(disk.readFileSync('/disk/b', 'utf8')).toBe('l'.repeat(5000))
  expect(new Set(Object.values(await check())).size).toBe(1)
})

test('durable points: their promises wait for the commit of what was called before', async () => {
  const { fs, gate, recorder, files } = await held()
  const handle = await fs.promises.open('/a', 'w')
  const told: string[] = []
  const points = [
    handle.write('text').then(() => told.push('written')),
    handle.sync().then(() => told.push('sync')),
    handle.datasync().then(() => told.push('datasync')),
    fs.promises.writeFile('/b', '', { flush: true }).then(() => told.push('flush')),
    files.sync().then(({ log, end }) => told.push(`${log} ${String(end === recorder.head)}`)),
  ]
  fs.fsync(handle.fd, () => told.push('fsync'))
  fs.fdatasyncSync(handle.fd) // only flushes to the queue: the journal cannot append synchronously
  for (let turns = 0; turns < 20; turns++) await Promise.resolve()
  expect(told).toEqual(['written'])
  expect(recorder.committed).toBeLessThan(recorder.position)
  gate.release()
  await Promise.all(points)
  await handle.close()
  expect(told.sort()).toEqual(['datasync', 'flush', 'fsync', 'sync', `${LOG} true`, 'written'].sort())
  expect(
    codeOf(() => {
      fs.fsyncSync(77)
    }),
  ).toBe('EBADF')
})

test('durable points: in the synchronous form durable where the journal can append synchronously', async () => {
  const { fs, recorder, journal } = await held({ appendSync: true })
  fs.writeFileSync('/a', 'a', { flush: true })
  expect(recorder.committed).toBe(recorder.position)
  expect(await recoveredTree(journal)).toEqual({ '/a': '"a"' })
})

test('failure: every change and sync fails with the first cause, those that wait too; reads and close go on', async () => {
  const { fs, gate, files } = await held()
  const fd = fs.openSync('/a', 'w+')
  fs.writeSync(fd, KIB)
  const waiting = [
    fs.promises.writeFile('/b', KIB),
    fs.promises.mkdir('/c'),
    fs.promises.unlink('/a'),
    files.sync(),
  ]
  const settled = Promise.allSettled(waiting)
  gate.fail(new Error('the journal is gone'))
  const reasons = (await settled).map((result) => (result as PromiseRejectedResult).reason as unknown)
  const failure = reasons[0]
  expect(failure).toMatchObject({ cause: { message: 'the journal is gone' } })
  for (const reason of reasons) expect(reason).toBe(failure)
  const changes = [
    () => {
      fs.writeFileSync('/d', '')
    },
    () => {
      fs.writeSync(fd, 'x')
    },
    () => {
      fs.writeSync(fd, KIB, 0, 1, 0)
    },
    () => fs.mkdirSync('/d'),
    () => {
      fs.truncateSync('/a', 1)
    },
    () => {
      fs.fsyncSync(fd)
    },
  ]
  for (const change of changes) expect(change).toThrow(failure)
  await expect(fs.promises.writeFile('/d', '')).rejects.toBe(failure)
  await expect(files.sync()).rejects.toBe(failure)
  await expect(files.close()).rejects.toBe(failure)
  expect(fs.readFileSync('/a')).toEqual(KIB)
  expect(fs.readdirSync('/')).toEqual(['a'])
  fs.closeSync(fd)
})

test('close: what was called before is done and committed, later changes are CLOSED, reads go on', async () => {
  const { fs, gate, files, recorder, journal } = await held()
  const before = [fs.promises.writeFile('/a', KIB), fs.promises.writeFile('/b', KIB)]
  const closing = files.close()
  const after = fs.promises.writeFile('/c', '')
  gate.release()
  await Promise.all(before)
  await closing
  expect(recorder.committed).toBe(recorder.position)
  await expect(after).rejects.toMatchObject({ code: 'CLOSED' })
  expect(
    codeOf(() => {
      fs.unlinkSync('/a')
    }),
  ).toBe('CLOSED')
  expect(fs.readFileSync('/a')).toEqual(KIB)
  await files.close()
  expect(Object.keys(await recoveredTree(journal))).toEqual(['/a', '/b'])
})

test('sync: an abort ends the wait, and nothing else', async () => {
  const { fs, gate, files, check } = await held()
  fs.writeFileSync('/a', 'a')
  const abort = new AbortController()
  const syncing = files.sync({ signal: abort.signal })
  abort.abort()
  await expect(syncing).rejects.toMatchObject({ code: 'ABORTED' })
  gate.release()
  await check()
})

test('writeFile: an aborted signal writes nothing', async () => {
  const { fs } = await recorded({ disk: memoryDisk() })
  await expect(fs.promises.writeFile('/a', 'a', { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  })
  expect(fs.existsSync('/a')).toBe(false)
})
