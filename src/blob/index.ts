export type {
  BlobBody,
  BlobInfo,
  BlobStore,
  BlobSupports,
  ByteRange,
  ListOptions,
  PutOptions,
} from './blob-store.ts'
export { CallGate } from './call-gate.ts'
export { checkBlobStore } from './check-blob-store.ts'
export type { BlobStoreFault } from './check-blob-store.ts'
export { alreadyThere, checkKey, checkRange, compareKeys, notFound } from './key.ts'
export { readBlob } from './read-blob.ts'
