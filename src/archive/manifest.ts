import { RecoveryLogError } from '../errors/index.ts'
import type { ArchiveSummary, Truncation } from './archive-encoder.ts'
import { rangesHold } from './index-ranges.ts'
import type { IndexRange } from './index-ranges.ts'

/**
 * The manifest of an archive, `logstream.meta`: what its files must be, and what of its stream they hold (log-archive
 * spec, section 5). JSON, because people look into it.
 */

/** The version of this package, written into manifests; a test holds it against package.json. */
export const LIBRARY_VERSION = '0.1.0'

/** What a file must be. */
export interface ManifestFile {
  readonly size: number
  /** In lower-case hex. */
  readonly sha256: string
}

/** Ranges of stream indexes: the first 10,000 are listed, all are counted. */
export interface ManifestRanges {
  readonly listed: readonly IndexRange[]
  readonly ranges: number
  readonly indexes: number
}

export interface ArchiveManifest {
  readonly library: string
  /** By name. */
  readonly files: Readonly<Record<string, ManifestFile>>
  readonly entryCount: number
  /** The stream index of the last entry in the archive, -1 when there is none. */
  readonly lastIndex: number
  /** The stream's, -1 when it was not known. */
  readonly terminalIndex: number
  /** Every entry up to a known terminal index is in the archive. */
  readonly complete: boolean
  /** Entries that the writer was shown. */
  readonly readCount: number
  /** What is not in the archive, up to its terminal index, else up to its last one. */
  readonly gaps: ManifestRanges
  /** Indexes in the gaps of which nothing was there. */
  readonly missingCount: number
  /** Left out as out of order. */
  readonly dropped: ManifestRanges
  /** Left out because they could not be read. */
  readonly damaged: ManifestRanges
  /** Left out because they lie behind the terminal index. */
  readonly beyondTerminalCount: number
  /** Time offsets raised to that of the entry before. */
  readonly raisedCount: number
  /** Where the size limit has ended the archive; null when it has not. */
  readonly truncated: Truncation | null
}

/** What became of a stream index. */
export type IndexAccount =
  | 'archived'
  | 'dropped' // out of order, or damaged and left out on purpose
  | 'beyond terminal'
  | 'truncated' // behind the size limit
  | 'missing'
  | 'unknown' // behind the ranges that the manifest lists

export function manifestOf(
  summary: ArchiveSummary,
  files: Readonly<Record<string, ManifestFile>>,
): ArchiveManifest {
  const { entryCount, lastIndex, terminalIndex, readCount, missingCount } = summary
  const { beyondTerminalCount, raisedCount, truncated } = summary
  return {
    library: `recoverylog ${LIBRARY_VERSION}`,
    files,
    entryCount,
    lastIndex,
    terminalIndex,
    // The size limit may be passed by the very last entry: then nothing is missing.
    complete: terminalIndex >= 0 && summary.gaps.indexes === 0 && lastIndex === terminalIndex,
    readCount,
    gaps: listOf(summary.gaps),
    missingCount,
    dropped: listOf(summary.dropped),
    damaged: listOf(summary.damaged),
    beyondTerminalCount,
    raisedCount,
    truncated: truncated ?? null,
  }
}

function listOf({ listed, ranges, indexes }: ManifestRanges): ManifestRanges {
  return { listed: [...listed], ranges, indexes }
}

/**
 * What the manifest says of a stream index. When gaps are only counted, `readCount` tells whether a sealed storage holds
 * what was read: nothing is added to it any more.
 */
export function accountOf(manifest: ArchiveManifest, index: number): IndexAccount {
  const { lastIndex, terminalIndex, truncated, gaps, dropped, damaged } = manifest
  if (terminalIndex >= 0 && index > terminalIndex) return 'beyond terminal'
  if (isListed(dropped, index) || isListed(damaged, index)) return 'dropped'
  const isInGap = index > lastIndex || rangesHold(gaps.listed, index)
  if (isInGap && (isCut(dropped) || isCut(damaged))) return 'unknown'
  if (index > lastIndex) return truncated === null ? 'missing' : 'truncated'
  if (isInGap) return 'missing'
  return isCut(gaps) && index > (gaps.listed.at(-1)?.[1] ?? -1) ? 'unknown' : 'archived'
}

/** What was left out came in any order. */
function isListed({ listed }: ManifestRanges, index: number): boolean {
  return listed.some(([first, last]) => first <= index && index <= last)
}

