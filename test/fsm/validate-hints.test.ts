import { expect, test } from 'vitest'
import { FSM, hintedState, validateHints } from '../../src/fsm/index.ts'
import type { FSMHints } from '../../src/fsm/index.ts'
import type { Segment } from '../../src/segments/index.ts'

function segment(firstSeqNo: number, lastSeqNo: number, change: Partial<Segment> = {}): Segment {
  return {
    author: 7,
    firstSeqNo,
    firstOffset: firstSeqNo,
    firstChecksum: 0,
    lastSeqNo,
    lastOffset: 0,
    log: '',
    ...change,
  }
}

function hints(...liveNodes: FSMHints['liveNodes']): FSMHints {
  return { log: 'a/log', liveNodes, properties: [] }
}

test('hints: an omitted log is that of the hints, one that is repeated is refused by validate alone', () => {
  const repeated = hints({ fnode: 3, segments: [segment(3, 4, { log: 'a/log' })] })
  expect(() => {
    validateHints(repeated)
  }).toThrow(
    expect.objectContaining({
      code: 'HINTS_INVALID',
      data: { fnode: 3, segment: repeated.liveNodes[0]?.segments[0] },
    }),
  )
  expect([...hintedState(repeated).segments]).toEqual([segment(3, 4, { log: 'a/log' })])
  const omitted = hints({ fnode: 3, segments: [segment(3, 4)] })
  validateHints(omitted)
  expect([...hintedState(omitted).segments]).toEqual([segment(3, 4, { log: 'a/log' })])
})

test('hints: a segment that is invalid by itself is told with its fnode, its field and its value', () => {
  const bad = segment(3, 4, { author: 0 })
  const error = expect.objectContaining({
    code: 'HINTS_INVALID',
    data: { fnode: 3, field: 'author', value: 0, segment: { ...bad, log: 'a/log' } },
    cause: expect.objectContaining({ code: 'SEGMENT_INVALID' }) as unknown,
  }) as Error
  const set = hints({ fnode: 3, segments: [bad] })
  expect(() => {
    validateHints(set)
  }).toThrow(error)
  expect(() => hintedState(set)).toThrow(error)
})

test.each<[string, FSMHints]>([
  ['an fnode without segments', hints({ fnode: 3, segments: [] })],
  ['a first segment elsewhere', hints({ fnode: 3, segments: [segment(4, 5)] })],
  [
    'fnodes that do not rise',
    hints({ fnode: 3, segments: [segment(3, 4)] }, { fnode: 3, segments: [segment(3, 4)] }),
  ],
  ['fnode 0', hints({ fnode: 0, segments: [segment(0, 1)] })],
  [
    'segments that are inconsistent',
    hints({ fnode: 3, segments: [segment(3, 9), segment(5, 6, { author: 8 })] }),
  ],
  ['a last segment in another log', hints({ fnode: 3, segments: [segment(3, 4, { log: 'b/log' })] })],
  ['no log', { ...hints(), log: '' }],
])('hints: no state machine is made from %s', (_, bad) => {
  expect(() => new FSM(bad)).toThrow(/^HINTS_INVALID/)
})
