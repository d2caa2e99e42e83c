import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeRecord, RecordReader, splitRecords } from '../../src/wire/index.ts'

const records = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 })

function streamOf(all: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(all.map((data) => encodeRecord(data))))
}

/** Cuts `bytes` behind each of `cuts`. */
function* cutAt(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let begin = 0
  for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
    // A copy that is spoiled once the reader is done with it, because chunks are borrowed.
    const chunk = bytes.slice(begin, Math.max(begin, Math.min(cut, bytes.length)))
    yield chunk
    chunk.fill(0xee)
    begin += chunk.length
  }
}

describe('RecordIO: streams', () => {
  it('cut anywhere, any number of times: the same records, and their places', () => {
    fc.assert(
      fc.property(
        records,
        fc.array(fc.nat({ max: 2000 }), { maxLength: 30 }),
        fc.nat(),
        (all, cuts, offset) => {
          const stream = streamOf(all)
          const reader = new RecordReader({ offset })
          const read: Uint8Array[] = []
          for (const chunk of cutAt(stream, cuts)) {
            for (const data of reader.push(chunk)) read.push(new Uint8Array(data))
          }
          reader.end()
          expect(read).toEqual(all)
          expect(reader.offset).toBe(offset + stream.length)
          expect(splitRecords(stream).map((data) => new Uint8Array(data))).toEqual(all)
        },
      ),
    )
  })

  it('chunks whose slices are views, as those of Buffer are: nothing that was borrowed is kept', () => {
    const all = [new Uint8Array(300).fill(1), new Uint8Array(300).fill(2)]
    const reader = new RecordReader()
    const read: number[][] = []
    const buffer = Buffer.alloc(7)
    const stream = streamOf(all)
    for (let at = 0; at < stream.length; at += 7) {
      const chunk = buffer.subarray(0, Math.min(7, stream.length - at))
      chunk.set(stream.subarray(at, at + chunk.length))
      for (const data of reader.push(chunk)) read.push([...data])
    }
    expect(read).toEqual(all.map((data) => [...data]))
  })

  it('a lying length: nothing is taken for it, and its place is told', () => {
    const reader = new RecordReader({ offset: 1000 })
    const before = process.memoryUsage().arrayBuffers
    expect([...reader.push(Uint8Array.of(1, 7, 0x80, 0x80, 0x80, 0x0a, 1, 2, 3))]).toHaveLength(1)
    for (let i = 0; i < 100; i++) expect([...reader.push(Uint8Array.of(4))]).toEqual([])
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024)
    expect(() => {
      reader.end()
    }).toThrow(
      expect.objectContaining({ code: 'UNEXPECTED_END', data: { offset: 1002, bytes: 107 } }) as Error,
    )
  })

  it('too large, or no length at all: told from the header, also when it comes in pieces', () => {
    for (const [header, code] of [
      [[0x81, 0x80, 0x80, 0x0a], 'FRAME_TOO_LARGE'],
      [Array(10).fill(0xff) as number[], 'VARINT_OVERFLOW'],
    ] as const) {
      for (let split = 0; split < header.length; split++) {
        const reader = new RecordReader()
        expect(() => {
          for (const part of [header.slice(0, split), header.slice(split)]) {
            expect([...reader.push(Uint8Array.from(part))]).toEqual([])
          }
        }).toThrow(expect.objectContaining({ code }) as Error)
      }
    }
  })
})
