/** Recovery-log spec, section 7, sentence by sentence. */
import { describe, expect, it } from 'vitest'
import type { FSMHints } from '../../src/fsm/index.ts'
import { Player, nullTarget, planPlayback } from '../../src/player/index.ts'
import type { PlayEvent } from '../../src/player/index.ts'
import { crc32c } from '../../src/wire/index.ts'
import { chunked, memory, NO_HINTS, playThrough, treeOf } from './doubles.ts'
import { A, B, journalOf, LOG, LogBuilder } from './log-builder.ts'

const failing = (code: string, data: object = {}): unknown =>
  expect.objectContaining({ code, data: expect.objectContaining(data) as unknown })

/** Two files that live, with a dead one between. */
function simple(): { log: LogBuilder; one: number; two: number; middle: number; end: number } {
  const log = new LogBuilder()
  const one = log.create('/one')
  log.write(one, 0, 'first')
  const middle = log.offset
  const dead = log.create('/dead')
  log.write(dead, 0, 'gone').unlink(dead, '/dead')
  const end = log.offset
  const two = log.create('/dir/two')
  log.write(two, 0, 'second').link(two, '/again')
  return { log, one, two, middle, end }
}

const TREE = { '/one': 'first', '/dir/two': 'second', '/again': 'second' }

describe('player 7.1: the target', () => {
  const journals = { [LOG]: simple().log.journal() }

  it.each([
    { what: 'missing', prepare: () => undefined },
    { what: 'with missing parents', dir: '/p/q/target', prepare: () => undefined },
    { what: 'empty', prepare: (volume: ReturnType<typeof memory>['volume']) => volume.mkdirSync('/target') },
    { what: 'with a slash at its end', dir: '/target/', prepare: () => undefined },
  ])('is taken ($what)', async ({ dir = '/target', prepare }) => {
    const { volume, fs } = memory()
    prepare(volume)
    const player = new Player({ hints: NO_HINTS, journals, dir, fs })
    player.finishAtWriteHead()
    const played = await player.play()
    expect(played.dir).toBe(dir)
    expect(treeOf(volume, dir.replace(/\/$/, ''))).toEqual(TREE)
  })

  it.each([
    {
      what: 'a file in it',
      prepare: (fs: ReturnType<typeof memory>) => fs.volume.fromJSON({ '/target/x': '1' }),
    },
    {
      what: 'a folder in it',
      prepare: (fs: ReturnType<typeof memory>) => fs.volume.mkdirSync('/target/x', { recursive: true }),
    },
    { what: 'no folder', prepare: (fs: ReturnType<typeof memory>) => fs.volume.fromJSON({ '/target': '1' }) },
  ])('is refused ($what)', async ({ prepare }) => {
    const place = memory()
    prepare(place)
    const before = place.volume.toJSON()
    const player = new Player({ hints: NO_HINTS, journals, dir: '/target', fs: place.fs })
    player.finishAtWriteHead()
    await expect(player.play()).rejects.toEqual(failing('TARGET_NOT_EMPTY', { dir: '/target' }))
    expect(place.volume.toJSON()).toEqual(before)
  })

  it('replace empties it, without following symbolic links', async () => {
    const { volume, fs } = memory()
    volume.fromJSON({ '/target/old/a': '1', '/target/b': '2', '/outside/kept': '3' })
    volume.symlinkSync('/outside', '/target/link')
    const player = new Player({ hints: NO_HINTS, journals, dir: '/target', fs, replace: true })
    player.finishAtWriteHead()
    await player.play()
    expect(treeOf(volume, '/target')).toEqual(TREE)
    expect(treeOf(volume, '/outside')).toEqual({ '/kept': '3' })
  })

  it('replace touches nothing before hints and heads have been checked', async () => {
    const { volume, fs } = memory()
    volume.fromJSON({ '/target/old': '1' })
    const segment = {
      author: A,
      firstSeqNo: 1,
      firstOffset: 0,
      firstChecksum: 0,
      lastSeqNo: 1,
      lastOffset: 9999,
      log: '',
    }
    const hints = { log: LOG, liveNodes: [{ fnode: 1, segments: [segment] }], properties: [] }
    const player = new Player({ hints, journals, dir: '/target', fs, replace: true })
    await expect(player.play()).rejects.toEqual(failing('DATA_LOSS', { log: LOG }))
    expect(treeOf(volume, '/target')).toEqual({ '/old': '1' })
  })

  it('files are staged in .fnodes/<fnode>, and have no other name while the log is played', async () => {
    const { log, one } = simple()
    log.write(one, 5, Buffer.alloc(20_000, 'x')) // too large to be kept in memory
    const { volume, fs } = memory()
    const player = new Player({ hints: NO_HINTS, journals: { [LOG]: log.journal() }, dir: '/target', fs })
    const played = player.play()
    await player.atHead
    expect(volume.readdirSync('/target')).toEqual(['.fnodes'])
    expect(volume.readdirSync('/target/.fnodes')).toEqual([String(one)])
    player.finishAtWriteHead()
    await played
    expect((volume.readdirSync('/target') as string[]).sort()).toEqual(['again', 'dir', 'one'])
  })
})

