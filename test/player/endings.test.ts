/** How a playback ends: at the head, at a point in time, by a hand-off, or not, while it tails. */
import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../src/errors/index.ts'
import type { AppendRequest, Commit, Head, Journal, ReadRequest } from '../../src/journal/index.ts'
import { nullTarget, Player } from '../../src/player/index.ts'
import type { PlayEvent, PlayerOptions, PlayProgress } from '../../src/player/index.ts'
import { DecoratedJournal } from '../../src/testing/decorated-journal.ts'
import { chunked, memory, NO_HINTS, treeOf } from './doubles.ts'
import { A, B, journalOf, LOG, LogBuilder } from './log-builder.ts'

const failing = (code: string, data: object = {}): unknown =>
  expect.objectContaining({ code, data: expect.objectContaining(data) as unknown })

/** Counts what is asked of a journal, and can do something first. */
class Watched extends DecoratedJournal {
  readonly calls: string[] = []
  readonly reads: number[] = []
  bytesRead = 0
  beforeAppend: (request: AppendRequest) => void | Promise<void> = () => undefined

  override head(options?: Parameters<Journal['head']>[0]): Promise<Head> {
    this.calls.push('head')
    return super.head(options)
  }

  override async append(request: AppendRequest): Promise<Commit> {
    this.calls.push(request.content.length === 0 ? 'empty append' : 'append')
    await this.beforeAppend(request)
    return super.append(request)
  }

  override async *read(request: ReadRequest): ReturnType<DecoratedJournal['read']> & AsyncGenerator {
    this.reads.push(request.offset)
    for await (const chunk of super.read(request)) {
      this.bytesRead += chunk.bytes.length
      yield chunk
    }
  }
}

function playerOn(journal: Journal, options: Partial<PlayerOptions> = {}) {
  const { volume, fs } = memory()
  const events: PlayEvent[] = []
  const player = new Player({
    hints: NO_HINTS,
    journals: { [LOG]: journal },
    dir: '/target',
    fs,
    onEvent: (event) => events.push(event),
    ...options,
  })
  return { player, events, volume, tree: () => treeOf(volume, '/target') }
}

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (holds()) return
    await Promise.resolve()
  }
  throw new Error('waited in vain')
}

