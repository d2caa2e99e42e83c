import { describe, expect, it } from 'vitest'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import { DecoratedJournal, faultsAt, faultyJournal } from '../../src/testing/index.ts'
import type { AppendFault } from '../../src/testing/index.ts'

function make(...faults: [number, AppendFault][]): { inner: MemoryJournal; journal: Journal } {
  const inner = new MemoryJournal({ name: 'a/log' })
  return { inner, journal: faultyJournal(inner.share(), faultsAt(new Map(faults))) }
}

function content(value: number, bytes = 4): Uint8Array {
  return new Uint8Array(bytes).fill(value)
}

async function stored(inner: MemoryJournal): Promise<number[]> {
  const all: number[] = []
  for await (const { bytes } of inner.read({ offset: 0 })) all.push(...bytes)
  return all
}

async function outcomes(...appends: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(appends)
  return settled.map((one) => (one.status === 'fulfilled' ? 'OK' : (one.reason as { code: string }).code))
}

describe('faulty journal', () => {
  it('lost: nothing lands, those behind fail, later ones are taken', async () => {
    const { inner, journal } = make([1, { kind: 'lost' }])
    const appends = [0, 1, 2].map((i) => journal.append({ content: content(i, 1) }))
    expect(await outcomes(...appends)).toEqual(['OK', 'UNAVAILABLE', 'UNAVAILABLE'])
    await journal.append({ content: content(3, 1) })
    expect(await stored(inner)).toEqual([0, 3])
  })

  it.each([true, false])('unknown: OUTCOME_UNKNOWN, and no more appends (landed: %s)', async (landed) => {
    const { inner, journal } = make([0, { kind: 'unknown', landed }])
    expect(await outcomes(journal.append({ content: content(7, 1) }))).toEqual(['OUTCOME_UNKNOWN'])
    expect(await outcomes(journal.append({ content: content(8, 1) }))).toEqual(['OUTCOME_UNKNOWN'])
    expect(() => journal.appendSync?.({ content: content(8, 1) })).toThrow('OUTCOME_UNKNOWN')
    expect(await stored(inner)).toEqual(landed ? [7] : [])
    expect((await journal.head()).offset).toBe(landed ? 1 : 0)
  })

  it('late and late answer: nothing before, all after; those behind wait', async () => {
    for (const kind of ['late', 'late answer'] as const) {
      let go = (): void => undefined
      const until = new Promise<void>((resolve) => (go = resolve))
      const { inner, journal } = make([0, { kind, until }])
      let answered = 0
      const appends = [1, 2].map((i) => journal.append({ content: content(i, 1) }).then(() => answered++))
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
      expect([answered, await stored(inner)]).toEqual([0, kind === 'late' ? [] : [1]])
      go()
      await Promise.all(appends)
      expect(await stored(inner)).toEqual([1, 2])
    }
  })

  it('meanwhile: another owner comes first', async () => {
    const inner = new MemoryJournal({ name: 'a/log' })
    const other = inner.share()
    const union = [{ name: 'author', value: 'other' }]
    const run = (): unknown => other.append({ content: content(9, 1), union })
    const journal = faultyJournal(inner.share(), ({ index, request }) =>
      index === 1 && request.content.length > 0 ? { kind: 'meanwhile', run } : undefined,
    )
    await journal.append({ content: content(1, 1), union: [{ name: 'author', value: 'me' }] })
    const check = { include: [{ name: 'author', value: 'me' }] }
    expect(await outcomes(journal.append({ content: content(2, 1), check }))).toEqual(['REGISTER_MISMATCH'])
    expect(await stored(inner)).toEqual([1, 9])
  })

  it('torn and duplicate break a promise', async () => {
    const { inner, journal } = make([0, { kind: 'duplicate' }], [1, { kind: 'torn', bytes: 2 }])
    expect(await journal.append({ content: content(1) })).toMatchObject({ begin: 4, end: 8 })
    expect(await outcomes(journal.append({ content: content(2) }))).toEqual(['OUTCOME_UNKNOWN'])
    expect(await stored(inner)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 2])
    const all = make([0, { kind: 'torn', bytes: 0 }])
    expect(await outcomes(all.journal.append({ content: content(2) }))).toEqual(['OUTCOME_UNKNOWN'])
    expect(await stored(all.inner)).toEqual([])
  })

  it('a synchronous append takes what waits with it, in order', async () => {
    let go = (): void => undefined
    const until = new Promise<void>((resolve) => (go = resolve))
    const { inner, journal } = make(
      [0, { kind: 'late answer', until }],
      [2, { kind: 'duplicate' }],
      [3, { kind: 'meanwhile', run: () => undefined }],
    )
    const appends = [1, 2, 3].map((i) => journal.append({ content: content(i, 1) }))
    await Promise.resolve()
    expect(journal.appendSync?.({ content: content(4, 1) })).toMatchObject({ begin: 4, end: 5 })
    go()
    await Promise.all(appends)
    expect(await stored(inner)).toEqual([1, 2, 3, 3, 4])
  })

  it('a synchronous append behind one that fails fails too', async () => {
    const { inner, journal } = make([1, { kind: 'lost' }])
    const appends = [0, 1, 2].map((i) => journal.append({ content: content(i, 1) }))
    const failed = outcomes(...appends)
    expect(() => journal.appendSync?.({ content: content(3, 1) })).toThrow('UNAVAILABLE')
    expect(await failed).toEqual(['OK', 'UNAVAILABLE', 'UNAVAILABLE'])
    expect(await stored(inner)).toEqual([0])
  })

  it('the wait for an append ends by a signal, the append does not; close waits for it', async () => {
    let go = (): void => undefined
    const until = new Promise<void>((resolve) => (go = resolve))
    const { inner, journal } = make([0, { kind: 'late', until }])
    const abort = new AbortController()
    const append = outcomes(journal.append({ content: content(1, 1), signal: abort.signal }))
    abort.abort()
    expect(await append).toEqual(['ABORTED'])
    const closing = journal.close()
    go()
    await closing
    expect(await stored(inner)).toEqual([1])
  })
})

describe('decorated journal: over one that cannot prune or append synchronously', () => {
  it('says so', async () => {
    const inner = new MemoryJournal({ name: 'a/log' })
    const plain: Journal = {
      name: inner.name,
      id: inner.id,
      maxAppendBytes: 10,
      durability: 'replicated',
      supports: { prune: false, appendSync: false },
      head: () => inner.head(),
      append: (request) => inner.append(request),
      read: (request) => inner.read(request),
      close: () => inner.close(),
    }
    const journal = new DecoratedJournal(plain)
    expect([journal.durability, journal.maxAppendBytes, journal.supports.prune]).toEqual([
      'replicated',
      10,
      false,
    ])
    expect(() => journal.appendSync({ content: content(1) })).toThrow(TypeError)
    await expect(journal.fragments()).rejects.toThrow(TypeError)
    await expect(journal.remove({ begin: 0, end: 1 })).rejects.toThrow(TypeError)
  })
})