describe('player 7.2: heads', () => {
  it.each([
    { what: 'ends past the head', firstOffset: 0, lastOffset: 1 },
    { what: 'begins at the head', firstOffset: 0, lastOffset: 0 },
  ])('a hinted segment that $what is DATA_LOSS, told before anything is touched', async (offsets) => {
    const { volume, fs } = memory()
    const segment = { author: A, firstSeqNo: 1, firstChecksum: 0, lastSeqNo: 1, log: '', ...offsets }
    const hints = { log: LOG, liveNodes: [{ fnode: 1, segments: [segment] }], properties: [] }
    const options = { hints, journals: { [LOG]: journalOf([]) } }
    const player = new Player({ ...options, dir: '/target', fs })
    await expect(player.play()).rejects.toEqual(failing('DATA_LOSS', { log: LOG, head: 0 }))
    expect(volume.existsSync('/target')).toBe(false)
    await expect(planPlayback(options)).rejects.toEqual(failing('DATA_LOSS', { log: LOG, head: 0 }))
  })

  it('a log without a journal is NOT_FOUND', async () => {
    for (const journals of [{}, new Map(), () => undefined, () => Promise.resolve(undefined)]) {
      const player = new Player({ hints: NO_HINTS, journals, target: nullTarget() })
      await expect(player.play()).rejects.toEqual(failing('NOT_FOUND', { log: LOG }))
    }
  })

  it.each([
    {
      what: 'a function',
      of: (journal: ReturnType<typeof journalOf>) => (name: string) => (name === LOG ? journal : undefined),
    },
    {
      what: 'an async function',
      of: (journal: ReturnType<typeof journalOf>) => () => Promise.resolve(journal),
    },
    { what: 'a Map', of: (journal: ReturnType<typeof journalOf>) => new Map([[LOG, journal]]) },
    { what: 'an object', of: (journal: ReturnType<typeof journalOf>) => ({ [LOG]: journal }) },
  ])('journals are found by $what', async ({ of }) => {
    const journals = of(simple().log.journal())
    const player = new Player({ hints: NO_HINTS, journals, target: nullTarget() })
    player.finishAtWriteHead()
    await expect(player.play()).resolves.toMatchObject({ missed: [], dir: undefined })
  })

  it('an object does not lend its prototype as a journal', async () => {
    const hints = { ...NO_HINTS, log: 'toString' }
    const player = new Player({ hints, journals: {}, target: nullTarget() })
    await expect(player.play()).rejects.toEqual(failing('NOT_FOUND'))
  })

  it('hints that are no hints are refused before anything is touched', async () => {
    const hints = { ...NO_HINTS, liveNodes: [{ fnode: 1, segments: [] }] }
    const { volume, fs } = memory()
    const player = new Player({ hints, journals: {}, dir: '/target', fs })
    await expect(player.play()).rejects.toEqual(failing('HINTS_INVALID'))
    expect(volume.existsSync('/target')).toBe(false)
  })
})

