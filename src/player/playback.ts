/**
 * One run of a Player: plays to the head, and from there to the end that is asked for (recovery-log spec, section 7).
 */
import { Deferred, raceAbort, throwIfAborted } from '../async/index.ts'
import { RecoveryLogError } from '../errors/index.ts'
import { authorOf, FSM } from '../fsm/index.ts'
import type { FSMOptions } from '../fsm/index.ts'
import type { Head, Label } from '../journal/index.ts'
import type { Clock, Platform } from '../parts/index.ts'
import type { FSMHints } from '../wire/index.ts'
import { handOff, playToBoundary } from './handoff.ts'
import { layOut } from './layout.ts'
import { checkHeads, checkPoint, readHead, readHeads } from './log-heads.ts'
import type { NamedLog } from './log-heads.ts'
import { PlanMeter, plannedRanges } from './plan.ts'
import type { AtHead, Journals, LogEnd, LogPosition, Played, PlayProgress } from './play-options.ts'
import type { PlayEvent } from './play-event.ts'
import { Reading } from './reading.ts'
import { Scanner } from './scanner.ts'
import { Skipped } from './skipped.ts'
import type { LeftOver, Missed } from './skipped.ts'
import type { Target } from './target.ts'

/** How playback ends. */
export type Ending =
  | { readonly kind: 'head' }
  | { readonly kind: 'handoff'; readonly author: number }
  | { readonly kind: 'point'; readonly point: LogEnd }

/** The options of a Player, with its defaults. */
export interface PlaySettings {
  readonly hints: FSMHints
  readonly journals: Journals
  readonly target: Target
  readonly dir: string | undefined
  readonly directoryMarkers: boolean
  readonly acceptDataLoss: boolean
  readonly cuts: FSMOptions
  readonly frameBytesMax: number
  readonly platform: Platform
  readonly clock: Clock | undefined
  readonly onProgress: ((progress: PlayProgress) => void) | undefined
  readonly onEvent: (event: PlayEvent) => void
}

const PROGRESS_MS = 250

interface Waiter {
  readonly offset: number
  readonly done: Deferred
}

export class Playback {
  readonly atHead = new Deferred<AtHead>()
  readonly #settings: PlaySettings
  readonly #signal: AbortSignal | undefined
  readonly #skipped = new Skipped()
  readonly #waiters = new Set<Waiter>()
  #ending: Ending | undefined
  #log: NamedLog | undefined
  #reading: Reading | undefined
  #scanner: Scanner | undefined
  #meter: PlanMeter | undefined
  #registers: readonly Label[] = []
  #leftOver: LeftOver | undefined
  #startedAt = 0
  #toldAt = 0

  constructor(settings: PlaySettings, signal: AbortSignal | undefined) {
    this.#settings = settings
    this.#signal = signal
  }

  /** Asks for the end. */
  end(ending: Ending): void {
    this.#ending = ending
    this.#reading?.interrupt()
  }

