import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../../src/errors/index.ts'
import { BLOCK_BYTES } from '../../../src/journal/file/content-checksum.ts'
import { FileJournal } from '../../../src/journal/file/index.ts'
import { MAX_APPEND_BYTES } from '../../../src/journal/append-rules.ts'

/** Groups of blocks, around the borders of what is one block, and small ones between. */
const SIZES = [
  2.5 * BLOCK_BYTES,
  7,
  BLOCK_BYTES,
  BLOCK_BYTES + 1,
  BLOCK_BYTES - 1,
  300_000,
  300_000,
  300_000,
  300_000,
  2 * BLOCK_BYTES,
  100,
  MAX_APPEND_BYTES,
  3,
  600_000,
  600_000,
  3 * BLOCK_BYTES + 4321,
]
const STARTS = SIZES.map((_, i) => SIZES.slice(0, i).reduce((sum, size) => sum + size, 0))
const TOTAL = SIZES.reduce((sum, size) => sum + size, 0)
const LAST = STARTS.at(-1) as number

let dir: string
let content: Buffer
let segment: string
let bytes: Buffer
/** Where the content of each append begins in the segment. */
let places: number[]

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'blocks-'))
  const words = Int32Array.from({ length: Math.ceil(TOTAL / 4) }, (_, i) => Math.imul(i, 0x9e3779b1))
  content = Buffer.from(words.buffer, 0, TOTAL)
  await using journal = await FileJournal.open({ dir, durability: 'process' })
  for (const [i, size] of SIZES.entries()) {
    const begin = STARTS[i] as number
    await journal.append({ content: content.subarray(begin, begin + size) })
  }
  segment = join(dir, readdirSync(dir).find((name) => name.endsWith('.segment')) as string)
  bytes = readFileSync(segment)
  let at = 80
  places = SIZES.map((size) => {
    const place = at + 36 + '[]'.length + 4 * Math.ceil(size / BLOCK_BYTES)
    at = place + size
    return place
  })
  expect(bytes).toHaveLength(at)
})

afterAll(() => {
  rmSync(dir, { recursive: true })
})

/** Reads from `offset`, and wants the bytes that come to be right. Answers through where they came. */
async function readFrom(offset: number): Promise<{ read: number; error: RecoveryLogError | undefined }> {
  let read = offset
  try {
    await using journal = await FileJournal.open({ dir })
    for await (const chunk of journal.read({ offset })) {
      expect(chunk.offset).toBe(read)
      expect(chunk.bytes.length).toBeLessThanOrEqual(BLOCK_BYTES)
      expect(content.compare(chunk.bytes, 0, chunk.bytes.length, read, read + chunk.bytes.length)).toBe(0)
      read += chunk.bytes.length
    }
    return { read, error: undefined }
  } catch (error) {
    if (!(error instanceof RecoveryLogError)) throw error
    return { read, error }
  }
}

/** With the byte at `position` of the segment flipped. */
async function whileFlipped(position: number, check: () => Promise<void>): Promise<void> {
  const damaged = Buffer.from(bytes)
  damaged[position] = (damaged[position] as number) ^ 0x5a
  writeFileSync(segment, damaged)
  await check()
  writeFileSync(segment, bytes)
}

describe('file journal: groups of several blocks', () => {
  it('are read from any offset on, a block at most at a time', async () => {
    for (const start of STARTS) {
      for (const offset of [start, start + 1, start + BLOCK_BYTES - 1, start + BLOCK_BYTES]) {
        const wanted = Math.min(offset, TOTAL)
        expect(await readFrom(wanted)).toEqual({ read: TOTAL, error: undefined })
      }
    }
  })

  it('a flipped byte damages its block alone: what is before and behind it can be read', async () => {
    for (const [i, place] of places.entries()) {
      const [start, size] = [STARTS[i] as number, SIZES[i] as number]
      for (const at of [0, BLOCK_BYTES - 1, BLOCK_BYTES, size - 1]) {
        if (at >= size) continue
        const begin = start + Math.floor(at / BLOCK_BYTES) * BLOCK_BYTES
        const end = Math.min(begin + BLOCK_BYTES, start + size)
        await whileFlipped(place + at, async () => {
          const { read, error } = await readFrom(Math.max(0, begin - 10))
          expect(read).toBe(begin)
          expect(error).toMatchObject({ code: 'CORRUPT', data: { offset: begin, length: end - begin } })
          expect(await readFrom(end)).toEqual({ read: TOTAL, error: undefined })
        })
      }
    }
  })

  it('a flipped byte of any checksum damages the group: its head says so before any block is given', async () => {
    const [start, size] = [STARTS[9] as number, SIZES[9] as number]
    for (let before = 1; before <= 8; before++) {
      await whileFlipped((places[9] as number) - before, async () => {
        const { read, error } = await readFrom(start)
        expect(read).toBe(start)
        expect(error).toMatchObject({ code: 'CORRUPT', data: { offset: start, length: size } })
        expect(await readFrom(start + size)).toEqual({ read: TOTAL, error: undefined })
      })
    }
  })

  it('cut after any of its blocks, and never acknowledged: all of it is torn', async () => {
    for (const name of readdirSync(dir)) if (name.endsWith('.head')) unlinkSync(join(dir, name))
    expect(await readFrom(LAST)).toEqual({ read: TOTAL, error: undefined })
    const place = places.at(-1) as number
    for (const kept of [0, 1, BLOCK_BYTES, 2 * BLOCK_BYTES, 3 * BLOCK_BYTES, TOTAL - LAST - 1]) {
      truncateSync(segment, place + kept)
      expect(await readFrom(LAST - 600_000)).toEqual({ read: LAST, error: undefined })
      writeFileSync(segment, bytes)
    }
  })
})
