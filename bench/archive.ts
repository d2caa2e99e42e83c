import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, read, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import protobuf from 'protobufjs/minimal.js'
import { ArchiveIndex, ArchiveReader, writeArchive } from '../src/archive/index.ts'
import { FileBlobStore } from '../src/blob/file/index.ts'
import type { BlobStore, ByteRange } from '../src/blob/index.ts'
import type { LogEntry } from '../src/wire/logdog/index.ts'
import { logdog } from '../test/support/logdog-static.js'
import { question, WARM_ROUNDS } from './harness.ts'
import type { Setup, Variant } from './harness.ts'
import { archiveBatches, encodeArchive, ENTRIES, sha256 } from './support/archive-input.ts'
import { scratchFolder } from './support/scratch.ts'
import { ARCHIVE_DESCRIPTOR, xorshift32 } from './workloads.ts'

const BYTE_RANGE = 64 * 1024
/** The entries file of the input with a byte range of 64 KiB, and its index: as Go writes them. */
const CHECKS = {
  entries: 'afd8c4074c191215d643a6074ed87574a7bbf0cc15dafd82e5dd163ebc461e79',
  index: '1d43ed9277dcd93e934b201415377f90c1b077c825524e3edd00b413cb711118',
}
const INDEX_ENTRIES = 100_000
/** Entries of a gigabyte. */
const GIB_ENTRIES = 9_500_000
const GETS = 4000
const GET_LIMIT = 100

/** The whole input in memory, as `ArchiveEncoder` writes it. */
function encoded(count: number, byteRange: number): { entries: Buffer; index: Buffer } {
  const chunks = { entries: [] as Uint8Array[], index: [] as Uint8Array[] }
  encodeArchive(count, byteRange, (file, chunk) => chunks[file].push(chunk.slice()))
  return { entries: Buffer.concat(chunks.entries), index: Buffer.concat(chunks.index) }
}

/** An entry as protobufjs takes it: the same objects, under its names. */
function plainEntry({ timeOffset, prefixIndex, streamIndex, sequence, content }: LogEntry): object {
  return { timeOffset, prefixIndex, streamIndex, sequence, text: content }
}

/** The plain stack: each message encoded by protobufjs, and copied behind its length. */
function encodePlainly(): number {
  const out = new Uint8Array(1024 * 1024)
  let at = 0
  let bytes = 0
  let sinceIndexed = 0
  const index: object[] = []
  for (const batch of archiveBatches()) {
    for (const entry of batch) {
      const message = logdog.LogEntry.encode(plainEntry(entry)).finish()
      if (at + message.length + 10 > out.length) at = 0
      const offset = bytes
      const begin = at
      for (let rest = message.length; ; rest >>>= 7) {
        out[at++] = rest < 0x80 ? rest : (rest & 0x7f) | 0x80
        if (rest < 0x80) break
      }
      out.set(message, at)
      at += message.length
      bytes += at - begin
      sinceIndexed += message.length
      if (sinceIndexed < BYTE_RANGE) continue
      sinceIndexed = 0
      const { timeOffset, prefixIndex, streamIndex, sequence } = entry
      index.push({ offset, timeOffset: { ...timeOffset }, prefixIndex, streamIndex, sequence })
    }
  }
  return bytes + logdog.LogIndex.encode({ entries: index }).finish().length
}

function encodeSetup(): Setup {
  const { entries, index } = encoded(ENTRIES, BYTE_RANGE)
  assert.equal(createHash('sha256').update(entries).digest('hex'), CHECKS.entries)
  assert.equal(createHash('sha256').update(index).digest('hex'), CHECKS.index)
  return {
    unit: 'M/s',
    rounds: WARM_ROUNDS,
    subject: { operations: ENTRIES, run: () => encodeArchive(ENTRIES, BYTE_RANGE, () => undefined) },
    floor: { operations: ENTRIES, run: () => void encodePlainly() },
    note: 'protobufjs static; Go 1.25',
  }
}

