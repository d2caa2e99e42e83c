import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { FileStorage } from '../../src/storage/file/index.ts'
import type { FileStorageOptions } from '../../src/storage/file/index.ts'
import { storageSuite } from '../../src/testing/index.ts'

const VARIANTS: Readonly<Record<string, Omit<FileStorageOptions, 'dir'>>> = {
  'as it is': {},
  'small segments, and a snapshot every few records': {
    segmentBytes: 5000,
    orderBytes: 640,
    openFilesMax: 1,
  },
}

for (const [variant, options] of Object.entries(VARIANTS)) {
  storageSuite({
    runner: { describe, it },
    name: `FileStorage, ${variant}`,
    factory: async () => {
      const dir = mkdtempSync(join(tmpdir(), 'storage-'))
      let now = 0
      const open = async (): Promise<FileStorage> =>
        FileStorage.open({ dir, clock: { now: () => now }, ...options })
      return {
        storage: await open(),
        open,
        kill: async () => undefined, // it does nothing by itself: to leave it alone is enough
        setNow: (ms) => {
          now = ms
        },
        dispose: async () => {
          rmSync(dir, { recursive: true })
        },
      }
    },
    supports: { open: true, kill: true, clock: true },
  })
}