describe('player 7.3: reading forward', () => {
  it('what hints leave out is passed over', async () => {
    const { log, middle, end } = simple()
    const hints = (await playThrough(log.journal())).played.fsm.buildHints()
    const { tree, events, played } = await playThrough(log.journal(), { hints })
    expect(tree).toEqual(TREE)
    expect(events.filter(({ type }) => type === 'seek')).toEqual([
      { type: 'seek', log: LOG, offset: 0 },
      { type: 'seek', log: LOG, offset: end },
    ])
    expect(middle).toBeLessThan(end)
    expect(played.outcomes).toEqual(new Map([['OK', 5]]))
  })

  it('dead bytes may be gone', async () => {
    const { log, middle, end } = simple()
    const hints = (await playThrough(log.journal())).played.fsm.buildHints()
    const { tree, played } = await playThrough(log.journalWithHoles([middle, end]), { hints })
    expect(tree).toEqual(TREE)
    expect([played.jumps, played.missed]).toEqual([[], []])
  })

  it('segments of several logs are read in turn, the last one to its head', async () => {
    const old = new LogBuilder()
    const file = old.create('/file')
    old.write(file, 0, 'old ')
    const fresh = old.fork(B)
    fresh.noop().write(file, 4, 'new')
    const log = 'a/newer'
    const segments = [
      {
        author: A,
        firstSeqNo: 1,
        firstOffset: 0,
        firstChecksum: 0,
        lastSeqNo: 2,
        lastOffset: old.offset,
        log: LOG,
      },
      {
        author: B,
        firstSeqNo: 3,
        firstOffset: 0,
        firstChecksum: old.nextChecksum,
        lastSeqNo: 4,
        lastOffset: 0,
        log: '',
      },
    ]
    const hints: FSMHints = { log, liveNodes: [{ fnode: file, segments }], properties: [] }
    fresh.create('/later')
    const { tree, events } = await playThrough([old.journal(), fresh.journal({ name: log })], { hints })
    expect(tree).toEqual({ '/file': 'old new', '/later': '' })
    expect(events.filter(({ type }) => type === 'seek')).toEqual([
      { type: 'seek', log: LOG, offset: 0 },
      { type: 'seek', log, offset: 0 },
    ])
  })

  it('reaching the head with hints unused is DATA_LOSS', async () => {
    const log = new LogBuilder()
    log.create('/a')
    const segment = {
      author: A,
      firstSeqNo: 1,
      firstOffset: 0,
      firstChecksum: 0,
      lastSeqNo: 2,
      lastOffset: 0,
      log: '',
    }
    const hints = { log: LOG, liveNodes: [{ fnode: 1, segments: [segment] }], properties: [] }
    await expect(playThrough(log.journal(), { hints })).rejects.toEqual(
      failing('DATA_LOSS', { log: LOG, offset: log.offset, nextSeqNo: 2, segment: { ...segment, log: LOG } }),
    )
  })

  it('so it is when bytes at the head are no whole operation', async () => {
    const log = new LogBuilder()
    const file = log.create('/a')
    log.op({ kind: 'write', fnode: file, offset: 0, length: 10 })
    const segment = {
      author: A,
      firstSeqNo: 1,
      firstOffset: 0,
      firstChecksum: 0,
      lastSeqNo: 2,
      lastOffset: 0,
      log: '',
    }
    const hints = { log: LOG, liveNodes: [{ fnode: file, segments: [segment] }], properties: [] }
    await expect(playThrough(log.journal(), { hints })).rejects.toEqual(
      failing('DATA_LOSS', { nextSeqNo: 2 }),
    )
  })
})

