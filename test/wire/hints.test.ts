import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../src/errors/index.ts'
import {
  decodeHints,
  hintsFromJson,
  hintsFromProto,
  hintsToJson,
  hintsToProto,
} from '../../src/wire/index.ts'
import type { FSMHints, Segment } from '../../src/wire/index.ts'

const SEGMENT: Segment = {
  author: 7,
  firstSeqNo: 1,
  firstOffset: 0,
  firstChecksum: 3,
  lastSeqNo: 9,
  lastOffset: 900,
  log: 'an/other',
}

const HINTS: FSMHints = {
  log: 'a/log',
  liveNodes: [{ fnode: 1, segments: [SEGMENT, { ...SEGMENT, firstSeqNo: 10, log: '' }] }],
  properties: [{ path: '/IDENTITY', content: '<&>\u2028"\\\n\u0001\u007fé😀' }],
}

const JSON_TEXT =
  '{"log":"a/log","live_nodes":[{"fnode":1,"segments":[' +
  '{"author":7,"first_seq_no":1,"first_checksum":3,"last_seq_no":9,"last_offset":900,"log":"an/other"},' +
  '{"author":7,"first_seq_no":10,"first_checksum":3,"last_seq_no":9,"last_offset":900}]}],' +
  '"properties":[{"path":"/IDENTITY","content":' +
  '"\\u003c\\u0026\\u003e\\u2028\\"\\\\\\n\\u0001\u007fé😀"}]}'

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function errorOf(body: () => unknown): RecoveryLogError {
  try {
    body()
  } catch (error) {
    if (error instanceof RecoveryLogError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('hints: JSON', () => {
  it('is what Go writes: compact, in order, defaults left out, escapes for HTML', () => {
    expect(new TextDecoder().decode(hintsToJson(HINTS))).toBe(JSON_TEXT)
    expect(hintsFromJson(bytes(JSON_TEXT))).toEqual(HINTS)
  })

  it('gives its bytes away: they are as long as the text', () => {
    const written = hintsToJson(HINTS)
    expect(written.byteOffset).toBe(0)
    expect(written.buffer.byteLength).toBe(written.length)
  })

  it.each<[string, string, object]>([
    ['nothing', '', { at: 0, value: '' }],
    ['white space', ' \n', { at: 2, value: '' }],
    ['an array', '[]', { at: 0, value: '[]' }],
    ['text behind it', '{} x', { at: 3, value: 'x' }],
    ['a second document', '{}{}', { at: 2 }],
    ['a byte order mark', '\ufeff{}', { at: 0 }],
    ['an object that does not end', '{', { at: 1, value: '' }],
    ['a list that does not end', '{"live_nodes":[', { at: 15 }],
    ['a list of numbers', '{"live_nodes":[1]}', { at: 15, value: '1]}' }],
    ['a comma too much in an object', '{"log":"x",}', { at: 11 }],
    ['a comma too much in a list', '{"properties":[{},]}', { at: 18 }],
    ['a comma missing', '{"log":"x" "log":"y"}', { at: 11 }],
    ['a colon missing', '{"log" "x"}', { at: 7 }],
    ['a key without quotes', '{log:"x"}', { at: 1 }],
    ['a wrong word', '{"log":nul}', { at: 7, value: 'nul}' }],
    ['a word that goes on', '{"x":truely}', { at: 9 }],
    ['a string cut off', '{"log":"x', { at: 9 }],
    ['a control character', '{"log":"\u0001"}', { at: 8 }],
    ['an escape that is none', '{"log":"\\x"}', { at: 8 }],
    ['a number escape cut off', '{"log":"\\u00g0"}', { at: 8 }],
    ['an escape at the end', '{"log":"\\', { at: 8 }],
    ['a number for a string', '{"log":5}', { at: 7, value: '5}' }],
    ['a string for a number', '{"live_nodes":[{"fnode":"1"}]}', { at: 24 }],
    ['a fraction', '{"live_nodes":[{"fnode":1.0}]}', { at: 24, value: '1.0' }],
    ['an exponent', '{"live_nodes":[{"fnode":1E+2}]}', { at: 24, value: '1E+2' }],
    [
      'a number of 2^53',
      '{"live_nodes":[{"fnode":9007199254740992}]}',
      { at: 24, value: '9007199254740992' },
    ],
    ['a number of 2^53 + 1', '{"live_nodes":[{"fnode":9007199254740993}]}', { at: 24 }],
    ['a number of thousand digits', `{"live_nodes":[{"fnode":${'9'.repeat(1000)}}]}`, { at: 24 }],
    ['a negative number', '{"live_nodes":[{"fnode":-1}]}', { at: 24, value: '-1' }],
    ['a leading zero', '{"live_nodes":[{"fnode":01}]}', { at: 25 }],
    ['a leading plus', '{"live_nodes":[{"fnode":+1}]}', { at: 24 }],
    ['a minus alone', '{"live_nodes":[{"fnode":-}]}', { at: 25 }],
    ['a point without a digit', '{"live_nodes":[{"fnode":1.}]}', { at: 26 }],
    ['an exponent without a digit', '{"live_nodes":[{"fnode":1e}]}', { at: 26 }],
    ['an author of 2^32', '{"live_nodes":[{"segments":[{"author":4294967296}]}]}', { at: 38 }],
    ['an author of -0', '{"live_nodes":[{"segments":[{"author":-0}]}]}', { at: 38, value: '-0' }],
    ['an object for a list', '{"properties":{}}', { at: 14 }],
    ['an unknown key with a bad value', '{"x":[1,{"y":01}]}', { at: 14 }],
    ['an unknown key with brackets that do not fit', '{"x":[1}}', { at: 7 }],
    ['an unknown key without a value', '{"x":}', { at: 5 }],
    ['an unknown value that is nested too deeply', `{"x":${'['.repeat(10_001)}`, { at: 10_005 }],
  ])('what is no JSON of hints is HINTS_INVALID, with place and value (%s)', (_, text, data) => {
    expect(errorOf(() => hintsFromJson(bytes(text)))).toMatchObject({ code: 'HINTS_INVALID', data })
  })

  it.each([
    ['a string', [0x22, 0xff, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['between values', [0xc2, 0xa0, 0x31]],
  ])('invalid UTF-8 is HINTS_INVALID, in what is unknown too (%s)', (_, value) => {
    for (const key of ['log', 'x']) {
      const text = Uint8Array.from([...bytes(`{"${key}":`), ...value, 0x7d])
      expect(errorOf(() => hintsFromJson(text)).code).toBe('HINTS_INVALID')
    }
  })

  it.each<[string, string, Partial<FSMHints>]>([
    ['the last key counts', '{"log":"a","LOG":"b"}', { log: 'b' }],
    ['null after a value leaves it', '{"log":"a","log":null}', { log: 'a' }],
    ['null for a list is an empty one', '{"properties":[{}],"properties":null}', { properties: [] }],
    [
      'a later list counts as a whole',
      '{"properties":[{"path":"/a","content":"x"},{}],"properties":[{"content":"y"}]}',
      { properties: [{ path: '', content: 'y' }] },
    ],
    [
      'null for a member is one of defaults',
      '{"live_nodes":[null]}',
      { liveNodes: [{ fnode: 0, segments: [] }] },
    ],
    ['minus zero', '{"live_nodes":[{"fnode":-0}]}', { liveNodes: [{ fnode: 0, segments: [] }] }],
    [
      'the greatest number',
      '{"live_nodes":[{"fnode":9007199254740991}]}',
      { liveNodes: [{ fnode: Number.MAX_SAFE_INTEGER, segments: [] }] },
    ],
    [
      'a key with escapes and of Go’s folding',
      '{"\\u006c\\u004fg":"a","propertie\u017f":null}',
      { log: 'a' },
    ],
    [
      'half a pair as an escape, before a whole one',
      '{"log":"\\ud83d\\ud83d\\ude00"}',
      { log: '\ufffd\u{1f600}' },
    ],
    ['an escaped solidus', '{"log":"a\\/b"}', { log: 'a/b' }],
    [
      'unknown values of every kind',
      '{"x":[[],{},{"a":[1,-2.5e-3,0,"\\"]}"],"b":true},false,null,[[1]]],"log":"a"}',
      { log: 'a' },
    ],
  ])('is read by the rules of Go (%s)', (_, text, expected) => {
    expect(hintsFromJson(bytes(text))).toEqual({ log: '', liveNodes: [], properties: [], ...expected })
  })

  it('unknown values nested 10,000 deep are passed over without a stack', () => {
    const text = `{"x":${'['.repeat(10_000)}${']'.repeat(10_000)},"log":"a"}`
    expect(hintsFromJson(bytes(text)).log).toBe('a')
  })
})

describe('hints: protobuf', () => {
  it.each<[string, string, object]>([
    ['cut off', '0a0461', { at: 1, value: 4 }],
    ['a length behind the end of what it lies in', '1201120461', { at: 3, value: undefined }],
    ['the log as a number', '0801', { at: 1, value: 0 }],
    ['a negative fnode', '120b08ffffffffffffffffff01', { at: 3, value: '-1' }],
    ['a log that is not UTF-8', '0a02c328', { at: 2 }],
    ['a path that is not UTF-8', '1a030a01ff', { at: 4 }],
  ])('what is no message of hints is HINTS_INVALID, with place and value (%s)', (_, hex, data) => {
    const message = new Uint8Array(Buffer.from(hex, 'hex'))
    expect(errorOf(() => hintsFromProto(message))).toMatchObject({ code: 'HINTS_INVALID', data })
  })

  it('a lying length allocates nothing', () => {
    const message = new Uint8Array(Buffer.from('12ffffffff0f', 'hex'))
    expect(errorOf(() => hintsFromProto(message)).code).toBe('HINTS_INVALID')
  })
})

describe('decodeHints', () => {
  it('tells the two kinds by the first byte', () => {
    expect(decodeHints(hintsToJson(HINTS))).toEqual(HINTS)
    expect(decodeHints(hintsToProto(HINTS))).toEqual(HINTS)
  })

  it('no bytes are no hints', () => {
    expect(errorOf(() => decodeHints(new Uint8Array())).code).toBe('HINTS_INVALID')
  })
})

describe('hints that cannot be written', () => {
  const node = (segment: Partial<Segment>): Partial<FSMHints> => ({
    liveNodes: [{ fnode: 1, segments: [SEGMENT, { ...SEGMENT, ...segment }] }],
  })

  it.each<[string, unknown, Partial<FSMHints>]>([
    ['log', '\ud800', { log: '\ud800' }],
    ['live_nodes[0].fnode', -1, { liveNodes: [{ fnode: -1, segments: [] }] }],
    ['live_nodes[0].segments[1].author', 2 ** 32, node({ author: 2 ** 32 })],
    ['live_nodes[0].segments[1].author', -1, node({ author: -1 })],
    ['live_nodes[0].segments[1].first_seq_no', 0.5, node({ firstSeqNo: 0.5 })],
    ['live_nodes[0].segments[1].first_offset', NaN, node({ firstOffset: NaN })],
    ['live_nodes[0].segments[1].first_checksum', -5, node({ firstChecksum: -5 })],
    ['live_nodes[0].segments[1].last_seq_no', 2 ** 53, node({ lastSeqNo: 2 ** 53 })],
    ['live_nodes[0].segments[1].last_offset', -2, node({ lastOffset: -2 })],
    ['live_nodes[0].segments[1].log', 'a\udc00', node({ log: 'a\udc00' })],
    ['properties[0].path', '\udfff', { properties: [{ path: '\udfff', content: '' }] }],
    ['properties[0].content', '\ud800x', { properties: [{ path: '', content: '\ud800x' }] }],
    [
      'properties[1].content',
      '\ud800',
      { properties: [...HINTS.properties, { path: '', content: '\ud800' }] },
    ],
  ])('are HINTS_INVALID, with path and value (%s: %j)', (path, value, change) => {
    const hints = { ...HINTS, ...change }
    for (const write of [hintsToJson, hintsToProto]) {
      expect(errorOf(() => write(hints))).toMatchObject({ code: 'HINTS_INVALID', data: { path, value } })
    }
  })
})
