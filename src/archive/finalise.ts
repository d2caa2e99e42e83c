import type { BlobStore } from '../blob/index.ts'
import { readBlob } from '../blob/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import type { Sha256Factory } from '../parts/index.ts'
import { ArchiveFile, attemptFolder } from './locations.ts'
import type { ArchiveLocation } from './locations.ts'
import { decodeManifest, sameManifest } from './manifest.ts'
import type { ArchiveManifest, ManifestFile } from './manifest.ts'
import { fileFacts } from './write-archive.ts'

/**
 * From staged files to an archive (log-archive spec, section 6): any number of archivists may be at it, and only what one
 * claim names ever gets to the final place.
 */

/** What a claim records: which attempt is to be the archive, and what its files are. */
export interface ArchiveClaim {
  readonly attempt: string
  readonly manifest: ArchiveManifest
}

/** How a claim went. */
export type ClaimOutcome =
  /** Ours is the claim. */
  | { readonly kind: 'won' }
  /** Another's claim had lapsed: its moves are ours to redo, nothing else. */
  | { readonly kind: 'taken over'; readonly claim: ArchiveClaim }
  /** Another is at it, or has been faster, or the stream was purged. */
  | { readonly kind: 'lost' }

/** The coordinator as finalising sees it: the claim on one stream, handed in. */
export interface ArchiveClaims {
  /** Claims the stream by compare-and-set; the claim carries a lease. */
  claim(claim: ArchiveClaim): Promise<ClaimOutcome>
  /**
   * Asked before anything is moved: seals again, lists the keys that intermediate storage has, and answers whether the
   * manifest accounts for each (`accountOf`). Who takes over asks too: the holder may have died before it did.
   */
  isAccounted(claim: ArchiveClaim): Promise<boolean>
  /** Gives a claim up that cannot be made true, so that the stream can be claimed anew. */
  abandon(claim: ArchiveClaim, reason: AbandonReason): Promise<void>
}

/** Why a claim cannot be made true. */
export type AbandonReason = 'not accounted' | 'staged files differ' | 'final files differ'

export interface FinaliseParts {
  readonly blobs: BlobStore
  readonly sha256: Sha256Factory
  readonly location: Pick<ArchiveLocation, 'final' | 'staging'>
  readonly signal?: AbortSignal
}

/** How an attempt ended. */
export type FinaliseOutcome =
  /** The files of `claim`, ours or one taken over, lie at the final place and are what its manifest says: report it. */
  | { readonly kind: 'archived'; readonly claim: ArchiveClaim }
  /** The result of another stands. */
  | { readonly kind: 'lost' }
  /** What was claimed cannot be made true, and is given up: stage a new attempt. */
  | { readonly kind: 'again'; readonly reason: AbandonReason }

/**
 * Claims the stream for a staged attempt, moves its files to their final place, `logstream.meta` last, and reads them
 * back. What the attempt has staged is removed unless it became the archive.
 */
export async function finaliseArchive(
  parts: FinaliseParts,
  claims: ArchiveClaims,
  staged: ArchiveClaim,
): Promise<FinaliseOutcome> {
  const outcome = await claims.claim(staged)
  if (outcome.kind === 'won') return fulfil(parts, claims, staged, false)
  await removeAttempt(parts, staged.attempt)
  return outcome.kind === 'lost' ? outcome : fulfil(parts, claims, outcome.claim, true)
}

/** As `finaliseArchive`, for a claim of another whose lease has run out: nothing is staged, its moves are redone. */
export async function takeOverArchive(
  parts: FinaliseParts,
  claims: ArchiveClaims,
  lapsed: ArchiveClaim,
): Promise<FinaliseOutcome> {
  const outcome = await claims.claim(lapsed)
  return outcome.kind === 'lost' ? outcome : fulfil(parts, claims, lapsed, true)
}

async function fulfil(
  parts: FinaliseParts,
  claims: ArchiveClaims,
  claim: ArchiveClaim,
  isTakenOver: boolean,
): Promise<FinaliseOutcome> {
  if (!(await claims.isAccounted(claim))) return giveUp(parts, claims, claim, 'not accounted')
  const moved = await moveFiles(parts, claim, { isTakenOver })
  if (moved === undefined) return giveUp(parts, claims, claim, 'staged files differ')
  const wrong = await filesThatDiffer(parts, parts.location.final, claim.manifest)
  if (wrong.length > 0) return giveUp(parts, claims, claim, 'final files differ')
  const isAllMoved = moved.length > Object.keys(claim.manifest.files).length
  if (!isAllMoved || isTakenOver) await removeAttempt(parts, claim.attempt)
  return { kind: 'archived', claim }
}

