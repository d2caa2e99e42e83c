export { ArchiveEncoder } from './archive-encoder.ts'
export type { ArchiveSummary, Truncation } from './archive-encoder.ts'
export { ArchiveIndex } from './archive-index.ts'
export type { ReadPlan } from './archive-index.ts'
export { ArchiveReader } from './archive-reader.ts'
export type { ArchiveDamage, ArchiveReaderParts, GetOptions } from './archive-reader.ts'
export { filesThatDiffer, finaliseArchive, removeAttempt, removeFolder, takeOverArchive } from './finalise.ts'
export type {
  AbandonReason,
  ArchiveClaim,
  ArchiveClaims,
  ClaimOutcome,
  FinaliseOutcome,
  FinaliseParts,
} from './finalise.ts'
export { IndexCache } from './index-cache.ts'
export type { IndexRange, IndexRanges } from './index-ranges.ts'
export {
  ArchiveFile,
  archiveLocation,
  attemptFolder,
  dataFileName,
  OBJECT_NAME_BYTES_MAX,
} from './locations.ts'
export type { ArchiveBases, ArchiveLocation } from './locations.ts'
export {
  accountOf,
  decodeManifest,
  encodeManifest,
  LIBRARY_VERSION,
  manifestFrom,
  sameManifest,
} from './manifest.ts'
export type { ArchiveManifest, IndexAccount, ManifestFile, ManifestRanges } from './manifest.ts'
export { renderEntries } from './renderer.ts'
export type { RenderOptions } from './renderer.ts'
export { archiveSettings, DEFAULT_ARCHIVE_SETTINGS } from './settings.ts'
export type { ArchiveSettings } from './settings.ts'
export { verifyArchive } from './verify.ts'
export type { ArchiveFault, VerifyOptions, VerifyReport } from './verify.ts'
export { writeArchive } from './write-archive.ts'
export type { DamagedEntry, EntrySource, WriteArchiveOptions } from './write-archive.ts'
