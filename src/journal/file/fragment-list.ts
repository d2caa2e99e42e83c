import { RecoveryLogError } from '../../errors/index.ts'
import type { Fragment } from '../journal.ts'
import type { Committed } from './committed-view.ts'
import type { Epochs } from './epochs.ts'
import { GROUP_HEADER_BYTES } from './format.ts'
import type { JournalFolder, SegmentName } from './journal-folder.ts'
import { openSegment } from './segment-file.ts'
import { countingSegments, epochLimit } from './segment-places.ts'

/** A segment file as a unit of pruning. */
interface SegmentFragment extends Fragment {
  readonly name: SegmentName
}

/** The segment files of a journal as fragments, and their removal (J12). */
export class FragmentList {
  readonly #folder: JournalFolder
  readonly #epochs: Epochs
  /** Ends of full segments, by path: they change no more. */
  readonly #ends = new Map<string, number>()

  constructor(folder: JournalFolder, epochs: Epochs) {
    this.#folder = folder
    this.#epochs = epochs
  }

  list(committed: Committed): SegmentFragment[] {
    const names = countingSegments(this.#folder, this.#epochs, committed)
    return names.flatMap((name, index) => {
      const next = names[index + 1]
      const limit = next?.epoch === name.epoch ? next.begin : epochLimit(this.#epochs, name.epoch, committed)
      const end = this.#markedEnd(name, limit)
      return end === undefined ? [] : [{ begin: name.begin, end, name }]
    })
  }

  remove({ begin, end }: Fragment, committed: Committed): void {
    const list = this.list(committed)
    const stored = list.find((candidate) => candidate.begin < end && candidate.end > begin)
    if (stored === undefined) return // removed already
    if (stored.begin !== begin || stored.end !== end || end === committed.offset) {
      const why =
        end === committed.offset ? 'the fragment at the head stays' : 'not a fragment of this journal'
      const data = { journal: this.#folder.identity.name, begin, end, head: committed.offset }
      throw new RecoveryLogError('INVALID', why, data)
    }
    const { epoch } = stored.name
    this.#folder.removeFile(this.#folder.segmentPath(stored.name))
    const isEpochEmpty = list.every((other) => other === stored || other.name.epoch !== epoch)
    // An epoch that is over needs its head no more: its successor's seal says where it ends.
    if (isEpochEmpty && epoch < committed.epoch) this.#folder.removeFile(this.#folder.headPath(epoch))
    this.#folder.sync()
  }

  /** Where a segment ends: at its end mark, else at the limit. Undefined when it was removed since it was listed. */
  #markedEnd(name: SegmentName, limit: number): number | undefined {
    const path = this.#folder.segmentPath(name)
    const known = this.#ends.get(path)
    if (known !== undefined) return known
    const segment = openSegment(this.#folder, name)
    if (segment === undefined) return undefined
    try {
      const mark = segment.groupAt(Math.max(0, segment.size - GROUP_HEADER_BYTES), GROUP_HEADER_BYTES)
      if (typeof mark === 'string' || !mark.isEnd || mark.begin > limit) return limit
      this.#ends.set(path, mark.begin)
      return mark.begin
    } finally {
      segment.close()
    }
  }
}