/**
 * The folder goes before the claim: a former holder that is still about to move a file then finds none, instead of
 * putting it over those of the claim that comes next.
 */
async function giveUp(
  parts: FinaliseParts,
  claims: ArchiveClaims,
  claim: ArchiveClaim,
  reason: AbandonReason,
): Promise<FinaliseOutcome> {
  await removeAttempt(parts, claim.attempt)
  await claims.abandon(claim, reason)
  return { kind: 'again', reason }
}

/**
 * Moves the files of a claim to their final place. A final file that is as claimed stays. Answers which were moved, or
 * undefined when a file is neither staged nor at its final place as the manifest says: of a claim that was taken over,
 * before anything is moved; of our own, whose files were just written, as soon as one is not there.
 */
async function moveFiles(
  parts: FinaliseParts,
  { attempt, manifest }: ArchiveClaim,
  { isTakenOver }: { readonly isTakenOver: boolean },
): Promise<readonly string[] | undefined> {
  const { blobs, location } = parts
  const staged = attemptFolder(location, attempt)
  const lost = isTakenOver ? await filesThatDiffer(parts, staged, manifest) : []
  const due = await filesThatDiffer(parts, location.final, manifest)
  if (due.some((name) => lost.includes(name))) return undefined
  try {
    const move = async (name: string): Promise<void> =>
      blobs.move(`${staged}/${name}`, `${location.final}/${name}`, signalOf(parts))
    // The manifest comes last: where it is, all the others are.
    const isMeta = (name: string): boolean => name === ArchiveFile.meta
    await settled(due.filter((name) => !isMeta(name)).map(move))
    for (const name of due.filter(isMeta)) await move(name)
    return due
  } catch (error) {
    if (RecoveryLogError.is(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

/** Waits for all, so that nothing is under way any more when one has failed. */
async function settled(calls: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(calls)).find((call) => call.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** The names of those files in `folder` that are not what the manifest says; last, the manifest's own. */
export async function filesThatDiffer(
  parts: Pick<FinaliseParts, 'blobs' | 'sha256' | 'signal'>,
  folder: string,
  manifest: ArchiveManifest,
): Promise<string[]> {
  const wrong: string[] = []
  for (const [name, file] of Object.entries(manifest.files)) {
    if (!(await isFileThere(parts, `${folder}/${name}`, file))) wrong.push(name)
  }
  if (!(await isManifestThere(parts, folder, manifest))) wrong.push(ArchiveFile.meta)
  return wrong
}

async function isFileThere(
  { blobs, sha256, signal }: Pick<FinaliseParts, 'blobs' | 'sha256' | 'signal'>,
  key: string,
  expected: ManifestFile,
): Promise<boolean> {
  return isGood(async () => {
    // A look at the size may save reading it all.
    if ((await blobs.stat(key, signalOf({ signal }))).size !== expected.size) return false
    return (await fileFacts(blobs, key, sha256, signal)).sha256 === expected.sha256
  })
}

async function isManifestThere(
  parts: Pick<FinaliseParts, 'blobs' | 'signal'>,
  folder: string,
  manifest: ArchiveManifest,
): Promise<boolean> {
  return isGood(async () => {
    const bytes = await readBlob(parts.blobs, `${folder}/${ArchiveFile.meta}`, signalOf(parts))
    return sameManifest(decodeManifest(bytes), manifest)
  })
}

/** Runs `judge`; what is missing or damaged is not good. */
async function isGood(judge: () => Promise<boolean>): Promise<boolean> {
  try {
    return await judge()
  } catch (error) {
    if (error instanceof RecoveryLogError && (error.kind === 'not_found' || error.kind === 'corrupt')) {
      return false
    }
    throw error
  }
}

interface RemovalParts {
  readonly blobs: Pick<BlobStore, 'list' | 'remove'>
  readonly signal?: AbortSignal
}

/** Removes whatever an attempt has staged. */
export async function removeAttempt(
  parts: RemovalParts & Pick<FinaliseParts, 'location'>,
  attempt: string,
): Promise<void> {
  await removeFolder(parts, attemptFolder(parts.location, attempt))
}

/** Removes all blobs in a folder. */
export async function removeFolder(parts: RemovalParts, folder: string): Promise<void> {
  for await (const { key } of parts.blobs.list(`${folder}/`, signalOf(parts))) {
    await parts.blobs.remove(key, signalOf(parts))
  }
}

function signalOf({ signal }: { readonly signal?: AbortSignal | undefined }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
