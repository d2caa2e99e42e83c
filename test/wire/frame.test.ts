import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeOperation, operations } from '../../src/arbitraries/index.ts'
import {
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FrameBatch,
  FrameScanner,
  findMagic,
  readFrameHeader,
} from '../../src/wire/index.ts'

const MAGIC = [0x66, 0x33, 0x93, 0x36]

function frame(...message: number[]): number[] {
  return [...MAGIC, message.length, 0, 0, 0, ...message]
}

/** A range of skipped bytes, or a frame. */
type Read = readonly [kind: 'skipped' | 'frame', begin: number, end: number]

/** Reads what comes in pieces with the ends given. Each scan sees what is left of the piece before, moved to the front. */
function readPieces(stream: Uint8Array, ends: readonly number[], scanner = new FrameScanner()): Read[] {
  const reads: Read[] = []
  let begin = 0
  for (const end of [...ends, stream.length]) {
    for (;;) {
      const piece = stream.slice(begin, end)
      const found = scanner.scan(piece, 0, piece.length, begin)
      const at = begin + scanner.frameBegin
      if (!found) {
        expect(scanner.needed).toBeGreaterThan(end - at)
        begin = at
        break
      }
      if (scanner.skipped > 0) reads.push(['skipped', at - scanner.skipped, at])
      expect(scanner.messageBegin).toBe(scanner.frameBegin + FRAME_HEADER_BYTES)
      begin += scanner.messageEnd
      reads.push(['frame', at, begin])
    }
  }
  const left = scanner.finish(stream, begin, stream.length)
  return left === 0 ? reads : [...reads, ['skipped', stream.length - left, stream.length]]
}

describe('frames: header and magic', () => {
  it('a header tells the length of its message, up to 2^32 - 1', () => {
    expect(readFrameHeader(Uint8Array.of(0, ...MAGIC, 1, 2, 3, 0xff), 1)).toBe(0xff03_0201)
  })

  it.each([0, 1, 2, 3])('a wrong magic word is no header (byte %i)', (byte) => {
    const bytes = Uint8Array.from(frame())
    bytes[byte] = (bytes[byte] as number) ^ 1
    expect(readFrameHeader(bytes, 0)).toBe(-1)
  })

  it.each<[string, number[], number]>([
    ['nothing', [], 0],
    ['no byte of it', [1, 2, 3], 3],
    ['at once', [...MAGIC, 9], 0],
    ['after a beginning of it', [0x66, 0x33, ...MAGIC, 9], 2],
    ['after three bytes of it', [0x66, 0x33, 0x93, ...MAGIC], 3],
    ['its first byte at the end', [9, 0x66], 1],
    ['its first two bytes at the end', [0x66, 0x66, 0x33], 1],
    ['its first three bytes at the end', [9, 0x66, 0x33, 0x93], 1],
    ['three bytes at the end that are not its first', [9, 0x66, 0x33, 0x36], 4],
  ])('the first magic word is found, or where one may begin (%s)', (_, bytes, found) => {
    expect(findMagic(Uint8Array.from([...MAGIC, ...bytes, ...MAGIC]), 4, 4 + bytes.length)).toBe(4 + found)
  })
})

