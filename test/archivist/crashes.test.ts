import { describe, expect, it } from 'vitest'
import { Archivist, Sweep } from '../../src/archivist/index.ts'
import type { ArchivistParts } from '../../src/archivist/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { upTo } from '../archive/archive-fixture.ts'
import { settle } from '../support/directory.ts'
import { ArchiveWorld, HOUR_MS, LEASE_MS, PATH, PROJECT } from './archive-world.ts'
import { gatedParts } from './gated.ts'
import type { Gate } from './gated.ts'

/**
 * An archivist dies at every step: nothing that it calls from there on has any effect, and no answer reaches it, of what
 * it has called before either. Another one takes over.
 */

class Mortality implements Gate {
  /** The steps that were taken, by the calls they belong to. */
  readonly steps: string[] = []
  readonly #diesAt: number
  readonly #onDeath: () => void

  constructor(diesAt: number, onDeath: () => void) {
    this.#diesAt = diesAt
    this.#onDeath = onDeath
  }

  async enter(call: string): Promise<void> {
    await this.#step(`${call} >`)
  }

  async leave(call: string): Promise<void> {
    await this.#step(`${call} <`)
  }

  async #step(step: string): Promise<void> {
    this.steps.push(step)
    if (this.steps.length <= this.#diesAt) return
    this.#onDeath()
    await new Promise<never>(() => undefined)
  }
}

/** Runs an archivist until it is through, or dead. Answers at which step it died, undefined when it did not. */
async function runUntilDead(parts: ArchivistParts, diesAt: number): Promise<string | undefined> {
  let die: (step: string | undefined) => void = () => undefined
  const death = new Promise<string | undefined>((resolve) => (die = resolve))
  const gate: Mortality = new Mortality(diesAt, () => die(gate.steps.at(-1)))
  const archivist = new Archivist({ ...gatedParts(parts, gate), leaseMs: LEASE_MS, concurrency: 1 })
  const step = await Promise.race([archivist.runDue().then(() => undefined), death])
  await settle() // what it had called goes on without it
  return step
}

/** Does what is due, and what becomes due, until nothing is left to do. */
async function finish(world: ArchiveWorld, id: string): Promise<void> {
  const archivist = new Archivist({ ...world.parts, leaseMs: LEASE_MS })
  const sweep = new Sweep({ ...world.parts, staging: ['staging'] })
  for (let round = 0; round < 20; round++) {
    await world.clock.advance(round === 0 ? LEASE_MS : 12 * HOUR_MS)
    await sweep.sweep()
    await archivist.runDue()
    if (round >= 3 && !(await world.tasks(id))) return
  }
  throw new Error('it does not come to an end')
}

async function put(world: ArchiveWorld, index: number, acknowledged: number[]): Promise<boolean> {
  try {
    await world.put(PATH, index)
    acknowledged.push(index)
    return true
  } catch (error) {
    if (RecoveryLogError.is(error, 'SEALED')) return false
    throw error
  }
}

interface Story {
  readonly terminalIndex: number
  readonly stored: readonly number[]
  /** Comes from its writer as soon as the first archivist is dead, and until it is taken, or the stream is archived. */
  readonly late?: number
  readonly ageMs: number
  readonly cleanupMs: number
}

const stories: readonly (readonly [string, Story])[] = [
  ['a complete stream', { terminalIndex: 4, stored: upTo(5), ageMs: 0, cleanupMs: 0 }],
  ['cleaned up later', { terminalIndex: 4, stored: upTo(5), ageMs: 0, cleanupMs: HOUR_MS }],
  ['an entry missing that comes', { terminalIndex: 2, stored: [0, 2], late: 1, ageMs: 0, cleanupMs: 0 }],
  [
    'an entry missing that never comes',
    { terminalIndex: 3, stored: [0, 3], ageMs: 48 * HOUR_MS, cleanupMs: 0 },
  ],
  [
    'unterminated, written on',
    { terminalIndex: -1, stored: upTo(3), late: 3, ageMs: 48 * HOUR_MS, cleanupMs: 0 },
  ],
]

describe('crash: at every step of an archivist, and another one takes over', () => {
  it.each(stories)('%s', async (_, { terminalIndex, stored, late, ageMs, cleanupMs }) => {
    let diedAt: string | undefined = ''
    let n = 0
    for (; diedAt !== undefined; n++) {
      const world = new ArchiveWorld({ storageCleanupDelayMs: cleanupMs })
      const acknowledged = [...stored]
      const id = await world.stream({ terminalIndex, stored })
      await world.clock.advance(ageMs)
      expectReadBackFirst(world)
      diedAt = await runUntilDead(world.parts, n)
      const isTaken = late !== undefined && (await put(world, late, acknowledged))
      const where = `step ${n}, ${String(diedAt)}`
      if (late !== undefined && terminalIndex >= 0 && !isTaken && diedAt !== undefined) {
        // Its writer tries again, as SEALED is transient until the stream is archived.
        await world.clock.advance(LEASE_MS)
        await new Archivist({ ...world.parts, leaseMs: LEASE_MS }).runDue()
        await put(world, late, acknowledged)
      }
      await finish(world, id)
      expect(await world.archived(), where).toEqual(acknowledged.sort((a, b) => a - b))
      const manifest = await world.manifest()
      expect(manifest.complete, where).toBe(terminalIndex >= 0 && acknowledged.length === terminalIndex + 1)
      const { phase, claim } = await world.record(id)
      expect({ phase, claim }, where).toEqual({ phase: 'cleaned', claim: null })
      expect(await world.stored(), where).toEqual([])
      expect(await world.isSealed(), where).toBe(true)
      expect(await world.keys(), where).toHaveLength(3)
    }
    expect(n).toBeGreaterThan(40)
  })

  it('a purge in between: nothing is left', async () => {
    let diedAt: string | undefined = ''
    for (let n = 0; diedAt !== undefined; n++) {
      const world = new ArchiveWorld()
      const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
      diedAt = await runUntilDead(world.parts, n)
      await world.coordinator.purgeStream({ project: PROJECT, id })
      diedAt ??= await runUntilDead(world.parts, 1000)
      await finish(world, id)
      expect(await world.keys(), `step ${n}`).toEqual([])
      expect(await world.stored(), `step ${n}`).toEqual([])
      expect(await world.isSealed(), `step ${n}`).toBe(true)
    }
  })

  it('dying in a purge: the next one purges on', async () => {
    let diedAt: string | undefined = ''
    for (let n = 0; diedAt !== undefined; n++) {
      const world = new ArchiveWorld({ storageCleanupDelayMs: HOUR_MS })
      const id = await world.stream({ terminalIndex: 4, stored: upTo(5) })
      await world.run()
      await world.coordinator.purgeStream({ project: PROJECT, id })
      diedAt = await runUntilDead(world.parts, n)
      await finish(world, id)
      expect(await world.keys(), `step ${n}`).toEqual([])
      expect(await world.stored(), `step ${n}`).toEqual([])
    }
  })
})

/** Entries are removed only when the archive is good and holds them. */
function expectReadBackFirst(world: ArchiveWorld): void {
  const expunge = world.storage.expunge.bind(world.storage)
  world.storage.expunge = async (stream, options) => {
    const archived = await world.archived()
    const stored = await world.stored()
    expect(archived).toEqual(expect.arrayContaining(stored))
    await expunge(stream, options)
  }
}
