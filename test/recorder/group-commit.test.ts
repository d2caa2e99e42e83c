import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../src/errors/index.ts'
import type { Recorder, RecorderOptions } from '../../src/recorder/index.ts'
import { WRITE_FRAME_BYTES_MAX } from '../../src/wire/index.ts'
import { HeldJournal, openRecorder, settled, text } from './recorders.ts'
import type { HeldJournalOptions } from './recorders.ts'
import { contentOf, framesOf, kindsOf, replay } from './replay.ts'

/** A recorder with one file, fnode 1, whose next appends are held. */
async function held(
  journalOptions: HeldJournalOptions = {},
  options: Partial<RecorderOptions> = {},
): Promise<{ recorder: Recorder; journal: HeldJournal }> {
  const { recorder, journal } = await openRecorder(new HeldJournal(journalOptions), options)
  recorder.create('/dir/a')
  await recorder.barrier()
  journal.appends.length = 0
  journal.holds = true
  return { recorder, journal }
}

function data(length: number, value = 7): Uint8Array {
  return new Uint8Array(length).fill(value)
}

function sizesOf(journal: HeldJournal): number[] {
  return journal.appends.map(({ length }) => length)
}

describe('group commit', () => {
  it('gathers what one turn records in one append', async () => {
    const { recorder, journal } = await held()
    for (let i = 0; i < 10; i++) recorder.write(1, i, data(1))
    expect(journal.held).toHaveLength(0)
    await settled()
    expect(journal.held.map(({ content }) => kindsOf(content).length)).toEqual([10])
  })

  it('gathers what is recorded while an append is under way in the next', async () => {
    const { recorder, journal } = await held()
    recorder.write(1, 0, data(1))
    await settled()
    for (let i = 0; i < 10; i++) {
      recorder.write(1, i, data(1))
      await settled()
    }
    expect(journal.held).toHaveLength(1)
    journal.held[0]?.commit()
    await settled()
    expect(journal.held.map(({ content }) => kindsOf(content).length)).toEqual([10])
  })

  it('begins an append in the turn in which a chunk is full', async () => {
    const { recorder, journal } = await held({}, { chunkBytes: 1000 })
    for (let i = 0; i < 3; i++) recorder.write(1, 0, data(400))
    await Promise.resolve()
    expect(journal.held.map(({ content }) => kindsOf(content).length)).toEqual([2])
  })

  it('never has two appends under way', async () => {
    const { recorder, journal } = await held({}, { chunkBytes: 1000 })
    for (let i = 0; i < 20; i++) recorder.write(1, 0, data(400, i))
    const barrier = recorder.barrier()
    let appends = 0
    for (; journal.held.length > 0 || appends === 0; appends++) {
      await settled()
      expect(journal.held).toHaveLength(1)
      journal.held[0]?.commit()
      await settled()
    }
    expect(appends).toBe(10)
    await barrier
    const { tree } = await replay(journal)
    expect(tree.get('/a')).toEqual(data(400, 19))
  })

  it('tells each waiting call when its own append has committed, and where that ended', async () => {
    const { recorder, journal } = await held()
    const ends: (number | string)[] = []
    const tell = (promise: Promise<number>): void => void promise.then((end) => ends.push(end))
    recorder.write(1, 0, data(1))
    const first = recorder.position
    tell(recorder.committedAt(first))
    await settled()
    recorder.write(1, 0, data(1))
    const second = recorder.position
    tell(recorder.committedAt(second))
    tell(recorder.committedAt(first))
    journal.held[0]?.commit()
    await settled()
    expect(ends).toEqual([first, first])
    expect([recorder.committed, recorder.head]).toEqual([first, first])
    journal.held[0]?.commit()
    await settled()
    expect(ends).toEqual([first, first, second])
    expect(await recorder.committedAt(0)).toBe(second)
  })

  it('shares one promise among those who wait for one append', async () => {
    const { recorder } = await held()
    recorder.write(1, 0, data(1))
    const first = recorder.committedAt(recorder.position)
    recorder.write(1, 0, data(1))
    expect(recorder.committedAt(recorder.position)).toBe(first)
  })

  it('tells those too who ask for what waits behind the append under way', async () => {
    const { recorder, journal } = await held({}, { chunkBytes: 300 })
    const positions = Array.from({ length: 6 }, () => {
      recorder.write(1, 0, data(200))
      return recorder.position
    })
    const waits = positions.map((position) => recorder.committedAt(position))
    for (const _ of positions) {
      await settled()
      journal.held[0]?.commit()
    }
    expect(await Promise.all(waits)).toEqual(positions)
  })

  it('refuses to wait for what has not been recorded', async () => {
    const { recorder } = await held()
    await expect(recorder.committedAt(recorder.position + 1)).rejects.toThrow(RangeError)
    await expect(recorder.committedAt(Number.NaN)).rejects.toThrow(RangeError)
  })

  it('answers a barrier with the place behind everything recorded before', async () => {
    const { recorder, journal } = await held()
    expect(await recorder.barrier()).toEqual({ log: journal.name, end: recorder.head })
    recorder.write(1, 0, data(1))
    const { position } = recorder
    const barrier = recorder.barrier()
    await settled()
    recorder.write(1, 0, data(1))
    journal.held[0]?.commit()
    expect(await barrier).toEqual({ log: journal.name, end: position })
  })

  it('tells after each append how far all has committed (onCommitted)', async () => {
    const positions: number[] = []
    const { recorder } = await openRecorder(new HeldJournal(), {
      onCommitted: (position) => positions.push(position),
    })
    recorder.create('/dir/a')
    await recorder.barrier()
    recorder.write(1, 0, data(5))
    recorder.flushSync()
    expect(positions).toEqual([positions[0], recorder.position])
  })

  it('ends a wait by its signal, and nothing else', async () => {
    const { recorder, journal } = await held()
    const controller = new AbortController()
    recorder.write(1, 0, data(1))
    const waits = [
      recorder.barrier({ signal: controller.signal }),
      recorder.committedAt(recorder.position, { signal: controller.signal }),
      recorder.hints({ signal: controller.signal }),
    ]
    controller.abort('enough')
    for (const wait of waits) {
      await expect(wait).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' })
    }
    await expect(recorder.barrier({ signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await settled()
    journal.held[0]?.commit()
    await recorder.barrier()
    expect(recorder.failure).toBeUndefined()
  })
})

describe('atomic calls', () => {
  it('are one append, and one with what was recorded before in the turn', async () => {
    const { recorder, journal } = await held()
    recorder.write(1, 0, data(1))
    const answer = recorder.atomic(() => {
      recorder.create('/dir/b')
      return recorder.atomic(() => recorder.create('/dir/c'))
    })
    expect(answer).toBe(4)
    await settled()
    expect(journal.held.map(({ content }) => kindsOf(content))).toEqual([['write', 'create', 'create']])
  })

  it('move to a chunk of their own rather than be torn (chunkBytes 1000)', async () => {
    const { recorder, journal } = await held({}, { chunkBytes: 1000 })
    recorder.write(1, 0, data(600))
    recorder.begin()
    for (let i = 0; i < 10; i++) recorder.write(1, i, data(300, i))
    recorder.end()
    journal.holds = false
    recorder.write(1, 0, data(600))
    const barrier = recorder.barrier()
    await settled()
    journal.held[0]?.commit()
    await barrier
    expect(journal.appends.map((append) => kindsOf(append).length)).toEqual([1, 11])
  })

  it('are split between operations when no append holds them (maxAppendBytes 1000)', async () => {
    const { recorder, journal } = await held({ maxAppendBytes: 1000 })
    journal.holds = false
    recorder.atomic(() => {
      for (let i = 0; i < 10; i++) recorder.write(1, 300 * i, data(300, i + 1))
    })
    await recorder.barrier()
    expect(journal.appends.map((append) => kindsOf(append).length)).toEqual([3, 3, 3, 1])
    const { tree } = await replay(journal)
    expect(tree.get('/a')).toEqual(Uint8Array.from({ length: 3000 }, (_, i) => Math.floor(i / 300) + 1))
  })

  it('keep what was recorded before they threw, and go out all the same', async () => {
    const { recorder, journal } = await held()
    const thrown = new Error('in the middle')
    expect(() =>
      recorder.atomic(() => {
        recorder.create('/dir/b')
        throw thrown
      }),
    ).toThrow(thrown)
    await settled()
    expect(journal.held.map(({ content }) => kindsOf(content))).toEqual([['create']])
  })

  it('know beforehand whether they fit one append', async () => {
    const { recorder } = await held({ maxAppendBytes: 1000 })
    expect([999, 1000, 1001].map((bytes) => recorder.fitsAppend(bytes))).toEqual([true, true, false])
  })

  it('cannot be flushed in the middle', async () => {
    const { recorder } = await held()
    recorder.begin()
    recorder.write(1, 0, data(1))
    expect(() => recorder.flushSync()).toThrow(TypeError)
    recorder.end()
    expect(recorder.flushSync().end).toBe(recorder.position)
  })

  it('are not appended half, should a turn end in the middle of them', async () => {
    const { recorder, journal } = await held()
    recorder.begin()
    recorder.write(1, 0, data(1))
    await settled()
    expect(journal.held).toHaveLength(0)
    recorder.write(1, 0, data(1))
    recorder.end()
    await settled()
    expect(journal.held.map(({ content }) => kindsOf(content))).toEqual([['write', 'write']])
  })
})

describe('splitting', () => {
  /** The size of the frame of `write(1, 0, data(length))` as the second operation. */
  async function frameBytes(length: number): Promise<number> {
    const { recorder } = await held()
    const { position } = recorder
    recorder.write(1, 0, data(length))
    return recorder.position - position - length
  }

  it('leaves a write whole that just fits an append, and splits one that is a byte longer', async () => {
    const fitting = 1000 - (await frameBytes(960))
    for (const [length, pieces] of [
      [fitting, 1],
      [fitting + 1, 2],
    ] as const) {
      const { recorder, journal } = await held({ maxAppendBytes: 1000 })
      journal.holds = false
      recorder.write(1, 0, data(length))
      await recorder.barrier()
      expect(journal.appends.map((append) => kindsOf(append).length)).toEqual(Array(pieces).fill(1))
      expect((await replay(journal)).tree.get('/a')).toEqual(data(length))
    }
  })

  it.each([1, 999, 4096, 100_000])(
    'writes content in order, in appends that are not too large (%i bytes)',
    async (length) => {
      const { recorder, journal } = await held({ maxAppendBytes: 1000 })
      journal.holds = false
      const content = Uint8Array.from({ length }, (_, i) => i % 251)
      recorder.write(1, 17, content)
      await recorder.barrier()
      expect(Math.max(...sizesOf(journal))).toBeLessThanOrEqual(1000)
      expect((await replay(journal)).tree.get('/a')?.subarray(17)).toEqual(content)
    },
  )

  it('refuses a write, a path and a property that no append can hold, before anything changes', async () => {
    const { recorder } = await held({ maxAppendBytes: WRITE_FRAME_BYTES_MAX })
    const { position } = recorder
    const path = `/dir/${'a'.repeat(60)}`
    const calls = [
      () => recorder.write(1, 0, data(100)),
      () => recorder.create(path),
      () => recorder.link('/dir/a', path),
      () => recorder.rename('/dir/a', path),
      () => recorder.property('/dir/IDENTITY', 'b'.repeat(60)),
      () => recorder.rename('/dir/a', '/dir/IDENTITY', 'b'.repeat(60)),
    ]
    for (const call of calls) expect(call).toThrow(expect.objectContaining({ code: 'APPEND_TOO_LARGE' }))
    expect(recorder.position).toBe(position)
    recorder.create('/dir/ok')
  })
})

describe('the bounded queue', () => {
  const QUEUE = 1000

  /** What `count` writes of 100 bytes take. */
  async function filled(
    journalOptions: HeldJournalOptions,
  ): Promise<{ recorder: Recorder; journal: HeldJournal }> {
    const made = await held(journalOptions, { queueBytesMax: QUEUE })
    while (made.recorder.fits(200)) made.recorder.write(1, 0, data(100))
    await settled()
    return made
  }

  it('throws BACKLOGGED before anything changes, where no append can be synchronous', async () => {
    const { recorder, journal } = await filled({ appendSync: false })
    const { position, queuedBytes } = recorder
    const { nextSeqNo } = recorder.fsm
    const calls = [
      () => recorder.write(1, 0, data(200)),
      () => recorder.admit(200),
      () => recorder.begin(200),
      () => recorder.flushSync(),
      () => recorder.replace(1, 300, () => data(300)),
    ]
    for (const call of calls) {
      expect(call).toThrow(
        expect.objectContaining({
          code: 'BACKLOGGED',
          data: expect.objectContaining({ queuedBytes, queueBytesMax: QUEUE }) as object,
        }),
      )
    }
    expect([recorder.position, recorder.fsm.nextSeqNo]).toEqual([position, nextSeqNo])
    expect(recorder.queueBytesMax).toBe(QUEUE)
    journal.held[0]?.commit()
    await settled()
    recorder.write(1, 0, data(200))
    expect(recorder.failure).toBeUndefined()
  })

  it('is flushed where an append can be synchronous, and never holds more than it may', async () => {
    const { recorder, journal } = await openRecorder(new SlowAnswers(), {
      queueBytesMax: QUEUE,
      chunkBytes: 300,
    })
    const fnode = recorder.create('/dir/a')
    for (let i = 0; i < 200; i++) {
      recorder.write(fnode, 0, data(i % 97, i))
      expect(recorder.queuedBytes).toBeLessThanOrEqual(QUEUE)
      if (i % 50 === 0) await settled()
      if (i % 70 === 0) journal.answer()
    }
    const barrier = recorder.barrier()
    for (let i = 0; i < 3; i++) {
      journal.answer()
      await settled()
    }
    await barrier
    expect((await replay(journal)).fsm.nextChecksum).toBe(recorder.fsm.nextChecksum)
  })

  it('lets a larger call in alone', async () => {
    const { recorder, journal } = await held({ appendSync: false }, { queueBytesMax: QUEUE })
    recorder.write(1, 0, data(5000))
    expect(() => recorder.write(1, 0, data(1))).toThrow('BACKLOGGED')
    await settled()
    journal.held[0]?.commit()
    await settled()
    recorder.write(1, 0, data(1))
  })

  it('gives room in the order of the calls, to one after the other', async () => {
    const { recorder, journal } = await filled({ appendSync: false })
    const order: string[] = []
    const enter = async (name: string, bytes: number): Promise<void> => {
      await recorder.room(bytes + WRITE_FRAME_BYTES_MAX)
      order.push(`${name} ${recorder.queuedBytes}`)
      recorder.write(1, 0, data(bytes))
    }
    const all = Promise.all([enter('large', 700), enter('second', 600), enter('small', 10)])
    await settled()
    expect(order).toEqual([])
    journal.holds = false
    journal.held[0]?.commit()
    await all
    expect(order.map((entry) => entry.split(' ')[0])).toEqual(['large', 'second', 'small'])
    expect(Math.max(...sizesOf(journal))).toBeLessThanOrEqual(QUEUE)
  })

  it('gives room while fewer than two full chunks wait, though more would be taken', async () => {
    const { recorder, journal } = await held({}, { chunkBytes: 1000 })
    for (let i = 0; i < 4; i++) recorder.write(1, 0, data(900)) // one under way, two that wait, one that is filled
    let isIn = false
    void recorder.room(1).then(() => (isIn = true))
    await settled()
    expect(isIn).toBe(false)
    recorder.write(1, 0, data(900))
    journal.held[0]?.commit()
    await settled()
    expect(isIn).toBe(false)
    journal.held[0]?.commit()
    await settled()
    expect(isIn).toBe(true)
  })

  it('does not give the same room twice', async () => {
    const { recorder, journal } = await held({ appendSync: false }, { queueBytesMax: QUEUE })
    const enter = async (bytes: number): Promise<void> => {
      await recorder.room(bytes + WRITE_FRAME_BYTES_MAX)
      recorder.write(1, 0, data(bytes))
    }
    const first = enter(700)
    const second = enter(600)
    await first
    await settled()
    expect(recorder.queuedBytes).toBeLessThan(700 + WRITE_FRAME_BYTES_MAX)
    journal.held[0]?.commit()
    await second
    expect(recorder.queuedBytes).toBeGreaterThan(600)
  })

  it('waits with a call for those before it, even when it would fit', async () => {
    const { recorder, journal } = await filled({ appendSync: false })
    let isIn = false
    const first = recorder.room(QUEUE)
    void recorder.room(1).then(() => (isIn = true))
    await settled()
    expect(isIn).toBe(false)
    journal.held[0]?.commit()
    await first
    await settled()
    expect(isIn).toBe(true)
  })

  it('lets the next in when the one before is aborted, and leaves no listener', async () => {
    const { recorder } = await filled({ appendSync: false })
    const controller = new AbortController()
    const { signal } = controller
    const listeners = new Set<unknown>()
    const counting = Object.assign(Object.create(signal) as AbortSignal, {
      addEventListener: (...args: Parameters<AbortSignal['addEventListener']>) => {
        listeners.add(args[1])
        signal.addEventListener(...args)
      },
      removeEventListener: (...args: Parameters<AbortSignal['removeEventListener']>) => {
        listeners.delete(args[1])
        signal.removeEventListener(...args)
      },
    })
    Object.defineProperty(counting, 'aborted', { get: () => signal.aborted })
    Object.defineProperty(counting, 'reason', { get: () => signal.reason as unknown })
    const aborted = recorder.room(QUEUE, { signal: counting })
    const next = recorder.room(1)
    expect(listeners.size).toBe(1)
    controller.abort('enough')
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' })
    await next
    expect(listeners.size).toBe(0)
    await expect(recorder.room(1, { signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it.each([
    ['queueBytesMax', 0],
    ['queueBytesMax', 1.5],
    ['chunkBytes', -1],
    ['chunkBytes', Number.NaN],
  ])('has a size that is one (%s %d)', async (name, bytes) => {
    await expect(openRecorder(new HeldJournal(), { [name]: bytes })).rejects.toThrow(RangeError)
  })
})

describe('synchronous flushes', () => {
  it('append everything queued before they return', async () => {
    const { recorder, journal } = await held({}, { chunkBytes: 300 })
    journal.holds = false
    for (let i = 0; i < 10; i++) recorder.write(1, 100 * i, data(100, i))
    expect(recorder.flushSync()).toEqual({ log: journal.name, end: recorder.position })
    expect([recorder.committed, recorder.queuedBytes]).toEqual([recorder.position, 0])
    expect([...framesOf(await contentOf(journal))]).toHaveLength(11)
    expect(recorder.flushSync().end).toBe(recorder.position)
    await recorder.barrier()
  })

  it('resolve what waits for what they appended', async () => {
    const { recorder, journal } = await held()
    recorder.write(1, 0, data(1))
    const barrier = recorder.barrier()
    const { end } = recorder.flushSync()
    expect(await barrier).toEqual({ log: journal.name, end })
  })

  it('go on while an append is under way that the journal has written', async () => {
    const { recorder, journal } = await openRecorder(new SlowAnswers())
    recorder.create('/dir/a')
    await settled()
    const first = recorder.position
    expect(recorder.committed).toBe(0)
    expect(recorder.flushSync().end).toBe(first)
    expect(recorder.committed).toBe(first)
    recorder.write(1, 0, data(1))
    recorder.write(1, 1, data(1))
    expect(recorder.flushSync().end).toBe(recorder.position)
    journal.answer()
    await settled()
    expect([recorder.committed, recorder.head]).toEqual([recorder.position, recorder.position])
    recorder.write(1, 2, data(1))
    const barrier = recorder.barrier()
    await settled()
    journal.answer()
    await barrier
    expect((await replay(journal)).tree.get('/a')).toEqual(data(3))
  })

  it.each([true, false])(
    'fail when the append under way may be missing, though their own landed (something queued: %s)',
    async (isQueued) => {
      const { recorder, journal } = await openRecorder(new SlowAnswers())
      journal.isLossy = true
      recorder.create('/dir/a')
      const barrier = recorder.barrier()
      await settled()
      if (isQueued) recorder.write(1, 0, data(1))
      expect(() => recorder.flushSync()).toThrow(expect.objectContaining({ code: 'OUTCOME_UNKNOWN' }))
      await expect(barrier).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
      expect(recorder.committed).toBe(0)
      journal.answer()
      await settled()
      expect(recorder.committed).toBe(0)
      expect(() => recorder.create('/dir/b')).toThrow('OUTCOME_UNKNOWN')
    },
  )

  it('bound the memory of a call that is larger than the queue', async () => {
    const { recorder, journal } = await held({ maxAppendBytes: 1000 }, { queueBytesMax: 2000 })
    journal.holds = false
    recorder.write(1, 0, data(50_000))
    expect(recorder.queuedBytes).toBeLessThanOrEqual(3000)
    await recorder.barrier()
    expect(text((await replay(journal)).tree.get('/a'))).toBe(text(data(50_000)))
  })
})

/** Writes at once, as the file journal does, and answers when told to; or loses what it was given, and says so late. */
class SlowAnswers extends HeldJournal {
  isLossy = false
  readonly #answers: (() => void)[] = []

  override append(request: Parameters<HeldJournal['append']>[0]): ReturnType<HeldJournal['append']> {
    if (request.content.length === 0) return super.append(request)
    if (this.isLossy) {
      return new Promise((_, reject) => {
        this.#answers.push(() => {
          reject(new RecoveryLogError('UNAVAILABLE', 'lost'))
        })
      })
    }
    const commit = this.appendSync(request)
    return new Promise((resolve) => {
      this.#answers.push(() => {
        resolve(commit)
      })
    })
  }

  answer(): void {
    for (const answer of this.#answers.splice(0)) answer()
  }
}
