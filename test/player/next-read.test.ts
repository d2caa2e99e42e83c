import { describe, expect, it } from 'vitest'
import { NEXT_HINTS, NEXT_READ, nextRead, PLACES } from '../../src/player/next-read.ts'
import type { NextHint, Place } from '../../src/player/next-read.ts'

const segment = { author: 1, firstSeqNo: 1, firstChecksum: 0, lastSeqNo: 1, lastOffset: 0, log: 'wanted' }
const HEAD = 100

/** Where reading is, for each place, when `wanted` is the log that matters. */
const READING: Record<Place, { log: string; offset: number }> = {
  'another log': { log: 'other', offset: 50 },
  'before its head': { log: 'wanted', offset: 50 },
  'at its head': { log: 'wanted', offset: HEAD },
}

const FIRST_OFFSET: Record<NextHint, (offset: number) => number | undefined> = {
  none: () => undefined,
  ahead: (offset) => offset + 1,
  'here or behind': (offset) => offset,
}

describe('next read: the table', () => {
  for (const hint of NEXT_HINTS) {
    for (const place of PLACES) {
      it(`one row holds, and it is taken (${hint}, ${place})`, () => {
        const rows = NEXT_READ.filter(
          (row) => row.hint === hint && (row.place === 'any' || row.place === place),
        )
        expect(rows).toHaveLength(1)
        const { log, offset } = READING[place]
        const firstOffset = FIRST_OFFSET[hint](offset)
        const next = firstOffset === undefined ? undefined : { ...segment, firstOffset }
        // With hints left, the last log does not matter; without, it is the one that does.
        const lastLog = next === undefined ? 'wanted' : 'the last'
        expect(nextRead(next, { log, offset, head: HEAD, lastLog })).toBe(rows[0]?.then)
      })
    }
  }

  it.each([
    { what: 'behind is as here', firstOffset: 0, then: 'read on' },
    { what: 'here', firstOffset: 50, then: 'read on' },
    { what: 'ahead', firstOffset: 51, then: 'seek to the hint' },
  ])('a hinted segment of this log ($what)', ({ firstOffset, then }) => {
    const reading = { log: 'wanted', offset: 50, head: HEAD, lastLog: 'wanted' }
    expect(nextRead({ ...segment, firstOffset }, reading)).toBe(then)
  })

  it('past a head is at it', () => {
    const reading = { log: 'wanted', offset: HEAD + 1, head: HEAD, lastLog: 'wanted' }
    expect(nextRead(undefined, reading)).toBe('at the head')
    expect(nextRead({ ...segment, firstOffset: 0 }, reading)).toBe('data loss')
  })

  it('before anything has been read, the log that is played to its head is read from its beginning', () => {
    expect(nextRead(undefined, { log: '', offset: 0, head: 0, lastLog: 'wanted' })).toBe(
      'seek to the beginning',
    )
  })
})
