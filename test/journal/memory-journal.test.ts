import { describe, expect, it } from 'vitest'
import { MAX_APPEND_BYTES, MEMORY_FRAGMENT_BYTES, MemoryJournal } from '../../src/journal/index.ts'
import type { JournalChunk, MemoryJournalOptions } from '../../src/journal/index.ts'

function bytesOf(...values: number[]): Uint8Array {
  return new Uint8Array(values)
}

async function spans(journal: MemoryJournal, offset: number): Promise<[number, number[]][]> {
  const found: [number, number[]][] = []
  for await (const chunk of journal.read({ offset })) found.push([chunk.offset, [...chunk.bytes]])
  return found
}

describe('memory journal: what it begins with', () => {
  const content = [
    { begin: 10, bytes: bytesOf(1, 2, 3) },
    { begin: 13, bytes: bytesOf(4) },
    { begin: 20, bytes: bytesOf(5, 6) },
    { begin: 30, bytes: bytesOf() },
  ]

  it('content at its offsets: holes are jumps, the start may be pruned, and appends go on at the end', async () => {
    const journal = new MemoryJournal({ name: 'a/log', content, registers: [{ name: 'author', value: 'x' }] })
    expect(await journal.head()).toEqual({ offset: 30, registers: [{ name: 'author', value: 'x' }] })
    expect(await spans(journal, 0)).toEqual([
      [10, [1, 2, 3, 4]],
      [20, [5, 6]],
    ])
    expect(await spans(journal, 12)).toEqual([
      [12, [3, 4]],
      [20, [5, 6]],
    ])
    expect(await spans(journal, 14)).toEqual([[20, [5, 6]]])
    expect(await spans(journal, 22)).toEqual([])
    expect(await journal.append({ content: bytesOf(7) })).toMatchObject({ begin: 30, end: 31 })
    expect(await spans(journal, 21)).toEqual([
      [21, [6]],
      [30, [7]],
    ])
    expect(await journal.fragments()).toEqual([
      { begin: 10, end: 13 },
      { begin: 13, end: 14 },
      { begin: 20, end: 22 },
      { begin: 30, end: 31 },
    ])
  })

  it('a head above its content, and one that jumps later, under a read that waits', async () => {
    const journal = new MemoryJournal({ name: 'a/log', content: content.slice(0, 1), head: 100 })
    expect((await journal.head()).offset).toBe(100)
    const iterator = journal.read({ offset: 13, block: true })[Symbol.asyncIterator]()
    const next = iterator.next()
    journal.jump(200)
    await journal.append({ content: bytesOf(9) })
    expect(await next).toEqual({
      done: false,
      value: { offset: 200, bytes: bytesOf(9) } satisfies JournalChunk,
    })
    await iterator.return?.()
    expect(() => {
      journal.jump(150)
    }).toThrow(RangeError)
  })

  it.each<[string, Partial<MemoryJournalOptions>]>([
    ['content out of order', { content: [content[2], content[0]] as typeof content }],
    ['content at a negative offset', { content: [{ begin: -1, bytes: bytesOf() }] }],
    ['a head inside of the content', { content, head: 5 }],
    ['a fragment size of 0', { fragmentBytes: 0 }],
    ['appends above the maximum', { maxAppendBytes: MAX_APPEND_BYTES + 1 }],
    ['half a byte', { maxAppendBytes: 0.5 }],
  ])('%s: a RangeError', (_name, options) => {
    expect(() => new MemoryJournal({ name: 'a/log', ...options })).toThrow(RangeError)
  })

  it('registers that are malformed: REGISTER_INVALID', () => {
    const registers = [{ name: '', value: '' }]
    expect(() => new MemoryJournal({ name: 'a/log', registers })).toThrow(
      expect.objectContaining({ code: 'REGISTER_INVALID' }),
    )
  })
})

describe('memory journal', () => {
  it('what is appended is copied: the caller may change it after the answer', async () => {
    const journal = new MemoryJournal({ name: 'a/log' })
    for (const size of [3, 70_000]) {
      const content = new Uint8Array(size).fill(1)
      await journal.append({ content })
      content.fill(2)
    }
    for await (const { bytes } of journal.read({ offset: 0 })) {
      expect(bytes.every((byte) => byte === 1)).toBe(true)
    }
  })

  it(`fragments of about ${MEMORY_FRAGMENT_BYTES} bytes by default, each ending with an append`, async () => {
    const journal = new MemoryJournal({ name: 'a/log' })
    for (let i = 0; i < 5; i++) await journal.append({ content: new Uint8Array(700_000) })
    expect(await journal.fragments()).toEqual([
      { begin: 0, end: 1_400_000 },
      { begin: 1_400_000, end: 2_800_000 },
      { begin: 2_800_000, end: 3_500_000 },
    ])
  })

  it('ids differ from journal to journal, unless they are handed in', () => {
    const [a, b] = [new MemoryJournal({ name: 'a/log' }), new MemoryJournal({ name: 'a/log' })]
    expect(a.id).not.toBe(b.id)
    expect(a.share().id).toBe(a.id)
    expect(new MemoryJournal({ name: 'a/log', id: 'mine' }).id).toBe('mine')
  })

  it('a read takes one consumer, and calls of next() wait for each other', async () => {
    const journal = new MemoryJournal({
      name: 'a/log',
      content: [{ begin: 0, bytes: new Uint8Array(600_000) }],
    })
    const read = journal.read({ offset: 0 })
    const iterator = read[Symbol.asyncIterator]()
    expect(() => read[Symbol.asyncIterator]()).toThrow(TypeError)
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()])
    expect(results.map(({ done, value }) => (done === true ? 'end' : value.offset))).toEqual([
      0,
      262_144,
      524_288,
      'end',
    ])
  })

  it('disposing closes', async () => {
    const journal = new MemoryJournal({ name: 'a/log' })
    {
      await using disposed = journal
      await disposed.append({ content: bytesOf(1) })
    }
    await expect(journal.head()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('content that is no Uint8Array is a TypeError, and fails those behind it', async () => {
    const journal = new MemoryJournal({ name: 'a/log' })
    const wrong = journal.append({ content: 'text' as unknown as Uint8Array })
    const behind = journal.append({ content: bytesOf(1) })
    await expect(wrong).rejects.toBeInstanceOf(TypeError)
    await expect(behind).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: expect.any(TypeError) as unknown,
    })
  })
})
