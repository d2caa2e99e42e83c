import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  BUNDLE_BYTES_MAX,
  decodeBundle,
  decodeDescriptor,
  encodeBundle,
  encodeDescriptor,
  packBundle,
  unpackBundle,
} from '../../../src/wire/logdog/index.ts'
import type { ButlerLogBundle, LogStreamDescriptor } from '../../../src/wire/logdog/index.ts'

const inflate = (bytes: Uint8Array, maxBytes: number): Uint8Array =>
  inflateSync(bytes, { maxOutputLength: maxBytes })
const deflate = (bytes: Uint8Array): Uint8Array => deflateSync(bytes)

function bundleOf(change: Partial<ButlerLogBundle> = {}): ButlerLogBundle {
  return {
    deprecatedSource: '',
    entries: [],
    project: 'proj',
    prefix: 'foo',
    secret: new Uint8Array(36),
    ...change,
  }
}

function descriptorOf(change: Partial<LogStreamDescriptor> = {}): LogStreamDescriptor {
  return {
    prefix: 'p',
    name: 'n',
    streamType: 0,
    contentType: 't',
    tags: new Map(),
    binaryFileExt: '',
    ...change,
  }
}

describe('bundles: limits', () => {
  it('inflate: what answers more than it was asked for is refused', () => {
    const message = packBundle(bundleOf(), { deflate, compressBytesMin: 0 })
    const parts = { inflate: () => new Uint8Array(BUNDLE_BYTES_MAX + 1) }
    expect(() => unpackBundle(message, parts)).toThrow(/^BUNDLE_INVALID: it inflates to 10485761 bytes/)
  })

  it('a zlib bomb: is stopped at the limit', () => {
    const bomb = deflateSync(new Uint8Array(BUNDLE_BYTES_MAX + 1000))
    const metadata = Uint8Array.of(7, 8, 1, 16, 1, 26, 1, 49)
    const header = [(bomb.length & 0x7f) | 0x80, bomb.length >>> 7]
    const message = new Uint8Array(Buffer.concat([metadata, Uint8Array.from(header), bomb]))
    expect(() => unpackBundle(message, { inflate })).toThrow(
      /^BUNDLE_INVALID: its zlib data is broken, or inflates/,
    )
  })

  it('what does not compress below the limit goes plain', () => {
    const grow = (bytes: Uint8Array): Uint8Array => new Uint8Array(BUNDLE_BYTES_MAX + bytes.length)
    const message = packBundle(bundleOf({ deprecatedSource: 'x'.repeat(2000) }), { deflate: grow })
    expect(unpackBundle(message, { inflate }).metadata.compression).toBe(0)
  })

  it('numbers: a terminal index that is none is refused when written, and told apart when read', () => {
    const entry = { deprecatedEntrySecret: new Uint8Array(0), terminal: true, terminalIndex: -1, logs: [] }
    expect(() => encodeBundle(bundleOf({ entries: [entry] }))).toThrow(RangeError)
    const bytes = Uint8Array.of(0x1a, 11, 0x20, ...(Array(9).fill(0xff) as number[]), 1)
    expect(Number.isSafeInteger(decodeBundle(bytes).entries[0]?.terminalIndex)).toBe(false)
  })

  it('fields that are not known are kept, at every level', () => {
    const unknown = Uint8Array.of(0xf8, 6, 1)
    const desc = descriptorOf({ unknown, timestamp: { seconds: 1, nanos: 2, unknown } })
    const entry = {
      desc,
      deprecatedEntrySecret: new Uint8Array(0),
      terminal: false,
      terminalIndex: 0,
      logs: [],
      unknown,
    }
    const decoded = decodeBundle(encodeBundle(bundleOf({ entries: [entry], unknown })))
    expect([decoded.unknown, decoded.entries[0]?.unknown, decoded.entries[0]?.desc?.unknown]).toEqual([
      unknown,
      unknown,
      unknown,
    ])
    expect(decoded.entries[0]?.desc?.timestamp).toEqual({ seconds: 1, nanos: 2, unknown })
  })
})

describe('descriptors: text', () => {
  it('half a surrogate pair has no UTF-8', () => {
    for (const change of [
      { prefix: '\ud800' },
      { contentType: 'a\udc00' },
      { tags: new Map([['k', '\ud800x']]) },
    ]) {
      expect(() => encodeDescriptor(descriptorOf(change))).toThrow(/^DESCRIPTOR_INVALID/)
    }
  })

  it('tags: ordered by the bytes of their keys, and any key is one', () => {
    const keys = ['b', 'a', '\u{1f600}', '\uffee', '__proto__', 'ab']
    const encoded = encodeDescriptor(descriptorOf({ tags: new Map(keys.map((key) => [key, key])) }))
    const { tags } = decodeDescriptor(encoded)
    expect([...tags.keys()]).toEqual(['__proto__', 'a', 'ab', 'b', '\uffee', '\u{1f600}'])
    expect(tags.get('__proto__')).toBe('__proto__')
  })

  it('a timestamp from 2^53 on is refused', () => {
    const time = Uint8Array.of(0x2a, 9, 8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10)
    expect(() => decodeDescriptor(time)).toThrow(/^CORRUPT/)
  })
})
