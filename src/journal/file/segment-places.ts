/** Finding where an offset lies: in which epoch, in which segment file, at which group. */
import { lowerBound } from '../lower-bound.ts'
import type { Committed } from './committed-view.ts'
import { damageError } from './epoch-end.ts'
import type { Epochs } from './epochs.ts'
import { SEGMENT_HEADER_BYTES } from './format.ts'
import type { JournalFolder, SegmentName } from './journal-folder.ts'
import { openSegment } from './segment-file.ts'
import type { SegmentFile } from './segment-file.ts'
import type { GroupPlace } from './slab.ts'

/** Headers are read by themselves where contents are long, several at once where they are short. */
const SEEK_WINDOW_BYTES = 16 * 1024

/** An open segment and the group in it that holds the offset asked for, or one behind it. */
export interface FoundPlace {
  readonly segment: SegmentFile
  readonly place: GroupPlace
}

/** Up to where the groups of an epoch count. */
export function epochLimit(epochs: Epochs, epoch: number, committed: Committed): number {
  return epoch < committed.epoch ? Math.min(committed.offset, epochs.seal(epoch + 1).begin) : committed.offset
}

/** The epoch that holds an offset below the head. */
function epochOf(epochs: Epochs, offset: number, committed: Committed): number {
  return lowerBound(committed.epoch, (index) => epochs.seal(index + 1).begin > offset)
}

/** The segments that count, in order: what a replaced appender still began behind its seal does not. */
export function countingSegments(folder: JournalFolder, epochs: Epochs, committed: Committed): SegmentName[] {
  return folder
    .listSegments()
    .filter(({ epoch, begin }) => epoch <= committed.epoch && begin < epochLimit(epochs, epoch, committed))
}

/**
 * Opens the segment that holds `offset`, which lies below the head; or, where that was removed, the next one that is
 * left. Undefined when none is.
 */
export function findPlace(
  folder: JournalFolder,
  epochs: Epochs,
  committed: Committed,
  offset: number,
): FoundPlace | undefined {
  const epoch = epochOf(epochs, offset, committed)
  for (;;) {
    const names = countingSegments(folder, epochs, committed)
    const name = names.findLast((candidate) => candidate.epoch === epoch && candidate.begin <= offset)
    const next = names.find((candidate) => candidate.epoch >= epoch && candidate.begin > offset)
    const isLast = next === undefined || next.epoch > epoch
    const found =
      (name && placeIn(folder, name, offset, isLast ? epochLimit(epochs, epoch, committed) : next.begin)) ??
      (next && placeIn(folder, next, next.begin, Infinity))
    if (found !== 'gone') return found
  }
}

/** Undefined when the segment is full and ends at or before `offset`; 'gone' when it was removed since it was listed. */
function placeIn(
  folder: JournalFolder,
  name: SegmentName,
  offset: number,
  limit: number,
): FoundPlace | 'gone' | undefined {
  const segment = openSegment(folder, name)
  if (segment === undefined) return 'gone'
  try {
    const place = seek(folder, segment, offset, limit)
    if (place !== undefined) return { segment, place }
  } catch (error) {
    segment.close()
    throw error
  }
  segment.close()
  return undefined
}

function seek(
  folder: JournalFolder,
  segment: SegmentFile,
  offset: number,
  limit: number,
): GroupPlace | undefined {
  let position = SEGMENT_HEADER_BYTES
  let { begin } = segment.name
  for (;;) {
    const group = segment.groupAt(position, SEEK_WINDOW_BYTES)
    if (typeof group === 'object' && group.begin === begin) {
      if (group.isEnd) return undefined
      if (begin + group.contentBytes > offset) return { position, offset: begin }
      position += group.headBytes + group.contentBytes
      begin += group.contentBytes
      continue
    }
    // Damage before the place that is asked for: what lies behind it can still be read.
    const next = segment.findGroup(position + 1)
    if (next === undefined || next.group.begin > offset) {
      throw damageError(folder, offset, (next?.group.begin ?? limit) - offset)
    }
    position = next.position
    begin = next.group.begin
  }
}
