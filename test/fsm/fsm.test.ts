import { describe, expect, test } from 'vitest'
import { FSM } from '../../src/fsm/index.ts'
import type { FSMHints, FSMOptions } from '../../src/fsm/index.ts'
import { crc32c } from '../../src/wire/index.ts'
import { asRecordedOp, logOp, randomFrom } from '../support/op-log.ts'
import type { Change, LoggedOp } from '../support/op-log.ts'

const LOG = 'a/log'
const EMPTY: FSMHints = { log: LOG, liveNodes: [], properties: [] }

/** A machine, and a hand that writes operations for it. */
class Desk {
  readonly fsm: FSM
  readonly ops: LoggedOp[] = []
  author = 7
  log = LOG
  offset = 0
  /** A recorder does not know where its operations end. */
  knowsEnds = true

  constructor(hints = EMPTY, options: FSMOptions = {}) {
    this.fsm = new FSM(hints, options)
  }

  /** Applies the change as the next operation. */
  apply(change: Change): string {
    const { nextSeqNo: seqNo, nextChecksum: checksum } = this.fsm
    const op = logOp({ seqNo, checksum, author: this.author }, change, this.log, this.offset)
    const outcome = this.give(this.knowsEnds ? op : { ...op, lastOffset: 0 })
    if (outcome === 'OK') this.offset = op.lastOffset
    return outcome
  }

  give(op: LoggedOp): string {
    this.ops.push(op)
    return this.fsm.apply(asRecordedOp(op), op.message, 0, op.message.length)
  }

  create(path: string): number {
    const fnode = this.fsm.nextSeqNo
    expect(this.apply({ kind: 'create', path })).toBe('OK')
    return fnode
  }

  write(fnode: number, length = 0): void {
    expect(this.apply({ kind: 'write', fnode, length })).toBe('OK')
  }

  unlink(fnode: number, path: string): void {
    expect(this.apply({ kind: 'unlink', fnode, path })).toBe('OK')
  }

  /** A file that comes and goes, with so many bytes written in between. */
  passing(path: string, length: number): void {
    const fnode = this.create(path)
    this.write(fnode, length)
    this.unlink(fnode, path)
  }

  /** First and last numbers of the segments that hints hold for an fnode. */
  hinted(fnode: number): number[][] {
    const node = this.fsm.buildHints().liveNodes.find((live) => live.fnode === fnode)
    return (node?.segments ?? []).map(({ firstSeqNo, lastSeqNo }) => [firstSeqNo, lastSeqNo])
  }
}

describe('fsm: looking things up', () => {
  test('finds files by path and by number, and names them by all their links in order', () => {
    const desk = new Desk()
    const a = desk.create('/a')
    const b = desk.create('/b')
    desk.apply({ kind: 'link', fnode: a, path: '/c' })
    desk.apply({ kind: 'link', fnode: a, path: '/0' })
    const { fsm } = desk
    expect([fsm.fnodeOf('/a'), fsm.fnodeOf('/c'), fsm.fnodeOf('/b'), fsm.fnodeOf('/d')]).toEqual([
      a,
      a,
      b,
      undefined,
    ])
    expect([fsm.linksOf(a), fsm.linksOf(b), fsm.linksOf(99)]).toEqual([['/a', '/c', '/0'], ['/b'], []])
    expect([fsm.isLive(a), fsm.isLive(99), fsm.isLive(0)]).toEqual([true, false, false])
    expect([fsm.liveCount, fsm.lowestFnode(), fsm.segmentsOf(99)]).toEqual([2, a, []])
    desk.unlink(a, '/a')
    desk.unlink(a, '/0')
    expect([fsm.linksOf(a), fsm.fnodeOf('/a')]).toEqual([['/c'], undefined])
    desk.unlink(a, '/c')
    expect([fsm.isLive(a), fsm.lowestFnode(), [...fsm.links()]]).toEqual([
      false,
      b,
      [{ path: '/b', fnode: b }],
    ])
  })

  test('finds a path in the middle of other bytes, and no property', () => {
    const desk = new Desk({ ...EMPTY, properties: [{ path: '/p', content: 'x' }] })
    const fnode = desk.create('/é')
    const bytes = new TextEncoder().encode('..../é/p')
    expect([
      desk.fsm.fnodeAt(bytes, 4, 7),
      desk.fsm.fnodeAt(bytes, 4, 6),
      desk.fsm.fnodeAt(bytes, 7, 9),
    ]).toEqual([fnode, 0, 0])
    expect(desk.fsm.fnodeOf('/p')).toBeUndefined()
  })

  test("a path with half a surrogate pair is nobody's, not even where U+FFFD is linked", () => {
    const desk = new Desk()
    desk.create('/\ufffd')
    expect(desk.fsm.fnodeOf('/\ud800')).toBeUndefined()
  })

  test('tells whether some file has its last segment in a log', () => {
    const desk = new Desk()
    const a = desk.create('/a')
    desk.create('/b')
    desk.log = 'b/log'
    expect([desk.fsm.endsIn(LOG), desk.fsm.endsIn('b/log')]).toEqual([true, false])
    desk.write(a)
    expect([desk.fsm.endsIn(LOG), desk.fsm.endsIn('b/log'), desk.fsm.endsIn('c/log')]).toEqual([
      true,
      true,
      false,
    ])
    expect([new FSM(EMPTY).endsIn(LOG), new FSM(EMPTY).lowestFnode()]).toEqual([false, undefined])
  })

  test('keeps log and author of the operation that was applied last, tracked or not', () => {
    const desk = new Desk()
    expect([desk.fsm.lastLog, desk.fsm.lastAuthor, desk.fsm.hintedSegment]).toEqual([LOG, 0, undefined])
    desk.author = 0xfedc_ba98
    desk.log = 'b/log'
    expect(desk.apply({ kind: 'write', fnode: 5, length: 0 })).toBe('FNODE_NOT_TRACKED')
    expect([desk.fsm.lastLog, desk.fsm.lastAuthor]).toEqual(['b/log', 0xfedc_ba98])
    desk.author = 9
    desk.create('/a')
    desk.author = 10
    expect(desk.apply({ kind: 'create', path: '/a' })).toBe('LINK_EXISTS')
    expect(desk.fsm.lastAuthor).toBe(9)
  })
})

