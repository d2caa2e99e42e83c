import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Archivist, Sweep } from '../../src/archivist/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { upTo } from '../archive/archive-fixture.ts'
import { ArchiveWorld, HOUR_MS, LEASE_MS, PATH, PROJECT } from '../archivist/archive-world.ts'
import { gatedParts } from '../archivist/gated.ts'
import type { Gate } from '../archivist/gated.ts'
import { seededRandom, settle } from '../support/directory.ts'

/** The law of the archive half: whatever interleaves, each stream is archived once, and nothing acknowledged is missing. */

const ARCHIVISTS = 3
const RUNS = Number(process.env['RUNS'] ?? 40)

/** Lets the calls of all archivists go on one step at a time, in an order of its own. */
class Interleaving {
  readonly #below: (n: number) => number
  readonly #waiting: { readonly who: number; readonly go: () => void }[] = []

  constructor(below: (n: number) => number) {
    this.#below = below
  }

  get size(): number {
    return this.#waiting.length
  }

  turn(who: number): Promise<void> {
    return new Promise((go) => this.#waiting.push({ who, go }))
  }

  async step(): Promise<void> {
    this.#waiting.splice(this.#below(this.#waiting.length), 1)[0]?.go()
    for (let i = 0; i < 20; i++) await Promise.resolve()
  }

  /** Whoever it was, none of its calls ever goes on. */
  kill(who: number): void {
    for (let at = this.#waiting.length - 1; at >= 0; at--) {
      if (this.#waiting[at]?.who === who) this.#waiting.splice(at, 1)
    }
  }
}

interface Weather {
  /** One of so many steps fails, before or after it has had its effect; 0: none. */
  readonly faults: number
  /** One of so many steps is the last of its archivist; 0: none. */
  readonly deaths: number
  /** One of so many steps comes after all leases have run out; 0: none. */
  readonly lapses: number
}

interface Plan {
  readonly seed: number
  readonly weather: Weather
  /** How many entries the writer puts, and whether it says that these are all. */
  readonly entries: number
  readonly isTerminated: boolean
  readonly isPurged: boolean
  readonly cleanupMs: number
  /** From when on what is there will do. */
  readonly maxDelayMs: number
}

const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 30 }),
  weather: fc.record({
    faults: fc.constantFrom(0, 10, 40),
    deaths: fc.constantFrom(0, 40, 120),
    lapses: fc.constantFrom(0, 15, 60),
  }),
  entries: fc.integer({ min: 0, max: 6 }),
  isTerminated: fc.boolean(),
  isPurged: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  cleanupMs: fc.constantFrom(0, HOUR_MS),
  maxDelayMs: fc.constantFrom(48 * HOUR_MS, HOUR_MS, 1),
})

class Play {
  readonly world: ArchiveWorld
  readonly plan: Plan
  readonly acknowledged: number[] = []
  readonly reports = new Set<string>()
  readonly #below: (n: number) => number
  readonly #interleaving: Interleaving
  readonly #alive = new Map<number, Promise<unknown>>()
  readonly #dead = new Set<number>()
  #born = 0

