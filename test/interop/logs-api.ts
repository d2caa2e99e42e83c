import assert from 'node:assert/strict'
import { GET_BYTES_MAX, QUERY_STREAMS_MAX } from '../../src/coordinator/logs/index.ts'
import type { LogEntries, LogsQuery } from '../../src/coordinator/logs/index.ts'
import { LogEntryWriter } from '../../src/wire/logdog/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'
import { LogsWorld } from '../support/logs-world.ts'
import { casesOf, expectKeys, rangesOf, streamTypeOf, typedError } from './archive-cases.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/logs-api.json'
const PREFIX = 'testing/a'

interface GoError {
  readonly code: string
  readonly text: string
}

interface Named {
  readonly name: string
  readonly doubtful?: string
}

interface GlobCase extends Named {
  readonly kind: 'glob'
  readonly path: string
  readonly names: readonly string[]
  readonly matched: readonly string[]
  readonly error: GoError | null
}

interface QueryCase extends Named {
  readonly kind: 'query'
  readonly admin: boolean
  readonly request: {
    readonly purged: 'BOTH' | 'NO' | 'YES'
    readonly stream_type?: string
    readonly content_type?: string
    readonly tags?: Readonly<Record<string, string>>
  }
  readonly matched: readonly string[]
  readonly error: GoError | null
}

interface PagesCase extends Named {
  readonly kind: 'pages'
  readonly max_results: number
  readonly pages: readonly { readonly count: number; readonly has_next: boolean }[]
}

interface GetCase extends Named {
  readonly kind: 'get'
  readonly archived: boolean
  readonly stored_indices: readonly number[]
  readonly entry_bytes: Readonly<Record<string, number>>
  readonly gets: readonly {
    readonly index: number
    readonly log_count: number
    readonly byte_count: number
    readonly non_contiguous: boolean
    readonly returned: readonly (readonly [number, number])[]
  }[]
  readonly tail: number | null
  readonly tail_error: GoError | null
  readonly note?: string
}

interface AccessCase extends Named {
  readonly kind: 'get_access'
  readonly path: string
  readonly error: GoError | null
}

interface DeleteCase extends Named {
  readonly kind: 'delete_prefix'
  readonly prefix: string
  readonly streams: readonly string[]
  readonly error: GoError | null
  readonly streams_left: readonly string[]
  readonly prefix_left: boolean
}

interface ConstantCase extends Named {
  readonly kind: 'constant'
  readonly query_result_limit?: number
  readonly get_bytes_limit?: number
}

type Case = GlobCase | QueryCase | PagesCase | GetCase | AccessCase | DeleteCase | ConstantCase

interface StreamFields {
  readonly stream_name: string
  readonly stream_type: string
  readonly content_type: string
  readonly tags: Readonly<Record<string, string>>
  readonly purged: boolean
}

/** How a case is judged, and the judging. */
type Judged = readonly [rule: Rule, check: () => Promise<void>]

const counted: Judged = ['counted', async () => undefined]

/** Errors that access rights have brought about. */
function isAccess(error: GoError | null): boolean {
  return error !== null && ['PermissionDenied', 'Unauthenticated'].includes(error.code)
}

async function expectKind(body: () => Promise<unknown>, kind: string): Promise<void> {
  assert.equal((await typedError(body)).kind, kind)
}

async function namesOf(world: LogsWorld, query: Omit<LogsQuery, 'project'>): Promise<string[]> {
  const { streams } = await world.logs.query({ project: world.project, ...query })
  return streams.map(({ path }) => path.slice(`${PREFIX}/+/`.length))
}

const byBytes = (names: readonly string[]): string[] => [...names].sort()

/** The spec's globs in the plainest words: every way to divide the segments is tried. */
function matches(segments: readonly string[], patterns: readonly string[]): boolean {
  const [pattern, ...others] = patterns
  if (pattern === undefined) return segments.length === 0
  if (pattern === '**') {
    return segments.some((_, i) => matches(segments.slice(i), others)) || matches([], others)
  }
  const [segment, ...rest] = segments
  if (segment === undefined) return false
  const wanted = new RegExp(`^${pattern.replaceAll('.', '[.]').replaceAll('*', '[^/]+')}$`)
  return wanted.test(segment) && matches(rest, others)
}

