import type { Segment } from '../segments/index.ts'
import { hintedState, inLogOf } from './validate-hints.ts'
import type { FSMHints } from './hints.ts'

/** No number is one, so that a comparison with it never holds. */
const NONE = Number.NaN

/** A segment of `fnode` ends with operation `seqNo`, and whatever follows begins a new one. */
interface HintedCut {
  readonly seqNo: number
  readonly fnode: number
}

/**
 * What is left of the hints while a log is played: an ordered list of segments and an ordered list of fnodes
 * (recovery-log spec, section 3), and where the segments of an fnode are cut (section 9).
 */
export class HintedSequence {
  readonly #segments: readonly Segment[]
  readonly #fnodes: readonly number[]
  readonly #cuts: readonly HintedCut[]
  #segment = 0
  #fnode = 0
  #cut = 0
  /** The author of the first segment that is left, as int32. */
  author = 0
  /** Where the first segment that is left is used up; NaN when none is left. */
  lastSeqNo = NONE
  /** The first fnode that is left; NaN when none is. */
  nextFnode = NONE
  /** The operation before the first cut that is left; NaN when none is. */
  nextCut = NONE

  /** Throws `HINTS_INVALID`. */
  constructor(hints: FSMHints) {
    const { fnodes, segments } = hintedState(hints)
    this.#segments = [...segments]
    this.#fnodes = fnodes
    this.#cuts = cutsOf(hints)
    this.#announce()
  }

  /** Whether nothing is left. */
  get isUsedUp(): boolean {
    return !this.segmentsLeft && !this.fnodesLeft && this.#cut === this.#cuts.length
  }

  get segmentsLeft(): boolean {
    return this.#segment < this.#segments.length
  }

  get segments(): readonly Segment[] {
    return this.#segments.slice(this.#segment)
  }

  get firstSegment(): Segment | undefined {
    return this.#segments[this.#segment]
  }

  get fnodesLeft(): boolean {
    return this.#fnode < this.#fnodes.length
  }

  get fnodes(): readonly number[] {
    return this.#fnodes.slice(this.#fnode)
  }

  /** The first fnode leaves the list. */
  useFnode(): void {
    this.#fnode++
    this.#announce()
  }

  /** The first segment leaves the list. Answers the one that follows. */
  useSegment(): Segment | undefined {
    this.#segment++
    this.#announce()
    return this.firstSegment
  }

  /** The first cut that is left leaves the list. Answers the fnode that is cut. */
  useCut(): number {
    const { fnode } = this.#cuts[this.#cut++] as HintedCut
    this.#announce()
    return fnode
  }

  #announce(): void {
    const segment = this.firstSegment
    this.author = (segment?.author ?? 0) | 0
    this.lastSeqNo = segment?.lastSeqNo ?? NONE
    this.nextFnode = this.#fnodes[this.#fnode] ?? NONE
    this.nextCut = this.#cuts[this.#cut]?.seqNo ?? NONE
  }
}

/** A cut is where two segments of one fnode follow each other that have one author and one log, and do not touch. */
function cutsOf(hints: FSMHints): HintedCut[] {
  const cuts: HintedCut[] = []
  for (const { fnode, segments } of hints.liveNodes) {
    if (segments.length < 2) continue
    const sorted = segments
      .map((segment) => inLogOf(hints, segment))
      .sort((a, b) => a.firstSeqNo - b.firstSeqNo)
    sorted.reduce((before, segment) => {
      const isCut =
        before.author === segment.author &&
        before.log === segment.log &&
        before.lastSeqNo + 1 < segment.firstSeqNo
      if (isCut) cuts.push({ seqNo: before.lastSeqNo, fnode })
      return segment
    })
  }
  return cuts.sort((a, b) => a.seqNo - b.seqNo)
}
