import { describe, expect, it } from 'vitest'
import { RANGES_MAX, Skipped } from '../../src/player/skipped.ts'

const range = (begin: number, end: number, log = 'a'): { log: string; begin: number; end: number } => ({
  log,
  begin,
  end,
})
const nobody = (): boolean => false

describe('skipped: spans', () => {
  it('touching desyncs are one, others are not', () => {
    const skipped = new Skipped()
    expect(skipped.desync(range(1, 2))).toEqual(range(1, 2))
    expect(skipped.desync(range(2, 5))).toEqual(range(1, 5))
    skipped.desync(range(6, 7))
    skipped.desync(range(7, 8, 'b'))
    expect(skipped.desyncs).toEqual([range(1, 5), range(6, 7), range(7, 8, 'b')])
  })

  it('what lies within the hints is not missed', () => {
    const skipped = new Skipped()
    skipped.jump(range(0, 1))
    skipped.desync(range(1, 2))
    skipped.operation(1, 1, 5, range(2, 3))
    expect(skipped.missed(nobody)).toEqual([])
    skipped.endHints()
    skipped.endHints()
    expect(skipped.missed(nobody)).toEqual([])
    skipped.jump(range(10, 11))
    skipped.desync(range(2, 12))
    expect(skipped.missed(nobody)).toEqual([
      { kind: 'jump', ...range(10, 11) },
      { kind: 'desync', ...range(2, 12) },
    ])
  })

  it('a log full of damage takes bounded memory, and what is missed is told all the same', () => {
    const skipped = new Skipped()
    for (let i = 0; i < 2 * RANGES_MAX; i++) {
      skipped.jump(range(4 * i, 4 * i + 1))
      skipped.desync(range(4 * i + 2, 4 * i + 3))
    }
    expect([skipped.jumps.length, skipped.desyncs.length]).toEqual([RANGES_MAX, RANGES_MAX])
    skipped.endHints()
    for (let i = 0; i < 2 * RANGES_MAX; i++) {
      skipped.jump(range(4 * i, 4 * i + 1))
      skipped.desync(range(4 * i + 2, 4 * i + 3))
    }
    expect(skipped.missed(nobody)).toHaveLength(2 * RANGES_MAX)
  })
})

describe('skipped: operations', () => {
  it('of one author are one entry', () => {
    const skipped = new Skipped()
    skipped.endHints()
    skipped.operation(7, 7, 5, range(10, 20))
    skipped.operation(7, 7, 6, range(30, 40))
    skipped.operation(8, 0, 9, range(50, 60))
    expect(skipped.missed(nobody)).toEqual([
      { kind: 'operations', author: 7, count: 2, firstSeqNo: 5, ...range(10, 40) },
      { kind: 'operations', author: 8, count: 1, firstSeqNo: 9, ...range(50, 60) },
    ])
  })

  it('of others count when the fence is theirs', () => {
    const skipped = new Skipped()
    skipped.endHints()
    skipped.operation(8, 7, 5, range(10, 20))
    expect(skipped.missed(nobody)).toEqual([])
    expect(skipped.missed((author) => author === 8)).toMatchObject([{ author: 8 }])
  })
})