function judgeGlob(vector: GlobCase): Judged {
  expectKeys(vector, 'name', 'kind', 'path', 'names', 'matched', 'error')
  const { path, names, error } = vector
  if (isAccess(error)) return counted
  const world = new LogsWorld()
  const asked = async (): Promise<string[]> => {
    for (const name of names) await world.register(`${PREFIX}/+/${name}`)
    await world.register(`${PREFIX}x/+/foo`)
    return namesOf(world, { path })
  }
  if (error !== null) return ['typed error', () => expectKind(asked, 'invalid')]
  const patterns = path.slice(`${PREFIX}/+/`.length).split('/')
  if (patterns.some((pattern) => pattern.includes('**') && pattern !== '**')) {
    return ['as the spec says', async () => assert.equal((await typedError(asked)).code, 'INVALID')]
  }
  if (!patterns.includes('**')) {
    return ['behaviour', async () => assert.deepEqual(await asked(), vector.matched)]
  }
  const expected = byBytes(names.filter((name) => matches(name.split('/'), patterns)))
  return ['as the spec says', async () => assert.deepEqual(await asked(), expected)]
}

async function withStreams(streams: readonly StreamFields[]): Promise<LogsWorld> {
  const world = new LogsWorld()
  for (const { stream_name, stream_type, content_type, tags, purged } of streams) {
    const stream = await world.register(`${PREFIX}/+/${stream_name}`, {
      streamType: streamTypeOf(stream_type),
      contentType: content_type,
      tags: new Map(Object.entries(tags)),
    })
    if (purged) await world.coordinator.purgeStream(stream)
  }
  return world
}

function judgeQuery(vector: QueryCase, streams: readonly StreamFields[]): Judged {
  expectKeys(vector, 'name', 'kind', 'admin', 'request', 'matched', 'error')
  const { admin, request, error } = vector
  expectKeys(request, 'purged', 'stream_type', 'content_type', 'tags')
  const { stream_type, content_type, tags } = request
  const purged = ({ BOTH: 'with', NO: 'no', YES: 'only' } as const)[request.purged]
  // That purged streams are for administrators is a matter of rights: others do not ask for them.
  if (!admin && purged === 'only') return counted
  const asked = async (): Promise<string[]> =>
    namesOf(await withStreams(streams), {
      path: PREFIX,
      purged: admin ? purged : 'no',
      ...(stream_type === undefined ? {} : { streamType: typeNumber(stream_type) }),
      ...(content_type === undefined ? {} : { contentType: content_type }),
      ...(tags === undefined ? {} : { tags }),
    })
  if (error !== null) return ['typed error', () => expectKind(asked, 'invalid')]
  return ['behaviour', async () => assert.deepEqual(await asked(), vector.matched)]
}

function typeNumber(type: string): number {
  return /^[0-9]+$/.test(type) ? Number(type) : streamTypeOf(type)
}

/** Ours: pages that are full but for the last, of streams with all fields, and no page more than is needed. */
function judgePages(vector: PagesCase, streams: readonly StreamFields[]): Judged {
  expectKeys(vector, 'name', 'kind', 'max_results', 'pages', 'doubtful')
  return [
    vector.doubtful === undefined ? 'behaviour' : 'doubtful',
    async () => {
      const world = await withStreams(streams)
      const limit = vector.max_results > 0 ? { limit: vector.max_results } : {}
      const counts: number[] = []
      const names: string[] = []
      for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
        const pageToken = token === undefined ? {} : { pageToken: token }
        const page = await world.logs.query({ project: world.project, path: PREFIX, ...limit, ...pageToken })
        for (const stream of page.streams) {
          assert.equal(stream.terminalIndex, -1)
          assert.notEqual(stream.descriptor.contentType, '')
          names.push(stream.descriptor.name)
        }
        counts.push(page.streams.length)
        token = page.nextPageToken
      }
      const wanted = byBytes(streams.filter(({ purged }) => !purged).map(({ stream_name }) => stream_name))
      assert.deepEqual(names, wanted)
      const goCounts = vector.pages.map(({ count }) => count).filter((count) => count > 0)
      assert.deepEqual(counts, goCounts)
    },
  ]
}

