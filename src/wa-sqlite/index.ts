export { DurableVFS } from './durable-vfs.ts'
export type { DurableVFSFileSystem, DurableVFSOptions } from './durable-vfs.ts'
