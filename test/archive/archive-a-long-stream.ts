/**
 * Archives a stream of entries of 1 KiB into a file store, reads it through, or verifies it, and prints how much memory
 * that has taken at most above what the process had before: `archive-a-long-stream.ts <dir> <write|read|verify> <entries>`.
 */
import { ArchiveReader, verifyArchive, writeArchive } from '../../src/archive/index.ts'
import type { EntrySource } from '../../src/archive/index.ts'
import { FileBlobStore } from '../../src/blob/file/index.ts'
import { descriptor, entryAt, sha256, upTo } from './archive-fixture.ts'

const [, , dir = '', what = '', entryCount] = process.argv
const count = Number(entryCount)
const text = 'x'.repeat(1000)
const folder = 'bucket/long'
const base = process.memoryUsage().rss
let highest = base

function look(): void {
  highest = Math.max(highest, process.memoryUsage().rss)
}

async function* entries(): EntrySource {
  for (let first = 0; first < count; first += 100) {
    yield upTo(100).map((i) => entryAt(first + i, text))
    look()
  }
}

const WORK: Readonly<Record<string, (blobs: FileBlobStore) => Promise<void>>> = {
  async write(blobs) {
    const settings = { renderData: true, streamIndexRange: 1 }
    await writeArchive({
      blobs,
      sha256,
      folder,
      descriptor,
      entries: entries(),
      settings,
      terminalIndex: count - 1,
    })
  },
  async read(blobs) {
    const reader = new ArchiveReader({ blobs, entries: `${folder}/logstream.entries` })
    let read = 0
    for await (const batch of reader.get()) {
      read += batch.length
      look()
    }
    if (read !== count) throw new Error(`${read} of ${count} entries came back`)
  },
  async verify(blobs) {
    const { isGood } = await verifyArchive({ blobs, sha256, folder })
    if (!isGood) throw new Error('the archive is not good')
  },
}

const blobs = await FileBlobStore.open({ dir })
await WORK[what]?.(blobs)
look()
await blobs.close()
console.log(highest - base)
