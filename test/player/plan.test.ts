import { describe, expect, it } from 'vitest'
import type { Segment } from '../../src/segments/index.ts'
import { plannedRanges, planPlayback, Player, nullTarget } from '../../src/player/index.ts'
import { PlanMeter } from '../../src/player/plan.ts'
import { DecoratedJournal } from '../../src/testing/decorated-journal.ts'
import { NO_HINTS, playThrough } from './doubles.ts'
import { LOG, LogBuilder } from './log-builder.ts'

let seqNo = 1
function segment(log: string, firstOffset: number, lastOffset: number): Segment {
  return { author: 1, firstSeqNo: seqNo++, firstOffset, firstChecksum: 0, lastSeqNo: seqNo, lastOffset, log }
}
const heads = new Map([
  ['a', 1000],
  ['b', 500],
])

describe('plan: what would be read', () => {
  it.each([
    { what: 'no segments', segments: [], ranges: [['a', 0, 1000]] },
    { what: 'one', segments: [segment('a', 10, 20)], ranges: [['a', 10, 1000]] },
    {
      what: 'a gap',
      segments: [segment('a', 10, 20), segment('a', 30, 40)],
      ranges: [
        ['a', 10, 20],
        ['a', 30, 1000],
      ],
    },
    { what: 'touching', segments: [segment('a', 10, 20), segment('a', 20, 40)], ranges: [['a', 10, 1000]] },
    {
      what: 'a lower bound',
      segments: [segment('a', 10, 50), segment('a', 30, 90)],
      ranges: [['a', 10, 1000]],
    },
    { what: 'unknown ends', segments: [segment('a', 10, 0), segment('a', 30, 0)], ranges: [['a', 10, 1000]] },
    {
      what: 'two logs',
      segments: [segment('b', 10, 20), segment('b', 100, 200), segment('a', 7, 9)],
      ranges: [
        ['b', 10, 20],
        ['b', 100, 200],
        ['a', 7, 1000],
      ],
    },
    {
      what: 'two logs in turn',
      segments: [segment('a', 10, 20), segment('b', 100, 200), segment('a', 15, 90)],
      ranges: [
        ['a', 10, 20],
        ['b', 100, 200],
        ['a', 15, 1000],
      ],
    },
  ])('$what', ({ segments, ranges }) => {
    expect(plannedRanges(segments, 'a', heads)).toEqual(
      ranges.map(([log, begin, end]) => ({ log, begin, end })),
    )
  })

  it('a log whose head is not told is taken to be empty', () => {
    expect(plannedRanges([], 'c', heads)).toEqual([{ log: 'c', begin: 0, end: 0 }])
  })

  it('playback reads just that, and nothing is read for the plan', async () => {
    const log = new LogBuilder()
    const pad = 'x'.repeat(400_000) // more than is read rather than passed over
    const one = log.create('/one')
    const dead = log.create('/dead')
    log.write(dead, 0, pad)
    log.unlink(dead, '/dead').write(one, 0, 'one').write(log.create('/two'), 0, 'two')
    const hints = (await playThrough(log.journal())).played.fsm.buildHints()
    const split = {
      ...hints,
      liveNodes: hints.liveNodes.map((node) => ({ ...node, segments: [...node.segments] })),
    }
    const reads: [number, number][] = []
    const journal = new (class extends DecoratedJournal {
      override async *read(
        request: Parameters<DecoratedJournal['read']>[0],
      ): ReturnType<DecoratedJournal['read']> & AsyncGenerator {
        const span: [number, number] = [request.offset, request.offset]
        reads.push(span)
        for await (const chunk of super.read(request)) {
          span[1] = chunk.offset + chunk.bytes.length
          yield chunk
        }
      }
    })(log.journal())
    const source = { hints: split, journals: { [LOG]: journal } }
    const plan = await planPlayback(source)
    expect(reads).toEqual([])
    expect(plan.heads).toEqual(new Map([[LOG, log.offset]]))
    expect(plan.bytes).toBe(plan.ranges.reduce((sum, { begin, end }) => sum + end - begin, 0))
    const player = new Player({ ...source, target: nullTarget() })
    player.finishAtWriteHead()
    await player.play()
    expect(reads.map(([begin]) => begin)).toEqual([0])
    expect(plan.ranges).toEqual([{ log: LOG, begin: 0, end: log.offset }])
  })

  it('to a point in time', async () => {
    const log = new LogBuilder().noop().noop()
    const source = { hints: NO_HINTS, journals: { [LOG]: log.journal() } }
    expect((await planPlayback({ ...source, at: { log: LOG, end: 9 } })).ranges).toEqual([
      { log: LOG, begin: 0, end: 9 },
    ])
    await expect(planPlayback({ ...source, at: { log: LOG, end: 10_000 } })).rejects.toMatchObject({
      code: 'DATA_LOSS',
    })
    await expect(planPlayback({ ...source, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })
})

describe('plan meter: how far playback has come', () => {
  const ranges = [
    { log: 'b', begin: 10, end: 20 },
    { log: 'b', begin: 100, end: 200 },
    { log: 'a', begin: 7, end: 1000 },
  ]

  it('counts through the ranges, passing over what is left out', () => {
    const meter = new PlanMeter(ranges)
    expect(meter.bytesTotal).toBe(10 + 100 + 993)
    const done = (log: string, offset: number): number => {
      meter.at(log, offset)
      return meter.bytesDone
    }
    expect(done('b', 10)).toBe(0)
    expect(done('b', 20)).toBe(10)
    expect(done('b', 50)).toBe(10) // between two: no further
    expect(done('b', 150)).toBe(60)
    expect(done('a', 7)).toBe(110)
    expect(done('a', 1000)).toBe(1103)
  })

  it('grows with the head', () => {
    const meter = new PlanMeter(ranges)
    meter.head(900)
    expect(meter.bytesTotal).toBe(1103)
    meter.head(1010)
    meter.at('a', 1010)
    expect([meter.bytesDone, meter.bytesTotal]).toEqual([1113, 1113])
  })

  it('of nothing is nothing', () => {
    const meter = new PlanMeter([])
    meter.at('a', 5)
    meter.head(5)
    expect([meter.bytesDone, meter.bytesTotal]).toEqual([0, 0])
  })
})
