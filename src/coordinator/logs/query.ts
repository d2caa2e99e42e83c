import { RecoveryLogError } from '../../errors/index.ts'
import { assertProject, streamId, tagFault } from '../../names/index.ts'
import type { Sha256Factory } from '../../parts/index.ts'
import type { WithSignal } from '../../storage/index.ts'
import { StreamType } from '../../wire/logdog/index.ts'
import { fromBase64, toBase64 } from '../base64.ts'
import type { StoredDocument, StreamStore } from '../state-store.ts'
import { STREAM_KIND, streamDocumentId, streamRecord } from '../stream-document.ts'
import type { StreamPhase } from '../stream-record.ts'
import { logStreamOf } from './log-stream.ts'
import type { LogStream } from './log-stream.ts'
import { parsePathGlob } from './path-glob.ts'
import type { PathGlob } from './path-glob.ts'

/** The most streams in one page. */
export const QUERY_STREAMS_MAX = 500

/** So many are asked of the store at once at least: most queries look for few, but pass over many. */
const BATCH_STREAMS_MIN = 50

/** Which streams are looked for: all that is named must hold. */
export interface LogsQuery extends WithSignal {
  readonly project: string
  /** A path whose name may hold `*` and `**`, such as `builds/7/+/**\/stdout`; a prefix alone means all its streams. */
  readonly path: string
  /** One of `StreamType`. */
  readonly streamType?: number
  /** Compared whole. */
  readonly contentType?: string
  /** By their keys; an empty value stands for any. */
  readonly tags?: Readonly<Record<string, string>>
  readonly phases?: readonly StreamPhase[]
  /** Registered then or later, in milliseconds since 1970. */
  readonly createdFromMs?: number
  /** Registered before. */
  readonly createdBeforeMs?: number
  /** Purged streams: none, the default; only those; or with the others. */
  readonly purged?: 'no' | 'only' | 'with'
  /** How many streams a page has at most: 1 to 500, more is 500. Default 500. */
  readonly limit?: number
  /** Goes on behind the page that answered it. The query must be the same. */
  readonly pageToken?: string
}

export interface LogsPage {
  /** In byte order of their paths. */
  readonly streams: readonly LogStream[]
  /** There is more, at least one stream; undefined at the end. */
  readonly nextPageToken: string | undefined
}

export interface QueryParts {
  readonly store: StreamStore
  readonly sha256: Sha256Factory
}

/** A page of the streams that match. Its cost grows with the streams under the glob's literal beginning. */
export async function queryStreams(parts: QueryParts, query: LogsQuery): Promise<LogsPage> {
  const { limit = QUERY_STREAMS_MAX, pageToken } = query
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RangeError(`expected limit to be an integer from 1, got ${limit}`)
  }
  checkFilters(query)
  const glob = parsePathGlob(query.path)
  const after = pageToken === undefined ? undefined : pathOfToken(pageToken, glob)
  const pageLength = Math.min(limit, QUERY_STREAMS_MAX)
  const streams: LogStream[] = []
  // One more than the page takes tells whether there is another.
  const batch = Math.max(pageLength + 1, BATCH_STREAMS_MIN)
  for await (const documents of candidates(parts, query, { glob, after, batch })) {
    for (const document of documents) {
      // A document's name is the path: what does not match is not read.
      if (!glob.matches(document.name)) continue
      const stream = logStreamOf(streamRecord(document))
      if (!isWanted(stream, query)) continue
      if (streams.length === pageLength) return { streams, nextPageToken: tokenOf(streams) }
      streams.push(stream)
    }
  }
  return { streams, nextPageToken: undefined }
}

/** The documents of the streams in question, in the order of their paths. */
async function* candidates(
  { store, sha256 }: QueryParts,
  { project, signal }: LogsQuery,
  place: { readonly glob: PathGlob; readonly after: string | undefined; readonly batch: number },
): AsyncGenerator<readonly StoredDocument[], void, undefined> {
  const options = signal === undefined ? {} : { signal }
  const { exact, head } = place.glob
  let { after } = place
  if (exact !== undefined && (after === undefined || after < exact)) {
    const id = streamDocumentId({ project, id: streamId(exact, sha256) })
    const stored = await store.read(STREAM_KIND, id, options)
    if (stored !== undefined) yield [stored]
  }
  if (head === undefined) return
  const query = { kind: STREAM_KIND, project, head, limit: place.batch, ...options }
  for (;;) {
    const found = await store.query(after === undefined ? query : { ...query, after })
    yield found
    if (found.length < place.batch) return
    after = found.at(-1)?.name
  }
}

function isWanted(stream: LogStream, query: LogsQuery): boolean {
  const { descriptor, phase, createdMs } = stream
  const { streamType, contentType, tags = {}, phases, purged = 'no' } = query
  const { createdFromMs = -Infinity, createdBeforeMs = Infinity } = query
  return (
    (purged === 'with' || (phase === 'purged') === (purged === 'only')) &&
    (phases === undefined || phases.includes(phase)) &&
    (streamType === undefined || descriptor.streamType === streamType) &&
    (contentType === undefined || descriptor.contentType === contentType) &&
    createdMs >= createdFromMs &&
    createdMs < createdBeforeMs &&
    Object.entries(tags).every(([key, value]) => {
      const there = descriptor.tags.get(key)
      return there !== undefined && (value === '' || there === value)
    })
  )
}

/** @throws RecoveryLogError `INVALID` for a type that is none, `NAME_INVALID` for project and tags */
function checkFilters({ project, streamType, tags = {} }: LogsQuery): void {
  assertProject(project)
  if (streamType !== undefined && !Object.values<number>(StreamType).includes(streamType)) {
    throw new RecoveryLogError('INVALID', `${streamType} is no type of stream`, { streamType })
  }
  for (const [key, value] of Object.entries(tags)) {
    const fault = tagFault(key, value)
    if (fault === undefined) continue
    throw new RecoveryLogError('NAME_INVALID', `${fault.part}: ${fault.message}`, { ...fault, key, value })
  }
}

/** A page goes on behind its last path. Paths are ASCII. */
function tokenOf(streams: readonly LogStream[]): string {
  return toBase64(new TextEncoder().encode(streams.at(-1)?.path))
}

/** @throws RecoveryLogError `INVALID` for a token that no page of this query has answered */
function pathOfToken(pageToken: string, glob: PathGlob): string {
  const bytes = fromBase64(pageToken)
  const path = bytes === undefined ? '' : new TextDecoder().decode(bytes)
  if (glob.matches(path)) return path
  throw new RecoveryLogError('INVALID', 'the page token is not from this query', { pageToken })
}