describe('player 7.4: operations', () => {
  it('create, write and unlink are done; link and property only to the state', async () => {
    const log = new LogBuilder()
    const a = log.create('/a')
    log.write(a, 2, 'xy').write(a, 0, 'ab').link(a, '/b').unlink(a, '/a')
    const dead = log.create('/dead')
    log.write(dead, 0, 'x').unlink(dead, '/dead').property('/IDENTITY', 'me')
    log.create('/dead')
    const { tree, played } = await playThrough(log.journal())
    expect(tree).toEqual({ '/b': 'abxy', '/dead': '', '/IDENTITY': 'me' })
    expect(played.outcomes).toEqual(new Map([['OK', 10]]))
    expect(played.head).toEqual({ log: LOG, offset: log.offset, registers: [] })
  })

  it('names of one file are hard links', async () => {
    const { log } = simple()
    const { volume, fs } = memory()
    const player = new Player({ hints: NO_HINTS, journals: { [LOG]: log.journal() }, dir: '/target', fs })
    player.finishAtWriteHead()
    await player.play()
    expect(volume.statSync('/target/again').ino).toBe(volume.statSync('/target/dir/two').ino)
  })

  it('a write behind the end leaves zeros between', async () => {
    const log = new LogBuilder()
    log.write(log.create('/a'), 3, 'x')
    expect((await playThrough(log.journal())).tree).toEqual({ '/a': '\0\0\0x' })
  })

  it('a write of no bytes changes nothing', async () => {
    const log = new LogBuilder()
    log.write(log.create('/a'), 100, '')
    expect((await playThrough(log.journal())).tree).toEqual({ '/a': '' })
  })

  it('what is not applied is skipped, with its content', async () => {
    const log = new LogBuilder()
    const a = log.create('/a')
    const branch = log.fork(B)
    branch.nextSeqNo += 7
    const from = log.offset
    branch.write(a, 0, 'not this')
    log.raw(branch.bytes).write(a, 0, 'this')
    const { tree, events } = await playThrough(log.journal())
    expect(tree).toEqual({ '/a': 'this' })
    expect(events.filter(({ type }) => type === 'not_applied')).toEqual([
      { type: 'not_applied', outcome: 'WRONG_SEQ_NO', log: LOG, offset: from, seqNo: 9, author: B },
    ])
  })

  it.each([
    { outcome: 'CHECKSUM_MISMATCH', change: (log: LogBuilder) => ((log.nextChecksum ^= 1), log.noop()) },
    { outcome: 'LINK_EXISTS', change: (log: LogBuilder) => log.create('/a') },
    { outcome: 'NO_SUCH_LINK', change: (log: LogBuilder) => log.unlink(1, '/b') },
  ])('what is unusual is told ($outcome)', async ({ outcome, change }) => {
    const log = new LogBuilder()
    log.create('/a')
    change(log)
    const { events, played } = await playThrough(log.journal())
    expect(events.filter(({ type }) => type === 'not_applied')).toMatchObject([
      { outcome, seqNo: 2, author: A },
    ])
    expect(played.outcomes).toEqual(
      new Map([
        ['OK', 1],
        [outcome, 1],
      ]),
    )
  })

  it('files that are gone, dead branches and old operations are not', async () => {
    const log = new LogBuilder()
    const a = log.create('/a')
    const branch = log.fork(B).noop()
    log.write(99, 0, 'untracked').raw(branch.bytes).raw(new LogBuilder().noop().bytes)
    log.write(a, 0, 'x')
    const { events, played, tree } = await playThrough(log.journal())
    expect(events.map(({ type }) => type)).toEqual(['seek', 'at_head'])
    expect(played.outcomes).toEqual(
      new Map([
        ['OK', 2],
        ['FNODE_NOT_TRACKED', 1],
        ['WRONG_SEQ_NO', 2],
      ]),
    )
    expect([tree, played.missed]).toEqual([{ '/a': 'x' }, []])
  })
})

describe('player 7.5: jumps', () => {
  it('content deleted between operations is jumped over and told', async () => {
    const { log, middle, end } = simple()
    const { played, events, tree } = await playThrough(log.journalWithHoles([middle, end]))
    const jump = { log: LOG, begin: middle, end }
    expect(played.jumps).toEqual([jump])
    expect(events).toContainEqual({ type: 'jump', ...jump })
    expect(tree).toEqual({ '/one': 'first' })
  })

  it('a pruned beginning is a jump', async () => {
    const { log, middle } = simple()
    const { played } = await playThrough(log.journalWithHoles([0, middle]))
    expect(played.jumps).toEqual([{ log: LOG, begin: 0, end: middle }])
  })

  it('content deleted up to the head is a jump', async () => {
    const { log, middle } = simple()
    const { played } = await playThrough(log.journalWithHoles([middle, log.offset]))
    expect(played.jumps).toEqual([{ log: LOG, begin: middle, end: log.offset }])
    expect(played.missed).toEqual([{ kind: 'jump', log: LOG, begin: middle, end: log.offset }])
  })

  it('past the known end of the first hinted segment it is DATA_LOSS at once', async () => {
    const { log, middle, end } = simple()
    const hints = (await playThrough(log.journal())).played.fsm.buildHints()
    await expect(playThrough(log.journalWithHoles([0, middle + 1]), { hints })).rejects.toEqual(
      failing('DATA_LOSS', { log: LOG, missing: { begin: 0, end: middle + 1 } }),
    )
    // Just to its end, or with an unknown end, the head tells.
    await expect(playThrough(log.journalWithHoles([0, middle]), { hints })).rejects.toEqual(
      failing('DATA_LOSS', { offset: log.offset }),
    )
    expect(end).toBeGreaterThan(middle)
  })

  const inside = ((): { what: string; at: number }[] => {
    const log = new LogBuilder()
    const file = log.create('/file')
    const { offset } = log
    log.write(file, 0, 'content')
    const content = log.offset - 7
    const places = (begin: number, end: number): number[] =>
      Array.from({ length: end - begin }, (_, i) => begin + i)
    return [
      ...places(offset + 1, content).map((at) => ({ what: `${at - offset} bytes into a frame`, at })),
      ...places(content + 1, log.offset).map((at) => ({ what: `${at - content} bytes into content`, at })),
    ]
  })()

  it.each(inside)('a hole inside an operation is CORRUPT ($what)', async ({ at }) => {
    const log = new LogBuilder()
    const file = log.create('/file')
    const { offset } = log
    log.write(file, 0, 'content')
    const { offset: end } = log
    log.create('/later')
    await expect(playThrough(log.journalWithHoles([at, end]))).rejects.toEqual(
      failing('CORRUPT', { log: LOG, offset, missing: { begin: at, end } }),
    )
    await expect(playThrough(chunked(log.journalWithHoles([at, end]), 3))).rejects.toEqual(
      failing('CORRUPT', { log: LOG, offset, missing: { begin: at, end } }),
    )
  })

  it('so it is inside an operation that is not applied', async () => {
    const log = new LogBuilder()
    log.lose().write(1, 0, 'content')
    const { offset } = log
    log.create('/later')
    await expect(playThrough(log.journalWithHoles([offset - 3, offset]))).rejects.toEqual(failing('CORRUPT'))
  })

  it('a hole in what is no frame anyway is a desync and a jump', async () => {
    const log = new LogBuilder()
    log.create('/a')
    const { offset } = log
    log.raw('no frame')
    const hole = [log.offset - 2, log.offset + 10] as const
    log.raw('and so on, and on').create('/b')
    const { played } = await playThrough(log.journalWithHoles(hole))
    expect(played.jumps).toEqual([{ log: LOG, begin: hole[0], end: hole[1] }])
    expect(played.desyncs).toMatchObject([{ begin: offset, end: hole[0] }, { begin: hole[1] }])
    expect(played.fsm.nextSeqNo).toBe(3)
  })
})