describe('fsm: applying', () => {
  test('nothing changes when the message does not lie in its bytes', () => {
    const desk = new Desk()
    const op = logOp({ seqNo: 1, checksum: 0, author: 7 }, { kind: 'create', path: '/a' }, LOG, 0)
    expect(() => desk.fsm.apply(asRecordedOp(op), op.message, 0, op.message.length + 1)).toThrow(RangeError)
    expect([desk.fsm.nextSeqNo, desk.fsm.liveCount, desk.give(op)]).toEqual([1, 0, 'OK'])
  })

  test('numbers up to 2^53 - 1 are exact (sequence numbers, offsets)', () => {
    const seqNo = Number.MAX_SAFE_INTEGER - 3
    const firstOffset = Number.MAX_SAFE_INTEGER - 1000
    const segment = {
      author: 7,
      firstSeqNo: seqNo,
      firstOffset: 0,
      firstChecksum: 0xffff_fffe,
      lastSeqNo: seqNo,
      lastOffset: 0,
      log: '',
    }
    const desk = new Desk({ ...EMPTY, liveNodes: [{ fnode: seqNo, segments: [segment] }] })
    desk.offset = firstOffset
    expect(desk.create('/a')).toBe(seqNo)
    desk.write(seqNo)
    expect(desk.fsm.segmentsOf(seqNo)).toEqual([
      { ...segment, firstOffset, lastSeqNo: seqNo + 1, lastOffset: desk.offset, log: LOG },
    ])
    expect([desk.fsm.nextSeqNo, desk.fsm.fnodeOf('/a')]).toEqual([seqNo + 2, seqNo])
  })

  test('two fnodes that are 2^32 apart are two', () => {
    const segments = [1, 2 ** 32 + 1].map((firstSeqNo) => ({
      author: 7,
      firstSeqNo,
      firstOffset: 0,
      firstChecksum: 0,
      lastSeqNo: firstSeqNo,
      lastOffset: 0,
      log: '',
    }))
    const desk = new Desk({
      ...EMPTY,
      liveNodes: segments.map((s) => ({ fnode: s.firstSeqNo, segments: [s] })),
    })
    desk.create('/a')
    desk.create('/b')
    expect([desk.fsm.linksOf(1), desk.fsm.linksOf(2 ** 32 + 1)]).toEqual([['/a'], ['/b']])
    desk.unlink(1, '/a')
    expect([desk.fsm.isLive(1), desk.fsm.isLive(2 ** 32 + 1)]).toEqual([false, true])
  })

  test('properties come out sorted by path, whatever order they were set in', () => {
    const desk = new Desk({
      ...EMPTY,
      properties: [
        { path: '/z', content: '1' },
        { path: '/b', content: '2' },
      ],
    })
    desk.apply({ kind: 'property', path: '/a', content: '3' })
    desk.apply({ kind: 'property', path: '/z', content: '4' })
    expect(desk.fsm.buildHints().properties).toEqual([
      { path: '/a', content: '3' },
      { path: '/b', content: '2' },
      { path: '/z', content: '4' },
    ])
  })
})

