import { describe, it } from 'vitest'
import { MemoryStorage } from '../../src/storage/index.ts'
import { storageSuite } from '../../src/testing/index.ts'

storageSuite({
  runner: { describe, it },
  name: 'MemoryStorage',
  factory: async () => {
    let now = 0
    return {
      storage: new MemoryStorage({ clock: { now: () => now } }),
      setNow: (ms) => {
        now = ms
      },
    }
  },
  supports: { open: false, kill: false, clock: true },
})
