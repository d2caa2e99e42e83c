import fc from 'fast-check'
import { createFsFromVolume, Volume } from 'memfs'
import { describe, expect, it } from 'vitest'
import {
  fileSystemCalls,
  hintsAt,
  histories,
  journalFaults,
  paths,
  segmentsOfOneHistory,
} from '../../src/arbitraries/index.ts'
import type { FileSystemCall, History } from '../../src/arbitraries/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import { SegmentSet, validateSegment } from '../../src/segments/index.ts'
import { faultsAt, faultyJournal } from '../../src/testing/index.ts'
import { playThrough } from '../player/doubles.ts'
import { LOG, LogBuilder } from '../player/log-builder.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const settings = { seed: SEED, numRuns: 100 }

function sample<T>(arbitrary: fc.Arbitrary<T>, numRuns = 300): T[] {
  return fc.sample(arbitrary, { seed: SEED, numRuns })
}

describe(`arbitraries (SEED=${SEED})`, () => {
  it('segments of one history are valid, and consistent in any order', () => {
    const law = fc.property(segmentsOfOneHistory(), fc.infiniteStream(fc.nat()), (segments, order) => {
      segments.forEach(validateSegment)
      const keyed = segments.map((segment) => [order.next().value as number, segment] as const)
      const shuffled = keyed.sort(([a], [b]) => a - b).map(([, segment]) => segment)
      expect([...new SegmentSet(shuffled)]).toEqual([...new SegmentSet(segments)])
    })
    fc.assert(law, settings)
  })

  it('segments of one history touch, overlap and leave gaps, in several logs', () => {
    const all = sample(segmentsOfOneHistory())
    expect(all.some((segments) => new SegmentSet(segments).size < segments.length)).toBe(true)
    expect(all.some((segments) => new SegmentSet(segments).size > 3)).toBe(true)
    expect(all.some((segments) => new Set(segments.map(({ log }) => log)).size > 2)).toBe(true)
  })

  it('histories hold forks, hand-offs, several logs, and files of several names', () => {
    const all = sample(histories())
    const some = (test: (history: History) => boolean): boolean => all.some(test)
    expect(some(({ records }) => records.some(({ isApplied }) => !isApplied))).toBe(true)
    expect(some(({ records }) => new Set(records.map(({ operation }) => operation.author)).size > 3)).toBe(
      true,
    )
    expect(some(({ logs }) => logs.length > 2)).toBe(true)
    expect(some(({ files }) => new Set(files.values()).size < files.size)).toBe(true)
    expect(some(({ properties }) => properties.size === 2)).toBe(true)
    expect(sample(histories({ withHandOffs: false })).every(({ logs }) => logs.length === 1)).toBe(true)
  })

  it('histories say of each operation where it lies', () => {
    for (const { logs, records } of sample(histories(), 20)) {
      const heads = logs.map(() => 0)
      for (const { log, begin, messageBegin, messageEnd, end, knownHead, content } of records) {
        expect(begin).toBe(heads[log])
        expect(messageBegin).toBe(begin + 8)
        expect(end).toBe(messageEnd + content.length)
        expect(knownHead).toBeLessThanOrEqual(begin)
        expect(logs[log]?.bytes.subarray(messageEnd, end)).toEqual(content)
        heads[log] = end
      }
      expect(heads).toEqual(logs.map(({ bytes }) => bytes.length))
    }
  })

  it('there are no hints before the last log was begun', () => {
    const [history] = sample(histories()).filter(({ logs }) => logs.length > 1) as [History]
    expect(hintsAt(history, { recorded: 0 })).toBeUndefined()
    expect(hintsAt(history, { recorded: 1 })).toBeUndefined()
  })

  it('paths are those that every player takes', async () => {
    const law = fc.asyncProperty(paths(), async (path) => {
      const log = new LogBuilder()
      log.create(path)
      expect(Object.keys((await playThrough(log.journal())).tree)).toEqual([path])
    })
    await fc.assert(law, settings)
  })

  it('file-system calls are made on node:fs and its like, and some of them succeed', () => {
    let succeeded = 0
    for (const calls of sample(fileSystemCalls({ maxLength: 30 }), 100)) {
      expect(calls.length).toBeLessThanOrEqual(30)
      const fs = createFsFromVolume(new Volume())
      for (const call of calls) if (succeeds(fs, call)) succeeded++
    }
    expect(succeeded).toBeGreaterThan(30)
  })

  it('journal faults are met by the appends that they name', async () => {
    for (const faults of sample(journalFaults({ appends: 10, withBroken: true }), 50)) {
      const journal = faultyJournal(new MemoryJournal({ name: LOG }), faultsAt(faults))
      const answers = []
      for (let i = 0; i < 10; i++) answers.push(await answerOf(journal.append({ content: Uint8Array.of(i) })))
      const firstFailing = Math.min(
        ...[...faults]
          .filter(([, { kind }]) => !kind.startsWith('late') && kind !== 'duplicate')
          .map(([at]) => at),
      )
      expect(answers.indexOf('failed')).toBe(Number.isFinite(firstFailing) ? firstFailing : -1)
    }
    const kinds = new Set(
      sample(journalFaults()).flatMap((faults) => [...faults.values()].map(({ kind }) => kind)),
    )
    expect([...kinds].sort()).toEqual(['late', 'late answer', 'lost', 'unknown'])
  })
})

type MemoryFs = ReturnType<typeof createFsFromVolume>

/** Only those that make something of nothing: whether the others do well is for whoever compares two file systems. */
function succeeds(fs: MemoryFs, call: FileSystemCall): boolean {
  try {
    if (call.call === 'mkdir') fs.mkdirSync(call.path, { recursive: call.option })
    else if (call.call === 'writeFile') fs.writeFileSync(call.path, call.text)
    else if (call.call === 'rename') fs.renameSync(call.path, call.to)
    else if (call.call === 'link') fs.linkSync(call.path, call.to)
    else return false
    return true
  } catch {
    return false
  }
}

function answerOf(promise: Promise<unknown>): Promise<'committed' | 'failed'> {
  return promise.then(
    () => 'committed',
    () => 'failed',
  )
}