describe('fsm: many paths', () => {
  test('paths are kept when the arena is compacted (long ones that go, short ones that come, two links each)', () => {
    const desk = new Desk({ ...EMPTY, properties: [{ path: '/property', content: 'x' }] })
    const expected = new Map<string, number>()
    const long = Array.from({ length: 60 }, (_, i) => `/${'directory/'.repeat(i)}${String(i)}`)
    const fnodes = long.map((path) => desk.create(path))
    for (const [i, fnode] of fnodes.entries()) {
      desk.apply({ kind: 'link', fnode, path: `/second-${String(i)}` })
      expected.set(`/second-${String(i)}`, fnode)
    }
    for (const [i, fnode] of fnodes.entries()) desk.unlink(fnode, long[i] as string)
    for (let i = 0; i < 3000; i++) {
      const path = `/new-${String(i)}`
      if (i % 3 === 0) expected.set(path, desk.create(path))
      else if (i % 3 === 1) expected.set(path, fnodes[i % 60] as number)
      if (i % 3 === 1) desk.apply({ kind: 'link', fnode: fnodes[i % 60] as number, path })
    }
    const links = [...desk.fsm.links()]
    expect(new Map(links.map(({ path, fnode }) => [path, fnode]))).toEqual(expected)
    for (const [path, fnode] of expected) expect(desk.fsm.fnodeOf(path)).toBe(fnode)
    for (const path of long) expect(desk.fsm.fnodeOf(path)).toBeUndefined()
    expect(desk.apply({ kind: 'create', path: '/property' })).toBe('PROPERTY_EXISTS')
  })

  test('a path longer than the arena is taken', () => {
    const desk = new Desk()
    const path = `/${'x'.repeat(3000)}`
    const fnodes = Array.from({ length: 10 }, (_, i) => desk.create(path + String(i)))
    expect(fnodes.map((fnode) => desk.fsm.linksOf(fnode))).toEqual(fnodes.map((_, i) => [path + String(i)]))
    for (const [i, fnode] of fnodes.entries()) if (i > 0) desk.unlink(fnode, path + String(i))
    const again = Array.from({ length: 10 }, (_, i) => desk.create(`${path}-${String(i)}`))
    expect(again.map((fnode) => desk.fsm.linksOf(fnode)[0])).toEqual(
      again.map((_, i) => `${path}-${String(i)}`),
    )
    expect(desk.fsm.linksOf(1)).toEqual([`${path}0`])
  })

  test('two paths of one hash and one length are two', () => {
    const [one, other] = pathsOfOneHash()
    const desk = new Desk()
    const fnode = desk.create(one)
    expect(desk.fsm.fnodeOf(other)).toBeUndefined()
    const second = desk.create(other)
    expect([desk.fsm.fnodeOf(one), desk.fsm.fnodeOf(other)]).toEqual([fnode, second])
    desk.unlink(fnode, one)
    expect([desk.fsm.fnodeOf(one), desk.fsm.fnodeOf(other)]).toEqual([undefined, second])
  })

  function pathsOfOneHash(): [string, string] {
    const seen = new Map<number, string>()
    const random = randomFrom(7)
    for (;;) {
      const path = `/${String(random(1e9)).padStart(9, '0')}${String(random(1e9)).padStart(9, '0')}`
      const hash = crc32c(0, new TextEncoder().encode(path))
      const other = seen.get(hash)
      if (other !== undefined && other !== path) return [other, path]
      seen.set(hash, path)
    }
  }
})