async function fileSetup(): Promise<Setup> {
  const dir = scratchFolder()
  const store = await FileBlobStore.open({ dir: join(dir, 'store') })
  const { entries, index } = encoded(ENTRIES, BYTE_RANGE)
  async function* source(): AsyncGenerator<readonly LogEntry[], void, undefined> {
    yield* archiveBatches()
  }
  return {
    unit: 'M/s',
    subject: {
      operations: ENTRIES,
      async run() {
        const settings = { byteRange: BYTE_RANGE, streamIndexRange: 0 }
        const options = {
          blobs: store,
          sha256,
          folder: 'b/archive',
          descriptor: ARCHIVE_DESCRIPTOR,
          settings,
        }
        const manifest = await writeArchive({ ...options, entries: source() })
        assert.equal(manifest.files['logstream.entries']?.sha256, CHECKS.entries)
      },
    },
    floor: { operations: ENTRIES, run: () => writeRaw(dir, [entries, index]) },
    note: 'the same bytes written raw, hashed and fsynced; Go 1.14',
    async close() {
      await store.close()
      rmSync(dir, { recursive: true })
    },
  }
}

function writeRaw(dir: string, files: readonly Uint8Array[]): void {
  files.forEach((bytes, i) => {
    const fd = openSync(join(dir, `raw-${i}`), 'w')
    const hash = createHash('sha256')
    for (let at = 0; at < bytes.length; at += 1024 * 1024) {
      const chunk = bytes.subarray(at, at + 1024 * 1024)
      hash.update(chunk)
      writeSync(fd, chunk)
    }
    hash.digest()
    fsyncSync(fd)
    closeSync(fd)
  })
}

/** The gigabyte that `get` is measured on, and the reads that it comes down to. */
async function gibArchive(): Promise<{
  get: Variant
  bare: Variant
  p: { quantile: number }
  close: () => Promise<void>
}> {
  const dir = scratchFolder()
  const store = await FileBlobStore.open({ dir: join(dir, 'store') })
  async function* source(): AsyncGenerator<readonly LogEntry[], void, undefined> {
    yield* archiveBatches(GIB_ENTRIES)
  }
  const folder = 'b/archive'
  const settings = { byteRange: BYTE_RANGE, streamIndexRange: 0 }
  await writeArchive({
    blobs: store,
    sha256,
    folder,
    descriptor: ARCHIVE_DESCRIPTOR,
    entries: source(),
    settings,
  })
  const reader = new ArchiveReader({
    blobs: store,
    entries: `${folder}/logstream.entries`,
    index: `${folder}/logstream.index`,
  })
  const indexFile: Uint8Array[] = []
  for await (const chunk of store.get(`${folder}/logstream.index`)) indexFile.push(chunk.slice())
  const index = ArchiveIndex.parse(Buffer.concat(indexFile))
  const next = xorshift32(0x12345678)
  const indexes = Array.from({ length: GETS }, () => next() % (GIB_ENTRIES - GET_LIMIT))
  const fd = openSync(join(dir, 'store/blobs/b,archive,logstream.entries.blob'), 'r')
  const p = { quantile: 0.5 }
  const get = timed(p, indexes, async (first) => {
    let count = 0
    for await (const batch of reader.get({ index: first, limit: GET_LIMIT })) count += batch.length
    assert.equal(count, GET_LIMIT)
  })
  const bare = timed(p, indexes, async (first) => {
    const plan = index.plan(first, GET_LIMIT)
    const { begin, end } = plan ?? { begin: 0, end: 0 }
    const buffer = Buffer.allocUnsafeSlow(Math.min(end, begin + 2 * BYTE_RANGE) - begin)
    await new Promise<void>((resolve, reject) => {
      read(fd, buffer, 0, buffer.length, begin, (error) => (error === null ? resolve() : reject(error)))
    })
  })
  await get.run() // reads all of it once: warm
  return {
    get,
    bare,
    p,
    async close() {
      closeSync(fd)
      await store.close()
      rmSync(dir, { recursive: true })
    },
  }
}

