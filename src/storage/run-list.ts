/** Entries without a gap that were stored in one batch. */
export interface Run<Batch> {
  /** The stream index of the first. */
  readonly from: number
  readonly count: number
  readonly batch: Batch
  /** Which entry of the batch the first one is. */
  readonly first: number
}

/** Indexes from `from` on, `count` of them. */
export interface Span {
  readonly from: number
  readonly count: number
}

/**
 * What is there of one stream: runs in the order of their indexes, none of which overlap. Of an index that comes twice
 * the first copy stays (adapters spec, S1). Its memory grows with the number of runs, not of entries.
 */
export class RunList<Batch> {
  readonly #runs: Run<Batch>[] = []

  /** How many runs there are. */
  get size(): number {
    return this.#runs.length
  }

  get last(): Run<Batch> | undefined {
    return this.#runs[this.#runs.length - 1]
  }

  [Symbol.iterator](): IterableIterator<Run<Batch>> {
    return this.#runs.values()
  }

  /** The runs that reach past `from`, the first `max` of them. */
  after(from: number, max: number): readonly Run<Batch>[] {
    const position = this.#seek(from)
    return this.#runs.slice(position, position + max)
  }

  /** The part of `span` that is there, as runs. */
  existing({ from, count }: Span): Run<Batch>[] {
    const end = from + count
    const found: Run<Batch>[] = []
    for (let position = this.#seek(from); position < this.#runs.length; position++) {
      const run = this.#runs[position] as Run<Batch>
      if (run.from >= end) break
      found.push(cut(run, from, end))
    }
    return found
  }

  /** The parts of `span` that are not there. */
  missing(span: Span): Span[] {
    const end = span.from + span.count
    const found: Span[] = []
    let from = span.from
    for (const run of this.existing(span)) {
      if (run.from > from) found.push({ from, count: run.from - from })
      from = run.from + run.count
    }
    if (from < end) found.push({ from, count: end - from })
    return found
  }

  /** Adds a run behind all others. */
  push(run: Run<Batch>): void {
    this.#runs.push(run)
  }

  /** Adds those entries of `batch`, whose first has the index `from`, that are not there; answers the runs of them. */
  add(from: number, count: number, batch: Batch): readonly Run<Batch>[] {
    const { last } = this
    if (last === undefined || last.from + last.count <= from) {
      const run = { from, count, batch, first: 0 }
      this.#runs.push(run)
      return [run]
    }
    const added = this.missing({ from, count }).map((span) => ({ ...span, batch, first: span.from - from }))
    for (const run of added) this.#runs.splice(this.#seek(run.from), 0, run)
    return added
  }

  /** The position of the first run that reaches past `index`. */
  #seek(index: number): number {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { from, count } = this.#runs[middle] as Run<Batch>
      if (from + count <= index) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** What of `run` lies in `[from, end)`. */
export function cut<Batch>(run: Run<Batch>, from: number, end: number): Run<Batch> {
  const begin = Math.max(run.from, from)
  const count = Math.min(run.from + run.count, end) - begin
  return count === run.count
    ? run
    : { from: begin, count, batch: run.batch, first: run.first + begin - run.from }
}
