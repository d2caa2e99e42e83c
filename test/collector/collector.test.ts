import { describe, expect, it } from 'vitest'
import { Collector } from '../../src/collector/index.ts'
import type { CollectorRegistrar } from '../../src/collector/index.ts'
import type { LogStreamState } from '../../src/coordinator/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { systemDeflate, systemInflate } from '../../src/node/index.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import type { PutOutcome, StoragePut } from '../../src/storage/index.ts'
import { encodeLogEntry, packBundle, StreamType } from '../../src/wire/logdog/index.ts'

const secret = new Uint8Array(36).fill(7)
const stream = { project: 'project', path: 'a/+/name' }

/** A message of `count` lines of one stream from index `from` on. */
function message(from: number, count: number, logs = lines(from, count)): Uint8Array {
  const desc = {
    prefix: 'a',
    name: 'name',
    streamType: StreamType.text,
    contentType: 'text/plain',
    timestamp: { seconds: 1, nanos: 0 },
    tags: new Map<string, string>(),
    binaryFileExt: '',
  }
  const entry = { desc, deprecatedEntrySecret: new Uint8Array(0), terminal: false, terminalIndex: 0, logs }
  const bundle = { deprecatedSource: '', entries: [entry], project: 'project', prefix: 'a', secret }
  return packBundle(bundle, { deflate: systemDeflate })
}

function lines(from: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    encodeLogEntry({
      prefixIndex: from + i,
      streamIndex: from + i,
      sequence: from + i,
      content: {
        kind: 'text',
        lines: [{ value: new Uint8Array(Buffer.from(`line ${from + i}`)), delimiter: '\n' }],
      },
    }),
  )
}

const state: LogStreamState = {
  ...stream,
  id: '0'.repeat(64),
  protoVersion: '1',
  secret,
  terminalIndex: -1,
  archived: false,
  purged: false,
}

function registrar(answer: () => LogStreamState): CollectorRegistrar {
  return { registerStream: answer, terminateStream: () => undefined }
}

/** Storage whose puts wait until they are let go. */
class HeldStorage extends MemoryStorage {
  puts = 0
  letGo: (() => void)[] = []

  override async put(put: StoragePut): Promise<PutOutcome> {
    this.puts++
    await new Promise<void>((resolve) => this.letGo.push(resolve))
    return super.put(put)
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}

describe('collector', () => {
  it('duplicates: a bundle may come again, and overlap what is there', async () => {
    const storage = new MemoryStorage()
    const collector = new Collector({ coordinator: registrar(() => state), storage, inflate: systemInflate })
    expect(await collector.collect(message(0, 200))).toEqual({ stored: 200, existing: 0, faults: [] })
    expect(await collector.collect(message(0, 200))).toEqual({ stored: 0, existing: 200, faults: [] })
    expect(await collector.collect(message(150, 100))).toEqual({ stored: 50, existing: 50, faults: [] })
  })

  it('logs: one that is laid out otherwise is stored as Go would write it', async () => {
    const storage = new MemoryStorage()
    const collector = new Collector({ coordinator: registrar(() => state), storage, inflate: systemInflate })
    const [plain] = lines(5, 1) as [Uint8Array]
    const sequenceFirst = Uint8Array.of(0x20, 5, 0x10, 5, 0x18, 5, ...plain.subarray(6))
    const longVarint = Uint8Array.of(0x10, 0x85, 0, ...plain.subarray(2))
    for (const odd of [sequenceFirst, longVarint]) {
      await collector.collect(message(0, 0, [odd]))
      expect((await storage.tail(stream))?.bytes).toEqual(plain)
      await storage.expunge(stream)
    }
  })

  it('sealed: the message must come again, until the stream is archived; then its entries are LATE', async () => {
    const storage = new MemoryStorage()
    let archived = false
    const coordinator = registrar(() => ({ ...state, archived }))
    const collector = new Collector({ coordinator, storage, inflate: systemInflate })
    await storage.seal(stream, 'attempt')
    await expect(collector.collect(message(0, 2))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { code: 'SEALED' },
    })
    archived = true
    const { faults, stored } = await collector.collect(message(0, 2))
    expect([faults.map(({ code }) => code), stored]).toEqual([['LATE'], 0])
    expect(faults[0]?.data).toEqual({ ...stream, from: 0, count: 2 })
  })

  it('conflict: other bytes are dropped and told, and do not come again', async () => {
    const storage = new MemoryStorage()
    const collector = new Collector({ coordinator: registrar(() => state), storage, inflate: systemInflate })
    await storage.put({ stream, from: 0, entries: [Uint8Array.of(1)] })
    const { faults } = await collector.collect(message(0, 1))
    expect(faults.map(({ code }) => code)).toEqual(['CONFLICT'])
  })

  it('secrets: another one is DENIED, whatever its length', async () => {
    for (const other of [new Uint8Array(36), new Uint8Array(0)]) {
      const coordinator = registrar(() => ({ ...state, secret: other }))
      const collector = new Collector({ coordinator, storage: new MemoryStorage(), inflate: systemInflate })
      expect((await collector.collect(message(0, 1))).faults.map(({ code }) => code)).toEqual(['DENIED'])
    }
  })

  it('backpressure: no more is in flight than there is room for, and who waits can leave', async () => {
    const storage = new HeldStorage()
    const one = message(0, 1)
    const collector = new Collector({
      coordinator: registrar(() => state),
      storage,
      inflate: systemInflate,
      inFlightBytesMax: one.length * 2,
    })
    const abort = new AbortController()
    const running = [0, 1, 2].map(async () => collector.collect(one))
    const leaving = collector.collect(one, { signal: abort.signal })
    await settle()
    expect(storage.puts).toBe(2)
    abort.abort()
    await expect(leaving).rejects.toMatchObject({ code: 'ABORTED' })
    storage.letGo.shift()?.()
    await settle()
    expect(storage.puts).toBe(3)
    const closing = collector.close()
    for (const letGo of storage.letGo) letGo()
    await closing
    const reports = await Promise.all(running)
    expect(reports.map(({ stored }) => stored).sort()).toEqual([0, 0, 1])
    await expect(collector.collect(one)).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('foreign errors: whatever is none of ours may go better the next time', async () => {
    const coordinator = registrar(() => {
      throw new Error('foreign')
    })
    const collector = new Collector({ coordinator, storage: new MemoryStorage(), inflate: systemInflate })
    await expect(collector.collect(message(0, 1))).rejects.toSatisfy((error) =>
      RecoveryLogError.is(error, 'UNAVAILABLE'),
    )
  })
})