/** Calls `body` for each of `indexes`, and answers a quantile of the times, in milliseconds. */
function timed(
  p: { quantile: number },
  indexes: readonly number[],
  body: (index: number) => Promise<void>,
): Variant {
  return {
    operations: 1,
    async run() {
      const times: number[] = []
      for (const index of indexes) {
        const begin = performance.now()
        await body(index)
        times.push(performance.now() - begin)
      }
      times.sort((a, b) => a - b)
      return times[Math.floor(p.quantile * times.length)]
    },
  }
}

async function getSetup(quantile: number, note: string): Promise<Setup> {
  const { get, bare, p, close } = await gibArchive()
  p.quantile = quantile
  return { unit: 'us', subject: get, floor: bare, note, close }
}

async function scanSetup(): Promise<Setup> {
  const { entries, index } = encoded(ENTRIES, BYTE_RANGE)
  // Both read from memory in place: what is measured is the decoding, not a store.
  const files: Readonly<Record<string, Uint8Array>> = { e: entries, i: index }
  const get = ((key: string, range?: ByteRange) => {
    const bytes = files[key] as Uint8Array
    return range?.length === undefined
      ? (async function* () {
          yield bytes
        })()
      : Promise.resolve(bytes.subarray(range.offset, range.offset + range.length))
  }) as BlobStore['get']
  const reader = new ArchiveReader({ blobs: { get }, entries: 'e', index: 'i' })
  return {
    unit: 'M/s',
    rounds: WARM_ROUNDS,
    subject: {
      operations: ENTRIES,
      async run() {
        let count = 0
        for await (const batch of reader.get()) count += batch.length
        assert.equal(count, ENTRIES)
      },
    },
    floor: {
      operations: ENTRIES,
      run() {
        const plain = protobuf.Reader.create(entries)
        plain.skip(plain.uint32())
        let count = 0
        while (plain.pos < plain.len) {
          logdog.LogEntry.decode(plain, plain.uint32())
          count++
        }
        assert.equal(count, ENTRIES)
      },
    },
    note: 'protobufjs static; Go 2.0',
  }
}

function indexSetup(): Setup {
  const { index } = encoded(INDEX_ENTRIES, 1)
  const operations = 10 * INDEX_ENTRIES
  return {
    unit: 'M/s',
    subject: {
      operations,
      run: () => repeat(10, () => assert.equal(ArchiveIndex.parse(index).rows, INDEX_ENTRIES)),
    },
    floor: { operations, run: () => repeat(10, () => logdog.LogIndex.decode(index)) },
    note: 'protobufjs static; Go 6.3',
  }
}

function repeat(times: number, body: () => unknown): void {
  for (let i = 0; i < times; i++) body()
}

await question('How fast is a stream archived?', [
  { name: 'archive/encode', goals: [{ of: 'ratio', atLeast: 4 }], prepare: encodeSetup },
  { name: 'archive/file', goals: [{ of: 'ratio', atLeast: 0.5 }], prepare: fileSetup },
])

await question('How fast is an archive read, from anywhere?', [
  {
    name: 'archive/get',
    goals: [
      { of: 'value', atMost: 80 },
      { of: 'ratio', atMost: 1.7 },
    ],
    prepare: () => getSetup(0.5, 'p50; a bare asynchronous read of the range; Go 196 us'),
  },
  {
    name: 'archive/get/p99',
    goals: [{ of: 'value', atMost: 200 }],
    prepare: () => getSetup(0.99, 'p99'),
  },
  { name: 'archive/scan', goals: [{ of: 'ratio', atLeast: 3 }], prepare: scanSetup },
  { name: 'archive/index-load', goals: [{ of: 'ratio', atLeast: 3 }], prepare: indexSetup },
])
