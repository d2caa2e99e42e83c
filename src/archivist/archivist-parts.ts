import type { BlobStore } from '../blob/index.ts'
import type { ArchiveDispatcher } from '../coordinator/index.ts'
import type { Clock, Random, Sha256Factory } from '../parts/index.ts'
import type { IntermediateStorage } from '../storage/index.ts'

/** What an archivist works with. Several archivists may share all of it, in one process or in several. */
export interface ArchivistParts {
  readonly coordinator: ArchiveDispatcher
  readonly storage: IntermediateStorage
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly random: Random
  readonly sha256: Sha256Factory
}
