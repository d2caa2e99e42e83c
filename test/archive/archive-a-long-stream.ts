/**
 * Archives a stream of entries of 1 KiB into a file store, reads it through, verifies it, and prints how much memory that
 * has taken at most above what the process had before.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ArchiveReader, verifyArchive, writeArchive } from '../../src/archive/index.ts'
import type { EntrySource } from '../../src/archive/index.ts'
import { FileBlobStore } from '../../src/blob/file/index.ts'
import { descriptor, entryAt, sha256, upTo } from './archive-fixture.ts'

const count = Number(process.argv[2])
const text = 'x'.repeat(1000)
const dir = mkdtempSync(join(tmpdir(), 'archive-a-long-stream-'))
const folder = 'bucket/long'

async function main(): Promise<void> {
  const blobs = await FileBlobStore.open({ dir })
  const base = process.memoryUsage().rss
  let highest = base
  const look = (): void => {
    highest = Math.max(highest, process.memoryUsage().rss)
  }
  async function* entries(): EntrySource {
    for (let first = 0; first < count; first += 100) {
      yield upTo(100).map((i) => entryAt(first + i, text))
      look()
    }
  }
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
  look()
  const reader = new ArchiveReader({ blobs, entries: `${folder}/logstream.entries` })
  let read = 0
  for await (const batch of reader.get()) {
    read += batch.length
    look()
  }
  if (read !== count) throw new Error(`${read} of ${count} entries came back`)
  const { isGood } = await verifyArchive({ blobs, sha256, folder })
  look()
  if (!isGood) throw new Error('the archive is not good')
  await blobs.close()
  console.log(highest - base)
}

try {
  await main()
} finally {
  rmSync(dir, { recursive: true })
}
