/**
 * Reads the logs that hints name, through a limit: seeks over what is dead, comes upon what is missing (recovery-log
 * spec, sections 7.3 to 7.6).
 */
import { RecoveryLogError } from '../errors/index.ts'
import type { FSM } from '../fsm/index.ts'
import type { Segment } from '../wire/index.ts'
import type { NamedLog } from './log-heads.ts'
import { LogReader } from './log-reader.ts'
import { nextRead } from './next-read.ts'
import type { PlayEvent } from './play-event.ts'
import type { Scanner } from './scanner.ts'
import type { LeftOver, Skipped } from './skipped.ts'
import type { Target } from './target.ts'

export interface ReadingParts {
  readonly fsm: FSM
  readonly target: Target
  readonly skipped: Skipped
  readonly scanner: Scanner
  readonly logs: ReadonlyMap<string, NamedLog>
  /** The log that is played to its head. */
  readonly lastLog: string
  readonly onEvent: (event: PlayEvent) => void
  /** Called when `through` or the place of reading may have moved. */
  readonly onRead: () => void
  readonly signal: AbortSignal | undefined
}

/** `blocked`: the operation at hand reaches across the limit. */
export type ReadStop = 'limit' | 'blocked'

export class Reading {
  /** The log that is being read; empty before anything is. */
  log = ''
  /** Through where the last log has been read, once the hints are used up. */
  through = 0
  readonly #parts: ReadingParts
  readonly #reader: LogReader

  constructor(parts: ReadingParts) {
    this.#parts = parts
    this.#reader = new LogReader(parts.signal)
  }

  /** Where the next byte is wanted. */
  get offset(): number {
    return this.#reader.offset
  }

  /**
   * Plays to `limit`, an offset of the last log; of the others, to their heads. Throws `DATA_LOSS` when hints are left
   * there, or when what they name has been deleted, and `CORRUPT`.
   */
  async readThrough(limit: number): Promise<ReadStop> {
    const { fsm, scanner, skipped, lastLog, onRead } = this.#parts
    for (;;) {
      const hint = fsm.hintedSegment
      if (hint === undefined) skipped.endHints()
      const isLast = this.log === lastLog || this.log === ''
      const head = isLast ? limit : this.#named().head.offset
      switch (nextRead(hint, { log: this.log, offset: scanner.position, head, lastLog })) {
        case 'seek to the hint':
          await this.#goTo(hint as Segment)
          continue
        case 'seek to the beginning':
          await this.#goTo({ log: lastLog, firstOffset: 0 })
          continue
        case 'data loss':
          throw this.#unusedHints(hint, head)
        case 'at the head':
          this.through = Math.max(limit, scanner.position)
          onRead()
          return 'limit'
        case 'read on':
      }
      const stop = await this.#readOn(head)
      if (stop !== 'blocked') continue
      if (fsm.hintedSegment === undefined) {
        this.through = limit
        onRead()
        return 'blocked'
      }
      // The rest of the log is no whole operation, so the hints stay unused.
      scanner.leave(head)
    }
  }

  /** Gives up what is left over before `boundary`, where two appends meet, and goes on there. */
  async leave(boundary: number): Promise<LeftOver | undefined> {
    const leftOver = this.#parts.scanner.leave(boundary)
    if (this.#reader.offset < boundary) await this.#moveReader(boundary, false)
    return leftOver
  }

  /**
   * At the head of the last log: waits until it has moved, or until `interrupt`. Answers how far it can be read then,
   * undefined when interrupted.
   */
  async waitForMore(isWanted: () => boolean): Promise<number | undefined> {
    const reader = this.#reader
    if (reader.bytesEnd > this.through) return reader.bytesEnd
    await this.#moveReader(reader.offset, true)
    if (!isWanted()) return undefined
    const begin = await reader.wait()
    if (begin === undefined) return undefined
    if (begin > reader.offset) this.#jump(begin)
    return reader.bytesEnd
  }

  /**
   * The operation at hand is not whole yet: waits until the log reaches as far as that needs, or until `interrupt`.
   * What comes is passed over, to be read when it is wanted. Answers through where there is something to read.
   */
  async waitForRest(head: number, isWanted: () => boolean): Promise<number> {
    const reader = this.#reader
    const at = reader.offset
    let end = Math.max(this.through, head)
    while (end < this.#parts.scanner.needed) {
      this.through = end
      this.#parts.onRead()
      await this.#moveReader(Math.max(at, reader.bytesEnd), true)
      if (!isWanted() || (await reader.wait()) === undefined) break
      end = Math.max(end, reader.bytesEnd)
    }
    await this.#moveReader(at, true)
    return end
  }

  interrupt(): void {
    this.#reader.interrupt()
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  async #readOn(limit: number): Promise<ReadStop | 'hint'> {
    const { scanner, target, onRead } = this.#parts
    const reader = this.#reader
    for (;;) {
      if (reader.offset < limit && reader.bytesEnd <= reader.offset) {
        await reader.letGo(target.release(reader.bytes))
        const begin = await reader.fetch()
        // Where nothing is read although the head is further on, all of that was deleted.
        if (begin !== reader.offset) this.#jump(begin ?? limit)
      }
      const stop = scanner.scan(reader, limit)
      onRead()
      if (stop === 'room') await target.room()
      else if (stop !== 'chunk') return stop
    }
  }

  async #goTo({ log, firstOffset: offset }: Pick<Segment, 'log' | 'firstOffset'>): Promise<void> {
    this.log = log
    await this.#moveReader(offset, false)
    this.#parts.scanner.begin(log, offset)
    this.#parts.onEvent({ type: 'seek', log, offset })
  }

  async #moveReader(offset: number, block: boolean): Promise<void> {
    await this.#parts.target.release(this.#reader.bytes)
    await this.#reader.seek(this.#named().journal, offset, block)
  }

  /** What lies from the reader's offset to `end` has been deleted. */
  #jump(end: number): void {
    const { scanner, fsm } = this.#parts
    const begin = this.#reader.offset
    scanner.jump(begin, end)
    this.#reader.offset = end
    const hint = fsm.hintedSegment
    if (hint !== undefined && hint.lastOffset !== 0 && hint.lastOffset < end) {
      throw new RecoveryLogError(
        'DATA_LOSS',
        `bytes ${begin} to ${end} of ${this.log} are gone, which the hints name`,
        {
          log: this.log,
          missing: { begin, end },
          segment: hint,
        },
      )
    }
  }

  #unusedHints(segment: Segment | undefined, head: number): RecoveryLogError {
    return new RecoveryLogError(
      'DATA_LOSS',
      `${this.log} was read to ${head}, and operations that the hints name were not there`,
      { log: this.log, offset: head, segment, nextSeqNo: this.#parts.fsm.nextSeqNo },
    )
  }

  /** The log that is being read. All that hints name were found before. */
  #named(): NamedLog {
    return this.#parts.logs.get(this.log) as NamedLog
  }
}
