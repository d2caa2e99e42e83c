import { join } from 'node:path'
import type { ArchivistParts } from '../../src/archivist/index.ts'
import { FileBlobStore } from '../../src/blob/file/index.ts'
import { Coordinator } from '../../src/coordinator/index.ts'
import { FileStreamStore, FileTaskQueue } from '../../src/coordinator/file/index.ts'
import { systemClock } from '../../src/journal/file/index.ts'
import { systemRandom, systemSha256 } from '../../src/node/index.ts'
import { FileStorage } from '../../src/storage/file/index.ts'

/** Everything of an archivist on files of one folder, as a process opens it. */

export interface FileParts extends ArchivistParts {
  readonly coordinator: Coordinator
  close(): Promise<void>
}

export async function openFileParts(dir: string): Promise<FileParts> {
  const clock = systemClock
  const store = await FileStreamStore.open({ dir: join(dir, 'state'), clock })
  const queue = await FileTaskQueue.open({ dir: join(dir, 'queue'), clock })
  const storage = await FileStorage.open({ dir: join(dir, 'entries') })
  const blobs = await FileBlobStore.open({ dir: join(dir, 'blobs') })
  const parts = { random: systemRandom, sha256: systemSha256, clock }
  const coordinator = new Coordinator({ streamStore: store, taskQueue: queue, ...parts })
  return {
    ...parts,
    coordinator,
    storage,
    blobs,
    async close() {
      await Promise.all([store.close(), queue.close(), storage.close(), blobs.close()])
    },
  }
}
