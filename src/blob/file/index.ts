export { FileBlobStore } from './file-blob-store.ts'
export type { FileBlobStoreOptions } from './file-blob-store.ts'
