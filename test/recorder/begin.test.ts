import { describe, expect, it } from 'vitest'
import { fenceOf } from '../../src/fsm/index.ts'
import type { FSM } from '../../src/fsm/index.ts'
import { FSM as StateMachine } from '../../src/fsm/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import type { AppendRequest, Commit } from '../../src/journal/index.ts'
import { Recorder } from '../../src/recorder/index.ts'
import type { ChangeOfLogs } from '../../src/recorder/index.ts'
import type { FSMHints } from '../../src/wire/index.ts'
import { AUTHOR, bytes, emptyMachine, HeldJournal, LOG, openRecorder, text } from './recorders.ts'
import { contentOf, kindsOf, replay } from './replay.ts'

const OTHER = 0xfeed_face

/** Sets the fence of an author in a log, as a hand-off does. */
async function fence(journal: MemoryJournal, author: number): Promise<void> {
  await journal.append({ content: bytes('no frame'), union: [fenceOf(author)] })
}

async function registersOf(journal: MemoryJournal): Promise<unknown> {
  return (await journal.head()).registers
}

describe('a recorder in the log of its state machine', () => {
  it('learns the write head by an empty append, and changes nothing', async () => {
    const journal = new HeldJournal({ head: 4096 })
    const { recorder } = await openRecorder(journal)
    expect([recorder.head, recorder.position, recorder.committed]).toEqual([4096, 0, 0])
    expect(journal.appends).toEqual([])
    recorder.create('/dir/a')
    expect(recorder.fsm.segmentsOf(1)).toMatchObject([{ firstOffset: 4096, lastOffset: 0 }])
    expect(await recorder.barrier()).toEqual({ log: LOG, end: 4096 + recorder.position })
  })

  it('is FENCED at once when the log has another owner', async () => {
    const journal = new MemoryJournal({ name: LOG })
    await fence(journal, OTHER)
    await expect(openRecorder(journal)).rejects.toMatchObject({
      code: 'FENCED',
      data: { log: LOG },
      cause: { code: 'REGISTER_MISMATCH' },
    })
  })

  it('checks the fence with each append', async () => {
    const journal = new MemoryJournal({ name: LOG })
    await fence(journal, AUTHOR)
    const { recorder } = await openRecorder(journal)
    recorder.create('/dir/a')
    await recorder.barrier()
    await fence(journal, OTHER)
    const { length } = await contentOf(journal)
    recorder.create('/dir/b')
    await expect(recorder.barrier()).rejects.toMatchObject({ code: 'FENCED', data: { log: LOG } })
    expect((await contentOf(journal)).length).toBe(length)
  })

  it('unlinks with its first append what an earlier owner left under /.recoverylog/', async () => {
    const { recorder, journal, fsm } = await openRecorder(new HeldJournal())
    recorder.create('/dir/a')
    recorder.create('/dir/.recoverylog/1')
    recorder.create('/dir/.recoverylog/x/2')
    recorder.create('/dir/.recoverylog2')
    recorder.create('/dir/x/.recoverylog/y')
    await recorder.close()
    journal.appends.length = 0
    const next = await openRecorder(journal, { fsm, author: OTHER })
    next.recorder.create('/dir/b')
    await next.recorder.barrier()
    expect(journal.appends.map(kindsOf)).toEqual([['unlink', 'unlink'], ['create']])
    expect([...(await replay(journal)).tree.keys()].sort()).toEqual([
      '/.recoverylog2',
      '/a',
      '/b',
      '/x/.recoverylog/y',
    ])
  })

  it.each([0, -1, 1.5, 2 ** 32, Number.NaN])('has an author that is one (%d)', async (author) => {
    await expect(openRecorder(new MemoryJournal({ name: LOG }), { author })).rejects.toThrow(RangeError)
  })

  it('refuses a state machine that was not played to its end', async () => {
    const { recorder } = await openRecorder(new MemoryJournal({ name: LOG }))
    recorder.create('/dir/a')
    const fsm = new StateMachine(await recorder.hints())
    await expect(openRecorder(new MemoryJournal({ name: LOG }), { fsm })).rejects.toMatchObject({
      code: 'INVALID',
      data: { log: LOG, lastLog: LOG, nextSeqNo: 1 },
    })
  })

  it('refuses a directory that is none', async () => {
    await expect(openRecorder(new MemoryJournal({ name: LOG }), { dir: 'dir' })).rejects.toMatchObject({
      code: 'PATH_REFUSED',
      data: { dir: 'dir' },
    })
  })

  it('is not opened with a signal that has fired', async () => {
    const signal = AbortSignal.abort('enough')
    await expect(openRecorder(new MemoryJournal({ name: LOG }), { signal })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })
})

describe('a recorder in another log, with nothing recorded yet', () => {
  it('begins with a no-op that sets the fence', async () => {
    const { recorder, journal } = await openRecorder(new HeldJournal(), {
      fsm: emptyMachine('test/elsewhere'),
    })
    expect(journal.appends.map(kindsOf)).toEqual([['none']])
    expect(await registersOf(journal)).toEqual([fenceOf(AUTHOR)])
    expect(recorder.create('/dir/a')).toBe(2)
    await recorder.barrier()
    const { fsm, operations } = await replay(journal)
    expect([fsm.lastLog, fsm.nextSeqNo]).toEqual([LOG, 3])
    expect(operations[0]).toMatchObject({ seqNo: 1, author: AUTHOR })
  })

  it('is LOG_TAKEN when the log has an owner', async () => {
    const journal = new MemoryJournal({ name: LOG })
    await fence(journal, OTHER)
    const fsm = emptyMachine('test/elsewhere')
    await expect(openRecorder(journal, { fsm })).rejects.toMatchObject({
      code: 'LOG_TAKEN',
      data: { log: LOG },
    })
    expect([fsm.nextSeqNo, fsm.lastLog]).toEqual([1, 'test/elsewhere'])
  })

  it('is LOG_TAKEN when an owner comes between, and the state machine goes on in another', async () => {
    const journal = new Intruded({ name: LOG })
    const fsm = emptyMachine('test/elsewhere')
    await expect(openRecorder(journal, { fsm })).rejects.toMatchObject({ code: 'LOG_TAKEN' })
    const { recorder } = await openRecorder(new MemoryJournal({ name: 'test/fresh' }), { fsm })
    expect(recorder.create('/dir/a')).toBe(2)
  })
})

/** Another owner comes right after the first append of anybody else. */
class Intruded extends MemoryJournal {
  #isFirst = true

  override append(request: AppendRequest): Promise<Commit> {
    const answer = super.append(request)
    if (this.#isFirst) {
      this.#isFirst = false
      void super.append({ content: bytes('x'), union: [fenceOf(OTHER)] })
    }
    return answer
  }
}

describe('a change of logs', () => {
  const OLD = 'test/old'

  /** A log with a file in it, handed off to us. */
  async function old(): Promise<{ from: HeldJournal; fsm: FSM }> {
    const { recorder, journal, fsm } = await openRecorder(new HeldJournal({ name: OLD }))
    recorder.create('/dir/a')
    recorder.write(1, 0, bytes('content'))
    recorder.create('/dir/b')
    await recorder.close()
    await fence(journal, AUTHOR)
    return { from: journal, fsm }
  }

  interface Changed {
    readonly recorder: Recorder
    readonly saved: { hints: FSMHints; end: number }[]
    readonly log: string[]
  }

  async function changed(
    journal: MemoryJournal,
    { from, fsm }: { from: MemoryJournal; fsm: FSM },
    options: Partial<ChangeOfLogs> = {},
  ): Promise<Changed> {
    const saved: Changed['saved'] = []
    const log: string[] = []
    const saveHints = async (hints: FSMHints, end: number): Promise<void> => {
      saved.push({ hints, end })
      log.push(`saved at ${String((await journal.head()).offset)}`)
    }
    const change = { from, saveHints, ...options }
    const recorder = await Recorder.open({ journal, fsm, author: AUTHOR, dir: '/dir', change })
    return { recorder, saved, log }
  }

  it('begins the new log with a no-op, names it in hints, and goes on', async () => {
    const { from, fsm } = await old()
    const journal = new HeldJournal()
    const { recorder, saved } = await changed(journal, { from, fsm })
    expect(journal.appends.map(kindsOf)).toEqual([['none'], ['write']])
    expect(await registersOf(journal)).toEqual([fenceOf(AUTHOR)])
    expect(saved).toHaveLength(1)
    expect(saved[0]?.end).toBe((await contentOf(journal)).length)
    const hints = saved[0]?.hints as FSMHints
    expect(hints.log).toBe(LOG)
    expect(hints.liveNodes.map(({ fnode, segments }) => [fnode, segments.map(({ log }) => log)])).toEqual([
      [1, [OLD, '']],
      [3, [OLD]],
    ])
    recorder.write(1, 0, bytes('CON'))
    await recorder.barrier()
    // Both logs, one after the other, are one history.
    const whole = Buffer.concat([await contentOf(from), await contentOf(journal)])
    const both = new MemoryJournal({ name: OLD, content: [{ begin: 0, bytes: whole }] })
    expect(text((await replay(both)).tree.get('/a'))).toBe('CONtent')
  })

  it('goes by its signal', async () => {
    const { from, fsm } = await old()
    const controller = new AbortController()
    const saveHints = (): Promise<void> => {
      controller.abort('enough')
      return Promise.resolve()
    }
    const options = { author: AUTHOR, change: { from, saveHints }, signal: controller.signal }
    const opening = openRecorder(new MemoryJournal({ name: LOG }), { fsm, ...options })
    await expect(opening).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' })
  })

  it('saves hints only when all that they speak of has committed', async () => {
    const { from, fsm } = await old()
    const journal = new HeldJournal()
    const { log } = await changed(journal, { from, fsm })
    expect(log).toEqual([`saved at ${String((await contentOf(journal)).length)}`])
  })

  it('is FENCED when the old log was taken meanwhile', async () => {
    const { from, fsm } = await old()
    const saveHints = (): Promise<void> => fence(from, OTHER)
    await expect(
      changed(new MemoryJournal({ name: LOG }), { from, fsm }, { saveHints }),
    ).rejects.toMatchObject({
      code: 'FENCED',
      data: { log: OLD },
    })
  })

  it('fails with the error of saving hints', async () => {
    const { from, fsm } = await old()
    const error = new Error('no disk')
    const saveHints = (): Promise<void> => Promise.reject(error)
    await expect(changed(new MemoryJournal({ name: LOG }), { from, fsm }, { saveHints })).rejects.toBe(error)
  })

  it('is LOG_TAKEN before anything is changed when the new log has an owner', async () => {
    const { from, fsm } = await old()
    const journal = new MemoryJournal({ name: LOG })
    await fence(journal, OTHER)
    const before = await contentOf(from)
    const leftOverAt = before.length
    await expect(changed(journal, { from, fsm }, { leftOverAt })).rejects.toMatchObject({ code: 'LOG_TAKEN' })
    expect(await contentOf(from)).toEqual(before)
    const { recorder } = await changed(
      new MemoryJournal({ name: 'test/fresh' }),
      { from, fsm },
      { leftOverAt },
    )
    expect(recorder.fsm.lastLog).toBe('test/fresh')
  })

  it('sets the fence by a zero byte where left-over bytes forbid a hand-off', async () => {
    const { from, fsm } = await old()
    await from.append({ content: bytes('left over'), union: [fenceOf(OTHER)] })
    const { length } = await contentOf(from)
    await changed(new MemoryJournal({ name: LOG }), { from, fsm }, { leftOverAt: length })
    expect([...(await contentOf(from)).subarray(length)]).toEqual([0])
    expect(await registersOf(from)).toEqual([fenceOf(AUTHOR)])
  })

  it('is a CONFLICT when something came into the old log since it was played', async () => {
    const { from, fsm } = await old()
    const leftOverAt = (await contentOf(from)).length
    await from.append({ content: bytes('late'), union: [fenceOf(OTHER)] })
    const journal = new MemoryJournal({ name: LOG })
    await expect(changed(journal, { from, fsm }, { leftOverAt })).rejects.toMatchObject({
      code: 'CONFLICT',
      data: { log: OLD, expected: leftOverAt, begin: leftOverAt + 4 },
    })
    expect((await contentOf(journal)).length).toBe(0)
    expect(fsm.lastLog).toBe(OLD)
  })

  it('is HINTS_EMPTY, before anything is changed, without a live file', async () => {
    const { from, fsm } = await old()
    const { recorder } = await openRecorder(from, { fsm })
    recorder.remove('/dir/a')
    recorder.remove('/dir/b')
    await recorder.close()
    const journal = new MemoryJournal({ name: LOG })
    await expect(changed(journal, { from, fsm })).rejects.toMatchObject({
      code: 'HINTS_EMPTY',
      data: { log: LOG },
    })
    expect(await registersOf(journal)).toEqual([])
  })

  it('does not happen by mistake', async () => {
    const { fsm } = await old()
    const journal = new MemoryJournal({ name: LOG })
    await expect(openRecorder(journal, { fsm })).rejects.toMatchObject({
      code: 'INVALID',
      data: { log: LOG, lastLog: OLD, nextSeqNo: 4 },
    })
    expect(await registersOf(journal)).toEqual([])
  })
})
