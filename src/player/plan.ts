/**
 * Which bytes a playback would read: told by the hints and the heads of their logs, without reading any.
 */
import { FSM } from '../fsm/index.ts'
import type { Segment } from '../wire/index.ts'
import { checkHeads, checkPoint, readHeads } from './log-heads.ts'
import type { LogEnd, PlaySource } from './play-options.ts'
import type { LogRange } from './skipped.ts'

/** What a playback would read. */
export interface Plan {
  /** In the order of reading. */
  readonly ranges: readonly LogRange[]
  /** The bytes of all of them. */
  readonly bytes: number
  /** The write head of each log that the hints name. */
  readonly heads: ReadonlyMap<string, number>
}

/**
 * Tells what a playback would read, to the head or to `at`, and appends and reads nothing for it. Throws what `play`
 * throws before it reads: `HINTS_INVALID` and its like, `NOT_FOUND`, `DATA_LOSS`, `INVALID`, and what the journals do.
 */
export async function planPlayback(
  options: PlaySource & { readonly at?: LogEnd; readonly signal?: AbortSignal },
): Promise<Plan> {
  const { hints, journals, at, signal } = options
  const segments = new FSM(hints).hintedSegments
  const names = { segments, lastLog: hints.log }
  const logs = await readHeads(names, journals, 'head', signal)
  checkHeads(segments, logs)
  if (at !== undefined) checkPoint(at, names, logs)
  const heads = new Map(Array.from(logs, ([log, { head }]) => [log, head.offset]))
  const ends = at === undefined ? heads : new Map(heads).set(at.log, at.end)
  const ranges = plannedRanges(segments, hints.log, ends)
  return { ranges, bytes: ranges.reduce((sum, { begin, end }) => sum + end - begin, 0), heads }
}

/**
 * The spans that playback reads, in its order. Where a segment's last offset is unknown they are what it reads at most:
 * up to the next segment of the log, or to the log's head.
 *
 * `segments` are the hinted ones in their order, each with its log; `lastLog` is played to its head.
 */
export function plannedRanges(
  segments: readonly Segment[],
  lastLog: string,
  heads: ReadonlyMap<string, number>,
): LogRange[] {
  const ranges: LogRange[] = []
  const headOf = (log: string): number => heads.get(log) ?? 0
  const read = (log: string, from: number, end: number): void => {
    const last = ranges.at(-1)
    // Reading goes on where it is, rather than back or ahead to where it has already come.
    if (last?.log === log && from <= last.end) {
      ranges[ranges.length - 1] = { log, begin: last.begin, end: Math.max(last.end, end) }
    } else {
      ranges.push({ log, begin: from, end })
    }
  }
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]
    const unknownEnd = next?.log === segment.log ? next.firstOffset : headOf(segment.log)
    read(segment.log, segment.firstOffset, segment.lastOffset || Math.max(segment.firstOffset, unknownEnd))
  }
  const last = ranges.at(-1)
  read(lastLog, last?.log === lastLog ? last.end : 0, headOf(lastLog))
  return ranges
}

/** How far through the planned spans playback has come, for a progress bar. */
export class PlanMeter {
  readonly #ranges: LogRange[]
  #index = 0
  /** The bytes of all spans before that at `#index`. */
  #before = 0
  bytesDone = 0
  bytesTotal = 0

  constructor(ranges: readonly LogRange[]) {
    this.#ranges = [...ranges]
    for (const range of ranges) this.bytesTotal += range.end - range.begin
  }

  /** Playback has come to `offset` of `log`. What it passed over counts as done. */
  at(log: string, offset: number): void {
    for (let i = this.#index, before = this.#before; i < this.#ranges.length; i++) {
      const range = this.#ranges[i] as LogRange
      if (holds(range, log, offset)) {
        this.#index = i
        this.#before = before
        this.bytesDone = before + offset - range.begin
        return
      }
      before += range.end - range.begin
    }
  }

  /** The log that is played to its head has grown. */
  head(offset: number): void {
    const last = this.#ranges.at(-1)
    if (last === undefined || offset <= last.end) return
    this.bytesTotal += offset - last.end
    this.#ranges[this.#ranges.length - 1] = { ...last, end: offset }
  }
}

/** A place at a span's very end still belongs to it: the next one is entered by reading in it. */
function holds(range: LogRange, log: string, offset: number): boolean {
  return range.log === log && offset >= range.begin && offset <= range.end
}
