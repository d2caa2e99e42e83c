import { ArchiveFile, decodeManifest, removeFolder } from '../archive/index.ts'
import type { ArchiveManifest } from '../archive/index.ts'
import { readBlob } from '../blob/index.ts'
import type { ArchivedFiles, LoadedStream, StreamId, StreamRecord } from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { StreamName, WithSignal } from '../storage/index.ts'
import type { ArchivistParts } from './archivist-parts.ts'
import { accountOfStored } from './stored-entries.ts'
import type { StoredAccount } from './stored-entries.ts'
import { archiveFileNames, assertArchivable, folderOf, placeOf } from './stream-place.ts'

/** What is taken away: the entries of an archived stream, and everything of a purged one. */

/** Why the entries of an archived stream stay. */
export type KeptBecause =
  | 'the archive does not account for every entry'
  | 'entries lie behind the size limit'
  | 'the archive is not as it was reported'

/**
 * Removes the entries of an archived stream from intermediate storage, when its manifest accounts for each that is there;
 * else answers why not.
 *
 * @param account what was found in the task that archived it; else the archive and the storage are looked at
 */
export async function removeEntries(
  parts: ArchivistParts,
  { record, settings }: LoadedStream,
  sealAs: string,
  account: StoredAccount | undefined,
  options: WithSignal,
): Promise<KeptBecause | undefined> {
  const found = account ?? (await accountOfArchived(parts, record, sealAs, options))
  if (found === undefined) return 'the archive is not as it was reported'
  if (!found.isComplete) return 'the archive does not account for every entry'
  if (found.isTruncated && !settings.purgeTruncated) return 'entries lie behind the size limit'
  await parts.storage.expunge(record, options)
  await parts.coordinator.streamCleaned({ project: record.project, id: record.id, ...options })
  return undefined
}

async function accountOfArchived(
  parts: ArchivistParts,
  record: StreamRecord,
  sealAs: string,
  options: WithSignal,
): Promise<StoredAccount | undefined> {
  const manifest = await reportedManifest(parts, record, options)
  if (manifest === undefined) return undefined
  await parts.storage.seal(record, sealAs, options)
  return accountOfStored(parts.storage, record, manifest, options)
}

/** The manifest of an archive that was read back and reported, when the archive is still there. */
async function reportedManifest(
  { blobs }: ArchivistParts,
  record: StreamRecord,
  options: WithSignal,
): Promise<ArchiveManifest | undefined> {
  const { archive } = record
  if (archive === null) return undefined
  try {
    assertArchivable(record)
    const folder = folderOf(archive.entriesUrl)
    const manifest = decodeManifest(await readBlob(blobs, `${folder}/${ArchiveFile.meta}`, options))
    if (!isOf(manifest, archive)) return undefined
    for (const [name, { size }] of Object.entries(manifest.files)) {
      if ((await blobs.stat(`${folder}/${name}`, options)).size !== size) return undefined
    }
    return manifest
  } catch (error) {
    const isDamage =
      error instanceof RecoveryLogError && ['not_found', 'corrupt', 'invalid'].includes(error.kind)
    if (isDamage) return undefined
    throw error
  }
}

function isOf(manifest: ArchiveManifest, archive: ArchivedFiles): boolean {
  return (
    manifest.files[ArchiveFile.entries]?.size === archive.entriesBytes &&
    manifest.files[ArchiveFile.index]?.size === archive.indexBytes &&
    manifest.entryCount === archive.entryCount
  )
}

/** Removes whatever there is of a purged stream; its seal stays, so that nothing comes after. */
export async function removeStream(
  parts: ArchivistParts,
  { record, settings }: LoadedStream,
  sealAs: string,
  options: WithSignal,
): Promise<void> {
  const { storage, blobs } = parts
  await storage.seal(record, sealAs, options)
  const folders = new Set<string>()
  if (record.archive !== null) folders.add(folderOf(record.archive.entriesUrl))
  const place = placeIfAny(parts, record, settings)
  if (place !== undefined) {
    await removeFolder({ blobs, ...options }, place.staging)
    folders.add(place.final)
  }
  for (const folder of folders) {
    for (const name of archiveFileNames(record)) await blobs.remove(`${folder}/${name}`, options)
  }
  await storage.expunge(record, options)
}

/**
 * Lets entries of a quarantined stream in, whoever has sealed it: attempts that died have left their seals, and nobody
 * else looks after it until it is released. The seal is taken over first, so that the state read after it tells whether a
 * new attempt is at work.
 */
export async function liftSeal(
  { storage, coordinator }: ArchivistParts,
  stream: StreamName & StreamId,
  sealAs: string,
): Promise<void> {
  await storage.seal(stream, sealAs)
  const { record } = await coordinator.loadStream(stream)
  if (record.phase === 'quarantined') await storage.unseal(stream, sealAs)
}

/** Of a stream whose path is too long nothing was ever staged. */
function placeIfAny(
  { sha256 }: ArchivistParts,
  record: StreamRecord,
  settings: LoadedStream['settings'],
): ReturnType<typeof placeOf> | undefined {
  try {
    return placeOf(record, settings, sha256)
  } catch (error) {
    if (RecoveryLogError.is(error, 'PATH_REFUSED')) return undefined
    throw error
  }
}
