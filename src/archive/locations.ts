import { RecoveryLogError } from '../errors/index.ts'
import { joinStreamPath, sha256OfText, streamId, toBase64Url, utf8Bytes } from '../names/index.ts'
import type { Sha256Factory } from '../parts/index.ts'

/**
 * Where the files of an archive lie (log-archive spec, section 6). Keys of the blob store: their first segment is the
 * bucket, as in `gs://bucket/...`, and does not count for lengths.
 */

/** The names of an archive's files. The data file's ends with the stream's own extension. */
export const ArchiveFile = {
  entries: 'logstream.entries',
  index: 'logstream.index',
  meta: 'logstream.meta',
} as const

/** The longest object name, in bytes, bucket left out: that of Google's store. */
export const OBJECT_NAME_BYTES_MAX = 1024

/** An extension of more bytes than this would make the data file's name longer than any other. */
const EXTENSION_BYTES_MAX = 12
const DEFAULT_EXTENSION = 'bin'

const SUFFIX = '-TRUNCATED-'
const SUFFIX_DIGEST_CHARACTERS = 16

export interface ArchiveBases {
  /** Where archives lie for good: `bucket`, or `bucket/folder`. `gs://` before it is passed over. */
  readonly base: string
  /** Where they are staged. */
  readonly staging: string
}

export interface ArchiveLocation {
  /** The folder of the files for good, without a slash at its end. */
  readonly final: string
  /** The folder of all attempts at the stream, without a slash at its end. */
  readonly staging: string
  /** The stream's name, cut when its path is too long. */
  readonly name: string
  readonly isNameTruncated: boolean
}

/**
 * Where the archive of the stream `name` of `prefix` lies.
 *
 * @throws RecoveryLogError `PATH_REFUSED` when even a cut name is too long: that is for good
 */
export function archiveLocation(
  stream: { readonly project: string; readonly prefix: string; readonly name: string },
  bases: ArchiveBases,
  sha256: Sha256Factory,
): ArchiveLocation {
  const { project, prefix, name } = stream
  const base = keyOf(bases.base)
  const staging = keyOf(bases.staging)
  // LUCI's staged path decides nothing but how long a name may be.
  const prefixDigest = toBase64Url(sha256OfText(prefix, sha256))
  const longestBytes = Math.max(
    utf8Bytes(objectName(`${base}/${project}/${prefix}/+//${ArchiveFile.entries}`)),
    utf8Bytes(objectName(`${staging}/${project}/p/${prefixDigest}/+//${ArchiveFile.entries}`)),
  )
  const used = truncatedName(name, OBJECT_NAME_BYTES_MAX - longestBytes, sha256)
  if (used === undefined) {
    throw new RecoveryLogError(
      'PATH_REFUSED',
      `the archive's path of ${longestBytes} bytes leaves no room for a name`,
      {
        project,
        prefix,
        name,
        maxBytes: OBJECT_NAME_BYTES_MAX,
      },
    )
  }
  return {
    final: `${base}/${project}/${prefix}/+/${used}`,
    staging: `${staging}/${project}/a/${streamId(joinStreamPath(prefix, name), sha256)}`,
    name: used,
    isNameTruncated: used !== name,
  }
}

/** The folder of one attempt. */
export function attemptFolder(location: Pick<ArchiveLocation, 'staging'>, attempt: string): string {
  return `${location.staging}/${attempt}`
}

/** The name of the data file: of an extension that is too long or could be anything but one, `bin` takes the place. */
export function dataFileName(binaryFileExt: string): string {
  const isGood = /^[A-Za-z0-9._-]+$/.test(binaryFileExt) && binaryFileExt.length <= EXTENSION_BYTES_MAX
  return `data.${isGood ? binaryFileExt : DEFAULT_EXTENSION}`
}

/** The name, cut to `maxBytes` with a digest of the whole at its end; undefined when not even that fits. */
function truncatedName(name: string, maxBytes: number, sha256: Sha256Factory): string | undefined {
  if (utf8Bytes(name) <= maxBytes) return name
  const digest = toBase64Url(sha256OfText(name, sha256)).slice(0, SUFFIX_DIGEST_CHARACTERS)
  const suffix = SUFFIX + digest
  // Names are ASCII: a character is a byte.
  return maxBytes < suffix.length ? undefined : name.slice(0, maxBytes - suffix.length) + suffix
}

/** A key without its bucket. */
function objectName(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}

/** A folder as a key: LUCI's settings have a scheme before it. */
function keyOf(folder: string): string {
  return folder.replace(/^gs:\/\//, '').replace(/\/+$/, '')
}
