export type { Clock } from './clock.ts'
export {
  readSmallFile,
  removeTree,
  syncFolder,
  systemErrorCode,
  unlinkIfThere,
  writeNewFile,
} from './durable-file.ts'
export type { FileStat, SyncFileSystem } from './file-system.ts'
export type { Random } from './random.ts'
