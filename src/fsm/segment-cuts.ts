import type { RecordedOp } from '../wire/index.ts'
import { extentOf, NONE, placeOfExtent } from './fnode-table.ts'
import type { FnodeTable, Piece } from './fnode-table.ts'
import { LinkLedger } from './link-ledger.ts'
import type { Lives } from './link-ledger.ts'
import { lowerBound } from './lower-bound.ts'

/** How many steps of `#selfContained` are exact, before the answer may be a later end than is needed. */
const EXACT_STEPS_MAX = 16

export interface CutOptions {
  /** A gap between two operations of a file is worth a cut from this many bytes of the log on. */
  readonly segmentGapBytesMin: number
  /** How many segments one file may have before gaps are closed again. */
  readonly segmentsPerFnodeMax: number
  /** Nothing is ever pruned inside gaps, so any of them may be closed again. */
  readonly goReadable: boolean
}

/** Where author or log change, or where the segments of the hints end. */
interface Border {
  readonly seqNo: number
  /** Of forgotten files whose lives cross it: at or above the highest of them. */
  crossedBy: number
}

/** An operation with which a piece ends. */
interface End {
  readonly seqNo: number
  readonly extent: number
}

/** Of a setting that nobody has seen here: it lies before all that was. */
const LEFT_OUT: End = { seqNo: 0, extent: 0 }

/** All settings of one property that were seen. */
interface Settings {
  readonly earlier: readonly number[]
  readonly newest: End
}

/**
 * Cuts the segments of a file where the log between two of its operations need not be kept for it (recovery-log spec,
 * section 9), so that Go's player, which has no rule against ghosts, still rebuilds the right tree.
 *
 * A cut is made while operations are applied, by the size of the gap alone. When hints are built, the segments of each
 * live file f are prolonged, over its gaps if need be, until they are *self-contained: when they cover the create of a
 * file above the last live one, they cover all that happened to its names up to now*. Then no ghost can arise:
 *
 * - A dead file below the last live one is not tracked by a player that has hinted fnodes left.
 * - A dead file above it whose create is covered is covered by some f, hence with its whole life: it ends in playback as
 *   it ended in truth, and never holds a path that was free.
 * - So the links of a player are at each moment some of the true ones, and no link or create that succeeded in truth
 *   can fail. What follows behind all segments is read whole.
 *
 * It is decided anew for each set of hints, because the last live file may have ended since: files are prolonged further
 * then. What is prolonged is still there: either its end is unknown, and behind such a segment nothing is pruned; or it
 * has never been handed out as a gap; or nobody prunes inside gaps (`goReadable`). Where none of that holds, gaps stay
 * as they are: our own player needs none of this.
 *
 * Within one run of operations of one author in one log this can always be done. When a file above the last live one
 * lived across the border of two runs, no segment can hold its life, and all is as in Go for as long.
 */
export class SegmentCuts {
  readonly #fnodes: FnodeTable
  readonly #options: CutOptions
  readonly #ledger = new LinkLedger()
  readonly #settings = new Map<string, Settings>()
  readonly #borders: Border[] = []
  /**
   * By the first number of a piece: how far it must reach for the sake of files that the ledger has forgotten, unless
   * the last live file is at or above that.
   */
  #forgotten = new Map<number, End>()
  /** Since this number every operation has been seen, by one author in one log. */
  #seenFrom = Infinity
  #hasCuts = false
  /** Gaps behind known ends may have been pruned. */
  #areGapsHandedOut: boolean

  constructor(fnodes: FnodeTable, options: CutOptions, madeFromSegments: boolean) {
    this.#fnodes = fnodes
    this.#options = options
    this.#areGapsHandedOut = madeFromSegments && !options.goReadable
  }

  /**
   * With `seqNo` another author or another log begins, or the segments of hints end. Until then, only what they cover is
   * seen (`isHinted`), and nothing can be said of a gap.
   */
  beginRun(seqNo: number, isHinted: boolean): void {
    this.#seenFrom = isHinted ? Infinity : seqNo
    this.#borders.push({ seqNo, crossedBy: 0 })
  }

