import { crc32 } from 'node:zlib'
import { RecoveryLogError } from '../../errors/index.ts'
import type { JsonValue, StateDocument, StoredDocument } from '../state-store.ts'

/** The file of a revision: the crc32 of the rest in 8 hex digits, a space, and the document in JSON. */

/** So many revisions back a document says by which write each was made. */
const LINEAGE_LENGTH = 8

const DIGEST_CHARACTERS = 8

export interface Revision {
  readonly document: StoredDocument
  /** The names of the writes that have made this revision and those before it, this one's first. */
  readonly lineage: readonly string[]
}

export function revisionText(
  id: string,
  revision: number,
  { kind, project, name, dueMs, value }: StateDocument,
  lineage: readonly string[],
): string {
  const shown = lineage.slice(0, LINEAGE_LENGTH)
  const text = JSON.stringify({ kind, id, revision, project, name, dueMs, value, lineage: shown })
  return `${crc32(text).toString(16).padStart(DIGEST_CHARACTERS, '0')} ${text}`
}

/** @throws RecoveryLogError `CORRUPT` with the file */
export function revisionIn(text: string, path: string): Revision {
  const json = text.slice(DIGEST_CHARACTERS + 1)
  if (Number.parseInt(text.slice(0, DIGEST_CHARACTERS), 16) !== crc32(json)) {
    throw new RecoveryLogError('CORRUPT', `the state file ${path} is not as it was written`, { path })
  }
  const { lineage, ...document } = JSON.parse(json) as StoredDocument & {
    readonly value: JsonValue
    readonly lineage: readonly string[]
  }
  return { document, lineage }
}
