export { fromBase64, toBase64 } from './base64.ts'
export type {
  ArchiveDispatcher,
  ArchiveStreamRequest,
  ClaimRequest,
  CoordinatorService,
  LoadedStream,
  LogStreamState,
  RegisteredPrefix,
  RegisterPrefixRequest,
  RegisterStreamRequest,
  ReleaseQuarantinedOptions,
  ReleaseTaskOptions,
  StreamId,
  StreamRegistrar,
  TerminateStreamRequest,
} from './coordinator.ts'
export { Coordinator } from './embedded.ts'
export type { CoordinatorParts } from './embedded.ts'
export { LIFE_CYCLE, PURGE_REPEAT_MS, STREAM_EVENTS, stepOf } from './life-cycle.ts'
export type { StreamEvent, StreamStep } from './life-cycle.ts'
export { FOLLOW_POLL_MS, GET_BYTES_MAX, Logs, QUERY_STREAMS_MAX } from './logs/index.ts'
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
} from './logs/index.ts'
export type { OwnSettings } from './settings-book.ts'
export { checkSettings, DEFAULT_COORDINATOR_SETTINGS } from './settings.ts'
export type { CoordinatorSettings } from './settings.ts'
export type { JsonValue, StateDocument, StateQuery, StoredDocument, StreamStore } from './state-store.ts'
export { changeDocument } from './change-document.ts'
export { STREAM_KIND, streamDocument, streamDocumentId, streamRecord } from './stream-document.ts'
export { newStreamRecord, STREAM_PHASES } from './stream-record.ts'
export type { ArchivedFiles, StreamClaim, StreamPhase, StreamRecord } from './stream-record.ts'
export { TASK_REASONS, TASK_TRIES_MAX } from './task-queue.ts'
export type {
  ArchiveTask,
  DeadLetter,
  ReleaseOptions,
  TaskKey,
  TaskLease,
  TaskQueue,
  TaskReason,
} from './task-queue.ts'
