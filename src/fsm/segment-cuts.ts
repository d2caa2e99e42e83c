import type { RecordedOp } from '../wire/index.ts'
import { extentOf, NONE, placeOfExtent } from './fnode-table.ts'
import type { FnodeTable, Piece } from './fnode-table.ts'
import { LinkLedger } from './link-ledger.ts'

/** How far the end of a segment may be moved, step by step, before the gap behind it is given up. */
const STEPS_MAX = 64

/** An operation with which a piece ends. */
interface End {
  readonly seqNo: number
  readonly extent: number
}

const GIVEN_UP: End = { seqNo: Infinity, extent: 0 }

export interface CutOptions {
  /** A gap between two operations of a file is worth a cut from this many bytes of the log on. */
  readonly segmentGapBytesMin: number
  /** How many segments one file may have before gaps are closed again. */
  readonly segmentsPerFnodeMax: number
}

/**
 * Cuts the segments of a file where the log between two of its operations need not be kept for it (recovery-log spec,
 * section 9), so that Go's player, which has no rule against ghosts, still rebuilds the right tree.
 *
 * The invariant, of each live fnode f by itself: *when the create of another file lies in the segments of f, every later
 * link and unlink of that file, its last one too, lies in them as well, or after them.* And so for properties: with a
 * setting, the next one of the same path.
 *
 * It is enough: a create that the hints cover lies in the segments of some live f. If that file is dead and Go tracks
 * it, all that happened to its names is covered by the same f, or read after all segments; so it ends in playback as it
 * ended in truth, and never holds a path that was free. And it lasts: it speaks of f alone, so that other files that
 * live or die later do not disturb it, and each cut is decided against all that had happened.
 *
 * So a gap is cut only if no covered file changed its names in it. If some did, the segment is prolonged to behind the
 * last such change, which may cover further creates, and so on; what is left of the gap must still be worth it.
 *
 * It says nothing of gaps that are there because author or log changed: those are as in Go. It needs to have seen every
 * operation of a gap, by one author in one log; where that is not so, segments go on as in Go.
 */
export class SegmentCuts {
  readonly #fnodes: FnodeTable
  readonly #options: CutOptions
  readonly #ledger = new LinkLedger()
  /** The newest setting of each property. */
  readonly #settings = new Map<string, number>()
  /**
   * Of files that have been idle since the ledger forgot dead files: how far their last segment must be prolonged for
   * the sake of those; infinite when that was given up.
   */
  readonly #prolonged = new Map<number, End>()
  /** Since this number every operation has been seen, by one author in one log. */
  #seenFrom = Infinity

  constructor(fnodes: FnodeTable, options: CutOptions) {
    this.#fnodes = fnodes
    this.#options = options
  }

  /** From `seqNo` on every operation is seen, until the next break; `Infinity` while only segments of hints are read. */
  seenFrom(seqNo: number): void {
    this.#seenFrom = seqNo
  }

