/** A back end proves itself by the suite of its interface. */
import { describe, it } from 'node:test'
import { MemoryStorage } from 'recoverylog/storage/memory'
import { storageSuite } from 'recoverylog/testing'

// #region suite
storageSuite({
  runner: { describe, it }, // of node:test here
  name: 'a storage of my own',
  factory: async () => ({ storage: new MemoryStorage() }), // yours: a new one, empty, for each test
  supports: { open: false, kill: false, clock: false },
})
// #endregion
