import { expect, test } from 'vitest'
import { validateSegment } from '../../src/segments/index.ts'
import type { Segment } from '../../src/segments/index.ts'

const GOOD: Segment = {
  author: 0xffff_ffff,
  firstSeqNo: 3,
  firstOffset: 7,
  firstChecksum: 0xffff_ffff,
  lastSeqNo: 3,
  lastOffset: 8,
  log: 'a/log',
}

test.each<[string, Partial<Segment>]>([
  ['the author is zero', { author: 0 }],
  ['the author is no uint32 (2^32)', { author: 2 ** 32 }],
  ['the author is no uint32 (negative)', { author: -1 }],
  ['the first number is zero', { firstSeqNo: 0 }],
  ['the first number is a fraction', { firstSeqNo: 1.5 }],
  ['the first offset is negative', { firstOffset: -1 }],
  ['the first offset is 2^53', { firstOffset: 2 ** 53 }],
  ['the checksum is no uint32', { firstChecksum: -1 }],
  ['the last number is before the first', { lastSeqNo: 2 }],
  ['the last number is 2^53', { lastSeqNo: 2 ** 53 }],
  ['the last offset is the first', { lastOffset: 7 }],
  ['the last offset is negative', { lastOffset: -1 }],
  ['the log has three characters', { log: 'abc' }],
  ['the log is not clean', { log: 'a//log' }],
  ['the log begins with a slash', { log: '/a/log' }],
  ['the log has a space', { log: 'a log' }],
])('segment: refused with the field and its value (%s)', (_, change) => {
  const segment = { ...GOOD, ...change }
  const [field, value] = Object.entries(change)[0] as [string, unknown]
  expect(() => {
    validateSegment(segment)
  }).toThrow(expect.objectContaining({ code: 'SEGMENT_INVALID', data: { field, value, segment } }))
})

test('segment: an unknown end, and numbers up to 2^53 - 1, are valid', () => {
  validateSegment(GOOD)
  validateSegment({ ...GOOD, lastOffset: 0 })
  const max = Number.MAX_SAFE_INTEGER
  validateSegment({ ...GOOD, firstSeqNo: max, lastSeqNo: max, firstOffset: max - 1, lastOffset: max })
})

test('segment: more logs than are remembered are checked all the same', () => {
  for (let i = 0; i < 3000; i++) validateSegment({ ...GOOD, log: `logs/${String(i)}` })
  expect(() => {
    validateSegment({ ...GOOD, log: 'logs/?' })
  }).toThrow(/^SEGMENT_INVALID/)
})
