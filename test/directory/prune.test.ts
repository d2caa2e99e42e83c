import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HintsSet } from '../../src/directory/hints-set.ts'
import { MemoryHintsStore } from '../../src/directory/memory/memory-hints-store.ts'
import { prune, type PruneOptions } from '../../src/directory/prune.ts'
import { isKept, mergeRanges, rangesOf } from '../../src/directory/reachability.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { FSMHints, Segment } from '../../src/wire/index.ts'
import { ManualClock } from '../support/directory.ts'

const LOG = 'the/log'

/** A segment of one operation for each byte: numbers and offsets run alike. */
function segment(first: number, last: number, options: { log?: string; isOpen?: boolean } = {}): Segment {
  const { log = '', isOpen = false } = options
  return {
    author: 1,
    firstSeqNo: first + 1,
    firstOffset: first,
    firstChecksum: 0,
    lastSeqNo: last,
    lastOffset: isOpen ? 0 : last,
    log,
  }
}

function hintsOf(...segments: Segment[]): FSMHints {
  return {
    log: LOG,
    liveNodes: segments.map((s) => ({ fnode: s.firstSeqNo, segments: [s] })),
    properties: [],
  }
}

function setOf(hints: FSMHints, since = 1, journals = [{ name: LOG, id: 'id' }]): HintsSet {
  return { time: 0, author: 1, since: [0, since], end: { log: LOG, end: 0 }, journals, hints }
}

describe('what of a log must be kept', () => {
  it('reachability: hints without segments keep the whole log', () => {
    expect(rangesOf(hintsOf())).toEqual([{ log: LOG, begin: 0 }])
  })

  it('reachability: from the last segment on everything, before it what meets a segment', () => {
    expect(rangesOf(hintsOf(segment(10, 20), segment(50, 60), segment(80, 90)))).toEqual([
      { log: LOG, begin: 10, end: 20 },
      { log: LOG, begin: 50, end: 60 },
      { log: LOG, begin: 80, end: undefined },
    ])
  })

  it('reachability: an unknown end reaches to the head', () => {
    expect(rangesOf(hintsOf(segment(10, 20), segment(50, 60, { isOpen: true }), segment(80, 90)))).toEqual([
      { log: LOG, begin: 10, end: 20 },
      { log: LOG, begin: 50, end: undefined },
    ])
  })

  it('reachability: gaps are kept for Go', () => {
    expect(rangesOf(hintsOf(segment(10, 20), segment(80, 90)), { goReadable: true })).toEqual([
      { log: LOG, begin: 10, end: undefined },
    ])
  })

  it('reachability: logs apart', () => {
    const hints = hintsOf(segment(500, 520, { log: 'old/log' }), segment(600, 620))
    expect(rangesOf(hints)).toEqual([
      { log: 'old/log', begin: 500, end: 520 },
      { log: LOG, begin: 600, end: undefined },
    ])
  })

  it('reachability: merged ranges keep just what the single ones keep', () => {
    const range = fc
      .tuple(fc.constantFrom('a', 'b'), fc.nat(30), fc.option(fc.nat(30), { nil: undefined }))
      .map(([log, begin, length]) => ({ log, begin, end: length === undefined ? undefined : begin + length }))
    fc.assert(
      fc.property(fc.array(range), fc.constantFrom('a', 'b'), fc.nat(70), (ranges, log, byte) => {
        const fragment = { begin: byte, end: byte + 1 }
        expect(isKept(log, fragment, mergeRanges(ranges))).toBe(isKept(log, fragment, ranges))
      }),
    )
  })
})

