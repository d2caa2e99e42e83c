/**
 * Law: for any history, with several authors, forks and several logs, hints of any moment that were taken in the log that
 * is played to its head give the same tree as the whole of the logs.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hintsAt, histories } from '../../src/arbitraries/index.ts'
import type { History } from '../../src/arbitraries/index.ts'
import { hintedState, validateHints } from '../../src/fsm/index.ts'
import type { FSMOptions } from '../../src/fsm/index.ts'
import { decodeHints, hintsToJson, hintsToProto } from '../../src/wire/index.ts'
import { playThrough } from '../player/doubles.ts'
import { journalOf } from '../player/log-builder.ts'
import { PurePlayer } from '../support/pure-player.ts'

const RUNS = Number(process.env['RUNS'] ?? 200)
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

function expectTree(player: PurePlayer, history: History): void {
  expect(player.tree).toEqual(sorted(history.files))
  expect(sorted(player.fsm.properties)).toEqual(sorted(history.properties))
}

/** How many moments there were hints of: a law that is never asked says nothing. */
function replayAll(history: History, isReader: boolean, options: FSMOptions): number {
  let taken = 0
  for (let recorded = 1; recorded <= history.records.length; recorded++) {
    const hints = hintsAt(history, { recorded, isReader, ...options })
    if (hints === undefined) continue
    taken++
    validateHints(hints)
    expect(hintedState(hints).fnodes).toHaveLength(hints.liveNodes.length)
    const player = new PurePlayer(hints).playAll(history)
    expect(player.fsm.hintedSegments).toEqual([])
    expectTree(player, history)
  }
  return taken
}

describe(`hint-based replay (SEED=${SEED})`, () => {
  it('the whole of the logs gives what was there in the end, and applies just what belongs to the history', () => {
    fc.assert(
      fc.property(histories(), (history) => {
        const player = PurePlayer.ofWhole(history)
        expectTree(player, history)
        const applied = player.found.map((outcome) => outcome === 'OK')
        const inLogOrder = history.records.toSorted((a, b) => a.log - b.log || a.begin - b.begin)
        expect(applied).toEqual(inLogOrder.map((record) => record.isApplied))
      }),
      { seed: SEED, numRuns: RUNS },
    )
  })

  it.each([
    ['a reader, who knows all offsets', true, {}],
    ['a recorder, who knows lower bounds and no ends', false, {}],
    ['a reader, cut at every gap', true, { segmentGapBytesMin: 1, segmentsPerFnodeMax: 100 }],
    ['a recorder, cut at some gaps', false, { segmentGapBytesMin: 40, segmentsPerFnodeMax: 3 }],
  ])('hints of any moment give the same tree as the whole (those of %s)', (_, isReader, options) => {
    let taken = 0
    fc.assert(
      fc.property(histories({ maxSteps: 30 }), (history) => {
        taken += replayAll(history, isReader, options)
      }),
      { seed: SEED, numRuns: RUNS / 2 },
    )
    expect(taken).toBeGreaterThan(RUNS)
  })

  it('the Player makes of stored hints of any moment, by way of journals and a disk, what was there in the end', async () => {
    const cuts = fc.constantFrom<FSMOptions>({}, { segmentGapBytesMin: 1, segmentsPerFnodeMax: 100 })
    let logs = 0
    await fc.assert(
      fc.asyncProperty(histories(), fc.nat(), fc.boolean(), cuts, async (history, choice, isReader, cut) => {
        const moments = history.records.map((_, i) => hintsAt(history, { recorded: i + 1, isReader, ...cut }))
        const takeable = moments.filter((hints) => hints !== undefined)
        const hints = takeable[choice % Math.max(1, takeable.length)]
        if (hints === undefined) return
        const stored = choice % 2 === 0 ? hintsToJson(hints) : hintsToProto(hints)
        const journals = history.logs.map(({ name, bytes }) => journalOf([{ begin: 0, bytes }], { name }))
        const { played, tree } = await playThrough(journals, { hints: decodeHints(stored) })
        const files = [...history.files].map(([path, content]) => [path, latin1(content)])
        const properties = [...history.properties].map(([path, content]) => [
          path,
          latin1(Buffer.from(content)),
        ])
        expect(tree).toEqual(Object.fromEntries([...files, ...properties]))
        expect(played.missed).toEqual([])
        logs = Math.max(
          logs,
          new Set(hints.liveNodes.flatMap((node) => node.segments.map(({ log }) => log))).size,
        )
      }),
      { seed: SEED, numRuns: RUNS },
    )
    expect(logs).toBeGreaterThan(1)
  })
})

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
