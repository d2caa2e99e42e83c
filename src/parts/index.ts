export type { Clock } from './clock.ts'
export {
  readSmallFile,
  removeTree,
  syncFolder,
  syncFolderAside,
  systemErrorCode,
  unlinkIfThere,
  writeNewFile,
} from './durable-file.ts'
export { isLongerThan, PATH_BYTES_MAX, PIECE_BYTES_MAX, WINDOWS_PIECE_RULES } from './file-names.ts'
export type { PieceRule, Platform } from './file-names.ts'
export type { FileStat, SyncFileSystem } from './file-system.ts'
export type { Random } from './random.ts'
export type { Sha256, Sha256Factory } from './sha256.ts'