  constructor(plan: Plan) {
    this.plan = plan
    const { cleanupMs: storageCleanupDelayMs, maxDelayMs: archiveMaxDelayMs } = plan
    this.world = new ArchiveWorld({ storageCleanupDelayMs, archiveMaxDelayMs }, plan.seed)
    const random = seededRandom(plan.seed)
    this.#below = (n) => {
      const [a, b] = random(2) as unknown as [number, number]
      return ((a << 8) | b) % n
    }
    this.#interleaving = new Interleaving(this.#below)
    this.#watch()
  }

  async run(): Promise<string> {
    const { world, plan } = this
    const id = await world.stream({ terminalIndex: plan.isTerminated ? plan.entries - 1 : -1 })
    if (!plan.isTerminated) await world.clock.advance(48 * HOUR_MS)
    const unwritten = upTo(plan.entries)
    for (let step = 0; step < 1500; step++) {
      while (this.#alive.size < ARCHIVISTS) this.#start()
      const { lapses } = plan.weather
      if (lapses > 0 && this.#below(lapses) === 0) await world.clock.advance(LEASE_MS)
      if (this.#below(30) === 0) await world.clock.advance(4 * HOUR_MS)
      if (this.#below(12) === 0) await this.#write(unwritten)
      if (plan.isPurged && step === 200) await world.coordinator.purgeStream({ project: PROJECT, id })
      await this.#interleaving.step()
      if (this.#interleaving.size === 0) await settle()
    }
    return id
  }

  /** The weather is good again: everything comes to its end. */
  async finish(id: string): Promise<void> {
    const { world } = this
    for (const who of this.#alive.keys()) this.#interleaving.kill(who)
    await settle()
    const sweep = new Sweep({ ...world.parts, staging: ['staging'] })
    const archivist = new Archivist({ ...world.parts, leaseMs: LEASE_MS })
    for (let round = 0; round < 24; round++) {
      await world.clock.advance(12 * HOUR_MS)
      await sweep.sweep()
      await archivist.runDue()
      for await (const { task } of world.coordinator.deadLetters()) await world.coordinator.reviveTask(task)
    }
    expect(await world.tasks(id)).toBe(false)
  }

  #start(): void {
    const who = this.#born++
    const archivist = new Archivist({
      ...gatedParts(this.world.parts, this.#gate(who)),
      leaseMs: LEASE_MS,
      concurrency: 2,
    })
    // One that finds nothing to do, or cannot ask for it, is followed by another.
    const life = archivist.runDue().then(
      () => this.#alive.delete(who),
      () => this.#alive.delete(who),
    )
    this.#alive.set(who, life)
  }

  #gate(who: number): Gate {
    const step = async (): Promise<void> => {
      const { faults, deaths } = this.plan.weather
      await this.#interleaving.turn(who)
      if (deaths > 0 && this.#below(deaths) === 0) {
        this.#alive.delete(who)
        this.#interleaving.kill(who)
        this.#dead.add(who)
      }
      if (this.#dead.has(who)) await new Promise<never>(() => undefined)
      if (faults > 0 && this.#below(faults) === 0) throw new RecoveryLogError('UNAVAILABLE', 'bad weather')
    }
    return { enter: step, leave: step }
  }

  /** The writer goes on until it is told that the stream is closed to it for good. */
  async #write(unwritten: number[]): Promise<void> {
    const index = unwritten[this.#below(Math.max(1, unwritten.length))]
    if (index === undefined) return
    try {
      await this.world.put(PATH, index)
      this.acknowledged.push(index)
      unwritten.splice(unwritten.indexOf(index), 1)
    } catch (error) {
      if (!RecoveryLogError.is(error, 'SEALED')) throw error
    }
  }

  /** What must hold at every moment. */
  #watch(): void {
    const { storage, coordinator } = this.world
    const expunge = storage.expunge.bind(storage)
    storage.expunge = async (stream, options) => {
      const { phase } = await this.world.record(await this.#id())
      if (phase !== 'purged') {
        expect(await this.world.archived()).toEqual(expect.arrayContaining(await this.world.stored()))
      }
      await expunge(stream, options)
    }
    const archiveStream = coordinator.archiveStream.bind(coordinator)
    coordinator.archiveStream = async (request) => {
      const archived = await archiveStream(request)
      this.reports.add(request.attempt)
      return archived
    }
  }

  async #id(): Promise<string> {
    const [document] = await this.world.streams.query({ kind: 'stream', project: PROJECT, limit: 1 })
    return (document?.value as { id: string }).id
  }
}

describe('archivists: three of them, lost leases, deaths and bad weather', () => {
  it('each stream is archived once, complete or with its gaps named, with all that was acknowledged', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const play = new Play(plan)
        const id = await play.run()
        await play.finish(id)
        const { world, acknowledged, reports } = play
        if (plan.isPurged) {
          expect(await world.keys()).toEqual([])
          expect(await world.stored()).toEqual([])
          return
        }
        acknowledged.sort((a, b) => a - b)
        expect(await world.record(id)).toMatchObject({ phase: 'cleaned', claim: null })
        expect(await world.archived()).toEqual(acknowledged)
        expect(reports.size).toBe(1)
        expect(await world.keys()).toHaveLength(3)
        expect(await world.stored()).toEqual([])
        const { complete, gaps, terminalIndex } = await world.manifest()
        const last = terminalIndex < 0 ? (acknowledged.at(-1) ?? -1) : terminalIndex
        expect(gaps.indexes).toBe(last + 1 - acknowledged.length)
        expect(complete).toBe(terminalIndex >= 0 && gaps.indexes === 0)
      }),
      { numRuns: RUNS },
    )
  }, 600_000)
})
