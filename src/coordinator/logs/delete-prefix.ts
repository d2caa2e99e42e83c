import { RecoveryLogError } from '../../errors/index.ts'
import { assertProject, assertStreamName, joinStreamPath, prefixId } from '../../names/index.ts'
import type { Sha256Factory } from '../../parts/index.ts'
import type { WithSignal } from '../../storage/index.ts'
import type { CoordinatorService } from '../coordinator.ts'
import { expirePrefix, PREFIX_KIND } from '../prefix-registry.ts'
import type { StoredDocument, StreamStore } from '../state-store.ts'
import { STREAM_KIND, streamRecord } from '../stream-document.ts'

export interface DeletePrefixParts {
  readonly streamStore: StreamStore
  readonly coordinator: Pick<CoordinatorService, 'purgeStream'>
  readonly sha256: Sha256Factory
}

export interface DeletePrefixRequest extends WithSignal {
  readonly project: string
  /** The prefix, or its ID. */
  readonly prefix: string
}

const BATCH_STREAMS = 500
const PREFIX_ID = /^[0-9a-f]{64}$/

/**
 * Closes a prefix, so that no stream is registered under it any more, and purges its streams, in the order of their
 * names; answers how many were not purged before.
 */
export async function deletePrefix(parts: DeletePrefixParts, request: DeletePrefixRequest): Promise<number> {
  const { streamStore, coordinator } = parts
  const { project, signal } = request
  const options = signal === undefined ? {} : { signal }
  const prefix = await findPrefix(parts, request)
  await expirePrefix(streamStore, prefix.id, options)
  const head = joinStreamPath(prefix.name, '')
  const query = { kind: STREAM_KIND, project, head, limit: BATCH_STREAMS, ...options }
  let count = 0
  for (let after: string | undefined; ;) {
    const found = await streamStore.query(after === undefined ? query : { ...query, after })
    for (const { id, phase } of found.map(streamRecord)) {
      if (phase === 'purged') continue
      await coordinator.purgeStream({ project, id, ...options })
      count++
    }
    if (found.length < BATCH_STREAMS) return count
    after = found.at(-1)?.name
  }
}

/** @throws RecoveryLogError `NOT_FOUND`, `NAME_INVALID` */
async function findPrefix(
  { streamStore, sha256 }: DeletePrefixParts,
  { project, prefix, signal }: DeletePrefixRequest,
): Promise<StoredDocument> {
  assertProject(project)
  assertStreamName(prefix, 'prefix')
  const options = signal === undefined ? {} : { signal }
  // An ID could be a prefix as well: the one that is registered is meant.
  for (const id of PREFIX_ID.test(prefix) ? [prefix, prefixId(prefix, sha256)] : [prefixId(prefix, sha256)]) {
    const stored = await streamStore.read(PREFIX_KIND, `${project}/${id}`, options)
    if (stored !== undefined) return stored
  }
  throw new RecoveryLogError('NOT_FOUND', `there is no prefix ${prefix} in ${project}`, { project, prefix })
}