/** Whether there are more ranges than are listed. */
function isCut({ listed, ranges }: ManifestRanges): boolean {
  return listed.length < ranges
}

/** The manifest as the bytes of its file. */
export function encodeManifest(manifest: ArchiveManifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 2)}\n`)
}

/**
 * Whether two manifests say the same. Their files alone do not tell: two attempts may have the same entries, and one of them
 * know of gaps behind the last.
 */
export function sameManifest(a: ArchiveManifest, b: ArchiveManifest): boolean {
  return canonical(a) === canonical(b)
}

/** The same text for the same manifest, in whatever order its fields have been read. */
function canonical(manifest: ArchiveManifest): string {
  const { files, ...others } = manifestFrom(manifest)
  return JSON.stringify([Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)), others])
}

/**
 * Reads a manifest, with every field judged. What it does not know it passes over.
 *
 * @throws RecoveryLogError `MANIFEST_INVALID` with the field and its value
 */
export function decodeManifest(bytes: Uint8Array): ArchiveManifest {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new RecoveryLogError('MANIFEST_INVALID', 'it is not JSON', { bytes: bytes.length }, { cause })
  }
  return manifestFrom(json)
}

/** As `decodeManifest`, from what was read elsewhere: a claim holds its manifest. */
export function manifestFrom(json: unknown): ArchiveManifest {
  const fields = new Fields(json, '')
  const files: Record<string, ManifestFile> = {}
  for (const [name, file] of Object.entries(fields.inner('files').all)) {
    const inner = new Fields(file, `files.${name}`)
    files[name] = { size: inner.count('size'), sha256: inner.text('sha256', /^[0-9a-f]{64}$/) }
  }
  return {
    library: fields.text('library', /^/),
    files,
    entryCount: fields.count('entryCount'),
    lastIndex: fields.count('lastIndex', -1),
    terminalIndex: fields.count('terminalIndex', -1),
    complete: fields.flag('complete'),
    readCount: fields.count('readCount'),
    gaps: rangesIn(fields.inner('gaps')),
    missingCount: fields.count('missingCount'),
    dropped: rangesIn(fields.inner('dropped')),
    damaged: rangesIn(fields.inner('damaged')),
    beyondTerminalCount: fields.count('beyondTerminalCount'),
    raisedCount: fields.count('raisedCount'),
    truncated: fields.all['truncated'] === null ? null : truncationIn(fields.inner('truncated')),
  }
}

function truncationIn(fields: Fields): Truncation {
  return {
    atBytes: fields.count('atBytes'),
    sizeLimitBytes: fields.count('sizeLimitBytes'),
    lastIndex: fields.count('lastIndex', -1),
    entriesLeftOut: fields.count('entriesLeftOut'),
  }
}

function rangesIn(fields: Fields): ManifestRanges {
  return { listed: fields.ranges('listed'), ranges: fields.count('ranges'), indexes: fields.count('indexes') }
}

/** The fields of an object that somebody else has written. */
class Fields {
  readonly all: Readonly<Record<string, unknown>>
  readonly #at: string

  constructor(value: unknown, at: string) {
    if (typeof value !== 'object' || value === null) throw invalid(at === '' ? 'manifest' : at, value)
    this.all = value as Readonly<Record<string, unknown>>
    this.#at = at
  }

  inner(name: string): Fields {
    return new Fields(this.all[name], this.#path(name))
  }

  count(name: string, least = 0): number {
    const value = this.all[name]
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
    throw invalid(this.#path(name), value)
  }

  flag(name: string): boolean {
    const value = this.all[name]
    if (typeof value === 'boolean') return value
    throw invalid(this.#path(name), value)
  }

  text(name: string, pattern: RegExp): string {
    const value = this.all[name]
    if (typeof value === 'string' && pattern.test(value)) return value
    throw invalid(this.#path(name), value)
  }

  ranges(name: string): IndexRange[] {
    const value = this.all[name]
    if (Array.isArray(value) && value.every(isRange)) return value
    throw invalid(this.#path(name), value)
  }

  #path(name: string): string {
    return this.#at === '' ? name : `${this.#at}.${name}`
  }
}

function isRange(value: unknown): value is IndexRange {
  if (!Array.isArray(value) || value.length !== 2) return false
  const [first, last] = value as unknown[]
  return Number.isSafeInteger(first) && Number.isSafeInteger(last) && (first as number) <= (last as number)
}

function invalid(field: string, value: unknown): RecoveryLogError {
  return new RecoveryLogError('MANIFEST_INVALID', `${field} is not what it ought to be`, { field, value })
}