/** An entry that has just so many bytes. */
function entryOf(index: number, size: number): LogEntry {
  const writer = new LogEntryWriter()
  const entry = (length: number): LogEntry => ({
    ...{ timeOffset: undefined, prefixIndex: index, streamIndex: index, sequence: index },
    content: { kind: 'binary', data: new Uint8Array(length).fill(1) },
  })
  let length = size - 4
  while (writer.measure(entry(length)) > size) length--
  assert.equal(writer.measure(entry(length)), size)
  return entry(length)
}

/** What the spec says `get` answers. */
function expectedGet(vector: GetCase, get: GetCase['gets'][number]): number[] {
  const expected: number[] = []
  let bytes = 0
  const limit = get.log_count === 0 ? Infinity : get.log_count
  const bytesMax = get.byte_count > 0 ? Math.min(get.byte_count, GET_BYTES_MAX) : GET_BYTES_MAX
  for (const index of vector.stored_indices) {
    if (index < get.index) continue
    const wanted = (expected.at(-1) ?? get.index - 1) + 1
    bytes += vector.entry_bytes[index] as number
    if (expected.length >= limit || (!get.non_contiguous && index > wanted)) break
    if (expected.length > 0 && bytes > bytesMax) break
    expected.push(index)
  }
  return expected
}

function judgeGet(vector: GetCase): Judged {
  expectKeys(
    vector,
    'name',
    'kind',
    'archived',
    'stored_indices',
    'entry_bytes',
    'gets',
    'tail',
    'tail_error',
    'doubtful',
    'note',
  )
  const { archived, stored_indices, entry_bytes, doubtful } = vector
  return [
    doubtful === undefined ? 'behaviour' : 'doubtful',
    async () => {
      const path = `${PREFIX}/+/stream`
      const world = new LogsWorld()
      const stream = await world.register(path)
      await world.put(
        path,
        stored_indices.map((index) => entryOf(index, entry_bytes[index] as number)),
      )
      if (archived) {
        await world.archive(path, stream)
        await world.clean(path, stream)
      }
      const request = { project: world.project, path }
      for (const get of vector.gets) {
        expectKeys(get, 'index', 'log_count', 'byte_count', 'non_contiguous', 'returned')
        const asked = world.logs.get({
          ...request,
          index: get.index,
          // 0 or less is no limit of bytes; 0 is none of entries, and less than none is none.
          ...(get.log_count === 0 ? {} : { limit: Math.max(get.log_count, 0) }),
          ...(get.byte_count > 0 ? { bytesMax: get.byte_count } : {}),
          sparse: get.non_contiguous,
        })
        if (get.index < 0) {
          // Go does not check it, and answers differently from both sources.
          await assert.rejects(asked, RangeError)
          continue
        }
        const found = rangesOf((await asked).entries.map(({ streamIndex }) => streamIndex))
        const expected = doubtful === undefined ? get.returned : rangesOf(expectedGet(vector, get))
        assert.deepEqual(found, expected, JSON.stringify(get))
        if (doubtful === undefined) assert.deepEqual(rangesOf(expectedGet(vector, get)), get.returned)
      }
      assert.equal(vector.tail_error, null)
      const tail = async (contiguous: boolean): Promise<number | null> =>
        (await world.logs.tail({ ...request, contiguous })).entries[0]?.streamIndex ?? null
      assert.equal(await tail(false), doubtful === undefined ? vector.tail : (stored_indices.at(-1) ?? null))
      const unbroken = stored_indices.filter((index, i) => index === i).at(-1) ?? null
      assert.equal(await tail(true), unbroken)
      // The one or the other is what Go answers.
      assert([stored_indices.at(-1) ?? null, unbroken].includes(vector.tail))
    },
  ]
}

