import { RecoveryLogError } from '../../errors/index.ts'
import type { Label } from '../journal.ts'
import { damageError, readHead, wholeEnd } from './epoch-end.ts'
import type { EpochEnd, Seal } from './epoch-end.ts'
import type { Epochs } from './epochs.ts'
import { SEGMENT_HEADER_BYTES } from './format.ts'
import type { HeadSlot } from './format.ts'
import type { JournalFolder } from './journal-folder.ts'
import { openSegment } from './segment-file.ts'

/** What nobody can take back any more. */
export interface Committed {
  /** The newest epoch, 0 when nothing was ever appended. */
  readonly epoch: number
  readonly offset: number
  readonly registers: () => readonly Label[]
  /** What is wrong at `offset`, when there should be more. */
  readonly damage: RecoveryLogError | undefined
}

/** How far the journal is committed, as anybody can see it who claims nothing. */
export class CommittedView {
  readonly #folder: JournalFolder
  readonly #epochs: Epochs
  readonly #boot: string
  /** The last scan, and of what: an appender of another boot adds nothing any more. */
  #scan: { readonly of: string; readonly end: EpochEnd } | undefined

  constructor(folder: JournalFolder, epochs: Epochs, boot: string) {
    this.#folder = folder
    this.#epochs = epochs
    this.#boot = boot
  }

  now(): Committed {
    this.#folder.assertThere()
    for (;;) {
      const epoch = this.#epochs.newest()
      if (epoch === 0) return { epoch, offset: 0, registers: () => [], damage: undefined }
      const committed = this.#inEpoch(epoch)
      // Whoever claims after this look finds all that the head named; whoever claimed before it has a seal.
      if (!this.#epochs.isReplaced(epoch)) return committed
    }
  }

  #inEpoch(epoch: number): Committed {
    let seal: Seal
    try {
      seal = this.#epochs.seal(epoch)
    } catch (error) {
      if (!RecoveryLogError.is(error, 'CORRUPT') || epoch === 1) throw error
      // The epoch before ends in damage. No seal can lie above it, so what lies below can still be read.
      return { epoch: epoch - 1, offset: Number(error.data['offset']), registers: () => [], damage: error }
    }
    let head = this.#headOf(epoch)
    if (head === undefined) {
      const { offset, registers, damage } = this.#scanned(seal)
      // An appender writes its head before all else: if it was at work while we scanned, the head is there by now.
      head = this.#headOf(epoch)
      if (head === undefined) return { epoch, offset, registers: () => registers, damage }
    }
    const named = head
    return { epoch, offset: named.synced, registers: () => this.#registersAt(seal, named), damage: undefined }
  }

  /** The head of an epoch, if it was written in this boot. */
  #headOf(epoch: number): HeadSlot | undefined {
    const head = readHead(this.#folder, epoch)
    return head?.boot === this.#boot ? head : undefined
  }

  /** The head is missing, torn or of another boot: whole groups count. */
  #scanned(seal: Seal): EpochEnd {
    const last = this.#folder.listSegments().findLast(({ epoch }) => epoch === seal.epoch)
    const stat = last && this.#folder.fs.statSync(this.#folder.segmentPath(last), { throwIfNoEntry: false })
    const of = [seal.epoch, last?.begin, stat?.size, stat?.mtimeMs].join()
    if (this.#scan?.of !== of) this.#scan = { of, end: wholeEnd(this.#folder, seal, this.#boot) }
    return this.#scan.end
  }

  #registersAt(seal: Seal, head: HeadSlot): readonly Label[] {
    if (head.groupPosition === 0) return seal.registers
    const segment = openSegment(this.#folder, { epoch: seal.epoch, begin: head.segmentBegin })
    try {
      const group = segment?.groupAt(head.groupPosition, SEGMENT_HEADER_BYTES)
      if (segment === undefined || typeof group !== 'object') {
        const { offset, damage } = wholeEnd(this.#folder, seal, this.#boot)
        throw damage ?? damageError(this.#folder, offset, 0)
      }
      return segment.registersAt(head.groupPosition, group)
    } finally {
      segment?.close()
    }
  }
}
