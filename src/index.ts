/**
 * The pure library: nothing in it touches the world but through what is handed in. What a Node service imports is
 * `recoverylog/node`: the same names, with files, clock and randomness filled in.
 *
 * @packageDocumentation
 */

// Errors: one class, a closed list of codes.
export { ERROR_KINDS, RecoveryLogError } from './errors/index.ts'
export type { ErrorCode, ErrorData, ErrorKind } from './errors/index.ts'

// Parts to hand in.
export type {
  Clock,
  FileStat,
  Platform,
  Random,
  Sha256,
  Sha256Factory,
  SyncFileSystem,
} from './parts/index.ts'

// The whole job in one object.
export {
  BlobHintsStore,
  DurableDirectory,
  FileHintsStore,
  HINTS_BACKUPS_DEFAULT,
  HintsStore,
  MemoryHintsStore,
} from './directory/index.ts'
export type {
  BlobHintsStoreOptions,
  Closable,
  CopyOptions,
  DirectoryCopy,
  DirectoryEnd,
  DirectoryEvent,
  DirectoryFileSystem,
  DirectoryParts,
  DirectoryStatus,
  FileHintsStoreOptions,
  FollowOptions,
  HintsBackend,
  HintsPin,
  HintsSet,
  HintsStoreOptions,
  JournalIdentity,
  KeptRange,
  OldestByte,
  OnDirectoryEvent,
  OnProgress,
  OpenOptions,
  PlanOptions,
  ProcessHolder,
  ProcessIdentity,
  Progress,
  PrunedLog,
  PruneOptions,
  PruneReport,
  ReachabilityOptions,
  RecoverOptions,
  RecoveryPlan,
  RecoverySource,
  SaveOptions,
  Since,
  Standby,
  StoredHints,
  VerifyReport,
} from './directory/index.ts'

// The same in parts: play a log into a directory, record what is done to it.
export { nullTarget, Player } from './player/index.ts'
export type {
  AtHead,
  Journals,
  LeftOver,
  LogEnd,
  LogPosition,
  LogRange,
  Missed,
  Played,
  PlayerFileSystem,
  PlayerOptions,
  PlayEvent,
  PlayProgress,
  PlaySource,
  Target,
} from './player/index.ts'
export {
  CHUNK_BYTES,
  FileRecorder,
  HISTORY_BYTES_MIN,
  HISTORY_FACTOR,
  QUEUE_BYTES_MAX,
  Recorder,
} from './recorder/index.ts'
export type {
  ChangeOfLogs,
  FileRecorderOptions,
  OpenFlags,
  ReadContent,
  RecorderOptions,
  RewriteOptions,
  Separator,
  WaitOptions,
} from './recorder/index.ts'

export {
  FileHandle,
  FileLines,
  FS_SUPPORT,
  HANDLE_SUPPORT,
  PROMISES_SUPPORT,
  RecordedFileSystem,
} from './recorder/fs/index.ts'
export type {
  NodeFileSystem,
  RecordedFileSystemDisk,
  RecordedFileSystemOptions,
  RecordedTree,
  RecordTreeOptions,
  Treatment,
} from './recorder/fs/index.ts'

// Journals.
export { MAX_APPEND_BYTES, MEMORY_FRAGMENT_BYTES, MemoryJournal } from './journal/index.ts'
export type {
  AppendRequest,
  Commit,
  Durability,
  Fragment,
  Head,
  Journal,
  JournalChunk,
  JournalResolver,
  JournalSupports,
  Label,
  LabelMatch,
  LabelSelector,
  MemoryContent,
  MemoryJournalOptions,
  ReadRequest,
} from './journal/index.ts'

// The state machine and its hints, usable alone.
export { authorOf, fenceOf, FSM, SEGMENT_GAP_BYTES_MIN, validateHints } from './fsm/index.ts'
export type {
  Fence,
  FnodeSegments,
  FSMHints,
  FSMOptions,
  Link,
  LiveNode,
  Outcome,
  Property,
} from './fsm/index.ts'
export { SegmentSet, validateSegment } from './segments/index.ts'
export type { Segment } from './segments/index.ts'

// The bytes.
export {
  crc32c,
  decodeHints,
  decodeRecordedOp,
  encodeCreate,
  encodeLink,
  encodeNoop,
  encodeProperty,
  encodeUnlink,
  encodeWrite,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FrameScanner,
  hintsFromJson,
  hintsFromProto,
  hintsToJson,
  hintsToProto,
  NOOP_FRAME_BYTES_MAX,
  OpKind,
  pathFrameBytesMax,
  propertyFrameBytesMax,
  RecordedOp,
  WRITE_FRAME_BYTES_MAX,
} from './wire/index.ts'

// For those who write journals of their own.
export {
  changeRegisters,
  checkRegisters,
  REGISTER_COUNT_MAX,
  REGISTER_NAME_BYTES_MAX,
  REGISTER_VALUE_BYTES_MAX,
  registersMatch,
  validateRegisterRequest,
} from './journal/index.ts'
export type { RegisterRequest } from './journal/index.ts'

// The other half: the log archive.
export * from './archive-half.ts'