describe('player 7.6: what was missed', () => {
  const kinds = (played: { missed: readonly { kind: string }[] }): string[] =>
    played.missed.map(({ kind }) => kind)

  it('nothing, after a playback in which all fits', async () => {
    expect((await playThrough(simple().log.journal())).played.missed).toEqual([])
  })

  it('a desync after the hints', async () => {
    const log = new LogBuilder()
    log.create('/a')
    const begin = log.offset
    log.raw('garbage')
    const end = log.offset
    log.create('/b')
    const { played, tree, events } = await playThrough(log.journal())
    expect(tree).toEqual({ '/a': '', '/b': '' })
    expect(played.missed).toEqual([{ kind: 'desync', log: LOG, begin, end }])
    expect(played.desyncs).toEqual([{ log: LOG, begin, end }])
    expect(events).toContainEqual({ type: 'desync', log: LOG, begin, end })
  })

  it('not a desync or a jump within the hints', async () => {
    const log = new LogBuilder()
    const a = log.create('/a')
    log.raw('garbage')
    const hole = log.offset
    log.raw('deleted')
    const behind = log.offset
    log.write(a, 0, 'x')
    const hints = (await playThrough(log.journal())).played.fsm.buildHints()
    const { played } = await playThrough(log.journalWithHoles([hole, behind]), { hints })
    expect([played.desyncs.length, played.jumps.length, played.missed]).toEqual([1, 1, []])
  })

  it('operations of the author whose operation was applied last', async () => {
    const log = new LogBuilder()
    log.create('/a')
    const begin = log.lose().offset
    log.create('/b')
    log.create('/c')
    const { played, tree } = await playThrough(log.journal())
    expect(tree).toEqual({ '/a': '' })
    expect(played.missed).toEqual([
      { kind: 'operations', author: A, count: 2, firstSeqNo: 3, log: LOG, begin, end: log.offset },
    ])
  })

  it('those of others only when the fence register names them', async () => {
    const log = new LogBuilder()
    log.create('/a')
    log.raw(log.fork(B).lose().noop().bytes)
    expect((await playThrough(log.journal())).played.missed).toEqual([])
    const registers = [{ name: 'author', value: B.toString(32) }]
    const { played } = await playThrough(log.journal({ registers }))
    expect(played.missed).toMatchObject([{ kind: 'operations', author: B, count: 1, firstSeqNo: 3 }])
  })

  it('those of anyone while nothing has been applied', async () => {
    const log = new LogBuilder().lose().noop()
    expect(kinds((await playThrough(log.journal())).played)).toEqual(['operations'])
  })

  it('not those before the next sequence number', async () => {
    const log = new LogBuilder().noop().noop()
    log.raw(new LogBuilder().noop().bytes)
    expect((await playThrough(log.journal())).played.missed).toEqual([])
  })

  it('playback goes on as Go does, unless told not to accept the loss', async () => {
    const log = new LogBuilder()
    log.create('/a')
    log.lose().noop()
    const { volume, fs } = memory()
    const options = { journals: { [LOG]: log.journal() }, hints: NO_HINTS, acceptDataLoss: false }
    const player = new Player({ ...options, dir: '/target', fs })
    player.finishAtWriteHead()
    await expect(player.play()).rejects.toEqual(
      failing('DATA_LOSS', {
        log: LOG,
        missed: [expect.objectContaining({ kind: 'operations' })] as unknown,
      }),
    )
    expect(volume.existsSync('/target')).toBe(false)
  })
})

