import assert from 'node:assert/strict'
import {
  asNamespace,
  assertStreamName,
  assertStreamPath,
  constructName,
  formatStreamAddress,
  joinStreamPath,
  makeStreamName,
  nameSegments,
  namespacesOf,
  parseStreamAddress,
  partialPathFault,
  pathPrefix,
  PREFIX_SECRET_BYTES,
  projectFault,
  RETRY_NONCE_BYTES,
  secretFault,
  splitLast,
  splitName,
  splitStreamPath,
  STREAM_NAME_BYTES_MAX,
  streamNameFault,
  streamPathFault,
  TAG_KEY_BYTES_MAX,
  TAG_VALUE_BYTES_MAX,
  tagFault,
  trimSeparators,
} from '../../src/names/index.ts'
import { BUNDLE_BYTES_MAX, ContentType, ENTRY_DATA_BYTES_MAX } from '../../src/wire/logdog/index.ts'
import { casesOf, expectKeys, fromHex, typedError } from './archive-cases.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/names.json'

/** A case of any kind: what each kind holds is told by its keys below. */
interface Case {
  readonly name: string
  readonly kind: string
  readonly value: string
  readonly valid: boolean
  readonly key: string
  readonly value_hex: string
  readonly valid_partial: boolean
  readonly split: { readonly prefix: string; readonly separator: boolean; readonly name: string } & [
    string,
    string,
  ]
  readonly split_last: readonly [string, string]
  readonly trim: string
  readonly segment_count: number
  readonly fill: string
  readonly parts: readonly string[]
  readonly result: string
  readonly prefix: string
  readonly stream_name: string
  readonly path: string
  readonly segments: readonly string[]
  readonly namespaces: readonly string[]
  readonly as_namespace: string
  readonly length: number
  readonly host?: string
  readonly project: string
  readonly to_string: string
}

interface Kind {
  readonly keys: readonly string[]
  readonly check: (vector: Case) => void | Promise<void>
}

/** Runs `body`, which must throw NAME_INVALID when the case is not valid. */
async function judge<T>(valid: boolean, body: () => T): Promise<T | undefined> {
  if (valid) return body()
  assert.equal((await typedError(body)).code, 'NAME_INVALID')
  return undefined
}

const KINDS: Readonly<Partial<Record<string, Kind>>> = {
  stream_name: {
    keys: ['value', 'valid', 'error'],
    async check({ value, valid }) {
      assert.equal(streamNameFault(value) === undefined, valid)
      await judge(valid, () => {
        assertStreamName(value)
      })
    },
  },
  stream_name_bytes: {
    keys: ['value_hex', 'valid'],
    check({ value_hex, valid }) {
      assert.equal(streamNameFault(new TextDecoder().decode(fromHex(value_hex))) === undefined, valid)
    },
  },
  stream_path: {
    keys: ['value', 'valid', 'error', 'split', 'valid_partial', 'split_last', 'trim', 'segment_count'],
    async check({ value, valid, split, valid_partial, split_last, trim, segment_count }) {
      assert.equal(streamPathFault(value) === undefined, valid)
      await judge(valid, () => {
        assertStreamPath(value)
      })
      assert.equal(partialPathFault(value) === undefined, valid_partial)
      const { prefix, name, hasSeparator } = splitStreamPath(value)
      assert.deepEqual({ prefix, name, separator: hasSeparator }, split)
      const { parent, last } = splitLast(value)
      assert.deepEqual([parent, last], split_last)
      assert.equal(trimSeparators(value), trim)
      assert.equal(nameSegments(value).length, segment_count)
    },
  },
  tag: {
    keys: ['key', 'value', 'valid', 'error'],
    check({ key, value, valid }) {
      assert.equal(tagFault(key, value) === undefined, valid)
    },
  },
  project: {
    keys: ['value', 'valid', 'error'],
    check({ value, valid }) {
      assert.equal(projectFault(value) === undefined, valid)
    },
  },
  make_stream_name: {
    keys: ['fill', 'parts', 'valid', 'result', 'error'],
    async check({ fill, parts, valid, result }) {
      assert.equal((await judge(valid, () => makeStreamName(fill, parts))) ?? '', result)
    },
  },
  construct: {
    keys: ['parts', 'result'],
    check({ parts, result }) {
      assert.equal(constructName(...parts), result)
    },
  },
  join: {
    keys: ['prefix', 'stream_name', 'path', 'valid'],
    check({ prefix, stream_name, path, valid }) {
      assert.equal(joinStreamPath(prefix, stream_name), path)
      assert.equal(streamPathFault(path) === undefined, valid)
    },
  },
  as_path_prefix: {
    keys: ['prefix', 'stream_name', 'path'],
    check({ prefix, stream_name, path }) {
      assert.equal(pathPrefix(prefix, stream_name), path)
    },
  },
  name_parts: {
    keys: ['value', 'split', 'segments', 'segment_count', 'namespaces', 'as_namespace', 'trim'],
    check({ value, split, segments, segment_count, namespaces, as_namespace, trim }) {
      const { parent, last } = splitName(value)
      assert.deepEqual([parent, last], split)
      assert.deepEqual(nameSegments(value), segments)
      assert.equal(segments.length, segment_count)
      assert.deepEqual(namespacesOf(value), namespaces)
      assert.equal(asNamespace(value), as_namespace)
      assert.equal(trimSeparators(value), trim)
    },
  },
  address: {
    keys: ['value', 'valid', 'host', 'project', 'path', 'to_string'],
    async check({ value, valid, host, project, path, to_string }) {
      const address = await judge(valid, () => parseStreamAddress(value))
      if (address === undefined) return
      assert.deepEqual(address, { host, project, path })
      assert.equal(formatStreamAddress(address), to_string)
    },
  },
  secret: {
    keys: ['length', 'valid', 'error'],
    check({ length, valid }) {
      assert.equal(secretFault(new Uint8Array(length)) === undefined, valid)
    },
  },
  constants: {
    keys: [...Object.keys(constants())],
    check(vector) {
      const { name, kind, ...values } = vector
      assert.deepEqual(values, constants(), `${name}, ${kind}`)
    },
  },
}

function constants(): object {
  return {
    max_stream_name_length: STREAM_NAME_BYTES_MAX,
    max_tag_key_size: TAG_KEY_BYTES_MAX,
    max_tag_value_size: TAG_VALUE_BYTES_MAX,
    prefix_secret_length: PREFIX_SECRET_BYTES,
    op_nonce_length: RETRY_NONCE_BYTES,
    max_butler_log_bundle_size: BUNDLE_BYTES_MAX,
    max_log_entry_data_size: ENTRY_DATA_BYTES_MAX,
    max_datagram_size: ENTRY_DATA_BYTES_MAX,
    content_type_text: ContentType.text,
    content_type_binary: ContentType.binary,
    content_type_datagram: ContentType.datagram,
    content_type_logs: ContentType.logs,
    content_type_index: ContentType.index,
  }
}

/** Names, paths, tags, projects, secrets and addresses. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    for (const vector of casesOf<Case>(run, FILE)) {
      const rule: Rule = 'valid' in vector && !vector.valid ? 'typed error' : 'equal to Go'
      await run.check(FILE, vector.name, rule, async () => {
        const kind = KINDS[vector.kind]
        assert(kind !== undefined, `an unknown kind ${vector.kind}`)
        expectKeys(vector, 'name', 'kind', ...kind.keys)
        await kind.check(vector)
      })
    }
  },
}
