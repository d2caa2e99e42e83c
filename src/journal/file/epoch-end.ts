/** How far an epoch goes: by its head file, or by its whole groups. */
import { RecoveryLogError } from '../../errors/index.ts'
import { readSmallFile } from '../../parts/index.ts'
import type { Label } from '../journal.ts'
import { decodeHead, SEGMENT_HEADER_BYTES } from './format.ts'
import type { HeadSlot } from './format.ts'
import type { JournalFolder } from './journal-folder.ts'
import { openSegment } from './segment-file.ts'
import type { SegmentFile, SegmentScan } from './segment-file.ts'

/** Where an epoch begins: what its seal says. */
export interface Seal {
  readonly epoch: number
  readonly begin: number
  readonly registers: readonly Label[]
}

/** Bytes of an append that was never whole, and never acknowledged. */
export interface TornTail {
  readonly offset: number
  /** Without the zeros at its end, which cannot be told from those that are written ahead. */
  readonly bytes: number
}

export interface EpochEnd {
  readonly offset: number
  readonly registers: readonly Label[]
  readonly torn: TornTail | undefined
  /** `CORRUPT`, when what should lie at `offset` was whole once. */
  readonly damage: RecoveryLogError | undefined
}

/** A head that is being written when we look is whole a moment later. */
const HEAD_LOOKS_MAX = 5

/** What the head file of an epoch says; undefined when it is missing or torn. */
export function readHead(folder: JournalFolder, epoch: number): HeadSlot | undefined {
  for (let look = 0; look < HEAD_LOOKS_MAX; look++) {
    const bytes = readSmallFile(folder.fs, folder.headPath(epoch))
    if (bytes === undefined) return undefined
    const head = decodeHead(bytes)
    if (head !== undefined) return head
  }
  return undefined
}

/**
 * How far the whole groups of an epoch go, and makes them durable. What is not whole behind them is torn, unless it is
 * known to have been whole: then it is damage.
 */
export function wholeEnd(folder: JournalFolder, seal: Seal, boot: string): EpochEnd {
  // The head first: what it names was in the segments before it was written, so the scan must come by it.
  const head = readHead(folder, seal.epoch)
  const isThisBoot = head?.boot === boot
  const end = scanBack(folder, seal, isThisBoot ? head : undefined)
  // Another boot's head says nothing about the end, but on the disk it never names what had not been synced.
  const synced = head !== undefined && (isThisBoot || folder.isDisk) ? head.synced : seal.begin
  if (end.damage !== undefined || end.offset >= synced) return end
  return { ...end, damage: damageError(folder, end.offset, synced - end.offset) }
}

export function damageError(folder: JournalFolder, offset: number, length: number): RecoveryLogError {
  const data = { journal: folder.identity.name, offset, length, dir: folder.dir }
  return new RecoveryLogError('CORRUPT', 'stored bytes of the journal are damaged', data)
}

/**
 * From the last segment backwards to the first group that is found. Usually that is in the last segment; it has none
 * yet when its appender died right after making it.
 */
function scanBack(folder: JournalFolder, seal: Seal, head: HeadSlot | undefined): EpochEnd {
  const names = folder.listSegments().filter(({ epoch }) => epoch === seal.epoch)
  let torn: TornTail | undefined
  let nextBegin: number | undefined
  for (const name of names.reverse()) {
    const segment = openSegment(folder, name)
    if (segment === undefined) continue // removed since it was listed
    try {
      const found = scanSegment(folder, segment, head, nextBegin)
      torn ??= found.torn
      if (found.end !== undefined) return { ...found.end, torn, damage: found.damage }
      nextBegin = name.begin
    } finally {
      segment.close()
    }
  }
  const offset = nextBegin ?? seal.begin
  const damage = offset === seal.begin ? undefined : damageError(folder, seal.begin, offset - seal.begin)
  return { offset: seal.begin, registers: seal.registers, torn, damage }
}

interface SegmentEnd {
  /** Undefined when there is no whole group in it. */
  readonly end: { readonly offset: number; readonly registers: readonly Label[] } | undefined
  readonly torn: TornTail | undefined
  readonly damage: RecoveryLogError | undefined
}

function scanSegment(
  folder: JournalFolder,
  segment: SegmentFile,
  head: HeadSlot | undefined,
  nextBegin: number | undefined,
): SegmentEnd {
  if (folder.isDisk) folder.fs.fdatasyncSync(segment.fd)
  const scan = scanFromHead(segment, head) ?? segment.scan(SEGMENT_HEADER_BYTES, segment.name.begin)
  const registers = scan.last && segment.registersAt(scan.last.position, scan.last.group)
  const end = registers && { offset: scan.offset, registers }
  const torn = scan.tornBytes > 0 ? { offset: scan.offset, bytes: scan.tornBytes } : undefined
  const wholeUntil = nextBegin ?? syncedBehind(segment, scan.position)
  if (wholeUntil === undefined || wholeUntil <= scan.offset) return { end, torn, damage: undefined }
  const damage = damageError(folder, scan.offset, wholeUntil - scan.offset)
  return { end: end ?? { offset: scan.offset, registers: [] }, torn: undefined, damage }
}

/** The head of this boot saves walking through the whole segment: its last group is where to go on from. */
function scanFromHead(segment: SegmentFile, head: HeadSlot | undefined): SegmentScan | undefined {
  if (head === undefined || head.groupPosition === 0 || head.segmentBegin !== segment.name.begin) {
    return undefined
  }
  const group = segment.groupAt(head.groupPosition, SEGMENT_HEADER_BYTES)
  const scan = typeof group === 'object' ? segment.scan(head.groupPosition, group.begin) : undefined
  return scan?.last && scan
}

/** What a later group says had been synced when it was written: up to there all was whole once. */
function syncedBehind(segment: SegmentFile, position: number): number | undefined {
  let synced: number | undefined
  for (let from = position; ;) {
    const found = segment.findGroup(from)
    if (found === undefined) return synced
    synced = Math.max(synced ?? 0, found.group.synced)
    from = found.position + found.group.headBytes + found.group.contentBytes
  }
}
