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

// The log archive: files that can be read from any position.
export {
  ArchiveReader,
  archiveSettings,
  decodeManifest,
  DEFAULT_ARCHIVE_SETTINGS,
  IndexCache,
  renderEntries,
  verifyArchive,
  writeArchive,
} from './archive/index.ts'
export type {
  ArchiveBases,
  ArchiveDamage,
  ArchiveFault,
  ArchiveLocation,
  ArchiveManifest,
  ArchiveReaderParts,
  ArchiveSettings,
  ArchiveSummary,
  DamagedEntry,
  EntrySource,
  GetOptions,
  IndexRange,
  IndexRanges,
  ManifestFile,
  ManifestRanges,
  RenderOptions,
  Truncation,
  VerifyOptions as VerifyArchiveOptions,
  VerifyReport as ArchiveVerifyReport,
  WriteArchiveOptions,
} from './archive/index.ts'

// Where archives are kept.
export { checkBlobStore, readBlob } from './blob/index.ts'
export type {
  BlobBody,
  BlobInfo,
  BlobStore,
  BlobStoreFault,
  BlobSupports,
  ByteRange,
  ListOptions,
  PutOptions,
} from './blob/index.ts'

// Names of streams, and what a stream is made of.
export {
  assertDescriptor,
  assertEntry,
  assertStreamName,
  assertStreamPath,
  descriptorFault,
  entryFault,
  formatStreamAddress,
  joinStreamPath,
  makeStreamName,
  parseStreamAddress,
  prefixId,
  projectFault,
  splitStreamPath,
  streamId,
  streamNameFault,
  streamPathFault,
  tagFault,
} from './names/index.ts'
export type { MessageFault, NameFault, NameRule, SplitPath, StreamAddress } from './names/index.ts'
export {
  decodeDescriptor,
  decodeLogEntry,
  encodeDescriptor,
  encodeLogEntry,
  packBundle,
  StreamType,
  unpackBundle,
} from './wire/logdog/index.ts'
export type {
  BinaryContent,
  BundleEntry,
  ButlerLogBundle,
  ButlerMetadata,
  DatagramContent,
  DatagramPart,
  Deflate,
  Inflate,
  LogContent,
  LogEntry,
  LogStreamDescriptor,
  PackOptions,
  TextContent,
  TextLine,
  Time,
  UnpackedBundle,
  WithUnknown,
} from './wire/logdog/index.ts'
export { encodeRecord, RECORD_BYTES_MAX, RecordReader, splitRecords } from './wire/index.ts'

// Where entries lie until they are archived, and who takes them there.
export { STORED_ENTRY_BYTES_MAX } from './storage/index.ts'
export type {
  IntermediateStorage,
  PutOutcome,
  StorageGet,
  StoragePut,
  StorageTail,
  StoredEntry,
  StreamName,
} from './storage/index.ts'
export { Collector } from './collector/index.ts'
export type { CollectorOptions, CollectorRegistrar, CollectReport } from './collector/index.ts'

// What is asked of a coordinator again and again, and one that runs elsewhere.
export {
  CACHE_EXPIRATION_MS_DEFAULT,
  CACHE_SIZE_DEFAULT,
  CoordinatorCache,
  GRPC_CODES,
  RemoteCoordinator,
} from './coordinator-cache/index.ts'
export type {
  CachedRegisterRequest,
  CachedTerminateRequest,
  CoordinatorCacheOptions,
  RegisterStreamMessage,
  ServicesClient,
  TerminateStreamMessage,
} from './coordinator-cache/index.ts'

// Streams to be read, wherever their entries lie.
export { FOLLOW_POLL_MS, GET_BYTES_MAX, Logs, QUERY_STREAMS_MAX } from './coordinator/index.ts'
export type {
  DeletePrefixRequest,
  FollowRequest,
  GetLogsRequest,
  LogEntries,
  LogRequest,
  LogsPage,
  LogsParts,
  LogsQuery,
  LogStream,
  TailRequest,
} from './coordinator/index.ts'

// Who knows the streams, and drives their lives.
export {
  Coordinator,
  DEFAULT_COORDINATOR_SETTINGS,
  LIFE_CYCLE,
  PURGE_REPEAT_MS,
  STREAM_EVENTS,
  STREAM_PHASES,
  TASK_REASONS,
  TASK_TRIES_MAX,
} from './coordinator/index.ts'
export type {
  ArchivedFiles,
  ArchiveDispatcher,
  ArchiveStreamRequest,
  ArchiveTask,
  ClaimRequest,
  CoordinatorParts,
  CoordinatorService,
  CoordinatorSettings,
  DeadLetter,
  JsonValue,
  LoadedStream,
  LogStreamState,
  OwnSettings,
  RegisteredPrefix,
  RegisterPrefixRequest,
  RegisterStreamRequest,
  ReleaseOptions,
  ReleaseQuarantinedOptions,
  ReleaseTaskOptions,
  StateDocument,
  StateQuery,
  StoredDocument,
  StreamClaim,
  StreamEvent,
  StreamId,
  StreamPhase,
  StreamRecord,
  StreamRegistrar,
  StreamStep,
  StreamStore,
  TaskKey,
  TaskLease,
  TaskQueue,
  TaskReason,
  TerminateStreamRequest,
} from './coordinator/index.ts'

// Who makes the archives.
export { Archivist, DEFAULT_ARCHIVIST_SETTINGS, DEFAULT_SWEEP_SETTINGS, Sweep } from './archivist/index.ts'
export type {
  ArchivistOptions,
  ArchivistParts,
  ArchivistSettings,
  SweepOptions,
  SweepReport,
  SweepSettings,
  TaskReport,
} from './archivist/index.ts'

// All of the log archive in one object.
export { DEFAULT_WRITER_SETTINGS, LogArchive, StreamWriter } from './log-archive/index.ts'
export type {
  ArchiveDueReport,
  CoordinatorBackEnds,
  LogArchiveOptions,
  LogArchiveParts,
  NameStreamOptions,
  OpenStreamOptions,
  ReadOptions,
  StreamPosition,
  WriterSettings,
} from './log-archive/index.ts'
