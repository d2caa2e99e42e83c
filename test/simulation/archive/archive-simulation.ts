import { Archivist, Sweep } from '../../../src/archivist/index.ts'
import { Collector } from '../../../src/collector/index.ts'
import type { CollectReport } from '../../../src/collector/index.ts'
import { CoordinatorCache } from '../../../src/coordinator-cache/index.ts'
import { Coordinator, STREAM_KIND } from '../../../src/coordinator/index.ts'
import type { CoordinatorSettings } from '../../../src/coordinator/index.ts'
import { MemoryTaskQueue } from '../../../src/coordinator/memory/index.ts'
import { systemInflate } from '../../../src/node/system-zlib.ts'
import { streamId } from '../../../src/names/index.ts'
import type { Random } from '../../../src/parts/index.ts'
import {
  faultyBlobStore,
  faultyStorage,
  faultyStreamStore,
  faultyTaskQueue,
} from '../../../src/testing/index.ts'
import { encodeLogEntry } from '../../../src/wire/logdog/index.ts'
import { entryAt, sha256 } from '../../archive/archive-fixture.ts'
import { ManualClock, seededRandom } from '../../support/directory.ts'
import { Source } from './sources.ts'
import type { Message } from './sources.ts'
import { Dice, quiet, Steps, tolerate } from './steps.ts'
import type { Process } from './steps.ts'
import { Witness } from './witness.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const PROJECT = 'proj'
const PREFIX = 'build/1'
const ARCHIVISTS = 3
const COLLECTORS = 2
const SWEEPS = 2
const LEASE_MS = 10 * MINUTE_MS
const POLL_MS = 2 * MINUTE_MS
const STEPS = 3000
/** More than the 30 days for which a purge is repeated, and the retries of what waits for days. */
const CALM_ROUNDS_MAX = 400

interface Member {
  readonly process: Process
  readonly kind: 'archivist' | 'collector' | 'sweep'
  readonly archivist?: Archivist
  readonly collector?: Collector
}

/** Everything of the archive half, each part as a process of its own, in any order of steps that a seed chooses. */
export class ArchiveSimulation {
  readonly dice: Dice
  readonly clock = new ManualClock()
  readonly witness: Witness
  readonly queue = new MemoryTaskQueue({ clock: this.clock })
  readonly sources: Source[] = []
  readonly steps: Steps
  /** Of a bug: what no fault explains. */
  readonly errors: unknown[] = []
  readonly settings: Partial<CoordinatorSettings>
  readonly #seed: number
  readonly #crashShare: number
  readonly #deliveryShare: number
  #members: Member[] = []
  readonly #underWay = new Map<Message, Process>()
  #waiting: Message[] = []
  #born = 0
  /** The operator's coordinator: whoever looks after it all meets no faults. */
  readonly operator: Coordinator

  constructor(seed: number) {
    this.#seed = seed
    this.dice = new Dice(seed)
    this.#crashShare = this.dice.pick([0, 0.002, 0.01])
    this.#deliveryShare = this.dice.pick([0.05, 0.015, 0.006])
    this.steps = new Steps(this.dice, this.clock, this.dice.pick([0, 0.01, 0.05]))
    const isTruncating = this.dice.chance(0.1)
    this.settings = {
      archiveDelayMs: this.dice.pick([5 * MINUTE_MS, 10 * SECOND_MS]),
      archiveMaxDelayMs: this.dice.pick([48 * HOUR_MS, 2 * HOUR_MS, 20 * MINUTE_MS]),
      archiveSettleDelayMs: this.dice.pick([null, HOUR_MS]),
      storageCleanupDelayMs: this.dice.pick([0, 10 * MINUTE_MS, 3 * HOUR_MS]),
      streamIndexRange: this.dice.pick([1, 3]),
      byteRange: this.dice.pick([0, 64]),
      renderData: this.dice.chance(0.3),
      prefixExpirationMs: 400 * DAY_MS,
      ...(isTruncating ? { sizeLimitBytes: 100, purgeTruncated: true } : {}),
    }
    this.witness = new Witness(this.clock, this.settings)
    this.operator = this.#coordinator({ name: 'operator', isDead: false, isFrozen: false }, false)
  }