describe('FrameScanner', () => {
  it('reads the same whatever the pieces in which a log comes', () => {
    const part = fc.oneof(
      operations().map((operation) => [...encodeOperation(operation)]),
      fc.array(fc.oneof(fc.constantFrom(...MAGIC), fc.nat({ max: 255 })), { maxLength: 12 }),
    )
    const law = fc.property(fc.array(part), fc.array(fc.nat()), (parts, cuts) => {
      const stream = Uint8Array.from(parts.flat())
      const scanner = (): FrameScanner => new FrameScanner({ frameBytesMax: 2 ** 32 })
      const ends = cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b)
      const whole = readPieces(stream, [], scanner())
      expect(readPieces(stream, ends, scanner())).toEqual(whole)
      expect(readPieces(stream, [...stream.keys()], scanner())).toEqual(whole)
      // Nothing is lost, and nothing is told twice.
      const told = whole.flatMap(([, begin, end]) => [begin, end])
      const borders = [0, ...whole.map(([, , end]) => end)]
      if (whole.length > 0) expect(told).toEqual(borders.slice(1).flatMap((end, i) => [borders[i], end]))
    })
    fc.assert(law, { numRuns: 50 })
  })

  it('tells skipped bytes as one range, and a tail after them too', () => {
    const stream = Uint8Array.from([1, 2, ...frame(7), 3, 0x66, 0x33, ...frame(8, 9), 4, ...MAGIC, 5])
    expect(readPieces(stream, [3, 13, 15])).toEqual([
      ['skipped', 0, 2],
      ['frame', 2, 11],
      ['skipped', 11, 14],
      ['frame', 14, 24],
      ['skipped', 24, 30],
    ])
  })

  it('takes a lone newline for a clean end, as Go does, but none behind skipped bytes', () => {
    expect(readPieces(Uint8Array.from([...frame(1), 0x0a]), [])).toEqual([['frame', 0, 9]])
    expect(readPieces(Uint8Array.of(0x0a), [])).toEqual([])
    expect(readPieces(Uint8Array.of(0x0a, 0x0a), [])).toEqual([['skipped', 0, 2]])
    expect(readPieces(Uint8Array.from([1, 1, 1, 1, 1, 1, 1, 1, 0x0a]), [8])).toEqual([['skipped', 0, 9]])
  })

  it('ends behind a frame without another look, and then tells nothing of what lay before the frame', () => {
    const scanner = new FrameScanner()
    const stream = Uint8Array.from([1, ...frame(7), 0x0a])
    expect(scanner.scan(stream, 0, 10, 0)).toBe(true)
    expect(scanner.skipped).toBe(1)
    expect(scanner.finish(stream, 10, 11)).toBe(0)
    expect(scanner.finish(stream, 10, 10)).toBe(0)
  })

  it('a declared length above the maximum is CORRUPT, with offset and length, before its bytes are there', () => {
    const bytes = Uint8Array.from([9, ...MAGIC, 1, 0, 0, 1])
    const place = { offset: 1001, length: FRAME_BYTES_MAX + 1, frameBytesMax: FRAME_BYTES_MAX }
    expect(() => new FrameScanner().scan(bytes, 0, bytes.length, 1000)).toThrow(
      expect.objectContaining({ code: 'CORRUPT', data: place }),
    )
    const scanner = new FrameScanner({ frameBytesMax: FRAME_BYTES_MAX + 1 })
    expect(scanner.scan(bytes, 0, bytes.length, 1000)).toBe(false)
    expect(scanner).toMatchObject({ frameBegin: 1, skipped: 1, needed: 8 + FRAME_BYTES_MAX + 1 })
  })

  it('takes a message of the maximum, and of no byte', () => {
    const scanner = new FrameScanner({ frameBytesMax: 2 })
    expect(readPieces(Uint8Array.from([...frame(), ...frame(1, 2)]), [], scanner)).toEqual([
      ['frame', 0, 8],
      ['frame', 8, 18],
    ])
    expect(() => scanner.scan(Uint8Array.from(frame(1, 2, 3)), 0, 11, 0)).toThrow('CORRUPT')
  })

  it('forgets what it has skipped when told to go on elsewhere', () => {
    const scanner = new FrameScanner()
    scanner.scan(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 0, 8, 0)
    expect(scanner.skipped).toBe(8)
    scanner.reset()
    expect(scanner.scan(Uint8Array.from(frame(1)), 0, 9, 100)).toBe(true)
    expect(scanner.skipped).toBe(0)
  })

  it.each([-1, 0.5, NaN])('a maximum that is no count is a RangeError (%s)', (frameBytesMax) => {
    expect(() => new FrameScanner({ frameBytesMax })).toThrow(RangeError)
  })
})

describe('frame batch', () => {
  const op = (seqNo: number, length: number): Uint8Array =>
    encodeOperation({ seqNo, checksum: 1, author: 7, change: { kind: 'write', fnode: 1, offset: 0, length } })

  /** What is decoded of it, as sequence number and range of the log. */
  function decoded(stream: Uint8Array, begin = 0, end = stream.length): number[][] {
    const batch = new FrameBatch()
    batch.log = 'a/log'
    batch.decode(stream, begin, end, begin + 1000)
    const ops = batch.ops.slice(0, batch.count)
    expect(ops.every((one) => one.log === 'a/log' && one.bytes === stream)).toBe(true)
    return ops.map(({ seqNo, firstOffset, lastOffset }) => [seqNo, firstOffset - 1000, lastOffset - 1000])
  }

  const first = op(1, 5)
  const second = op(2, 3)
  const [one, two] = [first.length + 5, first.length + 5 + second.length + 3]

  it('decodes frame after frame behind the content of the one before', () => {
    const stream = Buffer.concat([first, Buffer.alloc(5), second, Buffer.alloc(3), op(3, 0)])
    expect(decoded(stream)).toEqual([
      [1, 0, one],
      [2, one, two],
      [3, two, stream.length],
    ])
    expect(decoded(stream, one)[0]).toEqual([2, one, two])
    expect(decoded(stream, 0, stream.length - 1)).toHaveLength(2) // the last frame is not whole then
  })

  it.each([
    { what: 'no frame', rest: Buffer.from('nothing that begins a frame') },
    { what: 'a frame that is cut', rest: op(3, 0).subarray(0, -1) },
    { what: 'less than a header', rest: Buffer.from(MAGIC) },
    {
      what: 'a property',
      rest: encodeOperation({
        seqNo: 3,
        checksum: 1,
        author: 7,
        change: { kind: 'property', path: '/p', content: 'c' },
      }),
    },
    { what: 'what is no operation', rest: Buffer.from(frame(0xff, 0xff)) },
  ])('ends before $what', ({ rest }) => {
    const stream = Buffer.concat([first, Buffer.alloc(5), second, Buffer.alloc(3), rest])
    expect(decoded(stream)).toEqual([
      [1, 0, one],
      [2, one, two],
    ])
    expect(decoded(rest)).toEqual([])
  })

  it('takes the last operation whose content reaches further', () => {
    const stream = Buffer.concat([first, Buffer.alloc(5), second])
    expect(decoded(stream)).toEqual([
      [1, 0, one],
      [2, one, two],
    ])
  })
})
