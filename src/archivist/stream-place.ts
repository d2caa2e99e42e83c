import { ArchiveFile, archiveLocation, dataFileName } from '../archive/index.ts'
import type { ArchiveBases, ArchiveLocation } from '../archive/index.ts'
import type { StreamRecord } from '../coordinator/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { splitStreamPath } from '../names/index.ts'
import type { Sha256Factory } from '../parts/index.ts'
import { decodeDescriptor, PROTOCOL_VERSION } from '../wire/logdog/index.ts'

/** Where the archive of a stream lies, or is to lie. */

/**
 * Judges whether a stream can be archived at all: what is wrong here is wrong for good.
 *
 * @throws RecoveryLogError `INVALID` for another protocol; `CORRUPT` for a descriptor that cannot be decoded,
 *   `DESCRIPTOR_INVALID` for one without a name
 */
export function assertArchivable({ protoVersion, descriptor, project, path }: StreamRecord): void {
  if (protoVersion !== PROTOCOL_VERSION) {
    throw new RecoveryLogError('INVALID', `protocol version ${protoVersion} is not known`, {
      project,
      path,
      protoVersion,
    })
  }
  if (decodeDescriptor(descriptor).name === '') {
    throw new RecoveryLogError('DESCRIPTOR_INVALID', 'the stream has no name', { project, path })
  }
}

/** By the settings that count now. @throws RecoveryLogError `PATH_REFUSED` */
export function placeOf(
  { project, path }: StreamRecord,
  bases: ArchiveBases,
  sha256: Sha256Factory,
): ArchiveLocation {
  const { prefix, name } = splitStreamPath(path)
  return archiveLocation({ project, prefix, name }, bases, sha256)
}

/** The folder of an archive that was reported: settings may have changed since. */
export function folderOf(entriesUrl: string): string {
  return entriesUrl.slice(0, entriesUrl.lastIndexOf('/'))
}

/** The names of all files that an archive of this stream may have. Other streams' archives lie in folders beside them. */
export function archiveFileNames({ descriptor }: StreamRecord): string[] {
  return [...Object.values(ArchiveFile), dataFileName(extensionOf(descriptor))]
}

function extensionOf(descriptor: Uint8Array): string {
  try {
    return decodeDescriptor(descriptor).binaryFileExt
  } catch (error) {
    if (error instanceof RecoveryLogError) return '' // of a stream that could never be archived
    throw error
  }
}