  get position(): LogPosition {
    const { hints } = this.#settings
    const log = this.#reading === undefined || this.#reading.log === '' ? hints.log : this.#reading.log
    return { log, offset: this.#scanner?.position ?? 0 }
  }

  /** Undefined while the heads are not known. */
  get lag(): number | undefined {
    return this.#meter && this.#meter.bytesTotal - this.#meter.bytesDone
  }

  get state(): AtHead {
    const through = this.#reading?.through ?? 0
    const leftOver = this.#leftOver ?? (through > 0 ? this.#scanner?.leftOver(through) : undefined)
    const head = { log: this.#settings.hints.log, offset: through, registers: this.#registers }
    return { head, missed: this.#missed(leftOver), leftOver }
  }

  async measureLag(signal: AbortSignal | undefined): Promise<number> {
    await this.#learnHead(signal)
    return this.lag ?? 0
  }

  /** Resolves when what was in the log at this moment has been played. */
  async caughtUp(signal: AbortSignal | undefined): Promise<void> {
    await raceAbort(this.atHead.promise, signal)
    const { offset } = await this.#learnHead(signal)
    if ((this.#reading?.through ?? 0) >= offset) return
    const waiter = { offset, done: new Deferred() }
    this.#waiters.add(waiter)
    try {
      await raceAbort(waiter.done.promise, signal)
    } finally {
      this.#waiters.delete(waiter)
    }
  }

  async run(): Promise<Played> {
    const { target } = this.#settings
    try {
      const played = await this.#play()
      this.#tellProgress(true)
      return played
    } catch (error) {
      this.atHead.reject(error)
      for (const waiter of this.#waiters) waiter.done.reject(error)
      // Before the reader is closed: writes under way read from its chunk.
      await target.discard().catch((cleanupError: unknown) => {
        this.#settings.onEvent({ type: 'cleanup_failed', error: cleanupError })
      })
      throw error
    } finally {
      await this.#reading?.close()
    }
  }

  async #play(): Promise<Played> {
    const begun = await this.#begin()
    const { reading } = begun
    const asked = this.#ending
    const head = begun.log.head.offset
    // A head that an append told is where two appends meet.
    if (asked?.kind === 'handoff') await playToBoundary(reading, head)
    else if (asked?.kind === 'point') await this.#playToPoint(begun, asked.point)
    else await reading.readThrough(head)
    this.#reachHead()
    const ending = this.#ending ?? (await this.#tail(begun))
    if (ending.kind === 'handoff') await this.#handOff(begun, ending.author)
    else if (ending.kind === 'head') await this.#finishAtHead(begun, ending === asked)
    return await this.#complete(begun)
  }

  /** Checks all that can be checked without reading, and takes the target. */
  async #begin(): Promise<Begun> {
    const { hints, journals, target, clock } = this.#settings
    const fsm = new FSM(hints, this.#settings.cuts)
    const names = { segments: fsm.hintedSegments, lastLog: hints.log }
    target.check()
    const ending = this.#ending
    const by = ending?.kind === 'handoff' ? 'empty append' : 'head'
    const logs = await readHeads(names, journals, by, this.#signal)
    checkHeads(names.segments, logs)
    if (ending?.kind === 'point') checkPoint(ending.point, names, logs)
    const log = logs.get(hints.log) as NamedLog
    throwIfAborted(this.#signal)
    target.prepare()

    const heads = new Map([...logs].map(([name, { head }]) => [name, head.offset]))
    if (ending?.kind === 'point') heads.set(hints.log, ending.point.end)
    this.#meter = new PlanMeter(plannedRanges(names.segments, hints.log, heads))
    this.#startedAt = this.#toldAt = clock?.now() ?? 0
    this.#log = log
    this.#registers = log.head.registers
    const { frameBytesMax, onEvent } = this.#settings
    const shared = { fsm, target, skipped: this.#skipped, onEvent }
    const scanner = new Scanner({ ...shared, frameBytesMax })
    const onRead = (): void => {
      this.#tellProgress(false)
      this.#tellWaiters()
    }
    const reading = new Reading({
      ...shared,
      scanner,
      logs,
      lastLog: hints.log,
      onRead,
      signal: this.#signal,
    })
    this.#scanner = scanner
    this.#reading = reading
    return { fsm, log, scanner, reading }
  }

  #reachHead(): void {
    const { state } = this
    this.atHead.resolve(state)
    const { log, offset } = state.head
    this.#settings.onEvent({ type: 'at_head', log, offset, missed: state.missed.length })
  }

  /** Plays what is appended, until an end is asked for. */
  async #tail({ reading, log }: Begun): Promise<Ending> {
    const isWanted = (): boolean => this.#ending === undefined
    for (;;) {
      const limit = await reading.waitForMore(isWanted)
      if (this.#ending !== undefined) return this.#ending
      if (limit === undefined) {
        throw new RecoveryLogError('UNAVAILABLE', `reading of ${log.journal.name} has ended`, {
          log: log.journal.name,
          offset: reading.through,
        })
      }
      this.#meter?.head(limit)
      if ((await reading.readThrough(limit)) === 'limit') continue
      // A chunk may end within an operation; whether the log does, its head tells.
      const head = await this.#learnHead(this.#signal)
      await reading.readThrough(await reading.waitForRest(head.offset, isWanted))
    }
  }

  async #playToPoint({ reading, scanner, fsm }: Begun, { log, end }: LogEnd): Promise<void> {
    try {
      await reading.readThrough(end)
    } catch (error) {
      if (!RecoveryLogError.is(error, 'DATA_LOSS') || fsm.hintedSegment === undefined) throw error
      throw new RecoveryLogError(
        'INVALID',
        'the hints name operations behind the point asked for',
        error.data,
        {
          cause: error,
        },
      )
    }
    // The point may lie within an operation: only what began to be no frame before that is damage.
    const leftOver = scanner.leftOver(end)
    if (leftOver !== undefined && leftOver.begin < scanner.position) scanner.leave(end)
    else scanner.begin(log, end)
  }

  async #finishAtHead({ reading }: Begun, isHeadFresh: boolean): Promise<void> {
    if (!isHeadFresh) await reading.readThrough((await this.#learnHead(this.#signal)).offset)
    this.#leftOver = await reading.leave(reading.through)
  }

  #handOff({ fsm, reading, log }: Begun, author: number): Promise<void> {
    return handOff({
      author,
      fsm,
      reading,
      journal: log.journal,
      onHead: (head) => {
        this.#noteHead(head)
      },
      beforeAppend: () => {
        this.#refuseMissed()
      },
      onEvent: this.#settings.onEvent,
      signal: this.#signal,
    })
  }

  /** Gives the files their names. */
  async #complete({ fsm, scanner }: Begun): Promise<Played> {
    const { target, platform, directoryMarkers, dir } = this.#settings
    this.#refuseMissed()
    await target.flush()
    const layout = layOut({
      links: fsm.links(),
      properties: Array.from(fsm.properties, ([path, content]) => ({ path, content })),
      platform,
      directoryMarkers,
      sizeOf: (fnode) => target.sizeOf(fnode),
      sameName: (names) => target.sameName(names),
    })
    throwIfAborted(this.#signal)
    target.finish(layout)
    const { jumps, desyncs } = this.#skipped
    return { fsm, dir, ...this.state, jumps, desyncs, outcomes: scanner.outcomes }
  }

  #refuseMissed(): void {
    if (this.#settings.acceptDataLoss) return
    const { missed, head } = this.state
    if (missed.length === 0) return
    throw new RecoveryLogError(
      'DATA_LOSS',
      `${head.log} holds operations behind the hints that could not be played`,
      {
        log: head.log,
        offset: head.offset,
        missed,
      },
    )
  }

  #missed(leftOver: LeftOver | undefined): Missed[] {
    const fenced = new Set(this.#registers.map(authorOf))
    const missed = this.#skipped.missed((author) => fenced.has(author))
    const isTold = missed.some((range) => range.kind === 'desync' && range.end === leftOver?.end)
    if (leftOver === undefined || isTold) return missed
    const { log, begin, end } = leftOver
    return [...missed, { kind: 'desync', log, begin, end }]
  }

  async #learnHead(signal: AbortSignal | undefined): Promise<Head> {
    if (this.#log === undefined) throw new TypeError('playback has not begun')
    const head = await readHead(this.#log.journal, 'head', signal)
    this.#noteHead(head)
    return head
  }

  #noteHead(head: Head): void {
    this.#registers = head.registers
    this.#meter?.head(head.offset)
  }

  #tellWaiters(): void {
    const through = this.#reading?.through ?? 0
    for (const { offset, done } of this.#waiters) if (offset <= through) done.resolve()
  }

  #tellProgress(isLast: boolean): void {
    const { onProgress, clock } = this.#settings
    const meter = this.#meter
    if (meter === undefined || this.#reading === undefined) return
    meter.at(this.#reading.log, this.#reading.offset)
    if (onProgress === undefined) return
    const now = clock?.now() ?? 0
    if (clock !== undefined && !isLast && now - this.#toldAt < PROGRESS_MS) return
    this.#toldAt = now
    const seconds = (now - this.#startedAt) / 1000
    const { bytesDone, bytesTotal } = meter
    onProgress({ bytesDone, bytesTotal, bytesPerSecond: seconds > 0 ? bytesDone / seconds : 0 })
  }
}

/** What a playback is made of, once it reads. */
interface Begun {
  readonly fsm: FSM
  readonly log: NamedLog
  readonly scanner: Scanner
  readonly reading: Reading
}
