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
export type { Sha256, Sha256Factory } from './sha256.ts'
