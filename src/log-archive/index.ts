export { LogArchive } from './log-archive.ts'
export type { ArchiveDueReport } from './log-archive.ts'
export type {
  CoordinatorBackEnds,
  LogArchiveOptions,
  LogArchiveParts,
  NameStreamOptions,
  OpenStreamOptions,
  ReadOptions,
} from './options.ts'
export type { StreamPosition } from './resume-point.ts'
export { DEFAULT_WRITER_SETTINGS } from './settings.ts'
export type { WriterSettings } from './settings.ts'
export { StreamWriter } from './stream-writer.ts'