describe('player 7.6: bytes left over at the head', () => {
  const cases: { what: string; add: (log: LogBuilder) => void; holdsMagic: boolean }[] = [
    { what: 'no frame', add: (log) => log.raw('0123456789'), holdsMagic: false },
    { what: 'few bytes', add: (log) => log.raw('012'), holdsMagic: false },
    { what: 'the beginning of a magic word', add: (log) => log.raw('\x66\x33'), holdsMagic: false },
    { what: 'a magic word', add: (log) => log.raw(Buffer.from('66339336', 'hex')), holdsMagic: true },
    {
      what: 'no frame, and a magic word',
      add: (log) => log.raw(Buffer.from('0066339336', 'hex')),
      holdsMagic: true,
    },
    {
      what: 'a frame that is cut',
      add: (log) => log.raw(new LogBuilder().noop().bytes.subarray(0, 9)),
      holdsMagic: true,
    },
    {
      what: 'content that is cut',
      add: (log) => log.op({ kind: 'write', fnode: 1, offset: 0, length: 9 }),
      holdsMagic: true,
    },
    {
      what: 'one byte of content',
      add: (log) => log.write(1, 0, 'x').op({ kind: 'write', fnode: 1, offset: 0, length: 2 ** 52 }),
      holdsMagic: true,
    },
  ]

  it.each(cases)('finishing there is allowed and tells of them ($what)', async ({ add, holdsMagic }) => {
    const log = new LogBuilder()
    log.create('/a')
    let begin = log.offset
    add(log)
    if (log.nextSeqNo === 4) begin = log.offset - 27 // an operation before it was whole
    for (const journal of [log.journal(), chunked(log.journal(), 1), chunked(log.journal(), 5)]) {
      const { played, tree } = await playThrough(journal)
      expect(Object.keys(tree)).toEqual(['/a'])
      const end = log.offset
      expect(played.leftOver).toMatchObject({ log: LOG, end, holdsMagic })
      if (log.nextSeqNo < 4) expect(played.leftOver).toMatchObject({ begin })
      expect(played.desyncs).toEqual([{ log: LOG, begin: played.leftOver?.begin, end }])
      expect(played.missed).toEqual([{ kind: 'desync', log: LOG, begin: played.leftOver?.begin, end }])
    }
  })

  it('a desync and what is left over behind it are one', async () => {
    const log = new LogBuilder()
    log.create('/a')
    const begin = log.offset
    log.raw('garbage, and then').raw(new LogBuilder().noop().bytes.subarray(0, 12))
    const { played } = await playThrough(chunked(log.journal(), 7))
    expect(played.desyncs).toEqual([{ log: LOG, begin, end: log.offset }])
    expect(played.leftOver).toEqual({ log: LOG, begin, end: log.offset, holdsMagic: true })
  })
})

