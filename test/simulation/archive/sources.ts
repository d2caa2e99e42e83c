import { encodeDescriptor, encodeLogEntry, packBundle, StreamType } from '../../../src/wire/logdog/index.ts'
import type { BundleEntry, LogStreamDescriptor } from '../../../src/wire/logdog/index.ts'
import { entryAt } from '../../archive/archive-fixture.ts'
import type { Dice } from './steps.ts'

/** One bundle of one stream, as it lies on the transport. */
export interface Message {
  readonly source: Source
  readonly from: number
  readonly entries: readonly Uint8Array[]
  readonly terminalIndex: number
  readonly bytes: Uint8Array
  /** So often it will be delivered again, although it was taken. */
  repeats: number
}

const ENTRIES_MAX = 10

/** One stream, what its writer sends of it, and what it has been told is stored. */
export class Source {
  readonly project: string
  readonly path: string
  /** -1: its writer dies without a word. */
  readonly terminalIndex: number
  readonly descriptor: Uint8Array
  /** On the transport: what is lost for good is not there. */
  readonly messages: Message[] = []
  /** Indexes that never come. */
  readonly lost: number[] = []
  /** All versions of each entry that were ever sent. */
  readonly sent = new Map<number, Set<string>>()
  /** What was acknowledged, by index. */
  readonly acknowledged = new Map<number, string>()
  /** Somebody has put values into storage that are no entries of the stream. */
  readonly damaged: number[] = []
  /** Somebody has asked for its removal, or been told that it will be removed. */
  purge: 'none' | 'asked' | 'answered' = 'none'
  /** Somebody has asked for its release from quarantine, without its damaged values. */
  isReleased = false
  /** Its staged files were damaged on their disk. */
  isRotten = false
  /** In quarantine it stays. */
  readonly isLeftQuarantined: boolean

  constructor(dice: Dice, project: string, prefix: string, name: string, secret: Uint8Array) {
    this.project = project
    this.path = `${prefix}/+/${name}`
    this.isLeftQuarantined = dice.chance(0.3)
    const count = 1 + dice.below(ENTRIES_MAX)
    this.terminalIndex = dice.chance(0.75) ? count - 1 : -1
    const descriptor: LogStreamDescriptor = {
      prefix,
      name,
      streamType: StreamType.text,
      contentType: 'text/plain; charset=utf-8',
      timestamp: { seconds: 1_700_000_000, nanos: 0 },
      tags: new Map(),
      binaryFileExt: 'txt',
    }
    this.descriptor = encodeDescriptor(descriptor)
    const bundle = (from: number, entries: readonly Uint8Array[], isTerminal: boolean): void => {
      const terminalIndex = isTerminal ? this.terminalIndex : -1
      const terminal = terminalIndex >= 0
      const entry: BundleEntry = {
        desc: descriptor,
        deprecatedEntrySecret: new Uint8Array(),
        terminal,
        terminalIndex: terminal ? terminalIndex : 0,
        logs: entries,
      }
      const bytes = packBundle({ deprecatedSource: '', project, prefix, secret, entries: [entry] })
      this.messages.push({ source: this, from, entries, terminalIndex, bytes, repeats: dice.below(2) })
      entries.forEach((encoded, i) => {
        const versions = this.sent.get(from + i) ?? new Set()
        this.sent.set(from + i, versions.add(hex(encoded)))
      })
    }
    const isEndAlone = dice.chance(0.4)
    for (let from = 0; from < count;) {
      const length = Math.min(1 + dice.below(3), count - from)
      const entries = Array.from({ length }, (_, i) => encodeLogEntry(entryAt(from + i, textOf(dice))))
      const isLast = from + length === count
      if (dice.chance(0.1) && !isLast) this.lost.push(...entries.map((__, i) => from + i))
      else bundle(from, entries, isLast && !isEndAlone)
      // Somebody sends another line for the same index: whichever comes first stays.
      if (dice.chance(0.04)) bundle(from, [encodeLogEntry(entryAt(from, 'another line'))], false)
      from += length
    }
    if (isEndAlone && this.terminalIndex >= 0) bundle(0, [], true)
  }

  get name(): { readonly project: string; readonly path: string } {
    return { project: this.project, path: this.path }
  }

  /** What a collector answers for. */
  acknowledge({ from, entries }: Message): void {
    entries.forEach((entry, i) => {
      const known = this.acknowledged.get(from + i)
      if (known !== undefined && known !== hex(entry)) {
        throw new Error(`${this.path}: two versions of entry ${from + i} are acknowledged`)
      }
      this.acknowledged.set(from + i, hex(entry))
    })
  }
}

function textOf(dice: Dice): string {
  return 'line '.repeat(1 + dice.below(8))
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