  /** A file was created, and is tracked. */
  created(seqNo: number): void {
    if (this.#ledger.isFull) this.#forgetTheDead()
    this.#ledger.create(seqNo)
  }

  /** A file was linked or unlinked. */
  relinked(fnode: number, op: RecordedOp): void {
    this.#ledger.change(fnode, op.seqNo, extentOf(op.firstOffset, op.lastOffset))
  }

  /** The hints carry a property: it was set by an operation that they may leave out. */
  inherit(path: string): void {
    this.#settings.set(path, { earlier: [], newest: LEFT_OUT })
  }

  /** A property was set. */
  set(path: string, op: RecordedOp): void {
    const newest = { seqNo: op.seqNo, extent: extentOf(op.firstOffset, op.lastOffset) }
    const settings = this.#settings.get(path)
    // Hints that hold one of its settings hold the newest.
    const isHeld = settings?.newest === LEFT_OUT && this.#seenFrom === Infinity
    if (settings === undefined || isHeld) this.#settings.set(path, { earlier: [], newest })
    else this.#settings.set(path, { earlier: [...settings.earlier, settings.newest.seqNo], newest })
  }

  /** The segments of a file are cut because the hints had them cut. */
  hasCuts(): void {
    this.#hasCuts = true
  }

  /** Before `op` extends the last segment of a row: cuts that off, if the gap between is worth it. */
  consider(row: number, op: RecordedOp): void {
    const lastExtent = this.#fnodes.lastExtentOf(row)
    const lastSeqNo = this.#fnodes.lastSeqNoOf(row)
    const bytes = op.firstOffset - placeOfExtent(lastExtent)
    if (
      bytes < this.#options.segmentGapBytesMin ||
      lastSeqNo < this.#seenFrom ||
      lastSeqNo + 1 === op.seqNo
    ) {
      return
    }
    const pieces = this.#fnodes.piecesOf(row)
    if (pieces.length >= this.#options.segmentsPerFnodeMax && !this.#closeCheapest(row, pieces, bytes)) return
    this.#hasCuts = true
    this.#fnodes.closeAt(row, lastSeqNo, lastExtent)
  }

  /** Closes the cheapest gap of a file for good, unless a new one, of `bytes`, is cheaper still. */
  #closeCheapest(row: number, pieces: readonly Piece[], bytes: number): boolean {
    let cheapest = NONE
    let cheapestBytes = bytes
    pairs(pieces).forEach(([piece, next], index) => {
      const gapBytes = next.firstOffset - placeOfExtent(piece.lastExtent)
      const isClosable = piece.source === next.source && this.#isThere(piece) && !piece.pinned
      if (gapBytes >= cheapestBytes || !isClosable || this.#isChangedBehind(piece, next)) return
      cheapest = index
      cheapestBytes = gapBytes
    })
    const piece = pieces[cheapest]
    const next = pieces[cheapest + 1]
    if (piece === undefined || next === undefined) return false
    this.#fnodes.closeGap(row, cheapest)
    const end = this.#forgotten.get(next.firstSeqNo)
    if (end !== undefined) this.#forgotten.set(piece.firstSeqNo, end)
    return true
  }

  /** Whether the log behind a piece is sure not to have been pruned. */
  #isThere(piece: Piece): boolean {
    return piece.lastExtent < 0 || !this.#areGapsHandedOut
  }

  /** Whether a file that was created in the gap between two pieces changed its names behind the second one. */
  #isChangedBehind(piece: Piece, next: Piece): boolean {
    const change = this.#ledger.newestChange(piece.lastSeqNo + 1, next.firstSeqNo - 1)
    return this.#ledger.changeOf(change) > next.lastSeqNo
  }

