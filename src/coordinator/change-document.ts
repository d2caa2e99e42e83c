import { RecoveryLogError } from '../errors/index.ts'
import type { WithSignal } from '../storage/index.ts'
import type { StateDocument, StoredDocument, StreamStore } from './state-store.ts'

/** So many lost races in a row are no bad luck any more: each was won by somebody else. */
const TRIES_MAX = 100

/**
 * Changes a document by compare-and-set: `decide` is shown what is there, and says what is to be there, or nothing when
 * all is as it should be. A lost race is decided anew on what has won it. Answers what is there in the end.
 *
 * @throws RecoveryLogError `UNAVAILABLE` after 100 lost races in a row
 */
export async function changeDocument(
  store: StreamStore,
  kind: string,
  id: string,
  options: WithSignal,
  decide: (
    before: StoredDocument | undefined,
  ) => StateDocument | undefined | Promise<StateDocument | undefined>,
): Promise<StoredDocument | undefined> {
  let lost: unknown
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const before = await store.read(kind, id, options)
    const after = await decide(before)
    if (after === undefined) return before
    try {
      const revision =
        before === undefined
          ? await store.create(id, after, options)
          : await store.update(id, before.revision, after, options)
      return { ...after, id, revision }
    } catch (error) {
      if (!RecoveryLogError.is(error, 'CONFLICT')) throw error
      lost = error
    }
  }
  const data = { kind, id, tries: TRIES_MAX }
  const message = `the ${kind} ${id} is changed by others all the time`
  throw new RecoveryLogError('UNAVAILABLE', message, data, { cause: lost })
}
