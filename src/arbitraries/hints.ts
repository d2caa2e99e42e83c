import fc from 'fast-check'
import type { FSMHints, Segment } from '../wire/index.ts'
import { int64s, uint32s } from './numbers.ts'
import { texts } from './texts.ts'

/** Hints of any shape: whatever can be written, most of it no hints of any log. */
export function hintsOfAnyShape(): fc.Arbitrary<FSMHints> {
  const segment: fc.Arbitrary<Segment> = fc.record({
    author: uint32s(),
    firstSeqNo: int64s(),
    firstOffset: int64s(),
    firstChecksum: uint32s(),
    lastSeqNo: int64s(),
    lastOffset: int64s(),
    log: fc.oneof(fc.constant(''), texts()),
  })
  const node = fc.record({ fnode: int64s(), segments: fc.array(segment, { maxLength: 4 }) })
  const property = fc.record({ path: texts(), content: texts() })
  return fc.record({
    log: texts(),
    liveNodes: fc.array(node, { maxLength: 5 }),
    properties: fc.array(property, { maxLength: 3 }),
  })
}

/** Hints in whatever spelling, and the hints that are to be read from it. */
export interface OddHints {
  readonly bytes: Uint8Array
  readonly hints: FSMHints
}
