import { describe, expect, it } from 'vitest'
import type { FSM } from '../../src/fsm/index.ts'
import { MemoryJournal } from '../../src/journal/index.ts'
import { AUTHOR, bytes, emptyMachine, HeldJournal, LOG, openRecorder, settled } from './recorders.ts'
import { contentOf, kindsOf, replay } from './replay.ts'

describe('hints', () => {
  it('are returned only when all that they speak of has committed', async () => {
    const { recorder, journal } = await openRecorder(new HeldJournal())
    recorder.create('/dir/a')
    journal.holds = true
    let isTold = false
    const hints = recorder.hints().then((built) => ((isTold = true), built))
    recorder.create('/dir/after')
    await settled()
    expect(isTold).toBe(false)
    journal.held[0]?.commit()
    await settled()
    expect(isTold).toBe(true)
    expect((await hints).liveNodes.map(({ fnode }) => fnode)).toEqual([1])
  })

  it('give the tree that was there when they were asked for, and what came after', async () => {
    const { recorder, journal } = await openRecorder(new MemoryJournal({ name: LOG }))
    for (const name of ['a', 'b', 'c']) recorder.write(recorder.create(`/dir/${name}`), 0, bytes(name))
    recorder.remove('/dir/b')
    const hints = await recorder.hints()
    recorder.rename('/dir/a', '/dir/d')
    await recorder.barrier()
    expect((await replay(journal, hints)).tree).toEqual((await replay(journal)).tree)
  })

  it('are empty in a log that begins at number 1 (own)', async () => {
    const { recorder } = await openRecorder(new MemoryJournal({ name: LOG }))
    recorder.create('/dir/a')
    recorder.remove('/dir/a')
    expect(await recorder.hints()).toEqual({ log: LOG, liveNodes: [], properties: [] })
  })

  /** A log with a removed file, and a recorder that did not see its beginning. */
  async function reopened(journal: MemoryJournal, prune = false): Promise<Promise<unknown>> {
    const first = await openRecorder(journal)
    first.recorder.create('/dir/a')
    await first.recorder.barrier()
    first.recorder.remove('/dir/a')
    await first.recorder.close()
    if (prune) {
      const [fragment] = await journal.fragments()
      if (fragment !== undefined) await journal.remove(fragment)
    }
    const { recorder } = await openRecorder(journal, { fsm: first.fsm })
    return recorder.hints()
  }

  it('are empty in a log that begins at number 1 (found by reading)', async () => {
    expect(await reopened(new MemoryJournal({ name: LOG }))).toMatchObject({ liveNodes: [] })
    const leading = { begin: 0, bytes: bytes('f3 bytes that are no frame') }
    expect(await reopened(new MemoryJournal({ name: LOG, content: [leading] }))).toMatchObject({
      liveNodes: [],
    })
  })

  it('are HINTS_EMPTY when the beginning of the log is gone', async () => {
    const pruned = reopened(new MemoryJournal({ name: LOG, fragmentBytes: 1 }), true)
    await expect(pruned).rejects.toMatchObject({ code: 'HINTS_EMPTY', data: { log: LOG } })
    const jumped = reopened(new MemoryJournal({ name: LOG, head: 100 }))
    await expect(jumped).rejects.toMatchObject({ code: 'HINTS_EMPTY' })
  })

  it('are HINTS_EMPTY in a log that begins at another number', async () => {
    const { recorder, fsm } = await openRecorder(new MemoryJournal({ name: LOG }))
    recorder.create('/dir/a')
    await recorder.hints()
    const journal = new HeldJournal({ name: 'test/next' })
    const change = { from: new MemoryJournal({ name: LOG }), saveHints: () => Promise.resolve() }
    const next = await openRecorder(journal, { fsm, change })
    next.recorder.remove('/dir/a')
    await expect(next.recorder.hints()).rejects.toMatchObject({
      code: 'HINTS_EMPTY',
      data: { log: 'test/next' },
    })
    next.recorder.create('/dir/b')
    expect((await next.recorder.hints()).liveNodes.map(({ fnode }) => fnode)).toEqual([
      next.recorder.fnodeOf('/dir/b'),
    ])
  })

  it.each([
    ['is empty', new Uint8Array(0)],
    ['holds no frame', bytes('no frame')],
    [
      'begins with a frame that never ends',
      Uint8Array.of(0x66, 0x33, 0x93, 0x36, 0xff, 0xff, 0xff, 0x7f, 1, 2),
    ],
    ['begins with more than a frame may have', endless()],
  ])('are HINTS_EMPTY when the log %s', async (_, content) => {
    const { fsm } = await removed()
    const journal = new MemoryJournal({
      name: LOG,
      content: content.length === 0 ? [] : [{ begin: 0, bytes: content }],
    })
    const { recorder } = await openRecorder(journal, { fsm })
    await expect(recorder.hints()).rejects.toMatchObject({ code: 'HINTS_EMPTY' })
  })

  it('are read for with the signal, and on a journal that cannot be pruned', async () => {
    const { fsm, journal } = await removed()
    const { signal } = new AbortController()
    const plain = Object.create(journal, {
      supports: { value: { prune: false, appendSync: true } },
    }) as MemoryJournal
    for (const method of ['append', 'read', 'head'] as const) {
      Object.defineProperty(plain, method, { value: journal[method].bind(journal) })
    }
    Object.defineProperties(plain, { name: { value: LOG }, maxAppendBytes: { value: 1000 } })
    const { recorder } = await openRecorder(plain, { fsm })
    expect(await recorder.hints({ signal })).toMatchObject({ liveNodes: [] })
  })

  it('are not refused for a file that was made while the beginning was looked for', async () => {
    const { journal, fsm } = await removed()
    const { recorder } = await openRecorder(journal, { fsm })
    const hints = recorder.hints()
    recorder.create('/dir/b')
    expect((await hints).liveNodes).toHaveLength(1)
  })

  it('are built after zero bytes to the lowest file, when none has its last segment in this log', async () => {
    const { recorder, fsm } = await openRecorder(new MemoryJournal({ name: LOG }))
    recorder.create('/dir/low')
    recorder.create('/dir/high')
    await recorder.barrier()
    const journal = new HeldJournal({ name: 'test/next' })
    const change = { from: new MemoryJournal({ name: LOG }), saveHints: () => Promise.resolve() }
    const next = await openRecorder(journal, { fsm, change })
    // The change of logs wrote them; after a removal of that file the next hints do so again.
    next.recorder.remove('/dir/low')
    await next.recorder.barrier()
    journal.appends.length = 0
    const hints = await next.recorder.hints()
    expect(journal.appends.map(kindsOf)).toEqual([['write']])
    expect(hints.liveNodes.map(({ fnode, segments }) => [fnode, segments.map(({ log }) => log)])).toEqual([
      [2, [LOG, '']],
    ])
    await next.recorder.hints()
    expect(journal.appends).toHaveLength(1)
  })

  it('name the log before anything is recorded', async () => {
    const { recorder, journal } = await openRecorder(new MemoryJournal({ name: LOG }), {
      author: AUTHOR,
      fsm: emptyMachine(),
    })
    expect(await recorder.hints()).toEqual({ log: LOG, liveNodes: [], properties: [] })
    expect((await contentOf(journal)).length).toBe(0)
  })
})

/** A log in which a file was made and removed. */
async function removed(): Promise<{ journal: MemoryJournal; fsm: FSM }> {
  const { recorder, journal, fsm } = await openRecorder(new MemoryJournal({ name: LOG }))
  recorder.create('/dir/a')
  recorder.remove('/dir/a')
  await recorder.close()
  return { journal, fsm }
}

/** A frame of more than 16 MiB, of which the end is not there. */
function endless(): Uint8Array {
  const content = new Uint8Array(17 * 1024 * 1024)
  content.set([0x66, 0x33, 0x93, 0x36, 0xff, 0xff, 0xff, 0x7f])
  return content
}
