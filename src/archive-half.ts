/** The public names of the second half, the log archive, which `index.ts` gives out beside those of the first. */

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