  async run(): Promise<void> {
    const { secret } = await this.operator.registerPrefix({ project: PROJECT, prefix: PREFIX })
    const count = 1 + this.dice.below(3)
    for (let i = 0; i < count; i++) {
      this.sources.push(new Source(this.dice, PROJECT, PREFIX, `stream-${i}`, secret))
    }
    this.#waiting = this.sources.flatMap(({ messages }) => messages)
    for (let step = 0; step < STEPS && this.errors.length === 0; step++) {
      this.#fill()
      await this.#act()
    }
    await this.#calm()
  }

  /** There are always as many processes as there should be. */
  #fill(): void {
    const wanted = { archivist: ARCHIVISTS, collector: COLLECTORS, sweep: SWEEPS }
    for (const kind of ['archivist', 'collector', 'sweep'] as const) {
      const there = this.#members.filter((member) => member.kind === kind && !member.process.isDead).length
      for (let i = there; i < wanted[kind]; i++) this.#members.push(this.#start(kind))
    }
  }

  #start(kind: Member['kind']): Member {
    const process = { name: `${kind} ${this.#born++}`, isDead: false, isFrozen: false }
    const coordinator = this.#coordinator(process, true)
    const clock = this.steps.clock(process)
    const storage = faultyStorage(this.witness.storage, this.steps.faults(process, 'storage'))
    const blobs = faultyBlobStore(this.witness.blobs, this.steps.faults(process, 'blobs'))
    const random = this.#random()
    switch (kind) {
      case 'archivist': {
        const parts = { coordinator, storage, blobs, clock, random, sha256 }
        const archivist = new Archivist({ ...parts, concurrency: 2, leaseMs: LEASE_MS, pollMs: POLL_MS })
        void archivist.run().catch((error: unknown) => this.errors.push(error))
        return { process, kind, archivist }
      }
      case 'collector': {
        const cache = new CoordinatorCache({ coordinator, clock })
        return {
          process,
          kind,
          collector: new Collector({ coordinator: cache, storage, inflate: systemInflate }),
        }
      }
      case 'sweep': {
        const { signal } = new AbortController()
        void new Sweep({ coordinator, blobs, clock, everyMs: POLL_MS })
          .run({ signal })
          .catch((error: unknown) => this.errors.push(error))
        return { process, kind }
      }
    }
  }

  /** Of one process: no two make the same ids. */
  #random(): Random {
    return seededRandom((this.#seed * 10_000 + this.#born) * 2 + 1)
  }

  #coordinator(process: Process, isFaulty: boolean): Coordinator {
    const { steps, witness, queue } = this
    return new Coordinator({
      streamStore: isFaulty
        ? faultyStreamStore(witness.streams, steps.faults(process, 'streams'))
        : witness.streams,
      taskQueue: isFaulty ? faultyTaskQueue(queue, steps.faults(process, 'tasks')) : queue,
      clock: this.clock,
      random: this.#random(),
      sha256,
      settings: this.settings,
    })
  }

  async #act(): Promise<void> {
    const { dice } = this
    if (dice.chance(this.#crashShare)) this.#crash(dice.pick(this.#members))
    if (dice.chance(0.003)) await this.#retire(dice.pick(this.#members))
    if (dice.chance(0.012)) await this.#hang()
    if (dice.chance(0.02)) this.#thaw()
    if (dice.chance(this.#deliveryShare)) this.#deliver()
    if (dice.chance(0.0001)) await this.#purge(dice.pick(this.sources))
    if (dice.chance(0.002)) await this.#damageEntry(dice.pick(this.sources))
    if (dice.chance(0.0015)) await this.#damageStaged()
    if (dice.chance(0.01)) await this.#release()
    if (this.steps.isIdle || dice.chance(0.01)) await this.#moveTime()
    else await this.steps.take()
  }

  async #moveTime(): Promise<void> {
    const ms = this.dice.pick([SECOND_MS, MINUTE_MS, MINUTE_MS, 4 * MINUTE_MS, 11 * MINUTE_MS, 2 * HOUR_MS])
    this.steps.trace.push(`time ${ms}`)
    await this.clock.advance(ms)
  }

  #crash(member: Member): void {
    this.steps.kill(member.process)
    this.#members = this.#members.filter((other) => other !== member)
    // The transport sees that nobody answers any more.
    for (const [message, process] of this.#underWay) {
      if (process !== member.process) continue
      this.#underWay.delete(message)
      this.#waiting.push(message)
    }
  }

  /** An archivist is asked to leave; another one comes when it has. */
  async #retire({ archivist, process }: Member): Promise<void> {
    if (archivist === undefined) return
    this.steps.trace.push(`${process.name} retires`)
    void archivist.stop({ graceMs: this.dice.pick([0, MINUTE_MS]) }).then(() => {
      process.isDead = true
      this.#members = this.#members.filter((member) => member.process !== process)
    })
    await quiet()
  }

  #thaw(): void {
    const frozen = this.#members.filter(({ process }) => process.isFrozen)
    if (frozen.length > 0) this.dice.pick(frozen).process.isFrozen = false
  }

  /** Who is in the middle of something stands still, until others may take its work over. */
  async #hang(): Promise<void> {
    const busy = this.steps.busy
    if (busy.length === 0) return
    const process = this.dice.pick(busy)
    process.isFrozen = true
    this.steps.trace.push(`${process.name} hangs`)
    if (this.dice.chance(0.7)) await this.clock.advance(LEASE_MS + SECOND_MS)
  }

  #deliver(): void {
    const collectors = this.#members.filter(({ kind }) => kind === 'collector')
    if (this.#waiting.length === 0 || collectors.length === 0) return
    const message = this.#waiting.splice(this.dice.below(Math.min(this.#waiting.length, 4)), 1)[0] as Message
    const { collector, process } = this.dice.pick(collectors)
    this.#underWay.set(message, process)
    const isStill = (): boolean => !process.isDead && this.#underWay.get(message) === process
    void (collector as Collector).collect(message.bytes).then(
      (report) => {
        if (isStill()) this.#collected(message, report)
      },
      (error: unknown) => {
        if (isStill()) this.#again(message, error)
      },
    )
  }

  #collected(message: Message, report: CollectReport): void {
    const { source, entries } = message
    this.#underWay.delete(message)
    if (message.repeats > 0) {
      message.repeats--
      this.#waiting.push(message)
    }
    for (const fault of report.faults) this.#expectTolerable(fault, 'LATE', 'PURGED', 'CONFLICT')
    if (report.stored + report.existing !== entries.length) return
    try {
      source.acknowledge(message)
    } catch (error) {
      this.errors.push(error)
    }
  }

  #again(message: Message, error: unknown): void {
    this.#underWay.delete(message)
    this.#waiting.push(message)
    this.#expectTolerable(error, 'UNAVAILABLE')
  }

  async #purge(source: Source): Promise<void> {
    if (!this.witness.records.has(source.path)) return
    this.steps.trace.push(`purge ${source.path}`)
    if (source.purge === 'none') source.purge = 'asked'
    const stream = { project: PROJECT, id: streamId(source.path, sha256) }
    this.#ask(async (coordinator) => {
      await coordinator.purgeStream(stream)
      source.purge = 'answered'
    })
    await quiet()
  }

  /** A call of somebody who looks after it all, and may die over it. */
  #ask(call: (coordinator: Coordinator) => Promise<void>): void {
    const stepsLeft = this.dice.pick([1, 3, 5, 9, Infinity, Infinity])
    const process = { name: `operator ${this.#born++}`, isDead: false, isFrozen: false, stepsLeft }
    void call(this.#coordinator(process, true)).catch((error: unknown) => {
      this.#expectTolerable(error, 'UNAVAILABLE', 'CONFLICT', 'PURGED')
    })
  }

  #expectTolerable(error: unknown, ...codes: readonly string[]): void {
    try {
      tolerate(error, ...codes)
    } catch (bug) {
      this.errors.push(bug)
    }
  }

  /** A value that cannot be decoded, or is another entry, lies where one of the stream was lost. */
  async #damageEntry(source: Source): Promise<void> {
    const index = source.lost.find((lost) => !source.damaged.includes(lost))
    if (index === undefined || !this.witness.records.has(source.path)) return
    const value = this.dice.chance(0.5) ? Uint8Array.of(0xff, 0xff) : encodeLogEntry(entryAt(index + 7))
    try {
      await this.witness.storage.put({ stream: source.name, from: index, entries: [value] })
      source.damaged.push(index)
      this.steps.trace.push(`damage ${source.path} at ${index}`)
    } catch (error) {
      tolerate(error, 'SEALED', 'CONFLICT')
    }
  }

  /** A disk forgets: what was staged reads back as something else. */
  async #damageStaged(): Promise<void> {
    for await (const { key, size } of this.witness.rawBlobs.list('staging/')) {
      if (size === 0 || !this.dice.chance(0.3)) continue
      this.witness.rawBlobs.damage(key, this.dice.below(size))
      this.steps.trace.push(`rot ${key}`)
      for (const source of this.sources) {
        if (key.includes(streamId(source.path, sha256))) source.isRotten = true
      }
      return
    }
  }

  async #release(): Promise<void> {
    for await (const { path, project, id } of this.operator.quarantined()) {
      const source = this.sources.find((other) => other.path === path)
      if (source === undefined || source.isLeftQuarantined) continue
      this.steps.trace.push(`release ${path}`)
      const skipDamaged = this.dice.chance(0.7)
      if (skipDamaged) source.isReleased = true
      this.#ask(async (coordinator) => coordinator.releaseQuarantined({ project, id, skipDamaged }))
    }
    await quiet()
  }

  /** No more faults: whatever is under way, and all that becomes due, comes to its end. */
  async #calm(): Promise<void> {
    this.steps.trace.push('calm')
    this.steps.faultShare = 0
    for (const member of [...this.#members]) if (this.dice.chance(0.3)) this.#crash(member)
    for (const { process } of this.#members) process.isFrozen = false
    for (let round = 0; round < CALM_ROUNDS_MAX; round++) {
      this.#fill()
      while (this.#waiting.length > 0 && this.#underWay.size < 4) this.#deliver()
      while (!this.steps.isIdle && this.errors.length === 0) await this.steps.take()
      if (this.errors.length > 0 || (await this.#isOver())) return
      await this.#release()
      for await (const { task } of this.operator.deadLetters()) await this.operator.reviveTask(task)
      await this.clock.advance(round < 40 ? 11 * MINUTE_MS : 5 * HOUR_MS)
    }
    this.errors.push(new Error('it does not come to its end'))
  }

  async #isOver(): Promise<boolean> {
    if (this.#waiting.length > 0 || this.#underWay.size > 0) return false
    const due = { kind: STREAM_KIND, dueUntilMs: Number.MAX_SAFE_INTEGER, limit: 1 }
    if ((await this.witness.streams.query(due)).length > 0) return false
    for await (const { path } of this.operator.quarantined()) {
      if (this.sources.some((source) => source.path === path && !source.isLeftQuarantined)) return false
    }
    for (const { path } of this.sources) {
      const id = streamId(path, sha256)
      for (const reason of ['archive', 'clean', 'purge'] as const) {
        if (await this.queue.has({ project: PROJECT, id, reason })) return false
      }
    }
    // What dead attempts have staged is removed after a day.
    for await (const { key } of this.witness.rawBlobs.list('staging/')) if (key !== '') return false
    return true
  }
}
