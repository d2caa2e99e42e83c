import { createHash } from 'node:crypto'
import { ArchiveFile, writeArchive } from '../../src/archive/index.ts'
import type { ArchiveManifest, EntrySource, WriteArchiveOptions } from '../../src/archive/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import type { Sha256Factory } from '../../src/parts/index.ts'
import { encodeDescriptor } from '../../src/wire/logdog/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'

/** A stream for tests, and its archive. */

export const sha256: Sha256Factory = () => {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) }
}

export const FOLDER = 'bucket/proj/foo/+/bar'

export const descriptor = encodeDescriptor({
  prefix: 'foo',
  name: 'bar',
  streamType: 0,
  contentType: 'text/plain; charset=utf-8',
  timestamp: { seconds: 1_700_000_000, nanos: 0 },
  tags: new Map(),
  binaryFileExt: 'txt',
})

/** The entry of one line whose indexes and sequence are all `index`. */
export function entryAt(index: number, text = `line ${index}`): LogEntry {
  return {
    timeOffset: { seconds: index, nanos: 0 },
    prefixIndex: index,
    streamIndex: index,
    sequence: index,
    content: { kind: 'text', lines: [{ value: Buffer.from(text), delimiter: '\n' }] },
  }
}

export function entriesAt(...indexes: readonly number[]): LogEntry[] {
  return indexes.map((index) => entryAt(index))
}

export function upTo(count: number): number[] {
  return [...Array(count).keys()]
}

export async function* sourceOf(...batches: readonly (readonly LogEntry[])[]): EntrySource {
  yield* batches
}

/** Writes an archive into a store of its own. */
export async function archiveOf(
  entries: readonly LogEntry[],
  options: Partial<WriteArchiveOptions> = {},
): Promise<{ blobs: MemoryBlobStore; manifest: ArchiveManifest; keys: { entries: string; index: string } }> {
  const blobs = new MemoryBlobStore()
  const all = { blobs, sha256, folder: FOLDER, descriptor, entries: sourceOf(entries), ...options }
  const manifest = await writeArchive(all)
  return {
    blobs,
    manifest,
    keys: { entries: `${FOLDER}/${ArchiveFile.entries}`, index: `${FOLDER}/${ArchiveFile.index}` },
  }
}