/** Lets whatever can go on go on, until all wait. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve()
}

function base(): LogBuilder {
  const log = new LogBuilder()
  log.write(log.create('/a'), 0, 'one')
  return log
}

describe('player: finishing at the write head', () => {
  it('asked for before play: at the head of its beginning', async () => {
    const log = base()
    const journal = log.journal()
    const { player, tree } = playerOn(chunked(journal, 8))
    player.finishAtWriteHead()
    const played = player.play()
    const { offset } = log
    await Promise.resolve() // heads have been asked for
    await journal.append({ content: log.fork(A).write(1, 0, 'two').bytes })
    expect((await played).head.offset).toBe(offset)
    expect(tree()).toEqual({ '/a': 'one' })
  })

  it('asked for while it tails: at the head of that moment', async () => {
    const log = base()
    const journal = log.journal()
    const { player, tree } = playerOn(journal)
    const played = player.play()
    await player.atHead
    await journal.append({ content: log.fork(A).write(1, 0, 'two').bytes })
    player.finishAtWriteHead()
    await played
    expect(tree()).toEqual({ '/a': 'two' })
  })

  it('appends nothing, not even nothing', async () => {
    const journal = new Watched(base().journal())
    const { player } = playerOn(journal)
    player.finishAtWriteHead()
    await player.play()
    expect(journal.calls).toEqual(['head'])
  })

  it('an empty log is an empty directory', async () => {
    const { player, volume, tree } = playerOn(journalOf([]))
    player.finishAtWriteHead()
    const { fsm } = await player.play()
    expect([volume.existsSync('/target'), tree(), fsm.nextSeqNo]).toEqual([true, {}, 1])
  })
})

describe('player: finishing at a point in time', () => {
  const log = base()
  const { offset: middle } = log
  log.write(1, 0, 'TWO')
  const { offset: end } = log
  log.create('/later')

  for (let at = middle; at <= end; at++) {
    it(`ends at the last whole operation before it (${at} of ${middle} to ${end})`, async () => {
      const { player, tree } = playerOn(log.journal())
      player.finishAt({ log: LOG, end: at })
      const played = await player.play()
      expect(tree()).toEqual({ '/a': at === end ? 'TWO' : 'one' })
      expect(played).toMatchObject({ head: { offset: at }, missed: [], desyncs: [], leftOver: undefined })
      expect(await player.atHead).toMatchObject({ head: { offset: at } })
    })
  }

  it('the beginning is an empty directory', async () => {
    const { player, tree } = playerOn(log.journal())
    player.finishAt({ log: LOG, end: 0 })
    await player.play()
    expect(tree()).toEqual({})
  })

  it('what is no frame before it is told of', async () => {
    const damaged = base()
    const begin = damaged.offset
    damaged.raw('no frame at all').create('/b')
    const { player } = playerOn(damaged.journal())
    player.finishAt({ log: LOG, end: begin + 12 })
    const { desyncs, missed } = await player.play()
    expect(desyncs).toEqual([{ log: LOG, begin, end: begin + 12 }])
    expect(missed).toHaveLength(1)
  })

  it.each([
    { what: 'past the head', at: { log: LOG, end: log.offset + 1 }, code: 'DATA_LOSS' },
    { what: 'in another log', at: { log: 'a/other', end: 1 }, code: 'INVALID' },
  ])('a point $what is $code', async ({ at, code }) => {
    const { player, volume } = playerOn(log.journal())
    player.finishAt(at)
    await expect(player.play()).rejects.toEqual(failing(code, at))
    expect(volume.toJSON()).toEqual({})
  })

  it.each([
    { what: 'a known end', lastOffset: end },
    { what: 'an unknown end', lastOffset: 0 },
  ])('a point before what the hints name is INVALID ($what)', async ({ lastOffset }) => {
    const segment = {
      author: A,
      firstSeqNo: 1,
      firstOffset: 0,
      firstChecksum: 0,
      lastSeqNo: 3,
      lastOffset,
      log: '',
    }
    const hints = { log: LOG, liveNodes: [{ fnode: 1, segments: [segment] }], properties: [] }
    const { player, volume } = playerOn(log.journal(), { hints })
    player.finishAt({ log: LOG, end: middle })
    await expect(player.play()).rejects.toEqual(failing('INVALID'))
    expect(volume.toJSON()).toEqual({})
  })

  it('damage before it is damage', async () => {
    const damaged = base().raw(Buffer.from('66339336ffffffff', 'hex'))
    const { player } = playerOn(damaged.journal())
    player.finishAt({ log: LOG, end: damaged.offset })
    await expect(player.play()).rejects.toEqual(failing('CORRUPT'))
  })

  it('is asked for before play', async () => {
    const { player } = playerOn(log.journal())
    const played = player.play()
    expect(() => {
      player.finishAt({ log: LOG, end: 0 })
    }).toThrow(TypeError)
    player.finishAtWriteHead()
    await played
  })
})

describe('player 7.7: hand-off', () => {
  it('appends a no-op in sequence, sets the fence, and is done when it has been read back', async () => {
    const log = base()
    const journal = log.journal({
      registers: [
        { name: 'author', value: 'old' },
        { name: 'other', value: 'kept' },
      ],
    })
    const { player, tree, events } = playerOn(journal)
    player.injectHandoff(B)
    const { fsm, head } = await player.play()
    const noop = log.fork(B).noop()
    const registers = [
      { name: 'author', value: B.toString(32) },
      { name: 'other', value: 'kept' },
    ]
    expect(head).toEqual({ log: LOG, offset: log.offset + noop.offset, registers })
    expect(await journal.head()).toEqual({ offset: head.offset, registers })
    expect([fsm.nextSeqNo, fsm.nextChecksum, fsm.lastAuthor]).toEqual([noop.nextSeqNo, noop.nextChecksum, B])
    expect(events.at(-1)).toEqual({ type: 'handoff', log: LOG, offset: log.offset, author: B, applied: true })
    expect(tree()).toEqual({ '/a': 'one' })
  })

  it('asked for before play, the heads of all logs are told by empty appends', async () => {
    const journal = new Watched(base().journal())
    const { player } = playerOn(journal)
    player.injectHandoff(B)
    await player.play()
    expect(journal.calls).toEqual(['empty append', 'empty append', 'append'])
  })

  it('in two phases: nothing is appended before, and nothing is read twice', async () => {
    const log = base()
    const inner = log.journal()
    const journal = new Watched(inner)
    const { player, tree } = playerOn(journal)
    const played = player.play()
    const atHead = await player.atHead
    expect(atHead).toEqual({
      head: { log: LOG, offset: log.offset, registers: [] },
      missed: [],
      leftOver: undefined,
    })
    expect(journal.calls).toEqual(['head'])
    const more = log.fork(A).write(1, 3, ' two')
    await inner.append({ content: more.bytes })
    await player.caughtUp()
    const before = player.position
    expect(before).toEqual({ log: LOG, offset: log.offset + more.offset })
    player.injectHandoff(B)
    const { head } = await played
    expect(tree()).toEqual({ '/a': 'one two' })
    expect(journal.calls).toEqual(['head', 'head', 'empty append', 'append'])
    expect(journal.bytesRead).toBe(head.offset)
  })

  it('another writer was faster: it reads on and tries again', async () => {
    const log = base()
    const inner = log.journal()
    const journal = new Watched(inner)
    const other = log.fork(A)
    let races = 3
    journal.beforeAppend = async ({ content }) => {
      if (content.length === 0 || races-- === 0) return
      const { offset } = other
      other.write(1, 0, `race ${races}`)
      await inner.append({ content: other.bytes.subarray(offset) })
    }
    const { player, events, tree } = playerOn(journal)
    player.injectHandoff(B)
    const { fsm, missed } = await player.play()
    const handoffs = events.filter((event) => event.type === 'handoff')
    expect(handoffs.map(({ applied }) => applied)).toEqual([false, false, false, true])
    expect(tree()).toEqual({ '/a': 'race 0' })
    expect([fsm.nextSeqNo, fsm.lastAuthor, missed]).toEqual([7, B, []])
  })

  it('who is always faster is a CONFLICT in the end', async () => {
    const log = base()
    const inner = log.journal()
    const journal = new Watched(inner)
    const other = log.fork(A)
    journal.beforeAppend = async ({ content }) => {
      if (content.length === 0) return
      const { offset } = other
      await inner.append({ content: other.noop().bytes.subarray(offset) })
    }
    const { player, volume } = playerOn(journal)
    player.injectHandoff(B)
    await expect(player.play()).rejects.toEqual(failing('CONFLICT', { log: LOG, author: B }))
    expect(volume.toJSON()).toEqual({})
  })

  it('a replaced appender tries again', async () => {
    const inner = base().journal()
    const journal = new Watched(inner)
    let failures = 2
    journal.beforeAppend = () => {
      if (failures-- > 0) throw new RecoveryLogError('APPENDER_REPLACED', 'by another process')
    }
    const { player, events } = playerOn(journal)
    const played = player.play()
    await player.atHead
    player.injectHandoff(B)
    await played
    expect(events.filter(({ type }) => type === 'handoff')).toHaveLength(1)
    expect(journal.calls.slice(1)).toEqual(['empty append', 'empty append', 'empty append', 'append'])
  })

  it('any other failure of an append ends it', async () => {
    const journal = new Watched(base().journal())
    journal.beforeAppend = () => {
      throw new RecoveryLogError('OUTCOME_UNKNOWN', 'who knows')
    }
    const { player, volume } = playerOn(journal)
    player.injectHandoff(B)
    await expect(player.play()).rejects.toEqual(failing('OUTCOME_UNKNOWN'))
    await expect(player.atHead).rejects.toEqual(failing('OUTCOME_UNKNOWN'))
    expect(volume.toJSON()).toEqual({})
  })

  it('nothing is appended when something was missed, unless the loss is accepted', async () => {
    const log = base()
    log.lose().write(1, 0, 'two')
    const inner = log.journal()
    const strict = playerOn(inner, { acceptDataLoss: false })
    strict.player.injectHandoff(B)
    await expect(strict.player.play()).rejects.toEqual(failing('DATA_LOSS', { log: LOG }))
    expect(await inner.head()).toEqual({ offset: log.offset, registers: [] })
    const { player, tree } = playerOn(inner)
    player.injectHandoff(B)
    const { missed } = await player.play()
    expect(missed).toMatchObject([{ kind: 'operations', author: A }])
    expect(tree()).toEqual({ '/a': 'one' })
    const whole = playerOn(base().journal(), { acceptDataLoss: false })
    whole.player.injectHandoff(B)
    await expect(whole.player.play()).resolves.toMatchObject({ missed: [] })
  })
})

describe('player 7.6: boundaries between appends', () => {
  const magic = Buffer.from('66339336', 'hex')

  it.each([
    { what: 'no frame', left: Buffer.from('0123456789') },
    { what: 'few bytes', left: Buffer.from('01') },
    { what: 'the beginning of a magic word', left: magic.subarray(0, 3) },
  ])('bytes left over without a magic word do not stand in the way ($what)', async ({ left }) => {
    const log = base()
    const begin = log.offset
    const journal = log.raw(left).journal()
    const { player, tree } = playerOn(journal)
    player.injectHandoff(B)
    const { desyncs, missed, fsm } = await player.play()
    expect(desyncs).toEqual([{ log: LOG, begin, end: log.offset }])
    expect(missed).toEqual([{ kind: 'desync', log: LOG, begin, end: log.offset }])
    expect(fsm.lastAuthor).toBe(B)
    expect(tree()).toEqual({ '/a': 'one' })
    // Later readers find the no-op without knowing of the boundary.
    const later = playerOn(journal)
    later.player.finishAtWriteHead()
    expect((await later.player.play()).fsm.buildHints()).toEqual(fsm.buildHints())
  })

  const holding: { what: string; add: (log: LogBuilder) => LogBuilder }[] = [
    { what: 'a magic word alone', add: (log) => log.raw(magic) },
    { what: 'a frame that is cut', add: (log) => log.raw(log.fork(A).noop().bytes.subarray(0, 10)) },
    {
      what: 'content that is cut',
      add: (log) => (log.op({ kind: 'write', fnode: 1, offset: 0, length: 9 }), log),
    },
    { what: 'behind what is no frame', add: (log) => log.raw('garbage').raw(magic) },
  ]

  it.each(holding)(
    'with a magic word a hand-off is CORRUPT, and nothing is appended ($what)',
    async ({ add }) => {
      const log = base()
      const { offset } = log
      const journal = add(log).journal()
      for (const inTwoPhases of [false, true]) {
        const { player, volume } = playerOn(journal)
        if (!inTwoPhases) player.injectHandoff(B)
        const played = player.play()
        played.catch(() => undefined)
        if (inTwoPhases) {
          expect((await player.atHead).leftOver).toEqual({
            log: LOG,
            begin: offset,
            end: log.offset,
            holdsMagic: true,
          })
          player.injectHandoff(B)
        }
        await expect(played).rejects.toEqual(failing('CORRUPT', { log: LOG, offset, end: log.offset }))
        expect(await journal.head()).toEqual({ offset: log.offset, registers: [] })
        expect(volume.toJSON()).toEqual({})
      }
    },
  )

  it.each(holding)('so it is when they come between the head and the no-op ($what)', async ({ add }) => {
    const log = base()
    const inner = log.journal()
    const journal = new Watched(inner)
    const damage = add(log.fork(A))
    journal.beforeAppend = async ({ content }) => {
      if (content.length > 0) await inner.append({ content: damage.bytes })
    }
    const { player, volume } = playerOn(journal)
    player.injectHandoff(B)
    const facts = { log: LOG, offset: log.offset, end: log.offset + damage.offset }
    await expect(player.play()).rejects.toEqual(failing('CORRUPT', facts))
    expect(volume.toJSON()).toEqual({})
  })

  it('a frame that reaches across the begin of our append does not swallow the no-op', async () => {
    const log = base()
    const inner = log.journal()
    const journal = new Watched(inner)
    journal.beforeAppend = async ({ content }) => {
      if (content.length > 0) await inner.append({ content: Buffer.from('garbage') })
    }
    const { player } = playerOn(chunked(journal, 3))
    player.injectHandoff(B)
    const { fsm, desyncs } = await player.play()
    expect(desyncs).toEqual([{ log: LOG, begin: log.offset, end: log.offset + 7 }])
    expect(fsm.lastAuthor).toBe(B)
  })
})

describe('player: tailing', () => {
  it('plays what is appended, in pieces of any size', async () => {
    const log = base()
    const inner = log.journal()
    const { player, tree } = playerOn(chunked(inner, 1, 5, 3))
    const played = player.play()
    await player.atHead
    const more = log.fork(A)
    for (let i = 0; i < 20; i++) {
      const { offset } = more
      more.write(1, 3 * i, `${i} `.padEnd(3))
      await inner.append({ content: more.bytes.subarray(offset) })
      if (i % 3 === 0) await player.caughtUp()
    }
    await player.caughtUp()
    expect(player.state).toMatchObject({
      head: { offset: log.offset + more.offset },
      missed: [],
      leftOver: undefined,
    })
    player.finishAtWriteHead()
    await played
    expect(tree()['/a']).toBe(Array.from({ length: 20 }, (_, i) => `${i} `.padEnd(3)).join(''))
  })

  it.each([
    { what: 'a hand-off', end: (player: Player) => player.injectHandoff(B) },
    { what: 'finishing', end: (player: Player) => player.finishAtWriteHead() },
  ])('$what ends the wait at the head', async ({ end }) => {
    const { player, tree } = playerOn(base().journal())
    const played = player.play()
    await idle()
    end(player)
    await played
    expect(tree()).toEqual({ '/a': 'one' })
  })

  it('an abort ends the wait at the head', async () => {
    const { player, volume } = playerOn(base().journal())
    const controller = new AbortController()
    const played = player.play({ signal: controller.signal })
    played.catch(() => undefined)
    await idle()
    controller.abort()
    await expect(played).rejects.toEqual(failing('ABORTED'))
    expect(volume.toJSON()).toEqual({})
  })

  it('what a chunk holds beyond the head that was told is played from it', async () => {
    const log = base()
    const inner = log.journal()
    await inner.append({ content: log.fork(A).write(1, 3, ' and more').bytes })
    const journal = new Watched(inner)
    journal.head = () => Promise.resolve({ offset: log.offset, registers: [] })
    const { player } = playerOn(journal)
    const played = player.play()
    played.catch(() => undefined)
    await idle()
    const { offset } = await inner.head()
    expect(player.state.head.offset).toBe(offset)
    expect(journal.bytesRead).toBe(offset)
    player.injectHandoff(B)
    await played
  })

  it('caughtUp waits for what is still to be read', async () => {
    const log = base()
    const inner = log.journal()
    const more = log.fork(A).write(1, 0, 'two')
    const { player } = playerOn(inner)
    const played = player.play()
    await idle()
    let isCaughtUp = false
    void inner.append({ content: more.bytes.subarray(0, 9) })
    const first = player.caughtUp()
    void inner.append({ content: more.bytes.subarray(9) })
    const second = player.caughtUp().then(() => (isCaughtUp = true))
    await Promise.all([first, second])
    expect([isCaughtUp, player.state.head.offset]).toEqual([true, log.offset + more.offset])
    player.finishAtWriteHead()
    await played
  })

  it('finishing ends the wait for the rest of an operation', async () => {
    const log = base()
    const inner = log.journal()
    const { player, tree } = playerOn(inner)
    const played = player.play()
    await idle()
    const cut = log.fork(A).write(1, 0, 'two parts').bytes.subarray(0, -1)
    await inner.append({ content: cut })
    await idle()
    player.finishAtWriteHead()
    const { leftOver } = await played
    expect(leftOver).toEqual({ log: LOG, begin: log.offset, end: log.offset + cut.length, holdsMagic: true })
    expect(tree()).toEqual({ '/a': 'one' })
  })

  it('a standby knows what it has missed', async () => {
    const log = base()
    const inner = log.journal()
    const { player } = playerOn(inner)
    const played = player.play()
    await player.atHead
    await inner.append({ content: log.fork(A).lose().write(1, 0, 'x').bytes })
    await player.caughtUp()
    expect(player.state.missed).toMatchObject([{ kind: 'operations', author: A, firstSeqNo: 4 }])
    inner.jump(1000)
    await inner.append({ content: Buffer.from('garbage') })
    await player.caughtUp()
    const { missed, leftOver } = player.state
    expect(missed.map(({ kind }) => kind).sort()).toEqual(['desync', 'jump', 'operations'])
    expect(leftOver).toEqual({ log: LOG, begin: 1000, end: 1007, holdsMagic: false })
    player.finishAtWriteHead()
    expect((await played).missed).toHaveLength(3)
  })

  it('a fence that changes while it tails tells whose operations were missed', async () => {
    const log = base()
    const inner = log.journal()
    const { player } = playerOn(inner)
    const played = player.play()
    await player.atHead
    await inner.append({ content: log.fork(B).lose().noop().bytes })
    await player.caughtUp()
    expect(player.state.missed).toEqual([])
    await inner.append({
      content: Buffer.from(log.fork(A).noop().bytes),
      union: [{ name: 'author', value: B.toString(32) }],
    })
    await player.caughtUp()
    expect(player.state.missed).toMatchObject([{ kind: 'operations', author: B }])
    player.finishAtWriteHead()
    await played
  })

  it('an operation that is not whole waits for its rest', async () => {
    const log = base()
    const whole = log.fork(A).write(1, 0, 'two parts').bytes
    for (let cut = 1; cut < whole.length; cut++) {
      const inner = log.journal()
      const { player, tree } = playerOn(chunked(inner, 7))
      const played = player.play()
      await player.atHead
      await inner.append({ content: whole.subarray(0, cut) })
      await player.caughtUp()
      expect(player.position.offset).toBe(log.offset)
      expect(player.state.leftOver).toMatchObject({ begin: log.offset, end: log.offset + cut })
      await inner.append({ content: whole.subarray(cut) })
      await player.caughtUp()
      expect(player.state).toMatchObject({ leftOver: undefined, missed: [] })
      player.finishAtWriteHead()
      await played
      expect(tree()).toEqual({ '/a': 'two parts' })
    }
  })

  it('a hand-off is injected while the rest of an operation is waited for', async () => {
    const log = base()
    const inner = log.journal()
    const { player } = playerOn(inner)
    const played = player.play()
    await player.atHead
    await inner.append({ content: log.fork(A).write(1, 0, 'two parts').bytes.subarray(0, -1) })
    await player.caughtUp()
    player.injectHandoff(B)
    await expect(played).rejects.toEqual(failing('CORRUPT', { offset: log.offset }))
  })

  it('lag is what is still to be read', async () => {
    const log = base()
    const inner = log.journal()
    const { player } = playerOn(inner)
    const played = player.play()
    await player.atHead
    expect(player.lag).toBe(0)
    expect(await player.measureLag()).toBe(0)
    const more = log.fork(A).noop()
    await inner.append({ content: more.bytes })
    await player.caughtUp()
    expect(player.lag).toBe(0)
    player.finishAtWriteHead()
    await played
  })

  it('nothing can be measured before the heads are known', async () => {
    const { player } = playerOn(base().journal())
    const played = player.play()
    expect(player.lag).toBeUndefined()
    expect(player.position).toEqual({ log: LOG, offset: 0 })
    expect(player.state).toMatchObject({ head: { offset: 0 }, missed: [], leftOver: undefined })
    await expect(player.measureLag()).rejects.toThrow(TypeError)
    player.finishAtWriteHead()
    await played
  })

  it('lag counts what the journal has and the reader does not get', async () => {
    const log = base()
    const inner = log.journal()
    let isStuck = false
    const stuck = new (class extends DecoratedJournal {
      override async *read(request: ReadRequest): ReturnType<DecoratedJournal['read']> & AsyncGenerator {
        for await (const chunk of super.read(request)) {
          if (isStuck) {
            await new Promise((_, reject) =>
              request.signal?.addEventListener('abort', () => reject(new Error('ended'))),
            )
          }
          yield chunk
        }
      }
    })(inner)
    const { player } = playerOn(stuck)
    const controller = new AbortController()
    const played = player.play({ signal: controller.signal })
    await player.atHead
    isStuck = true
    const more = log.fork(A).noop()
    await inner.append({ content: more.bytes })
    expect(await player.measureLag()).toBe(more.offset)
    controller.abort()
    await expect(played).rejects.toEqual(failing('ABORTED'))
  })

  it('caughtUp rejects when playback fails, and when its signal fires', async () => {
    const log = base()
    const inner = log.journal()
    const { player } = playerOn(inner)
    const controller = new AbortController()
    const played = player.play({ signal: controller.signal })
    played.catch(() => undefined)
    await player.atHead
    await inner.append({ content: log.fork(A).write(1, 0, 'cut').bytes.subarray(0, -1) })
    const mine = new AbortController()
    const waiting = player.caughtUp({ signal: mine.signal })
    mine.abort()
    await expect(waiting).rejects.toEqual(failing('ABORTED'))
    await player.caughtUp()
    inner.jump(log.offset + 1000)
    await inner.append({ content: log.fork(A).noop().bytes })
    await expect(player.caughtUp()).rejects.toEqual(failing('CORRUPT'))
    await expect(played).rejects.toEqual(failing('CORRUPT'))
  })

  it('a journal whose reader ends although it should wait is UNAVAILABLE', async () => {
    const inner = base().journal()
    const ending = new (class extends DecoratedJournal {
      override read(request: ReadRequest): ReturnType<DecoratedJournal['read']> {
        return super.read({ ...request, block: false })
      }
    })(inner)
    const { player } = playerOn(ending)
    await expect(player.play()).rejects.toEqual(failing('UNAVAILABLE', { log: LOG }))
  })
})

describe('player: progress', () => {
  it('tells bytes done and in all, and the rate', async () => {
    const log = base()
    log.raw(Buffer.alloc(5000, 'x'))
    let now = 1_000_000
    const clock = { now: () => (now += 100), sleep: () => Promise.resolve() }
    const told: PlayProgress[] = []
    const options = { clock, onProgress: (progress: PlayProgress) => told.push(progress) }
    const { player } = playerOn(chunked(log.journal(), 500), options)
    player.finishAtWriteHead()
    await player.play()
    expect(told.length).toBeGreaterThan(2)
    expect(told.length).toBeLessThan(7) // not for each of the chunks
    expect(told.at(-1)).toMatchObject({ bytesDone: log.offset, bytesTotal: log.offset })
    for (const { bytesDone, bytesPerSecond } of told) expect(bytesPerSecond).toBeGreaterThan(bytesDone / 10)
    expect(told.map(({ bytesDone }) => bytesDone)).toEqual(
      told.map(({ bytesDone }) => bytesDone).sort((a, b) => a - b),
    )
  })

  it('without a clock it tells of each chunk, and of no rate', async () => {
    const log = base()
    const told: PlayProgress[] = []
    const { player } = playerOn(chunked(log.journal(), 20), { onProgress: (progress) => told.push(progress) })
    player.finishAtWriteHead()
    await player.play()
    expect(told.length).toBeGreaterThanOrEqual(Math.ceil(log.offset / 20))
    expect(told.every(({ bytesPerSecond }) => bytesPerSecond === 0)).toBe(true)
  })

  it('what is passed over counts as done', async () => {
    const log = new LogBuilder()
    log.write(log.create('/a'), 0, 'x')
    const dead = log.create('/dead')
    log.write(dead, 0, 'y'.repeat(1000)).unlink(dead, '/dead')
    log.write(log.create('/b'), 0, 'z')
    const first = playerOn(log.journal())
    first.player.finishAtWriteHead()
    const hints = (await first.player.play()).fsm.buildHints()
    const told: PlayProgress[] = []
    const { player } = playerOn(log.journal(), { hints, onProgress: (progress) => told.push(progress) })
    player.finishAtWriteHead()
    await player.play()
    expect(told.at(-1)?.bytesDone).toBe(told.at(-1)?.bytesTotal)
    expect(told.at(-1)?.bytesTotal).toBeLessThan(log.offset - 1000)
  })
})

describe('player: aborting', () => {
  /** Fires at the n-th thing that is asked of journal or file system. */
  function abortingAt(count: number): {
    journal: Journal
    options: Partial<PlayerOptions>
    controller: AbortController
    volume: ReturnType<typeof memory>['volume']
    reached: () => boolean
  } {
    const controller = new AbortController()
    let left = count
    const tick = (): void => {
      if (left-- === 0) controller.abort(new Error('from outside'))
    }
    const log = base()
    log.write(1, 0, Buffer.alloc(40_000, 'x')).write(1, 0, Buffer.alloc(100, 'y'))
    log.create('/dir/b')
    const inner = log.journal()
    const journal = new (class extends DecoratedJournal {
      override head(options?: Parameters<Journal['head']>[0]): Promise<Head> {
        tick()
        return super.head(options)
      }
      override append(request: AppendRequest): Promise<Commit> {
        tick()
        return super.append(request)
      }
      override async *read(request: ReadRequest): ReturnType<DecoratedJournal['read']> & AsyncGenerator {
        for await (const chunk of chunked(this.inner, 997).read(request)) {
          tick()
          yield chunk
          tick()
        }
      }
    })(inner)
    const { volume, fs } = memory()
    const ticking: NonNullable<PlayerOptions['fs']> = {
      ...fs,
      write: (fd, buffer, offset, length, position, done) => {
        tick()
        fs.write?.(fd, buffer, offset, length, position, (error, written) => {
          tick()
          done(error, written)
        })
      },
    }
    return { journal, options: { dir: '/target', fs: ticking }, controller, volume, reached: () => left < 0 }
  }

  it.each(['head', 'handoff'])('leaves nothing behind, wherever it comes (%s)', async (ending) => {
    let aborted = 0
    for (let count = 0; ; count++) {
      const { journal, options, controller, volume, reached } = abortingAt(count)
      const player = new Player({ hints: NO_HINTS, journals: { [LOG]: journal }, ...options })
      if (ending === 'head') player.finishAtWriteHead()
      else player.injectHandoff(B)
      const played = player.play({ signal: controller.signal })
      const outcome = await played.then(
        () => 'played',
        (error: unknown) => error,
      )
      if (!reached()) {
        expect(outcome).toBe('played')
        break
      }
      if (outcome === 'played') continue // it came too late
      aborted++
      expect(outcome).toEqual(failing('ABORTED'))
      expect((outcome as Error).cause).toEqual(new Error('from outside'))
      expect(volume.toJSON()).toEqual({})
      await expect(player.atHead.catch(() => 'rejected')).resolves.toBeDefined()
    }
    expect(aborted).toBeGreaterThan(80)
  })

  it('before play nothing is asked of anybody', async () => {
    const journal = new Watched(base().journal())
    const { player, volume } = playerOn(journal)
    await expect(player.play({ signal: AbortSignal.abort() })).rejects.toEqual(failing('ABORTED'))
    expect([journal.reads, volume.toJSON()]).toEqual([[], {}])
  })

  it('while it tails, it frees the journal and leaves nothing', async () => {
    const { player, volume } = playerOn(base().journal())
    const controller = new AbortController()
    const played = player.play({ signal: controller.signal })
    await player.atHead
    controller.abort()
    await expect(played).rejects.toEqual(failing('ABORTED'))
    expect(volume.toJSON()).toEqual({})
  })

  it('a reader that does not end when it is told to does not hold it up', async () => {
    const inner = base().journal()
    const deaf = new (class extends DecoratedJournal {
      override async *read(request: ReadRequest): ReturnType<DecoratedJournal['read']> & AsyncGenerator {
        yield* super.read({ offset: request.offset })
        if (request.block === true) await new Promise(() => undefined)
      }
    })(inner)
    const { player, volume, tree } = playerOn(deaf)
    const controller = new AbortController()
    const played = player.play({ signal: controller.signal })
    played.catch(() => undefined)
    await idle()
    controller.abort()
    await expect(played).rejects.toEqual(failing('ABORTED'))
    expect(volume.toJSON()).toEqual({})
    const second = playerOn(deaf)
    const finished = second.player.play()
    await idle()
    second.player.finishAtWriteHead()
    await finished
    expect([tree(), second.tree()]).toEqual([{}, { '/a': 'one' }])
  })

  it('no listener is left on the signal', async () => {
    const controller = new AbortController()
    let listeners = 0
    const { signal } = controller
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    const { player } = playerOn(chunked(base().journal(), 5))
    player.injectHandoff(B)
    await player.play({ signal })
    await until(() => listeners === 0)
    expect(listeners).toBe(0)
  })
})