describe('player 7.8: the end', () => {
  it('markers and reserved names are left out when that is asked for', async () => {
    const log = new LogBuilder()
    log.create('/empty/.emptydir')
    log.write(log.create('/.recoverylog/new'), 0, 'x')
    log.write(log.create('/full/.emptydir'), 0, 'x')
    const { volume, fs } = memory()
    const options = { hints: NO_HINTS, journals: { [LOG]: log.journal() }, fs }
    const player = new Player({ ...options, dir: '/target', directoryMarkers: true })
    player.finishAtWriteHead()
    await player.play()
    expect(treeOf(volume, '/target')).toEqual({ '/full/.emptydir': 'x' })
    expect(volume.readdirSync('/target/empty')).toEqual([])
    const { tree } = await playThrough(log.journal())
    expect(Object.keys(tree)).toEqual(['/.recoverylog/new', '/empty/.emptydir', '/full/.emptydir'])
  })

  it('paths are checked before the first one is made', async () => {
    const log = new LogBuilder()
    log.create('/good')
    log.create('/a/../../outside')
    const { volume, fs } = memory()
    const made: string[] = []
    const watching = { ...fs, linkSync: (_: string, to: string) => made.push(to) }
    const player = new Player({
      hints: NO_HINTS,
      journals: { [LOG]: log.journal() },
      dir: '/target',
      fs: watching,
    })
    player.finishAtWriteHead()
    await expect(player.play()).rejects.toEqual(failing('PATH_REFUSED', { path: '/a/../../outside' }))
    expect(made).toEqual([])
    expect(volume.toJSON()).toEqual({})
  })

  it('paths of files that are gone are not', async () => {
    const log = new LogBuilder()
    const gone = log.create('/../gone')
    log.unlink(gone, '/../gone').create('/a')
    expect((await playThrough(log.journal())).tree).toEqual({ '/a': '' })
  })

  it('the rules of Windows hold where it is named', async () => {
    const log = new LogBuilder()
    log.create('/nul')
    await expect(playThrough(log.journal(), { platform: 'windows' })).rejects.toEqual(failing('PATH_REFUSED'))
  })
})

describe('player 9: content checksums', () => {
  it.each([64, 300, 20_000])('are verified (%i bytes)', async (length) => {
    const content = Buffer.alloc(length, 'abc')
    const log = new LogBuilder()
    const file = log.create('/a')
    const { offset } = log
    log.write(file, 0, content, content).write(file, 0, '', '')
    for (const journal of [log.journal(), chunked(log.journal(), 17)]) {
      expect((await playThrough(journal)).tree).toEqual({ '/a': content.toString() })
    }
    const bad = new LogBuilder()
    bad.create('/a')
    bad.write(1, 0, content, `${content.toString()}!`)
    const expected = crc32c(0, Buffer.from(`${content.toString()}!`)) >>> 0
    const actual = crc32c(0, content) >>> 0
    const facts = { log: LOG, offset, seqNo: 2, fnode: 1, path: '/a', expected, actual }
    for (const journal of [bad.journal(), chunked(bad.journal(), 17)]) {
      await expect(playThrough(journal)).rejects.toEqual(failing('CORRUPT', facts))
    }
  })

  it('of no content too', async () => {
    const log = new LogBuilder()
    log.write(log.create('/a'), 0, '', 'x')
    await expect(playThrough(log.journal())).rejects.toEqual(failing('CORRUPT', { seqNo: 2 }))
  })

  it('not of what is not applied', async () => {
    const log = new LogBuilder()
    log.create('/a')
    log.write(99, 0, 'x', 'y').write(99, 0, '', 'y')
    await expect(playThrough(log.journal())).resolves.toMatchObject({ tree: { '/a': '' } })
  })
})

describe('player: what cannot be read', () => {
  it('a message that cannot be decoded is CORRUPT', async () => {
    const log = new LogBuilder()
    log.create('/a')
    const { offset } = log
    log.raw(Buffer.from('6633933602000000ffff', 'hex'))
    await expect(playThrough(log.journal())).rejects.toEqual(failing('CORRUPT', { log: LOG, offset }))
    await expect(playThrough(chunked(log.journal(), 4))).rejects.toEqual(
      failing('CORRUPT', { log: LOG, offset }),
    )
  })

  it('a message longer than frameBytesMax is CORRUPT, before memory is taken for it', async () => {
    const log = new LogBuilder()
    log.create('/a')
    const { offset } = log
    log.raw(Buffer.from('66339336ffffffff', 'hex')).raw('x')
    const facts = { log: LOG, offset, length: 0xffff_ffff, frameBytesMax: 16 * 1024 * 1024 }
    await expect(playThrough(log.journal())).rejects.toEqual(failing('CORRUPT', facts))
    await expect(playThrough(chunked(log.journal(), 3))).rejects.toEqual(failing('CORRUPT', facts))
  })

  it('frameBytesMax is the longest message taken', async () => {
    const log = new LogBuilder().noop()
    const frameBytesMax = log.offset - 8
    await expect(playThrough(log.journal(), { frameBytesMax })).resolves.toBeDefined()
    await expect(playThrough(log.journal(), { frameBytesMax: frameBytesMax - 1 })).rejects.toEqual(
      failing('CORRUPT'),
    )
  })

  it('a frame longer than any buffer to begin with is carried over', async () => {
    const log = new LogBuilder()
    const content = 'p'.repeat(100_000)
    log.property('/long', content)
    expect((await playThrough(chunked(log.journal(), 777))).tree).toEqual({ '/long': content })
  })
})

