import { describe, expect, it } from 'vitest'
import type { LogArchive } from '../../src/log-archive/index.ts'
import {
  faultyBlobStore,
  faultyStorage,
  faultyStreamStore,
  faultyTaskQueue,
} from '../../src/testing/index.ts'
import type { CallFault, CallFaultPlan } from '../../src/testing/index.ts'
import { settle } from '../support/directory.ts'
import { entriesOf, lineOf, LogWorld, PATH } from './log-world.ts'

/**
 * A process dies at every call to a store, before it has any effect or before its answer comes. The source sends again what
 * is not there: all lines are there once, and what was acknowledged before needs no sending again.
 */

const LINES = Array.from({ length: 7 }, (_, i) => `line ${i}\n`)
const HOUR_MS = 60 * 60 * 1000

class Mortality {
  calls = 0
  isDead = false
  readonly #diesAt: number
  readonly #hasEffect: boolean

  constructor(diesAt: number, hasEffect: boolean) {
    this.#diesAt = diesAt
    this.#hasEffect = hasEffect
  }

  readonly plan: CallFaultPlan = (): CallFault | undefined => {
    const never = (): Promise<never> => new Promise(() => undefined)
    if (this.isDead) return { before: never }
    if (this.calls++ < this.#diesAt) return undefined
    this.isDead = true
    return this.#hasEffect ? { after: never } : { before: never }
  }
}

function mortal(world: LogWorld, { plan }: Mortality): Promise<LogArchive> {
  return world.open({
    blobs: faultyBlobStore(world.blobs, plan),
    storage: faultyStorage(world.storage, plan),
    coordinator: {
      streamStore: faultyStreamStore(world.streamStore, plan),
      taskQueue: faultyTaskQueue(world.taskQueue, plan),
    },
    writer: { batchEntriesMax: 2, prefixIndexBlock: 3, batchMs: 1_000_000_000 },
  })
}

/** What the source does: it sends what is not there. Answers how much of it was acknowledged. */
async function live(archive: LogArchive, told: { acknowledged: number }): Promise<void> {
  const stream = await archive.openStream({ path: PATH })
  const { sequence, lineBytes } = stream.resumedAt
  expect(sequence, 'what was acknowledged is there').toBeGreaterThanOrEqual(told.acknowledged)
  let rest = LINES.slice(sequence).join('').slice(lineBytes)
  while (rest !== '') {
    await stream.write(rest.slice(0, 10)) // not whole lines
    rest = rest.slice(10)
    told.acknowledged = (await stream.flush()).sequence
  }
  await stream.close()
  await archive.archiveDue()
}

/** Whether the process came to its end before it died. */
async function liveUntilDead(
  world: LogWorld,
  mortality: Mortality,
  told: { acknowledged: number },
): Promise<boolean> {
  const state = { isOver: false }
  const life = mortal(world, mortality).then((archive) => live(archive, told))
  life.then(
    () => (state.isOver = true),
    () => (state.isOver = true),
  )
  for (let i = 0; i < 40 && !state.isOver && !mortality.isDead; i++) await settle()
  await settle()
  if (state.isOver) await life
  return state.isOver
}

describe('log archive: killed at every step', () => {
  it.each([
    ['before the call has any effect', false],
    ['before its answer comes', true],
  ])('%s: nothing is lost, nothing is there twice', async (_, hasEffect) => {
    let deaths = 0
    for (let diesAt = 0; ; diesAt++) {
      const world = new LogWorld()
      const told = { acknowledged: 0 }
      if (await liveUntilDead(world, new Mortality(diesAt, hasEffect), told)) break
      deaths++
      await world.clock.advance(HOUR_MS)
      const archive = await world.open()
      try {
        await live(archive, told)
      } catch (error) {
        // It had died behind the stream's end.
        expect(error, `died at call ${diesAt}`).toMatchObject({ code: 'CLOSED', data: { path: PATH } })
      }
      for (let i = 0; i < 5; i++) {
        await world.clock.advance(HOUR_MS)
        await archive.archiveDue()
      }
      const entries = await entriesOf(archive)
      expect(entries.map(lineOf).join(''), `died at call ${diesAt}`).toBe(LINES.join(''))
      expect(entries.map(({ streamIndex }) => streamIndex)).toEqual(entries.map((__, i) => i))
      const indexes = entries.map(({ prefixIndex }) => prefixIndex)
      expect(indexes).toEqual([...new Set(indexes)].sort((a, b) => a - b))
      expect(await archive.verify(PATH)).toMatchObject({
        isGood: true,
        manifest: { complete: true, dropped: { indexes: 0 } },
      })
      await archive.close()
    }
    expect(deaths).toBeGreaterThan(60)
  })
})
