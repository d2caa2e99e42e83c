import {
  cpSync,
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
import { FileJournal } from '../../../src/journal/file/index.ts'
import type { FileJournalOptions, TornTail } from '../../../src/journal/file/index.ts'

const SIZES = [5, 30, 12, 70, 9, 1]
const CONTENT = new Uint8Array(SIZES.reduce((sum, size) => sum + size)).map((_, i) => i * 7 + 1)

let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'damage-'))
})

afterAll(() => {
  rmSync(root, { recursive: true })
})

/** Six appends in two epochs, and several segments. */
async function makeJournal(dir: string, durability: 'disk' | 'process'): Promise<void> {
  const open = (): Promise<FileJournal> =>
    FileJournal.open({ dir, name: 'test/damage', durability, segmentBytes: 300, bootId: 'boot' })
  let journal = await open()
  let at = 0
  for (const [index, size] of SIZES.entries()) {
    if (index === 4) {
      await journal.close()
      journal = await open()
    }
    const union = [{ name: 'author', value: `a${index}` }]
    await journal.append({ content: CONTENT.subarray(at, at + size), union })
    at += size
  }
  await journal.close()
}

interface Found {
  /** Undefined when the journal cannot even be opened. */
  readonly read: number
  readonly error: RecoveryLogError | undefined
}

/** Opens and reads, and wants the bytes that come to be right. What goes wrong must be an error of ours. */
async function readBack(dir: string, options: Partial<FileJournalOptions> = {}): Promise<Found> {
  let read = 0
  try {
    await using journal = await FileJournal.open({ dir, bootId: 'boot', ...options })
    for await (const { offset, bytes } of journal.read({ offset: 0 })) {
      expect(offset).toBe(read)
      expect(Buffer.compare(bytes, CONTENT.subarray(offset, offset + bytes.length))).toBe(0)
      read = offset + bytes.length
    }
    expect((await journal.head()).offset).toBe(read)
    return { read, error: undefined }
  } catch (error) {
    if (!(error instanceof RecoveryLogError)) throw error
    return { read, error }
  }
}

/** A copy of the journal for each damage, made once and mended after each. */
async function forEachDamage(
  step: number,
  change: (bytes: Buffer, at: number) => Buffer,
  check: (dir: string, file: string, at: number) => Promise<void>,
): Promise<number> {
  const dir = mkdtempSync(join(root, 'journal-'))
  await makeJournal(dir, 'process')
  let count = 0
  for (const file of readdirSync(dir)) {
    const bytes = readFileSync(join(dir, file))
    for (let at = 0; at < bytes.length; at += step) {
      writeFileSync(join(dir, file), change(Buffer.from(bytes), at))
      await check(dir, file, at)
      writeFileSync(join(dir, file), bytes)
      count++
    }
  }
  return count
}

describe('file journal: damage', () => {
  it('any one byte of any file flipped: the right bytes, or CORRUPT with a place', async () => {
    const kinds = new Set<string>()
    const count = await forEachDamage(
      1,
      (bytes, at) => {
        bytes[at] = (bytes[at] as number) ^ 0x5a
        return bytes
      },
      async (dir, file, at) => {
        const { read, error } = await readBack(dir)
        const kind = file.split('.')[1] ?? file
        kinds.add(`${kind} ${error?.code ?? 'whole'}`)
        if (error === undefined) expect([kind, at, read]).toEqual([kind, at, CONTENT.length])
        else expect([typeof error.data['offset'], typeof error.data['length']]).toEqual(['number', 'number'])
        if (kind === 'segment') expect(error?.data).toMatchObject({ journal: 'test/damage', offset: read })
      },
    )
    expect(count).toBeGreaterThan(1_000)
    expect([...kinds].sort()).toEqual(['head whole', 'journal CORRUPT', 'seal CORRUPT', 'segment CORRUPT'])
  })

  it('any file cut anywhere: the right bytes, or CORRUPT with a place', async () => {
    const kinds = new Set<string>()
    await forEachDamage(
      3,
      (bytes, at) => bytes.subarray(0, at),
      async (dir, file, at) => {
        const { read, error } = await readBack(dir)
        const kind = file.split('.')[1] ?? file
        kinds.add(`${kind} ${error?.code ?? 'whole'}`)
        if (error === undefined) expect([kind, at, read]).toEqual([kind, at, CONTENT.length])
      },
    )
    expect(kinds).toContain('segment CORRUPT')
  })

  it('the end of a damaged group is where reading goes on', async () => {
    const dir = mkdtempSync(join(root, 'journal-'))
    await makeJournal(dir, 'process')
    const file = readdirSync(dir).find((name) => name.endsWith('.segment')) as string
    const bytes = readFileSync(join(dir, file))
    // The header of the second group: 80 of the segment, 40 and registers and 5 of the first.
    const second = bytes.indexOf('Rlg1', 81)
    bytes[second + 9] = (bytes[second + 9] as number) ^ 1
    writeFileSync(join(dir, file), bytes)
    const { read, error } = await readBack(dir)
    expect([read, error?.data]).toEqual([5, expect.objectContaining({ offset: 5, length: 30 })])
    await using journal = await FileJournal.open({ dir })
    for (const offset of [35, 36, 47, 110]) {
      let at = offset
      for await (const chunk of journal.read({ offset })) {
        expect(chunk.offset).toBe(at)
        expect(Buffer.compare(chunk.bytes, CONTENT.subarray(at, at + chunk.bytes.length))).toBe(0)
        at += chunk.bytes.length
      }
      expect(at).toBe(CONTENT.length)
    }
    // The last group of all is where head() has the registers from.
    const last = join(dir, readdirSync(dir).findLast((name) => name.endsWith('.segment')) as string)
    const lastBytes = readFileSync(last)
    lastBytes[lastBytes.lastIndexOf('Rlg1') + 45] = 0
    writeFileSync(last, lastBytes)
    await using sameBoot = await FileJournal.open({ dir, bootId: 'boot' })
    const lastDamage = { code: 'CORRUPT', data: { offset: CONTENT.length - 1, length: 1 } }
    await expect(sameBoot.head()).rejects.toMatchObject(lastDamage)
    for (const offset of [5, 6, 34]) {
      const iterator = journal.read({ offset })[Symbol.asyncIterator]()
      await expect(iterator.next()).rejects.toMatchObject({
        code: 'CORRUPT',
        data: { offset, length: 35 - offset },
      })
    }
  })
})

