import assert from 'node:assert/strict'
import { assertDescriptor, assertEntry, descriptorFault, entryFault } from '../../src/names/index.ts'
import {
  decodeBundle,
  decodeDescriptor,
  decodeLogEntry,
  decodeLogIndex,
  decodeMetadata,
  encodeBundle,
  encodeDescriptor,
  encodeLogEntry,
  encodeLogIndex,
  encodeMetadata,
} from '../../src/wire/logdog/index.ts'
import type { WithUnknown } from '../../src/wire/logdog/index.ts'
import {
  bundleFrom,
  bundleTo,
  casesOf,
  descriptorFrom,
  descriptorTo,
  entryFrom,
  entryTo,
  expectKeys,
  fromHex,
  hasBigNumber,
  hexOf,
  indexFrom,
  indexTo,
  metadataFrom,
  metadataTo,
  streamTypeOf,
  typedError,
} from './archive-cases.ts'
import type { DescriptorFields, EntryFields } from './archive-cases.ts'
import type { Rule, VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/messages.json'

type Case = { readonly name: string; readonly hex: string } & (
  | { readonly kind: 'encode'; readonly message: string; readonly fields: object }
  | {
      readonly kind: 'decode'
      readonly message: string
      readonly fields: object
      readonly reencoded_hex: string
      readonly unknown_hex: string
    }
  | { readonly kind: 'decode_error'; readonly message: string }
  | {
      readonly kind: 'validate_descriptor'
      readonly fields: DescriptorFields
      readonly valid_with_prefix: boolean
      readonly valid_without_prefix: boolean
      readonly error_with_prefix: string | null
      readonly error_without_prefix: string | null
    }
  | {
      readonly kind: 'validate_entry'
      readonly stream_type: string | number
      readonly fields: EntryFields
      readonly valid: boolean
      readonly error: string | null
    }
)

const KEYS: Readonly<Record<Case['kind'], readonly string[]>> = {
  encode: ['message', 'fields'],
  decode: ['message', 'fields', 'reencoded_hex', 'unknown_hex'],
  decode_error: ['message'],
  validate_descriptor: [
    'fields',
    'valid_with_prefix',
    'valid_without_prefix',
    'error_with_prefix',
    'error_without_prefix',
  ],
  validate_entry: ['stream_type', 'fields', 'valid', 'error'],
}

/** A codec as the vectors use it: bytes to fields and back. */
interface Codec {
  readonly decode: (bytes: Uint8Array) => {
    fields: object
    again: Uint8Array
    unknown: Uint8Array | undefined
  }
  readonly encode: (fields: object) => Uint8Array
}

function codec<Message extends WithUnknown, Fields extends object>(
  decode: (bytes: Uint8Array) => Message,
  encode: (message: Message) => Uint8Array,
  toFields: (message: Message) => Fields,
  fromFields: (fields: Fields) => Message,
): Codec {
  return {
    decode(bytes) {
      const message = decode(bytes)
      return { fields: toFields(message), again: encode(message), unknown: message.unknown }
    },
    encode: (fields) => encode(fromFields(fields as Fields)),
  }
}

const CODECS: Readonly<Partial<Record<string, Codec>>> = {
  LogEntry: codec(decodeLogEntry, encodeLogEntry, entryTo, entryFrom),
  LogStreamDescriptor: codec(decodeDescriptor, encodeDescriptor, descriptorTo, descriptorFrom),
  LogIndex: codec(decodeLogIndex, encodeLogIndex, indexTo, indexFrom),
  ButlerMetadata: codec(decodeMetadata, encodeMetadata, metadataTo, metadataFrom),
  ButlerLogBundle: codec(decodeBundle, encodeBundle, bundleTo, bundleFrom),
}

/** Messages encoded, decoded, refused and validated. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    for (const vector of casesOf<Case>(run, FILE)) {
      await run.check(FILE, vector.name, ruleOf(vector), async () => {
        const keys = (KEYS as Partial<typeof KEYS>)[vector.kind]
        assert(keys !== undefined, `an unknown kind ${vector.kind}`)
        expectKeys(vector, 'name', 'kind', 'hex', ...keys)
        await check(vector)
      })
    }
  },
}

function ruleOf(vector: Case): Rule {
  if (vector.kind === 'decode_error') return 'typed error'
  return 'fields' in vector && hasBigNumber(vector.fields) ? 'malformed' : 'equal to Go'
}

function codecOf(message: string): Codec {
  const found = CODECS[message]
  assert(found !== undefined, `an unknown message ${message}`)
  return found
}

async function check(vector: Case): Promise<void> {
  const bytes = fromHex(vector.hex)
  switch (vector.kind) {
    case 'encode':
    case 'decode':
      await checkCodec(vector, bytes)
      return
    case 'decode_error':
      assert.equal((await typedError(() => codecOf(vector.message).decode(bytes))).code, 'CORRUPT')
      return
    case 'validate_descriptor': {
      const descriptor = descriptorFrom(vector.fields)
      assert.deepEqual(descriptorTo(decodeDescriptor(bytes)), vector.fields)
      assert.equal(descriptorFault(descriptor) === undefined, vector.valid_with_prefix)
      assert.equal(
        descriptorFault(descriptor, { withPrefix: false }) === undefined,
        vector.valid_without_prefix,
      )
      if (vector.valid_with_prefix) assertDescriptor(descriptor)
      else {
        assert.equal(
          (
            await typedError(() => {
              assertDescriptor(descriptor)
            })
          ).code,
          'DESCRIPTOR_INVALID',
        )
      }
      return
    }
    case 'validate_entry': {
      const entry = entryFrom(vector.fields)
      assert.deepEqual(entryTo(decodeLogEntry(bytes)), vector.fields)
      const streamType = streamTypeOf(vector.stream_type)
      assert.equal(entryFault(entry, streamType) === undefined, vector.valid)
      if (vector.valid) assertEntry(entry, streamType)
      else {
        assert.equal(
          (
            await typedError(() => {
              assertEntry(entry, streamType)
            })
          ).code,
          'ENTRY_INVALID',
        )
      }
    }
  }
}

async function checkCodec(vector: Case & { kind: 'encode' | 'decode' }, bytes: Uint8Array): Promise<void> {
  const { decode, encode } = codecOf(vector.message)
  if (hasBigNumber(vector.fields)) {
    // Numbers from 2^53 on (rule 5): refused both ways. A bundle's terminal index is told apart when it is used.
    assert.throws(() => encode(vector.fields), RangeError)
    if (vector.message === 'ButlerLogBundle') {
      assert(decodeBundle(bytes).entries.some(({ terminalIndex }) => !Number.isSafeInteger(terminalIndex)))
    } else assert.equal((await typedError(() => decode(bytes))).code, 'CORRUPT')
    return
  }
  const decoded = decode(bytes)
  assert.deepEqual(decoded.fields, vector.fields)
  if (vector.kind === 'decode') {
    assert.equal(hexOf(decoded.again), vector.reencoded_hex)
    assert.equal(hexOf(decoded.unknown ?? new Uint8Array(0)), vector.unknown_hex)
    return
  }
  // The order of two and more tags is not compared (rule 8): then what is encoded is read again.
  const hasManyTags = /"tags":\{[^}]*":"[^}]*":/.test(JSON.stringify(vector.fields))
  if (hasManyTags) assert.deepEqual(decode(encode(vector.fields)).fields, vector.fields)
  else assert.equal(hexOf(encode(vector.fields)), vector.hex)
  assert.equal(encode(vector.fields).length, bytes.length)
}