describe('pruning', () => {
  /** A journal of ten fragments of ten bytes. */
  async function tenFragments(id = 'id', name = LOG): Promise<MemoryJournal> {
    const journal = new MemoryJournal({ name, id, fragmentBytes: 10 })
    for (let i = 0; i < 10; i++) await journal.append({ content: new Uint8Array(10) })
    return journal
  }

  async function spans(journal: MemoryJournal): Promise<number[]> {
    return (await journal.fragments()).map(({ begin }) => begin)
  }

  async function setUp(...sets: HintsSet[]) {
    const journal = await tenFragments()
    const hints = new MemoryHintsStore()
    let recoveredFrom: string | undefined
    for (const set of sets) recoveredFrom = await hints.save(set, { recoveredFrom })
    const clock = new ManualClock(1000)
    const options: PruneOptions = { hints, clock, journals: (name) => (name === LOG ? journal : undefined) }
    return { journal, hints, clock, options }
  }

  it('prune: frees what the hints do not need, and says who holds the oldest byte', async () => {
    const { journal, options } = await setUp(setOf(hintsOf(segment(25, 31), segment(70, 75))))
    const report = await prune({ ...options, pathsOf: (fnode) => [`/file-${String(fnode)}`] })
    expect(await spans(journal)).toEqual([20, 30, 70, 80, 90])
    expect(report.logs).toEqual([
      {
        log: LOG,
        kept: [20, 30, 70, 80, 90].map((begin) => ({ begin, end: begin + 10 })),
        keptBytes: 50,
        removed: [0, 10, 40, 50, 60].map((begin) => ({ begin, end: begin + 10 })),
        removedBytes: 50,
        failed: [],
      },
    ])
    expect(report.oldest).toMatchObject([{ log: LOG, offset: 25, fnode: 26, paths: ['/file-26'] }])
  })

  it('prune: a dry run tells the same and removes nothing', async () => {
    const { journal, hints, options } = await setUp(
      setOf(hintsOf(segment(5, 6), segment(90, 95)), 1),
      setOf(hintsOf(segment(85, 86)), 2),
    )
    const dry = await prune({ ...options, dryRun: true, bytesMax: 20 })
    expect(await spans(journal)).toHaveLength(10)
    expect(await hints.load()).toHaveLength(2)
    const real = await prune({ ...options, bytesMax: 20 })
    expect({ ...real, dryRun: true }).toEqual(dry)
    expect(await spans(journal)).toEqual([80, 90])
    expect(await hints.load()).toHaveLength(1)
  })

  it('prune: every stored set counts, backups too', async () => {
    const { journal, options } = await setUp(
      setOf(hintsOf(segment(5, 6), segment(90, 95)), 1),
      setOf(hintsOf(segment(45, 46), segment(90, 95)), 2),
    )
    await prune(options)
    expect(await spans(journal)).toEqual([0, 40, 90])
  })

  it('prune: a set without segments keeps everything', async () => {
    const { journal, options } = await setUp(setOf(hintsOf()))
    expect((await prune(options)).logs[0]?.removed).toEqual([])
    expect(await spans(journal)).toHaveLength(10)
  })

  it('prune: the fragment at the head stays', async () => {
    const journal = await tenFragments()
    const hints = new MemoryHintsStore()
    await hints.save(setOf(hintsOf(segment(0, 5, { log: 'other/log' }), segment(200, 205))))
    await prune({ hints, clock: new ManualClock(), journals: (name) => (name === LOG ? journal : undefined) })
    expect(await spans(journal)).toEqual([90])
  })

  it('prune: a pin keeps what it names until it runs out, and then goes visibly', async () => {
    const { journal, hints, clock, options } = await setUp(setOf(hintsOf(segment(90, 95))))
    const pin = { id: 'r', reader: 'a standby', expiresAt: 2000, ranges: [{ log: LOG, begin: 35, end: 45 }] }
    await hints.pin(pin)
    const report = await prune(options)
    expect(await spans(journal)).toEqual([30, 40, 90])
    expect(report.pins).toEqual([pin])
    expect(report.oldest).toMatchObject([{ offset: 35, pin: 'r' }])
    await clock.advance(1000)
    expect((await prune(options)).expiredPins).toEqual([pin])
    expect(await spans(journal)).toEqual([90])
    expect(await hints.pins()).toEqual([])
  })

  it('prune: sets are removed before the pins are read, and those before fragments go', async () => {
    const { journal, hints, options } = await setUp(
      setOf(hintsOf(segment(5, 6), segment(90, 95)), 1),
      setOf(hintsOf(segment(85, 86)), 2),
    )
    const order: string[] = []
    const remove = hints.remove.bind(hints)
    const pins = hints.pins.bind(hints)
    const removeFragment = journal.remove.bind(journal)
    hints.remove = (key) => (order.push('set'), remove(key))
    hints.pins = () => (order.push('pins'), pins())
    journal.remove = (fragment) => (order.push('fragment'), removeFragment(fragment))
    await prune({ ...options, bytesMax: 20 })
    expect([...new Set(order)]).toEqual(['set', 'pins', 'fragment'])
  })

  it('prune: one fragment that cannot be removed does not stop the others', async () => {
    const { journal, options } = await setUp(setOf(hintsOf(segment(90, 95))))
    const remove = journal.remove.bind(journal)
    journal.remove = (fragment) =>
      fragment.begin === 30
        ? Promise.reject(new RecoveryLogError('DENIED', 'the object is locked'))
        : remove(fragment)
    const [log] = (await prune(options)).logs
    expect(log?.failed).toMatchObject([{ fragment: { begin: 30, end: 40 }, error: { code: 'DENIED' } }])
    expect(await spans(journal)).toEqual([30, 90])
  })

  it('prune: a foreign error ends it', async () => {
    const { journal, options } = await setUp(setOf(hintsOf(segment(90, 95))))
    journal.remove = () => Promise.reject(new Error('a bug'))
    await expect(prune(options)).rejects.toThrow('a bug')
  })

  it('prune: no hints, or unreadable ones, free nothing', async () => {
    const { hints, options } = await setUp()
    await expect(prune(options)).rejects.toMatchObject({ code: 'HINTS_EMPTY' })
    const error = new RecoveryLogError('HINTS_INVALID', 'damaged')
    hints.load = () => Promise.resolve([{ key: 'k', error }])
    await expect(prune(options)).rejects.toBe(error)
  })

  it.each([
    ['is not known', [{ name: 'un/known', id: 'id' }], 'its journal is not known here'],
    [
      'was made anew',
      [{ name: LOG, id: 'other' }],
      'the journal of that name is another one than the hints speak of',
    ],
  ])('prune: a journal that %s is left alone', async (_case, journals, skipped) => {
    const { journal, options } = await setUp(setOf(hintsOf(segment(90, 95)), 1, journals))
    expect((await prune(options)).logs).toMatchObject([{ log: journals[0]?.name, skipped, removed: [] }])
    expect(await spans(journal)).toHaveLength(10)
  })

  it('prune: a journal that cannot prune is left alone', async () => {
    const { journal, hints } = await setUp(setOf(hintsOf(segment(90, 95))))
    Object.defineProperty(journal, 'fragments', { value: undefined })
    const report = await prune({ hints, clock: new ManualClock(), journals: () => journal })
    expect(report.logs).toMatchObject([{ skipped: 'its journal cannot be pruned' }])
  })

  it('prune: tells how far it is, and can be aborted', async () => {
    const { options, clock } = await setUp(setOf(hintsOf(segment(90, 95))))
    const done: (number | undefined)[] = []
    await clock.advance(10)
    await prune({ ...options, dryRun: true, onProgress: ({ bytesDone }) => done.push(bytesDone) })
    expect(done).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90])
    await expect(prune({ ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })
})
