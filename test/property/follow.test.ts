import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecoveryLogError } from '../../src/errors/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'
import { LogsWorld, textEntry } from '../support/logs-world.ts'

const PATH = 'a/+/b'

/** A stream: which entries come, in which order, whether it is terminated, and when what happens. */
const stories = fc.record({
  /** How many entries there are, and those that are lost. */
  count: fc.integer({ min: 0, max: 12 }),
  lost: fc.uniqueArray(fc.integer({ min: 0, max: 11 }), { maxLength: 3 }),
  /** Entries that change places, so that gaps come and are filled. */
  swaps: fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 4 }),
  from: fc.integer({ min: 0, max: 13 }),
  isTerminated: fc.boolean(),
  /** Between two waits of the reader so much is done: how many entries are written, and whether the next step is taken. */
  moments: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 30 }),
  /** Which call of the reader lets something happen before it, and which behind it. */
  isBefore: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
})

/** Everything that happens to the stream, in order: writing, its end, archival, removal from intermediate storage. */
async function* steps(
  world: LogsWorld,
  story: { readonly indexes: readonly number[]; readonly terminalIndex: number },
): AsyncGenerator<void, void, undefined> {
  const stream = await world.register(PATH)
  yield
  for (const index of story.indexes) {
    await world.put(PATH, [textEntry(index)])
    yield
  }
  if (story.terminalIndex >= 0) {
    await world.terminate(PATH, stream, story.terminalIndex)
    yield
  }
  await world.archive(PATH, stream)
  yield
  await world.storage.expunge({ project: world.project, path: PATH })
  yield
  await world.coordinator.streamCleaned(stream)
}

test('follow: yields every entry once and in order, whatever happens to the stream between its looks', async () => {
  await fc.assert(
    fc.asyncProperty(stories, async ({ count, lost, swaps, from, isTerminated, moments, isBefore }) => {
      const indexes = Array.from({ length: count }, (_, i) => i)
      for (const [a, b] of swaps) {
        if (a < count && b < count) [indexes[a], indexes[b]] = [indexes[b] as number, indexes[a] as number]
      }
      const written = indexes.filter((index) => !lost.includes(index))
      const world = new LogsWorld()
      const story = steps(world, { indexes: written, terminalIndex: isTerminated ? count - 1 : -1 })
      await story.next()
      let looks = 0
      /** Lets the story go on by as much as this moment holds. */
      const goOn = async (): Promise<void> => {
        const moment = moments[looks++ % moments.length] as number
        for (let i = 0; i < moment; i++) await story.next()
      }
      const around = async <T>(look: () => Promise<T>): Promise<T> => {
        const before = isBefore[looks % isBefore.length] as boolean
        if (before) await goOn()
        const seen = await look()
        if (!before) await goOn()
        return seen
      }
      const { store, storage, blobs } = world
      const logs = new LogsWorld({
        streamStore: Object.assign(Object.create(store) as typeof store, {
          read: (...args: Parameters<typeof store.read>) => around(() => store.read(...args)),
        }),
        storage: Object.assign(Object.create(storage) as typeof storage, {
          async *get(...args: Parameters<typeof storage.get>) {
            const batches = storage.get(...args)
            for (;;) {
              const { value, done } = await around(() => batches.next())
              if (done === true) return
              yield value
            }
          },
        }),
        blobs,
        // Nothing happens for ever only when the story has ended.
        clock: {
          sleep: async () => {
            await story.next()
          },
        },
      }).logs
      const seen: LogEntry[] = []
      for await (const batch of logs.follow({ project: world.project, path: PATH, index: from })) {
        seen.push(...batch)
      }
      const expected = [...written].sort((a, b) => a - b).filter((index) => index >= from)
      expect(seen).toEqual(expected.map((index) => textEntry(index)))
    }),
    { numRuns: 150 },
  )
})

test('follow: what was purged is told at once, and nothing is made up', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: 0, max: 8 }),
      async (count, atLook) => {
        const world = new LogsWorld()
        const stream = await world.register(PATH)
        await world.put(
          PATH,
          Array.from({ length: count }, (_, i) => textEntry(i)),
        )
        let looks = 0
        const clock = {
          sleep: async () => {
            if (looks++ === atLook) {
              await world.coordinator.purgeStream(stream)
              await world.storage.expunge({ project: world.project, path: PATH })
            }
          },
        }
        const { store: streamStore, storage, blobs } = world
        const { logs } = new LogsWorld({ streamStore, storage, blobs, clock })
        const seen: number[] = []
        const error = await (async () => {
          for await (const batch of logs.follow({ project: world.project, path: PATH })) {
            seen.push(...batch.map(({ streamIndex }) => streamIndex))
          }
        })().catch((caught: unknown) => caught)
        expect(RecoveryLogError.is(error, 'PURGED')).toBe(true)
        expect(seen).toEqual(Array.from({ length: count }, (_, i) => i))
      },
    ),
    { numRuns: 30 },
  )
})
