import { manifestFrom } from '../archive/index.ts'
import { toBase64 } from './base64.ts'
import type { JsonValue, StateDocument } from './state-store.ts'
import { StoredFields } from './stored-fields.ts'
import { STREAM_PHASES } from './stream-record.ts'
import type { ArchivedFiles, StreamClaim, StreamRecord } from './stream-record.ts'

/** Streams in the state store: documents of kind `stream`, listed by path. */

export const STREAM_KIND = 'stream'

/** The id of a stream's document. A project has no `/` in it. */
export function streamDocumentId({ project, id }: Pick<StreamRecord, 'project' | 'id'>): string {
  return `${project}/${id}`
}

/** The document of a stream that has to be looked at by `dueMs`. */
export function streamDocument(record: StreamRecord, dueMs: number | null): StateDocument {
  const { project, path, descriptor, claim, archive, ...plain } = record
  const value = {
    ...plain,
    descriptor: toBase64(descriptor),
    claim: claim as unknown as JsonValue, // a manifest is JSON
    archive: archive as unknown as JsonValue,
  }
  return { kind: STREAM_KIND, project, name: path, dueMs, value }
}

/** @throws RecoveryLogError `CORRUPT` with kind, project, name and field; `MANIFEST_INVALID` */
export function streamRecord(document: StateDocument): StreamRecord {
  const fields = new StoredFields(document)
  const text = (field: string): string => fields.text(field)
  const integer = (field: string): number => fields.integer(field)
  return {
    project: document.project,
    path: document.name,
    id: text('id'),
    protoVersion: text('protoVersion'),
    descriptor: fields.bytes('descriptor'),
    terminalIndex: integer('terminalIndex'),
    phase: fields.oneOf('phase', STREAM_PHASES),
    claim: fields.orNull('claim', (field) => claimIn(document, fields.value(field))),
    archive: fields.orNull('archive', (field) => archiveIn(document, fields.value(field))),
    reason: fields.orNull('reason', text),
    skipDamaged: fields.flag('skipDamaged'),
    differedCount: integer('differedCount'),
    createdMs: integer('createdMs'),
    changedMs: integer('changedMs'),
    terminatedMs: fields.orNull('terminatedMs', integer),
    dispatchedMs: fields.orNull('dispatchedMs', integer),
    archivedMs: fields.orNull('archivedMs', integer),
    cleanedMs: fields.orNull('cleanedMs', integer),
    purgedMs: fields.orNull('purgedMs', integer),
  }
}

function claimIn(document: StateDocument, value: JsonValue | undefined): StreamClaim {
  const fields = new StoredFields(document, value ?? null)
  return {
    attempt: fields.text('attempt'),
    manifest: manifestFrom(fields.value('manifest')),
    leaseUntilMs: fields.integer('leaseUntilMs'),
    atRevision: fields.integer('atRevision'),
  }
}

function archiveIn(document: StateDocument, value: JsonValue | undefined): ArchivedFiles {
  const fields = new StoredFields(document, value ?? null)
  return {
    attempt: fields.text('attempt'),
    entriesUrl: fields.text('entriesUrl'),
    entriesBytes: fields.integer('entriesBytes'),
    indexUrl: fields.text('indexUrl'),
    indexBytes: fields.integer('indexBytes'),
    dataUrl: fields.orNull('dataUrl', (field) => fields.text(field)),
    dataBytes: fields.integer('dataBytes'),
    entryCount: fields.integer('entryCount'),
    lastIndex: fields.integer('lastIndex'),
  }
}
