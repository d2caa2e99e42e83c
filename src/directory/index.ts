export { BlobHintsStore } from './blob/blob-hints-store.ts'
export type { BlobHintsStoreOptions } from './blob/blob-hints-store.ts'
export type { DirectoryCopy, PlanOptions, RecoverOptions, RecoveryPlan, VerifyReport } from './copies.ts'
export type { DirectoryEnd } from './directory-end.ts'
export type { DirectoryEvent, OnDirectoryEvent } from './directory-event.ts'
export type {
  Closable,
  CopyOptions,
  DirectoryFileSystem,
  DirectoryParts,
  FollowOptions,
  OpenOptions,
} from './directory-options.ts'
export { DurableDirectory } from './durable-directory.ts'
export { FileHintsStore } from './file/file-hints-store.ts'
export type { FileHintsStoreOptions } from './file/file-hints-store.ts'
export type { HintsPin, KeptRange } from './hints-pin.ts'
export type { HintsSet, JournalIdentity, Since } from './hints-set.ts'
export { HINTS_BACKUPS_DEFAULT, HintsStore } from './hints-store.ts'
export type { HintsBackend, HintsStoreOptions, SaveOptions, StoredHints } from './hints-store.ts'
export { MemoryHintsStore } from './memory/memory-hints-store.ts'
export { judgeHolder } from './process-identity.ts'
export type { ProcessHolder, ProcessIdentity } from './process-identity.ts'
export type { OnProgress, Progress } from './progress.ts'
export type { OldestByte, PrunedLog, PruneOptions, PruneReport } from './prune.ts'
export type { ReachabilityOptions } from './reachability.ts'
export type { RecoverySource } from './recovery.ts'
export type { Standby } from './standby.ts'
export type { DirectoryStatus } from './status.ts'