  /**
   * Makes room in the ledger, by noting with each live file what the dead ones mean for it. Costs a look at each live
   * file for at least as many creates as there are live files.
   */
  #forgetTheDead(): void {
    const forgotten = new Map<number, End>()
    const lives = this.#ledger.livesAbove(0)
    for (const row of this.#fnodes.rows()) {
      const pieces = this.#fnodes.piecesOf(row)
      for (const piece of pieces) {
        const end = this.#endOf(piece, 0, lives)
        const border = this.#borders.find(({ seqNo }) => piece.lastSeqNo < seqNo && seqNo <= end.seqNo)
        if (border !== undefined) border.crossedBy = Math.max(border.crossedBy, end.seqNo)
        else if (end.seqNo > piece.lastSeqNo) forgotten.set(piece.firstSeqNo, end)
      }
      for (const [piece, next] of pairs(pieces)) piece.pinned ||= this.#isChangedBehind(piece, next)
    }
    this.#forgotten = forgotten
    this.#ledger.retain((create) => this.#fnodes.find(create) !== NONE)
  }

  /** Answers what makes the pieces of a row into those that hints of this moment hold. Changes nothing. */
  forHints(): (row: number) => Piece[] {
    const asTheyAre = (row: number): Piece[] => this.#fnodes.piecesOf(row)
    if (!this.#hasCuts) return asTheyAre
    const lastLive = this.#fnodes.fnodes().at(-1) ?? 0
    if (this.#borders.some((border) => this.#isCrossed(border, lastLive))) {
      return (row) => this.#joined(asTheyAre(row))
    }
    const lives = this.#ledger.livesAbove(lastLive)
    return (row) => this.#selfContained(asTheyAre(row), lastLive, lives)
  }

  /** Hints have been given away: whoever has them may prune gaps behind known ends. */
  handOut(): void {
    this.#areGapsHandedOut = !this.#options.goReadable
  }

  /** Whether a file above the last live one, or a property, lived across a border. */
  #isCrossed({ seqNo, crossedBy }: Border, lastLive: number): boolean {
    const change = this.#ledger.newestChange(lastLive + 1, seqNo - 1)
    if (crossedBy > lastLive || this.#ledger.changeOf(change) >= seqNo) return true
    for (const { earlier, newest } of this.#settings.values()) {
      if (newest.seqNo >= seqNo && earlier.some((setting) => setting < seqNo)) return true
    }
    return false
  }

  /** As in Go: every gap within one run is closed, as far as it is sure to be there. */
  #joined(pieces: readonly Piece[]): Piece[] {
    const result: Piece[] = []
    for (const next of pieces) {
      const before = result.at(-1)
      const isOne = before?.source === next.source && this.#isThere(before)
      result.push(isOne ? merged(result.pop() as Piece, next) : next)
    }
    return result
  }

  /** The pieces of a file, prolonged until they hold each life above `lastLive` of which they hold the create. */
  #selfContained(pieces: readonly Piece[], lastLive: number, lives: Lives): Piece[] {
    const result: Piece[] = []
    for (const next of pieces) {
      let piece = this.#prolonged(next, lastLive, lives)
      const before = result.at(-1)
      if (before?.source === piece.source && before.lastSeqNo + 1 >= piece.firstSeqNo) {
        piece = this.#prolonged(merged(result.pop() as Piece, piece), lastLive, lives)
      }
      result.push(piece)
    }
    return result
  }

  #prolonged(piece: Piece, lastLive: number, lives: Lives): Piece {
    if (!this.#isThere(piece)) return piece
    const { seqNo, extent } = this.#endOf(piece, lastLive, lives)
    return { ...piece, lastSeqNo: seqNo, lastExtent: extent }
  }

  /** Where a piece must end to hold the lives above `lastLive` whose creates it holds. */
  #endOf(piece: Piece, lastLive: number, lives: Lives): End {
    let end: End = { seqNo: piece.lastSeqNo, extent: piece.lastExtent }
    const forgotten = this.#forgotten.get(piece.firstSeqNo)
    if (forgotten !== undefined && forgotten.seqNo > Math.max(end.seqNo, lastLive)) end = forgotten
    for (let step = 0; ; step++) {
      const later = this.#laterEnd(piece.firstSeqNo, end, lastLive)
      if (later === undefined) return end
      end = step < EXACT_STEPS_MAX ? later : lives.endOf(later)
    }
  }

  /** The newest of what happened after `end` to what was created from `first` up to `end`. */
  #laterEnd(first: number, end: End, lastLive: number): End | undefined {
    const change = this.#ledger.newestChange(Math.max(first, lastLive + 1), end.seqNo)
    const seqNo = this.#ledger.changeOf(change)
    if (seqNo > end.seqNo) return { seqNo, extent: this.#ledger.extentOf(change) }
    for (const { earlier, newest } of this.#settings.values()) {
      const setting = earlier[lowerBound(earlier, earlier.length, first)]
      if (setting !== undefined && setting <= end.seqNo && newest.seqNo > end.seqNo) return newest
    }
    return undefined
  }
}

function merged(piece: Piece, next: Piece): Piece {
  const { lastSeqNo, lastExtent } = next.lastSeqNo > piece.lastSeqNo ? next : piece
  return { ...piece, lastSeqNo, lastExtent }
}

/** Each piece with the one that follows. */
function pairs(pieces: readonly Piece[]): [Piece, Piece][] {
  return pieces.slice(1).map((next, index) => [pieces[index] as Piece, next])
}
