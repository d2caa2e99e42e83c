/**
 * What playback came upon in a log and did not play, and which of it may have held acknowledged operations
 * (recovery-log spec, sections 2, 7.5 and 7.6).
 */

/** A span `[begin, end)` of a log. */
export interface LogRange {
  readonly log: string
  readonly begin: number
  readonly end: number
}

/** Bytes between the last whole operation and a boundary between appends. Appends are atomic, so this is damage. */
export interface LeftOver extends LogRange {
  /** Later readers would take what follows for the rest of a frame: no hand-off is possible in this log. */
  readonly holdsMagic: boolean
}

/** Something behind the last hinted segment that may have held acknowledged operations. */
export type Missed =
  | ({ readonly kind: 'jump' | 'desync' } & LogRange)
  /** Operations of one author that did not fit, and all that lies between the first and the last of them. */
  | ({
      readonly kind: 'operations'
      readonly author: number
      readonly count: number
      readonly firstSeqNo: number
    } & LogRange)

/** Operations that were in the log and were not applied, of one author. */
interface Unapplied {
  readonly author: number
  readonly firstSeqNo: number
  readonly log: string
  readonly begin: number
  end: number
  count: number
}

/** Spans kept within the hints, and as many behind them: a log with more damage is told of by its first ones. */
export const RANGES_MAX = 10_000

export class Skipped {
  readonly jumps: LogRange[] = []
  readonly desyncs: LogRange[] = []
  /** Indices of `jumps` and `desyncs` from which on they lie behind the last hinted segment. */
  #jumpsHinted = 0
  #desyncsHinted = 0
  #hintsLeft = true
  /** By the author whose operation was applied last, or by anyone while nothing had been applied. */
  readonly #certain = new Map<number, Unapplied>()
  /** By others: missed when the fence turns out to be theirs. */
  readonly #ofOthers = new Map<number, Unapplied>()

  /** The hinted segments are used up: what is skipped from here on may be missed. */
  endHints(): void {
    if (!this.#hintsLeft) return
    this.#hintsLeft = false
    this.#jumpsHinted = this.jumps.length
    this.#desyncsHinted = this.desyncs.length
  }

  jump(range: LogRange): void {
    if (this.jumps.length < this.#jumpsHinted + RANGES_MAX) this.jumps.push(range)
  }

  /** Touching ones become one. Answers the span as a whole. */
  desync(range: LogRange): LogRange {
    const last = this.desyncs.at(-1)
    if (last?.log === range.log && last.end === range.begin && this.desyncs.length > this.#desyncsHinted) {
      const joined = { ...last, end: range.end }
      this.desyncs[this.desyncs.length - 1] = joined
      return joined
    }
    if (this.desyncs.length < this.#desyncsHinted + RANGES_MAX) this.desyncs.push(range)
    return range
  }

  /** An operation at or above the next sequence number was not applied. `lastAuthor` is 0 while nothing has been. */
  operation(author: number, lastAuthor: number, seqNo: number, range: LogRange): void {
    if (this.#hintsLeft) return
    const operations = lastAuthor === 0 || lastAuthor === author ? this.#certain : this.#ofOthers
    const known = operations.get(author)
    if (known === undefined) {
      operations.set(author, { author, firstSeqNo: seqNo, count: 1, ...range })
    } else {
      known.end = range.end
      known.count++
    }
  }

  /** What was missed, `holdsFence` telling the authors that the fence register names. */
  missed(holdsFence: (author: number) => boolean): Missed[] {
    if (this.#hintsLeft) return []
    return [
      ...this.jumps.slice(this.#jumpsHinted).map((range) => ({ kind: 'jump' as const, ...range })),
      ...this.desyncs.slice(this.#desyncsHinted).map((range) => ({ kind: 'desync' as const, ...range })),
      ...[...this.#certain.values()].map((found) => ({ kind: 'operations' as const, ...found })),
      ...[...this.#ofOthers.values()]
        .filter((found) => holdsFence(found.author))
        .map((found) => ({ kind: 'operations' as const, ...found })),
    ]
  }
}
