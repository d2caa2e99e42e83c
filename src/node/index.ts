/**
 * What a Node service imports: every name of the pure library, with `node:fs`, clock, randomness and file back ends filled
 * in where they are asked for.
 *
 * @packageDocumentation
 */

// A name that is exported below in its own right takes the place of the pure one.
export * from '../index.ts'
export { FILE_POLL_MS, FILE_SEGMENT_BYTES, FileJournal, systemClock } from '../journal/file/index.ts'
export type { FileDurability, FileJournalOptions, TornTail } from '../journal/file/index.ts'
export { DurableDirectory } from './durable-directory.ts'
export type {
  DirectorySource,
  FollowOptions,
  OpenOptions,
  PlanOptions,
  PruneOptions,
  RecoverOptions,
  VerifyOptions,
} from './durable-directory.ts'
export { LogArchive } from './log-archive.ts'
export type { LogArchiveOptions } from './log-archive.ts'
export { nodeWritable } from './node-writable.ts'
export { Player } from './player.ts'

export { systemProcessIdentity } from './system-process-identity.ts'
export { systemRandom } from './system-random.ts'
export { systemSha256 } from './system-sha256.ts'
export { systemDeflate, systemInflate } from './system-zlib.ts'