const PURGED = `${PREFIX}/+/purged`

function judgeAccess(vector: AccessCase): Judged {
  expectKeys(vector, 'name', 'kind', 'path', 'error')
  const { path, error } = vector
  // That an administrator may read a purged stream is a matter of rights; ours is gone.
  if (isAccess(error) || (path === PURGED && error === null)) return counted
  const asked = async (): Promise<LogEntries> => {
    const world = new LogsWorld()
    await world.register(`${PREFIX}/+/foo`)
    await world.coordinator.purgeStream(await world.register(PURGED))
    return world.logs.get({ project: world.project, path })
  }
  if (error === null) {
    return ['behaviour', async () => assert.deepEqual((await asked()).entries, [])]
  }
  const kind = { NotFound: 'not_found', InvalidArgument: 'invalid' }[error.code]
  assert(kind !== undefined, `an unknown code ${error.code}`)
  return ['typed error', () => expectKind(asked, kind)]
}

function judgeDelete(vector: DeleteCase): Judged {
  expectKeys(vector, 'name', 'kind', 'prefix', 'streams', 'error', 'streams_left', 'prefix_left', 'doubtful')
  const { prefix, streams, error, doubtful } = vector
  if (isAccess(error)) return counted
  const world = new LogsWorld()
  const deleted = async (): Promise<number> => {
    for (const path of streams) {
      const stream = await world.register(path)
      if (path === PURGED) await world.coordinator.purgeStream(stream)
    }
    return world.logs.deletePrefix({ project: world.project, prefix })
  }
  if (error !== null) {
    return ['typed error', () => expectKind(deleted, error.code === 'NotFound' ? 'not_found' : 'invalid')]
  }
  // In Go a purged stream is left behind: here it is as gone as the others. What is gone cannot be read, and nothing can
  // be registered under a prefix that is gone.
  const left =
    doubtful === undefined ? vector.streams_left : vector.streams_left.filter((path) => path !== PURGED)
  return [
    doubtful === undefined ? 'behaviour' : 'doubtful',
    async () => {
      await deleted()
      const readable: string[] = []
      for (const path of streams) {
        const answer = await world.logs
          .get({ project: world.project, path })
          .catch((caught: unknown) => caught)
        if (!(answer instanceof Error)) readable.push(path)
        else assert.match(answer.message, /^PURGED/)
      }
      assert.deepEqual(readable, left)
      const later = await world.register(`${PREFIX}/+/later`).catch((caught: unknown) => caught)
      assert.equal(!(later instanceof Error), vector.prefix_left)
    },
  ]
}

function judgeConstant(vector: ConstantCase): Judged {
  expectKeys(vector, 'name', 'kind', 'query_result_limit', 'get_bytes_limit')
  return [
    'equal to Go',
    async () => {
      assert.equal(vector.query_result_limit ?? QUERY_STREAMS_MAX, QUERY_STREAMS_MAX)
      assert.equal(vector.get_bytes_limit ?? GET_BYTES_MAX, GET_BYTES_MAX)
    },
  ]
}

function judge(vector: Case, streams: readonly StreamFields[]): Judged {
  switch (vector.kind) {
    case 'glob':
      return judgeGlob(vector)
    case 'query':
      return judgeQuery(vector, streams)
    case 'pages':
      return judgePages(vector, streams)
    case 'get':
      return judgeGet(vector)
    case 'get_access':
      return judgeAccess(vector)
    case 'delete_prefix':
      return judgeDelete(vector)
    case 'constant':
      return judgeConstant(vector)
    default:
      return ['behaviour', async () => assert.fail(`an unknown kind ${JSON.stringify(vector)}`)]
  }
}

export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    const { query_prefix, query_streams } = run.json<{ query_prefix: string; query_streams: StreamFields[] }>(
      FILE,
    )
    assert.equal(query_prefix, PREFIX)
    for (const vector of casesOf<Case>(run, FILE, ['query_prefix', 'query_streams'])) {
      const [rule, check] = judge(vector, query_streams)
      await run.check(FILE, vector.name, rule, check)
    }
  },
}