  /** A file was created, and is tracked. */
  created(seqNo: number): void {
    if (this.#ledger.isFull) this.#forgetTheDead()
    this.#ledger.create(seqNo)
  }

  /** A file was linked or unlinked. */
  relinked(fnode: number, op: RecordedOp): void {
    this.#ledger.change(fnode, op.seqNo, extentOf(op.firstOffset, op.lastOffset))
    if (this.#prolonged.size > 0 && this.#fnodes.find(fnode) === NONE) this.#prolonged.delete(fnode)
  }

  /** A property was set. */
  set(path: string, op: RecordedOp): void {
    const before = this.#settings.get(path)
    this.#settings.set(path, op.seqNo)
    if (before !== undefined) this.#ledger.change(before, op.seqNo, extentOf(op.firstOffset, op.lastOffset))
    this.created(op.seqNo)
  }

  /** Before `op` extends the last segment of a row: cuts it off, if the gap between is worth it and can be left out. */
  consider(row: number, op: RecordedOp): void {
    const gap = op.firstOffset - placeOfExtent(this.#fnodes.lastExtentOf(row))
    if (gap >= this.#options.segmentGapBytesMin && this.#fnodes.lastSeqNoOf(row) >= this.#seenFrom) {
      this.#cutBefore(row, op)
    }
    if (this.#prolonged.size > 0) this.#prolonged.delete(op.fnode)
  }

  #cutBefore(row: number, op: RecordedOp): void {
    const pieces = this.#fnodes.piecesOf(row)
    const end = this.#safeEnd(op.fnode, pieces)
    if (end.seqNo + 1 >= op.seqNo) return
    const bytes = op.firstOffset - placeOfExtent(end.extent)
    if (bytes < this.#options.segmentGapBytesMin) return
    if (pieces.length >= this.#options.segmentsPerFnodeMax) {
      const cheapest = this.#cheapestGap(pieces, bytes)
      if (cheapest === undefined) return
      this.#fnodes.closeGap(row, cheapest)
    }
    this.#fnodes.closeAt(row, end.seqNo, end.extent)
  }

  /** Where the last piece of a file must end at the least, so that a gap may follow; infinite when that is given up. */
  #safeEnd(fnode: number, pieces: readonly Piece[]): End {
    const last = pieces.at(-1) as Piece
    let end: End = this.#prolonged.get(fnode) ?? { seqNo: last.lastSeqNo, extent: last.lastExtent }
    let change = -1
    for (const { firstSeqNo, lastSeqNo } of pieces) {
      change = this.#newer(change, this.#ledger.newestChange(firstSeqNo, lastSeqNo))
    }
    for (let step = 0; step < STEPS_MAX; step++) {
      change = this.#newer(change, this.#ledger.newestChange(last.firstSeqNo, end.seqNo))
      const seqNo = this.#ledger.changeOf(change)
      if (seqNo <= end.seqNo) return end
      end = { seqNo, extent: this.#ledger.extentOf(change) }
    }
    return GIVEN_UP
  }

  #newer(a: number, b: number): number {
    return this.#ledger.changeOf(a) >= this.#ledger.changeOf(b) ? a : b
  }

  /** Behind which piece the cheapest gap lies that may be closed again for a new one of `bytes`; none if that is cheaper. */
  #cheapestGap(pieces: readonly Piece[], bytes: number): number | undefined {
    let cheapest: number | undefined
    let cheapestBytes = bytes
    for (const [index, piece] of pieces.entries()) {
      const next = pieces[index + 1]
      if (next === undefined) break
      const gapBytes = next.firstOffset - placeOfExtent(piece.lastExtent)
      if (gapBytes >= cheapestBytes || !this.#isClosable(piece, next)) continue
      cheapest = index
      cheapestBytes = gapBytes
    }
    return cheapest
  }

  /**
   * Whether the gap between two pieces may be closed. Its bytes must be there: behind a piece whose end is unknown
   * nothing is ever pruned. And closing it covers the creates in it: of those, none may have changed its names later
   * than within the second piece.
   */
  #isClosable(piece: Piece, next: Piece): boolean {
    const isSureToBeThere = piece.lastExtent < 0 && piece.source === next.source
    return isSureToBeThere && !piece.pinned && !this.#isChangedAfter(piece, next)
  }

  #isChangedAfter(piece: Piece, next: Piece): boolean {
    const change = this.#ledger.newestChange(piece.lastSeqNo + 1, next.firstSeqNo - 1)
    return this.#ledger.changeOf(change) > next.lastSeqNo
  }

  /** Makes room in the ledger. What the dead files mean for each live one is noted with that one. */
  #forgetTheDead(): void {
    for (const row of this.#fnodes.rows()) {
      const fnode = this.#fnodes.fnodeAt(row)
      const pieces = this.#fnodes.piecesOf(row)
      const end = this.#safeEnd(fnode, pieces)
      if (end.seqNo > this.#fnodes.lastSeqNoOf(row)) this.#prolonged.set(fnode, end)
      for (const [index, piece] of pieces.entries()) {
        const next = pieces[index + 1]
        if (next !== undefined) piece.pinned ||= this.#isChangedAfter(piece, next)
      }
    }
    const settings = new Set(this.#settings.values())
    this.#ledger.retain((create) => settings.has(create) || this.#fnodes.find(create) !== NONE)
  }
}
