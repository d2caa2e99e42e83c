export { decodeStored } from './decode-stored.ts'
export { MemoryStorage } from './memory/index.ts'
export { STORED_ENTRY_BYTES_MAX } from './rules.ts'
export type {
  IntermediateStorage,
  PutOutcome,
  StorageGet,
  StoragePut,
  StorageTail,
  StoredEntry,
  StreamName,
  WithSignal,
} from './storage.ts'