describe('player: a target of its own', () => {
  it('nothing is written for a check', async () => {
    const log = base()
    const player = new Player({ hints: NO_HINTS, journals: { [LOG]: log.journal() }, target: nullTarget() })
    player.finishAtWriteHead()
    const { fsm, dir } = await player.play()
    expect([fsm.liveCount, dir]).toEqual([1, undefined])
  })

  it('refused paths are refused in a check too', async () => {
    const log = new LogBuilder()
    log.create('/a')
    log.create('/a/b')
    const player = new Player({ hints: NO_HINTS, journals: { [LOG]: log.journal() }, target: nullTarget() })
    player.finishAtWriteHead()
    await expect(player.play()).rejects.toEqual(failing('PATH_REFUSED', { path: '/a/b', other: '/a' }))
  })

  it('what cannot be cleaned up is told, beside the first failure', async () => {
    const events: PlayEvent[] = []
    const target = {
      ...nullTarget(),
      flush: () => Promise.reject(new Error('first')),
      discard: () => Promise.reject(new Error('second')),
    }
    const options = { hints: NO_HINTS, journals: { [LOG]: base().journal() }, target }
    const player = new Player({ ...options, onEvent: (event) => events.push(event) })
    player.finishAtWriteHead()
    await expect(player.play()).rejects.toThrow('first')
    expect(events.at(-1)).toEqual({ type: 'cleanup_failed', error: new Error('second') })
  })
})