/** Cuts the last segment at every length that a torn write can leave, and hands on what became of the journal. */
async function forEachTear(
  durability: 'disk' | 'process',
  prepare: (dir: string) => void,
  check: (dir: string, wholeEnd: number, tornBytes: number) => Promise<void>,
): Promise<void> {
  const whole = mkdtempSync(join(root, 'journal-'))
  await makeJournal(whole, durability)
  const file = readdirSync(whole).findLast((name) => name.endsWith('.segment')) as string
  const bytes = readFileSync(join(whole, file))
  const lastGroup = bytes.lastIndexOf('Rlg1')
  for (let length = lastGroup; length < bytes.length; length += 3) {
    const dir = join(root, `torn-${durability}-${length}-${Math.random().toString(36).slice(2)}`)
    cpSync(whole, dir, { recursive: true })
    truncateSync(join(dir, file), length)
    if (length % 2 === 0) truncateSync(join(dir, file), length + 5000) // zeros that were written ahead
    prepare(dir)
    // Zeros at its end cannot be told from those.
    const tornBytes = bytes.subarray(lastGroup, length).findLastIndex((byte) => byte !== 0) + 1
    await check(dir, CONTENT.length - 1, tornBytes)
  }
}

describe('file journal: the tail of the last append', () => {
  const removeHeads = (dir: string): void => {
    for (const name of readdirSync(dir)) if (name.endsWith('.head')) unlinkSync(join(dir, name))
  }

  it('torn, and never acknowledged as far as anybody knows: cut and reported by the next appender', async () => {
    await forEachTear('disk', removeHeads, async (dir, wholeEnd, tornBytes) => {
      const torn: TornTail[] = []
      await using journal = await FileJournal.open({ dir, onTornTail: (tail) => torn.push(tail) })
      expect(await journal.head()).toEqual({ offset: wholeEnd, registers: [{ name: 'author', value: 'a4' }] })
      const { begin } = await journal.append({ content: new Uint8Array(10) })
      expect(begin).toBe(wholeEnd)
      expect(torn).toEqual(tornBytes === 0 ? [] : [{ offset: wholeEnd, bytes: tornBytes }])
    })
  })

  it('cut, though the head of this boot names it: CORRUPT for readers and appenders', async () => {
    await forEachTear(
      'process',
      () => undefined,
      async (dir, wholeEnd) => {
        expect(await readBack(dir)).toMatchObject({ read: wholeEnd, error: { code: 'CORRUPT' } })
        await using journal = await FileJournal.open({ dir, bootId: 'boot' })
        await expect(journal.append({ content: new Uint8Array(1) })).rejects.toMatchObject({
          code: 'CORRUPT',
          data: { journal: 'test/damage', offset: wholeEnd, length: 1 },
        })
        // The intent that was left stands in nobody's way: what is whole can still be read.
        expect(await readBack(dir)).toMatchObject({ read: wholeEnd, error: { code: 'CORRUPT' } })
      },
    )
  })

  it('cut, and the head of another boot names it: on the disk that is damage, else it is torn', async () => {
    await forEachTear(
      'disk',
      () => undefined,
      async (dir, wholeEnd) => {
        expect(await readBack(dir, { bootId: 'next' })).toMatchObject({
          read: wholeEnd,
          error: { code: 'CORRUPT' },
        })
      },
    )
    await forEachTear(
      'process',
      () => undefined,
      async (dir, wholeEnd) => {
        expect(await readBack(dir, { bootId: 'next' })).toEqual({ read: wholeEnd, error: undefined })
      },
    )
  })

  it('damage below what a later group knows to be synced is damage, not a torn tail', async () => {
    const dir = mkdtempSync(join(root, 'journal-'))
    const journal = await FileJournal.open({ dir, durability: 'process' })
    for (let i = 0; i < 3; i++) await journal.append({ content: new Uint8Array(100).fill(i) })
    await journal.close()
    removeHeads(dir)
    const file = join(dir, readdirSync(dir).find((name) => name.endsWith('.segment')) as string)
    const bytes = readFileSync(file)
    bytes[bytes.length - 150] = 77 // in the second of three
    writeFileSync(file, bytes)
    await using again = await FileJournal.open({ dir })
    const damage = { code: 'CORRUPT', data: { offset: 100, length: 100 } }
    await expect(again.head()).rejects.toMatchObject(damage)
    await expect(again.append({ content: new Uint8Array(1) })).rejects.toMatchObject(damage)
  })
})
