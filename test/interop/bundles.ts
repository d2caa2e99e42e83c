import assert from 'node:assert/strict'
import { deflateSync } from 'node:zlib'
import {
  BUNDLE_BYTES_MAX,
  decodeBundle,
  encodeBundle,
  packBundle,
  unpackBundle,
} from '../../src/wire/logdog/index.ts'
import type { ButlerLogBundle } from '../../src/wire/logdog/index.ts'
import { splitRecords } from '../../src/wire/index.ts'
import {
  bundleFrom,
  bundleTo,
  casesOf,
  expectKeys,
  fromHex,
  hexOf,
  inflate,
  metadataTo,
  typedError,
} from './archive-cases.ts'
import type { BundleFields, MetadataFields } from './archive-cases.ts'
import { collectKinds } from './collector.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/bundles.json'

export interface BundleCase {
  readonly name: string
  readonly kind: string
  readonly doubtful?: string
  readonly bundle: BundleFields | null
  readonly message_hex?: string
  readonly metadata: MetadataFields
}

interface WriteCase extends BundleCase {
  readonly bundle: BundleFields
  readonly bundle_hex: string
  readonly message_hex: string
  readonly compress: boolean
  readonly compress_threshold: number
  readonly proto_version: string
}

interface SizeCase extends BundleCase {
  readonly bundle_bytes: number
  readonly bundle_rule: string
  readonly compressed: boolean
  readonly writer_accepts: boolean
  readonly writer_error: string | null
  readonly reader_accepts: boolean
  readonly reader_error: string | null
}

/** How one kind of case is judged. */
export interface BundleKind {
  readonly keys: readonly string[]
  readonly rule: (vector: BundleCase) => Rule
  readonly check: (vector: BundleCase) => void | Promise<void>
}

const DEFLATE = { deflate: (bytes: Uint8Array) => new Uint8Array(deflateSync(bytes)) }
const SIZE_RULE = /^deprecated_source is ([0-9]+) times 'a', nothing else$/

/** Bundles on the transport. */
const transport: Readonly<Record<string, BundleKind>> = {
  write: {
    keys: [
      'bundle',
      'bundle_hex',
      'message_hex',
      'metadata',
      'compress',
      'compress_threshold',
      'proto_version',
    ],
    rule: () => 'equal to Go',
    check(vector) {
      checkWrite(vector as WriteCase)
    },
  },
  read: {
    keys: ['message_hex', 'metadata', 'bundle'],
    rule: ({ doubtful }) => (doubtful === undefined ? 'equal to Go' : 'doubtful'),
    check: checkRead,
  },
  read_error: {
    keys: ['message_hex', 'error'],
    rule: () => 'typed error',
    async check({ message_hex }) {
      const error = await typedError(() => readWhole(fromHex(message_hex as string)))
      assert(['invalid', 'corrupt'].includes(error.kind), error.message)
    },
  },
  size_limit: {
    keys: [
      ...['bundle_bytes', 'bundle_rule', 'compressed', 'message_hex'],
      ...['writer_accepts', 'writer_error', 'reader_accepts', 'reader_error'],
    ],
    rule: ({ doubtful }) => (doubtful === undefined ? 'equal to Go' : 'doubtful'),
    async check(vector) {
      await checkSize(vector as SizeCase)
    },
  },
}

const kinds: Readonly<Partial<Record<string, BundleKind>>> = { ...transport, ...collectKinds }

export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    for (const vector of casesOf<BundleCase>(run, FILE)) {
      const kind = kinds[vector.kind]
      await run.check(FILE, vector.name, kind?.rule(vector) ?? 'equal to Go', async () => {
        assert(kind !== undefined, `an unknown kind ${vector.kind}`)
        expectKeys(vector, 'name', 'kind', 'doubtful', ...kind.keys)
        await kind.check(vector)
      })
    }
  },
}

/** Takes a message apart, down to the fields of its entries. */
function readWhole(message: Uint8Array): { metadata: MetadataFields; bundle: BundleFields | null } {
  const { metadata, bundle } = unpackBundle(message, { inflate })
  return { metadata: metadataTo(metadata), bundle: bundle === undefined ? null : bundleTo(bundle) }
}

async function checkRead(vector: BundleCase): Promise<void> {
  const message = fromHex(vector.message_hex as string)
  if (vector.doubtful === undefined) {
    assert.deepEqual(readWhole(message), { metadata: vector.metadata, bundle: vector.bundle })
    return
  }
  // Doubtful is a data frame shorter than its header says, of which Go takes what is there.
  assert.equal((await typedError(() => readWhole(message))).code, 'UNEXPECTED_END')
}

function checkWrite(vector: WriteCase): void {
  const bundle = bundleFrom(vector.bundle)
  assert.equal(hexOf(encodeBundle(bundle)), vector.bundle_hex)
  assert.deepEqual(bundleTo(decodeBundle(fromHex(vector.bundle_hex))), vector.bundle)
  const message = packBundle(bundle, {
    ...(vector.compress ? DEFLATE : {}),
    compressBytesMin: vector.compress_threshold,
    ...(vector.proto_version === '' ? {} : { protoVersion: vector.proto_version }),
  })
  const read = unpackBundle(message, { inflate })
  assert.deepEqual(metadataTo(read.metadata), vector.metadata)
  // The bytes of zlib are not compared (rule 8), those before them are.
  const expected = fromHex(vector.message_hex)
  if (vector.metadata.compression === 'NONE') assert.equal(hexOf(message), vector.message_hex)
  else assert.deepEqual(splitRecords(message)[0], splitRecords(expected)[0])
  const ours = {
    metadata: vector.metadata,
    bundle: vector.metadata.proto_version === '1' ? vector.bundle : null,
  }
  assert.deepEqual(readWhole(message), ours)
  assert.deepEqual(readWhole(expected), ours)
}

async function checkSize(vector: SizeCase): Promise<void> {
  const count = SIZE_RULE.exec(vector.bundle_rule)?.[1]
  assert(count !== undefined, `an unknown rule: ${vector.bundle_rule}`)
  const bundle: ButlerLogBundle = {
    deprecatedSource: 'a'.repeat(Number(count)),
    entries: [],
    project: '',
    prefix: '',
    secret: new Uint8Array(0),
  }
  assert.equal(encodeBundle(bundle).length, vector.bundle_bytes)
  // Doubtful is exactly the limit, which Go writes and does not read. Ours is: that size included, both ways.
  const fits = vector.bundle_bytes <= BUNDLE_BYTES_MAX
  assert.equal(fits, vector.writer_accepts)
  if (vector.doubtful === undefined) assert.equal(fits, vector.reader_accepts)
  const options = vector.compressed ? DEFLATE : {}
  if (fits) {
    const read = unpackBundle(packBundle(bundle, options), { inflate })
    assert.equal(read.bundle?.deprecatedSource.length, Number(count))
  } else {
    assert.equal((await typedError(() => packBundle(bundle, options))).code, 'BUNDLE_INVALID')
  }
  if (vector.message_hex === undefined) return
  const message = fromHex(vector.message_hex)
  if (fits) assert.equal(unpackBundle(message, { inflate }).bundle?.deprecatedSource.length, Number(count))
  else assert.equal((await typedError(() => unpackBundle(message, { inflate }))).code, 'BUNDLE_INVALID')
}