describe('fsm: cuts', () => {
  const CUTS = { segmentGapBytesMin: 1000, segmentsPerFnodeMax: 4 }

  test('a gap is cut from the size that is worth it, and not without being asked', () => {
    for (const [options, bytes, expected] of [
      [
        CUTS,
        2000,
        [
          [1, 2],
          [6, 6],
        ],
      ],
      [CUTS, 100, [[1, 6]]],
      [{}, 2000, [[1, 6]]],
    ] as const) {
      const desk = new Desk(EMPTY, options)
      const a = desk.create('/a')
      desk.write(a)
      desk.passing('/t', bytes)
      desk.write(a)
      expect(desk.hinted(a)).toEqual(expected)
    }
  })

  test('a recorder, which knows lower bounds of its offsets only, cuts as well', () => {
    const desk = new Desk(EMPTY, CUTS)
    desk.knowsEnds = false
    const a = desk.create('/a')
    desk.passing('/t', 2000)
    desk.write(a)
    expect(desk.hinted(a)).toEqual([
      [1, 1],
      [5, 5],
    ])
  })

  test('a segment reaches behind the last unlink of a file whose create it holds, when that is the newest file', () => {
    const desk = new Desk(EMPTY, CUTS)
    const a = desk.create('/a')
    const t = desk.create('/t')
    desk.write(a)
    desk.write(t, 100)
    desk.unlink(t, '/t')
    desk.passing('/u', 2000)
    desk.write(a)
    expect(desk.hinted(a)).toEqual([
      [1, 5],
      [9, 9],
    ])
  })

  test.each<[string, boolean, FSMOptions, number]>([
    ['ends are unknown, and nothing is pruned behind those', false, {}, 7],
    ['ends are known, and hints have been handed out', true, {}, 3],
    ['ends are known, and nothing is pruned inside gaps', true, { goReadable: true }, 7],
  ])(
    'below the last live file nothing is prolonged; when that ends (%s)',
    (_, knowsEnds, options, lastSeqNo) => {
      const desk = new Desk(EMPTY, { ...CUTS, ...options })
      desk.knowsEnds = knowsEnds
      const a = desk.create('/a')
      const t = desk.create('/t')
      desk.write(a)
      desk.passing('/u', 2000)
      desk.unlink(t, '/t')
      const b = desk.create('/b')
      desk.passing('/v', 1500)
      desk.write(a)
      expect(desk.hinted(a)).toEqual([
        [1, 3],
        [12, 12],
      ])
      desk.unlink(b, '/b')
      expect(desk.hinted(a)).toEqual([
        [1, lastSeqNo],
        [12, 12],
      ])
    },
  )

  test('past the bound, the cheapest gap is closed again', () => {
    const desk = new Desk(EMPTY, { ...CUTS, segmentsPerFnodeMax: 3 })
    desk.knowsEnds = false
    const a = desk.create('/a')
    for (const length of [3000, 1500, 4000]) {
      desk.passing('/t', length)
      desk.write(a)
    }
    expect(desk.hinted(a)).toEqual([
      [1, 1],
      [5, 9],
      [13, 13],
    ])
    desk.passing('/t', 1200) // cheaper than any
    desk.write(a)
    expect(desk.hinted(a)).toEqual([
      [1, 1],
      [5, 9],
      [13, 17],
    ])
  })

  test('cuts of the hints are kept, to the operation, and the gaps need not be there', () => {
    const first = new Desk(EMPTY, CUTS)
    const a = first.create('/a')
    const t = first.create('/t')
    first.write(a)
    first.unlink(t, '/t')
    first.passing('/u', 2000)
    first.write(a)
    const hints = first.fsm.buildHints()
    const segments = hints.liveNodes[0]?.segments ?? []
    for (const options of [CUTS, {}]) {
      const second = new Desk(hints, options)
      expect(second.fsm.hintedSegment).toEqual({ ...segments[0], log: LOG })
      for (const op of first.ops) {
        if (segments.some((s) => s.firstSeqNo <= op.seqNo && op.seqNo <= s.lastSeqNo)) second.give(op)
      }
      expect(second.fsm.hintedSegments).toEqual([])
      expect(second.fsm.buildHints()).toEqual(hints)
      expect([...second.fsm.links()]).toEqual([{ path: '/a', fnode: a }])
    }
  })
})

describe('fsm: prefetch', () => {
  test('is wanted for many files only, and changes nothing', () => {
    const desk = new Desk()
    const files = 16_385
    for (let i = 1; i < files; i++) desk.create(`/${i}`)
    expect(desk.fsm.wantsPrefetch).toBe(false)
    const last = desk.create('/last')
    expect(desk.fsm.wantsPrefetch).toBe(true)
    const before = desk.fsm.buildHints()
    const at = { seqNo: desk.fsm.nextSeqNo, checksum: desk.fsm.nextChecksum, author: desk.author }
    const changes: Change[] = [
      { kind: 'write', fnode: last, length: 1 },
      { kind: 'create', path: '/new' },
      { kind: 'unlink', fnode: 1, path: '/1' },
      { kind: 'link', fnode: 999_999, path: '/none' },
    ]
    desk.fsm.prefetch(
      changes.map((change) => asRecordedOp(logOp(at, change, LOG, desk.offset))),
      changes.length,
    )
    expect(desk.fsm.buildHints()).toEqual(before)
    expect(changes.slice(0, 3).map((change) => desk.apply(change))).toEqual(['OK', 'OK', 'OK'])
    desk.unlink(2, '/2')
    expect([desk.fsm.liveCount, desk.fsm.wantsPrefetch]).toEqual([files - 1, false])
  })
})