describe('player: every split of a log into chunks plays alike', () => {
  const log = new LogBuilder()
  const a = log.create('/a')
  log.write(a, 0, 'some content', 'some content').raw('garb\x66\x33age')
  log.write(a, 12, ', and more').property('/p', 'q').raw('\x66')
  log.link(a, '/b').raw(log.fork(B).lose().write(a, 0, 'dead').bytes)
  log.write(a, 5, 'CONTENT').raw(Buffer.from('66339300', 'hex'))

  const summary = async (...sizes: number[]): Promise<unknown> => {
    const { played, tree, events } = await playThrough(chunked(log.journal(), ...sizes))
    const { fsm, head, jumps, desyncs, missed, leftOver, outcomes } = played
    return { tree, events, head, jumps, desyncs, missed, leftOver, outcomes, hints: fsm.buildHints() }
  }

  it('into two', async () => {
    const whole = await summary(log.offset)
    expect(whole).toMatchObject({
      tree: { '/a': 'some CONTENT, and more', '/b': 'some CONTENT, and more', '/p': 'q' },
    })
    for (let at = 1; at < log.offset; at++) expect(await summary(at, log.offset)).toEqual(whole)
  })

  it('into pieces of one size', async () => {
    const whole = await summary(log.offset)
    for (let size = 1; size < 40; size++) expect(await summary(size)).toEqual(whole)
  })
})

describe('player: its own faults', () => {
  const good = { hints: NO_HINTS, journals: {}, target: nullTarget() }

  it.each([
    { what: 'neither dir nor target', options: { hints: NO_HINTS, journals: {} }, error: TypeError },
    { what: 'no fs', options: { hints: NO_HINTS, journals: {}, dir: '/a' }, error: TypeError },
    {
      what: 'a relative dir',
      options: { hints: NO_HINTS, journals: {}, dir: 'a', fs: memory().fs },
      error: TypeError,
    },
    { what: 'frameBytesMax 0', options: { ...good, frameBytesMax: 0 }, error: RangeError },
    { what: 'frameBytesMax 1.5', options: { ...good, frameBytesMax: 1.5 }, error: RangeError },
  ])('options that cannot be ($what)', ({ options, error }) => {
    expect(() => new Player(options)).toThrow(error)
  })

  it.each(['/a', 'C:\\a', 'c:/a', '\\\\server\\share'])('an absolute dir is taken (%s)', (dir) => {
    expect(new Player({ hints: NO_HINTS, journals: {}, dir, fs: memory().fs })).toBeInstanceOf(Player)
  })

  it('it plays once', async () => {
    const player = new Player(good)
    await expect(player.play()).rejects.toThrow('NOT_FOUND')
    expect(() => player.play()).toThrow(TypeError)
  })

  it('its end is asked for once', () => {
    const player = new Player(good)
    player.finishAtWriteHead()
    expect(() => {
      player.finishAtWriteHead()
    }).toThrow(TypeError)
    expect(() => {
      player.injectHandoff(A)
    }).toThrow(TypeError)
  })

  it.each([0, -1, 2 ** 32, 1.5])('an author that cannot be (%d)', (author) => {
    expect(() => {
      new Player(good).injectHandoff(author)
    }).toThrow(RangeError)
  })

  it.each([-1, 1.5, 2 ** 53])('a point that cannot be (%d)', (end) => {
    expect(() => {
      new Player(good).finishAt({ log: LOG, end })
    }).toThrow(RangeError)
  })

  it('nothing is known before it plays', () => {
    const player = new Player(good)
    expect(player.lag).toBeUndefined()
    expect(() => player.state).toThrow(TypeError)
    expect(() => player.position).toThrow(TypeError)
    expect(() => player.measureLag()).toThrow(TypeError)
    expect(() => player.caughtUp()).toThrow(TypeError)
  })

  it('what a callback throws ends the playback, and leaves nothing', async () => {
    const { volume, fs } = memory()
    const journals = { [LOG]: simple().log.journal() }
    const onEvent = (event: PlayEvent): void => {
      if (event.type === 'at_head') throw new Error('from the callback')
    }
    const player = new Player({ hints: NO_HINTS, journals, dir: '/target', fs, onEvent })
    await expect(player.play()).rejects.toThrow('from the callback')
    expect(volume.toJSON()).toEqual({})
  })
})
