import type { History, HistoryLog } from '../../src/arbitraries/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { FSM } from '../../src/fsm/index.ts'
import type { Outcome } from '../../src/fsm/index.ts'
import { crc32c, decodeRecordedOp, FrameScanner, OpKind, RecordedOp } from '../../src/wire/index.ts'
import type { FSMHints } from '../../src/wire/index.ts'

/** What a reader comes upon: the outcome of an operation, or what is wrong with the bytes. */
export type Found = Outcome | 'CORRUPT' | 'SKIPPED' | 'CONTENT_MISMATCH' | 'CUT'

/** A player as the spec tells it, without journals and disks: it reads every byte of every log. */
export class PurePlayer {
  readonly fsm: FSM
  readonly found: Found[] = []
  readonly #contents = new Map<number, Uint8Array>()

  constructor(hints: FSMHints) {
    this.fsm = new FSM(hints)
  }

  /** From the beginning, as if there were no hints. */
  static ofWhole(history: History): PurePlayer {
    const log = history.logs[0]?.name ?? ''
    return new PurePlayer({ log, liveNodes: [], properties: [] }).playAll(history)
  }

  playAll(history: History): this {
    for (const log of history.logs) this.play(log)
    return this
  }

  /** Plays to the end, or to what is no message. */
  play(log: HistoryLog): void {
    try {
      this.#play(log)
    } catch (error) {
      if (!RecoveryLogError.is(error, 'CORRUPT')) throw error
      this.found.push('CORRUPT')
    }
  }

  #play({ name, bytes }: HistoryLog): void {
    const scanner = new FrameScanner()
    const op = new RecordedOp()
    let at = 0
    while (scanner.scan(bytes, at, bytes.length, at)) {
      if (scanner.skipped > 0) this.found.push('SKIPPED')
      decodeRecordedOp(bytes, scanner.messageBegin, scanner.messageEnd, op)
      const content = bytes.subarray(scanner.messageEnd, scanner.messageEnd + op.length)
      at = scanner.messageEnd + op.length
      op.firstOffset = scanner.frameBegin
      op.lastOffset = at
      op.log = name
      if (at > bytes.length) {
        this.found.push('CUT')
        return
      }
      const outcome = this.fsm.apply(op, bytes, scanner.messageBegin, scanner.messageEnd)
      const isWhole = !op.hasContentChecksum || crc32c(0, content) === op.contentChecksum
      this.found.push(isWhole ? outcome : 'CONTENT_MISMATCH')
      if (outcome === 'OK' && isWhole) this.#do(op, content)
    }
    if (scanner.finish(bytes, scanner.frameBegin, bytes.length) > 0) this.found.push('SKIPPED')
  }

  /** Path to content, in order of paths. */
  get tree(): [string, Uint8Array][] {
    const files = Array.from(this.fsm.links(), ({ path, fnode }): [string, Uint8Array] => {
      return [path, this.#contents.get(fnode) as Uint8Array]
    })
    return files.sort(([a], [b]) => (a < b ? -1 : 1))
  }

  #do(op: RecordedOp, content: Uint8Array): void {
    if (op.kind === OpKind.create) this.#contents.set(op.seqNo, new Uint8Array())
    if (op.kind === OpKind.unlink && !this.fsm.isLive(op.fnode)) this.#contents.delete(op.fnode)
    if (op.kind !== OpKind.write || content.length === 0) return
    const before = this.#contents.get(op.fnode) as Uint8Array
    const after = new Uint8Array(Math.max(before.length, op.offset + content.length))
    after.set(before)
    after.set(content, op.offset)
    this.#contents.set(op.fnode, after)
  }
}
