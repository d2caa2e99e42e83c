import assert from 'node:assert/strict'
import {
  ArchiveFile,
  archiveLocation,
  attemptFolder,
  OBJECT_NAME_BYTES_MAX,
} from '../../src/archive/index.ts'
import {
  joinGsPath,
  normalizeStreamId,
  prefixId,
  sha256OfText,
  splitGsPath,
  streamId,
  toBase64Url,
  toHex,
  utf8Bytes,
} from '../../src/names/index.ts'
import { casesOf, expectKeys, sha256, typedError } from './archive-cases.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/ids.json'

/** A case of any kind: what each kind holds is told by its keys below. */
interface Case {
  readonly name: string
  readonly kind: string
  readonly path: string
  readonly id: string
  readonly prefix: string
  readonly input: string
  readonly output: string | null
  readonly valid: boolean
  readonly base: string
  readonly staging: string
  readonly project: string
  readonly stream_name: string
  readonly name_bytes: number
  readonly ok: boolean
  readonly name_used?: string
  readonly truncated?: boolean
  readonly longest_object_name_bytes?: number
  readonly staged?: Readonly<Record<string, string>>
  readonly final?: Readonly<Record<string, string>>
  readonly nothing_done?: boolean
  readonly components: readonly string[]
  readonly bucket: string
  readonly filename: string
  readonly is_full: boolean
  readonly concat: string
  readonly parts: readonly string[]
  readonly hash: string
  readonly max_object_name_bytes: number
  readonly truncated_suffix_bytes: number
}

interface Kind {
  readonly keys: readonly string[]
  readonly check: (vector: Case) => void | Promise<void>
}

const KINDS: Readonly<Partial<Record<string, Kind>>> = {
  stream_id: {
    keys: ['path', 'id'],
    check({ path, id }) {
      assert.equal(streamId(path, sha256), id)
    },
  },
  prefix_id: {
    keys: ['prefix', 'id'],
    check({ prefix, id }) {
      assert.equal(prefixId(prefix, sha256), id)
    },
  },
  normalize_id: {
    keys: ['input', 'output', 'valid'],
    async check({ input, output, valid }) {
      if (valid) assert.equal(normalizeStreamId(input), output)
      else assert.equal((await typedError(() => normalizeStreamId(input))).code, 'NAME_INVALID')
    },
  },
  paths: {
    keys: [
      ...[
        'base',
        'staging',
        'project',
        'prefix',
        'stream_name',
        'name_bytes',
        'ok',
        'name_used',
        'truncated',
      ],
      ...['longest_object_name_bytes', 'staged', 'final', 'error', 'nothing_done'],
    ],
    check: checkPaths,
  },
  gs_path: {
    keys: ['base', 'components', 'bucket', 'filename', 'is_full', 'concat'],
    check({ base, components, bucket, filename, is_full, concat }) {
      const path = splitGsPath(base)
      assert.deepEqual(path, { bucket, name: filename })
      assert.equal(path.bucket !== '' && path.name !== '', is_full)
      assert.equal(joinGsPath(base, ...components), concat)
    },
  },
  hash_key: {
    keys: ['parts', 'hash'],
    check({ parts, hash }) {
      assert.equal(toHex(sha256OfText(parts.join('\0'), sha256)), hash)
    },
  },
  constants: {
    keys: ['max_object_name_bytes', 'truncated_suffix_bytes'],
    check({ max_object_name_bytes, truncated_suffix_bytes }) {
      assert.equal(OBJECT_NAME_BYTES_MAX, max_object_name_bytes)
      const { name } = locate({ project: 'p', prefix: 'p', name: 'n'.repeat(4096) }, 'b', 's')
      assert.equal(name.slice(name.indexOf('-TRUNCATED-')).length, truncated_suffix_bytes)
    },
  },
}

/** IDs, and where the files of an archive lie. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    for (const vector of casesOf<Case>(run, FILE)) {
      await run.check(FILE, vector.name, ruleOf(vector), async () => {
        const kind = KINDS[vector.kind]
        assert(kind !== undefined, `an unknown kind ${vector.kind}`)
        expectKeys(vector, 'name', 'kind', ...kind.keys)
        await kind.check(vector)
      })
    }
  },
}

function ruleOf(vector: Case): Rule {
  if (vector.nothing_done === true) return 'as the spec says'
  return ('ok' in vector && !vector.ok) || ('valid' in vector && !vector.valid)
    ? 'typed error'
    : 'equal to Go'
}

function locate(
  stream: { project: string; prefix: string; name: string },
  base: string,
  staging: string,
): ReturnType<typeof archiveLocation> {
  return archiveLocation(stream, { base, staging }, sha256)
}

async function checkPaths(vector: Case): Promise<void> {
  const { base, staging, project, prefix, stream_name: name, name_bytes, ok } = vector
  assert.equal(utf8Bytes(name), name_bytes)
  if (!ok) {
    assert.equal(
      (await typedError(() => locate({ project, prefix, name }, base, staging))).code,
      'PATH_REFUSED',
    )
    return
  }
  const location = locate({ project, prefix, name }, base, staging)
  if (vector.nothing_done === true) {
    // Go drops the task when a base has no bucket. Ours are keys: the first segment is the bucket.
    assert.equal(location.final, `${base}/${project}/${prefix}/+/${name}`)
    return
  }
  const { name_used, truncated, longest_object_name_bytes, staged, final } = vector
  assert.equal(location.name, name_used)
  assert.equal(location.isNameTruncated, truncated)
  // LUCI's staged path decides how long a name may be: ours is elsewhere.
  const lucis = `${keyOf(staging)}/${project}/p/${toBase64Url(sha256OfText(prefix, sha256))}/+/${location.name}`
  for (const file of [ArchiveFile.entries, ArchiveFile.index]) {
    assert.equal(`gs://${location.final}/${file}`, final?.[file])
    assert.equal(`gs://${lucis}/${file}`, staged?.[file])
  }
  const lengths = [location.final, lucis].map((folder) =>
    utf8Bytes(objectName(`${folder}/${ArchiveFile.entries}`)),
  )
  assert.equal(Math.max(...lengths), longest_object_name_bytes)
  const id = streamId(`${prefix}/+/${name}`, sha256)
  assert.equal(attemptFolder(location, 'attempt'), `${keyOf(staging)}/${project}/a/${id}/attempt`)
}

function keyOf(base: string): string {
  return base.replace(/^gs:\/\//, '').replace(/\/+$/, '')
}

function objectName(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}
