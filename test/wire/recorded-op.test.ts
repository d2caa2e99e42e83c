import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../src/errors/index.ts'
import {
  decodeRecordedOp,
  encodeCreate,
  encodeLink,
  encodeNoop,
  encodeProperty,
  encodeUnlink,
  encodeWrite,
  FRAME_HEADER_BYTES,
  NOOP_FRAME_BYTES_MAX,
  OpKind,
  pathFrameBytesMax,
  propertyFrameBytesMax,
  readFrameHeader,
  RecordedOp,
  WRITE_FRAME_BYTES_MAX,
} from '../../src/wire/index.ts'

const MAX = Number.MAX_SAFE_INTEGER

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

function decode(text: string): RecordedOp {
  const op = new RecordedOp()
  const bytes = hex(text)
  decodeRecordedOp(bytes, 0, bytes.length, op)
  return op
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

describe('decodeRecordedOp', () => {
  it.each([
    ['a message cut within a varint', '08 80', { at: 2 }],
    ['a message cut within a fixed32', '15 01 02 03', { at: 4 }],
    ['a length past the end', '22 05 0a', { at: 1, value: 5 }],
    ['a length past the end of the message within', '22 04 0a 05 2f 2f', { at: 3, value: 5 }],
    ['a length of 2^64 - 1', '22 ffffffffffffffffff01', { at: 1 }],
    ['a varint of eleven bytes', '08 81808080808080808080 01', { at: 1, value: 0x81 }],
    ['field number 0', '00 01', { at: 0, value: 0 }],
    ['a field number that is negative as 32 bits', '80 80 80 80 40 01', { at: 0 }],
    ['another wire type for a known field', '10 01', { at: 1, value: 0 }],
    ['a string for a number within', '3a 03 0a 01 41', { at: 3, value: 2 }],
    ['wire type 6', '66', { at: 1, value: 6 }],
    ['wire type 7', '67 00', { at: 1, value: 7 }],
    ['a group that does not end', '7b 08 01', { at: 3 }],
    ['a group that ends without having begun', '7c', { at: 1, value: 15 }],
    ['an unknown fixed64 cut off', '71 01 02', { at: 3 }],
    ['an unknown fixed32 cut off', '6d 01', { at: 2 }],
    ['a negative sequence number', '08 ffffffffffffffffff01', { at: 1, value: '-1' }],
    ['a sequence number of 2^53', '08 8080808080808010', { at: 1, value: '9007199254740992' }],
    ['a negative fnode', '2a 0b 08 ffffffffffffffffff01', { at: 3, value: '-1' }],
    ['a negative offset', '3a 0b 10 ffffffffffffffffff01', { at: 3, value: '-1' }],
    ['a negative length', '3a 0b 18 ffffffffffffffffff01', { at: 3, value: '-1' }],
    ['a negative first offset', '48 ffffffffffffffffff01', { at: 1, value: '-1' }],
    ['a create and a write', '2200 3a00', { at: 3, value: OpKind.write }],
    ['a link and an unlink', '2a00 3200', { at: 3, value: OpKind.unlink }],
    ['a path that is not UTF-8', '22 03 0a 01 ff', { at: 4, value: hex('ff') }],
    ['a path cut within a character', '32 04 12 02 2f c3', { at: 4, value: hex('2fc3') }],
    ['a content that is not UTF-8', '42 03 12 01 80', { at: 4, value: hex('80') }],
  ])('what is wrong is CORRUPT with place and value (%s)', (_, text, data) => {
    const error = errorOf(() => decode(text))
    expect(error.code).toBe('CORRUPT')
    expect(error.data).toMatchObject(data)
  })

  it.each([
    ['a sequence number below 2^53', '08 ffffffffffffff0f', { seqNo: MAX }],
    ['a tenth byte whose other bits are dropped', '08 85808080808080808002', { seqNo: 5 }],
    ['a tag of ten bytes', '88808080808080808000 05', { seqNo: 5 }],
    ['a tag whose high bits are dropped', '88808080808001 05', { seqNo: 5 }],
    ['a length of ten bytes', '22 83808080808080808000 0a 01 78', { kind: OpKind.create, path: 'x' }],
    ['a group within a group, ended by any number', '7b 7b 00 01 6c 14 0807', { seqNo: 7 }],
    ['unknown fields within a link', '2a 06 08 07 1801 2005', { kind: OpKind.link, fnode: 7 }],
    ['field 12 twice', '65 01000000 65 02000000', { contentChecksum: 2, hasContentChecksum: true }],
    ['field 12 as a varint, which checks nothing', '60 01', { hasContentChecksum: false }],
    ['field 12 in front', '65 01000000 3a00', { contentChecksum: 1, kind: OpKind.write }],
    [
      'where it was read, which is passed over',
      '48 64 50 65 5a 01 ff',
      { firstOffset: 0, lastOffset: 0, log: '' },
    ],
    ['a write in pieces', '3a 02 08 01 3a 02 10 02 3a 02 18 03', { fnode: 1, offset: 2, length: 3 }],
    ['a path in four bytes', '22 06 0a 04 f09f9880', { path: '\u{1f600}' }],
    ['a path with a byte order mark', '22 06 0a 04 efbbbf78', { path: '\ufeffx' }],
  ])('whatever Go takes is taken (%s)', (_, text, expected) => {
    expect(decode(text)).toMatchObject(expected)
  })

  it('leaves nothing of the operation before (every kind after every other)', () => {
    const messages = [
      '',
      '0801 150a000000 1d0b000000 22 04 0a02 2f61 65 01020304',
      '0802 2a 06 0803 1202 2f62',
      '0803 32 06 0804 1202 2f63',
      '0804 3a 06 0805 1006 1807 65 05060708',
      '0805 42 08 0a02 2f64 1202 7676',
    ]
    for (const before of messages) {
      for (const after of messages) {
        const op = decode(before)
        const bytes = hex(after)
        decodeRecordedOp(bytes, 0, bytes.length, op)
        expect(op).toEqual(decode(after))
      }
    }
  })

  it('keeps where the operation was read, which the reader has set', () => {
    const op = Object.assign(new RecordedOp(), { firstOffset: 5, lastOffset: 9, log: 'a/log' })
    decodeRecordedOp(hex('0801'), 0, 2, op)
    expect(op).toMatchObject({ firstOffset: 5, lastOffset: 9, log: 'a/log' })
  })

  it('does not look past the end of the message (every cut of a message is as if nothing followed)', () => {
    const whole = hex('0801 150a000000 1d0b000000 2a 87808000 08 83808000 12 02 2f62 65 01020304')
    for (let end = 0; end <= whole.length; end++) {
      const answer = (bytes: Uint8Array): unknown => {
        const op = new RecordedOp()
        try {
          decodeRecordedOp(bytes, 0, end, op)
          return Object.assign(op, { bytes: undefined })
        } catch (error) {
          return (error as RecoveryLogError).data
        }
      }
      expect(answer(whole)).toEqual(answer(whole.slice(0, end)))
    }
  })
})

describe('isUtf8, through paths', () => {
  const bad = [
    '80',
    'bf',
    'c080',
    'c1bf',
    'c2',
    'c27f',
    'e08080',
    'e09fbf',
    'e28200',
    'eda080',
    'edbfbf',
    'e282',
  ]
  const worse = ['f0808080', 'f08fbfbf', 'f4908080', 'f5808080', 'f09f98', 'f09f9800', 'f09f0080', 'fe', 'ff']
  it.each([...bad, ...worse])('refuses what is not well-formed (%s)', (text) => {
    const path = hex(text)
    const message = Uint8Array.of(0x22, path.length + 2, 0x0a, path.length, ...path)
    expect(() => decodeRecordedOp(message, 0, message.length, new RecordedOp())).toThrow('CORRUPT')
  })

  it.each(['7f', 'c280', 'dfbf', 'e0a080', 'ed9fbf', 'ee8080', 'efbfbf', 'f0908080', 'f48fbfbf'])(
    'takes the borders of what is well-formed (%s)',
    (text) => {
      const path = hex(text)
      const message = Uint8Array.of(0x22, path.length + 2, 0x0a, path.length, ...path)
      const op = new RecordedOp()
      decodeRecordedOp(message, 0, message.length, op)
      expect(op.path).toBe(Buffer.from(path).toString())
    },
  )
})

describe('encoders', () => {
  const big = [MAX, 0xffff_ffff, 0xffff_ffff] as const
  const widest = '\uffff'.repeat(200)

  it.each([
    ['a no-op', NOOP_FRAME_BYTES_MAX, (out: Uint8Array) => encodeNoop(out, 0, ...big)],
    ['a write', WRITE_FRAME_BYTES_MAX, (out: Uint8Array) => encodeWrite(out, 0, ...big, MAX, MAX, MAX, -1)],
    ['a create', pathFrameBytesMax(200), (out: Uint8Array) => encodeCreate(out, 0, ...big, widest)],
    ['a link', pathFrameBytesMax(200), (out: Uint8Array) => encodeLink(out, 0, ...big, MAX, widest)],
    ['an unlink', pathFrameBytesMax(200), (out: Uint8Array) => encodeUnlink(out, 0, ...big, MAX, widest)],
    [
      'a property',
      propertyFrameBytesMax(200, 100),
      (out: Uint8Array) => encodeProperty(out, 0, ...big, widest, widest.slice(100)),
    ],
  ])(
    'the largest frame has room where its bound says so, and none where it ends (%s)',
    (_, bound, encode) => {
      const out = new Uint8Array(bound)
      const end = encode(out)
      expect(end).toBe(FRAME_HEADER_BYTES + readFrameHeader(out, 0))
      expect(() => encode(new Uint8Array(end - 1))).toThrow(RangeError)
      expect(encode(new Uint8Array(end))).toBe(end)
    },
  )

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53, -(2 ** 31)])(
    'a number that is no safe integer is a RangeError (%s)',
    (number) => {
      const out = new Uint8Array(200)
      expect(() => encodeNoop(out, 0, number, 1, 1)).toThrow(RangeError)
      expect(() => encodeWrite(out, 0, 1, 1, 1, number, 1, 1)).toThrow(RangeError)
      expect(() => encodeWrite(out, 0, 1, 1, 1, 1, number, 1)).toThrow(RangeError)
      expect(() => encodeWrite(out, 0, 1, 1, 1, 1, 1, number)).toThrow(RangeError)
      expect(() => encodeLink(out, 0, 1, 1, 1, number, '/a')).toThrow(/integer/)
      expect(() => encodeLink(out, 0, 1, 1, 1, number, '/ß')).toThrow(/integer/)
    },
  )

  it.each(['/a\ud800', '/\udc00a', '/\ud800\ud800\udc00'])(
    'half a surrogate pair is PATH_REFUSED, with the path (%j)',
    (path) => {
      const out = new Uint8Array(200)
      const data = { value: path }
      for (const encode of [
        () => encodeCreate(out, 0, 1, 1, 1, path),
        () => encodeUnlink(out, 0, 1, 1, 1, 1, path),
        () => encodeProperty(out, 0, 1, 1, 1, path, ''),
      ]) {
        expect(errorOf(encode)).toMatchObject({ code: 'PATH_REFUSED', data })
      }
      expect(errorOf(() => encodeProperty(out, 0, 1, 1, 1, '/a', path))).toMatchObject({
        code: 'INVALID',
        data,
      })
    },
  )

  it('numbers of every width come back, in each place of a write (2^k - 1, 2^k for k up to 53)', () => {
    const out = new Uint8Array(100)
    const op = new RecordedOp()
    const numbers = Array.from({ length: 53 }, (_, k) => [2 ** k - 1, 2 ** k]).flat()
    for (const number of [...numbers, MAX]) {
      for (const [seqNo, fnode, offset, length] of [
        [number, 1, 1, 1],
        [1, number, 0, 1],
        [1, 1, number, 1],
        [1, 1, 1, number],
        [number, number, number, number],
      ] as const) {
        const end = encodeWrite(out, 2, seqNo, 3, 4, fnode, offset, length)
        expect(readFrameHeader(out, 2)).toBe(end - 2 - FRAME_HEADER_BYTES)
        decodeRecordedOp(out, 2 + FRAME_HEADER_BYTES, end, op)
        expect(op).toMatchObject({ seqNo, checksum: 3, author: 4, fnode, offset, length })
      }
    }
  })

  it('checksums and authors may be int32 or uint32', () => {
    const signed = new Uint8Array(50)
    const unsigned = new Uint8Array(50)
    encodeWrite(signed, 0, 1, -2, -3, 4, 5, 6, -7)
    encodeWrite(unsigned, 0, 1, -2 >>> 0, -3 >>> 0, 4, 5, 6, -7 >>> 0)
    expect(signed).toEqual(unsigned)
  })

  it('a content checksum of zero is written, for its absence means something else', () => {
    const out = new Uint8Array(50)
    const op = new RecordedOp()
    decodeRecordedOp(out, FRAME_HEADER_BYTES, encodeWrite(out, 0, 1, 0, 0, 1, 0, 1, 0), op)
    expect(op).toMatchObject({ hasContentChecksum: true, contentChecksum: 0 })
    decodeRecordedOp(out, FRAME_HEADER_BYTES, encodeWrite(out, 0, 1, 0, 0, 1, 0, 1), op)
    expect(op.hasContentChecksum).toBe(false)
  })

  it('paths come back at every length around that of the short way, in ASCII and outside (100 to 140)', () => {
    const out = new Uint8Array(1000)
    const op = new RecordedOp()
    for (let length = 100; length <= 140; length++) {
      for (const letter of ['x', 'ß', '漢']) {
        const path = letter.repeat(length)
        decodeRecordedOp(out, 8 + 3, encodeLink(out, 3, 1, 1, 1, MAX, path), op)
        expect(op).toMatchObject({ kind: OpKind.link, fnode: MAX, path })
      }
    }
  })
})
