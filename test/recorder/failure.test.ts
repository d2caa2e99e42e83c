import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { fenceOf } from '../../src/fsm/index.ts'
import type { AppendRequest, Commit } from '../../src/journal/index.ts'
import type { Recorder } from '../../src/recorder/index.ts'
import { AUTHOR, bytes, HeldJournal, openRecorder, settled } from './recorders.ts'
import type { HeldJournalOptions } from './recorders.ts'
import { contentOf } from './replay.ts'

const CAUSE = new RecoveryLogError('UNAVAILABLE', 'the line is cut', { journal: 'test/log' })
const DATA = bytes('data')

/** Every call, with what it needs prepared: `/dir/a` is fnode 1. */
const SYNCHRONOUS: readonly [name: string, call: (recorder: Recorder) => unknown][] = [
  ['create', (r) => r.create('/dir/b')],
  ['open', (r) => r.open('/dir/a')],
  ['open to create', (r) => r.open('/dir/b', { create: true })],
  ['link', (r) => r.link('/dir/a', '/dir/b')],
  ['remove', (r) => r.remove('/dir/a')],
  ['rename', (r) => r.rename('/dir/a', '/dir/b')],
  ['rename onto a property', (r) => r.rename('/dir/a', '/dir/IDENTITY', '')],
  ['property', (r) => r.property('/dir/IDENTITY', '')],
  ['write', (r) => r.write(1, 0, DATA)],
  ['write of an unknown fnode', (r) => r.write(9, 0, DATA)],
  ['replace', (r) => r.replace(1, 0, () => DATA)],
  ['admit', (r) => r.admit(0)],
  ['begin', (r) => r.begin()],
  ['atomic', (r) => r.atomic(() => 0)],
  ['flushSync', (r) => r.flushSync()],
]

const WAITING: readonly [name: string, call: (recorder: Recorder) => Promise<unknown>][] = [
  ['room', (r) => r.room(r.queueBytesMax)],
  ['barrier', (r) => r.barrier()],
  ['committedAt', (r) => r.committedAt(r.position)],
  ['hints', (r) => r.hints()],
]

const LATER: typeof WAITING = [...WAITING, ['rewrite', (r) => r.rewrite(1, { size: 0, read: () => DATA })]]

async function held(options: HeldJournalOptions = {}): Promise<{ recorder: Recorder; journal: HeldJournal }> {
  const { recorder, journal } = await openRecorder(new HeldJournal(options))
  recorder.create('/dir/a')
  await recorder.barrier()
  journal.holds = true
  return { recorder, journal }
}

async function failed(): Promise<Recorder> {
  const { recorder, journal } = await held()
  recorder.write(1, 0, DATA)
  await settled()
  journal.held[0]?.fail(CAUSE)
  await settled()
  return recorder
}

describe('a failed append', () => {
  it.each(SYNCHRONOUS)('fails every later call with the first cause (%s)', async (_, call) => {
    const recorder = await failed()
    const { nextSeqNo } = recorder.fsm
    expect(() => call(recorder)).toThrow(CAUSE)
    expect(recorder.fsm.nextSeqNo).toBe(nextSeqNo)
  })

  it.each(LATER)('fails every later wait with the first cause (%s)', async (_, call) => {
    await expect(call(await failed())).rejects.toBe(CAUSE)
  })

  it.each(WAITING)('fails what waits already (%s)', async (_, call) => {
    const { recorder, journal } = await held()
    recorder.write(1, 0, DATA)
    await settled()
    recorder.write(1, 0, DATA)
    const waits = [call(recorder), call(recorder)]
    await settled()
    journal.held[0]?.fail(CAUSE)
    for (const wait of waits) await expect(wait).rejects.toBe(CAUSE)
  })

  it('fails what waits for the append itself, for the next and for the one being filled', async () => {
    const { recorder, journal } = await openRecorder(new HeldJournal({ appendSync: false }), {
      chunkBytes: 300,
    })
    recorder.create('/dir/a')
    await recorder.barrier()
    journal.holds = true
    const waits: Promise<unknown>[] = []
    for (let i = 0; i < 9; i++) {
      recorder.write(1, 0, new Uint8Array(100))
      waits.push(recorder.committedAt(recorder.position))
    }
    await settled()
    journal.held[0]?.fail(CAUSE)
    for (const wait of waits) await expect(wait).rejects.toBe(CAUSE)
    expect(journal.held).toEqual([])
  })

  it('is the last: nothing is appended behind it', async () => {
    const { recorder, journal } = await held()
    recorder.write(1, 0, DATA)
    await settled()
    recorder.write(1, 0, DATA)
    const { length } = await contentOf(journal)
    journal.held[0]?.fail(CAUSE)
    await settled()
    expect(journal.held).toEqual([])
    expect((await contentOf(journal)).length).toBe(length)
    expect(recorder.committed).toBe(length)
    await recorder.committedAt(length)
  })

  it('is told by `failure` and by `ended`', async () => {
    const { recorder, journal } = await held()
    expect(recorder.failure).toBeUndefined()
    recorder.write(1, 0, DATA)
    await settled()
    journal.held[0]?.fail(CAUSE)
    expect(await recorder.ended).toBe(CAUSE)
    expect(recorder.failure).toBe(CAUSE)
  })

  it('keeps its first cause', async () => {
    const recorder = await failed()
    recorder.fail(new RecoveryLogError('FENCED', 'later'))
    expect(recorder.failure).toBe(CAUSE)
  })

  it.each([
    [
      'a lost fence',
      new RecoveryLogError('REGISTER_MISMATCH', 'no', { name: 'author' }),
      'FENCED',
      { name: 'author', log: 'test/log' },
    ],
    [
      'what the journal says',
      new RecoveryLogError('OUTCOME_UNKNOWN', 'no', { id: 1 }),
      'OUTCOME_UNKNOWN',
      { id: 1 },
    ],
    ['any other error', new Error('no'), 'UNAVAILABLE', { log: 'test/log' }],
  ])('is told as what it means (%s)', async (_, error, code, data) => {
    const { recorder, journal } = await held()
    recorder.write(1, 0, DATA)
    const barrier = recorder.barrier()
    await settled()
    journal.held[0]?.fail(error)
    await expect(barrier).rejects.toMatchObject({ code, data })
    const cause = recorder.failure === error ? undefined : recorder.failure?.cause
    expect(cause).toBe(code === 'OUTCOME_UNKNOWN' ? undefined : error)
  })

  it('may be thrown instead of rejected', async () => {
    const { recorder, journal } = await held()
    journal.append = () => {
      throw CAUSE
    }
    recorder.write(1, 0, DATA)
    await expect(recorder.barrier()).rejects.toBe(CAUSE)
  })

  it('may be a synchronous one', async () => {
    const { recorder, journal } = await held()
    recorder.write(1, 0, DATA)
    const barrier = recorder.barrier()
    journal.appendSync({ content: DATA, union: [fenceOf(7)] })
    expect(() => recorder.flushSync()).toThrow(expect.objectContaining({ code: 'FENCED' }))
    await expect(barrier).rejects.toMatchObject({ code: 'FENCED' })
  })

  it('while another is under way leaves that one unanswered', async () => {
    const { recorder, journal } = await openRecorder(new Breaking())
    recorder.create('/dir/a')
    const barrier = recorder.barrier()
    await settled()
    journal.isBroken = true
    recorder.write(1, 0, DATA)
    expect(() => recorder.flushSync()).toThrow(CAUSE)
    await expect(barrier).rejects.toBe(CAUSE)
    journal.isBroken = false
    journal.held[0]?.commit()
    await settled()
    expect([journal.appends.length, recorder.committed]).toEqual([1, 0])
  })

  it('may be told from elsewhere', async () => {
    const { recorder } = await held()
    recorder.write(1, 0, DATA)
    const barrier = recorder.barrier()
    const fenced = new RecoveryLogError('FENCED', 'seen in the hints')
    recorder.fail(fenced)
    await expect(barrier).rejects.toBe(fenced)
    await settled()
    expect(recorder.committed).toBeLessThan(recorder.position)
  })
})

class Breaking extends HeldJournal {
  isBroken = false

  override append(request: AppendRequest): Promise<Commit> {
    this.holds = request.content.length > 0
    return super.append(request)
  }

  override appendSync(request: AppendRequest): Commit {
    if (this.isBroken) throw CAUSE
    return super.appendSync(request)
  }
}

describe('close', () => {
  it('waits for everything recorded, and takes no more', async () => {
    const { recorder, journal } = await held()
    recorder.write(1, 0, DATA)
    let isClosed = false
    const closing = recorder.close().then(() => (isClosed = true))
    await settled()
    expect(isClosed).toBe(false)
    expect(() => recorder.write(1, 0, DATA)).toThrow(
      expect.objectContaining({ code: 'CLOSED', data: { log: 'test/log' } }),
    )
    journal.held[0]?.commit()
    await closing
    expect(recorder.committed).toBe(recorder.position)
    expect(await recorder.ended).toBeUndefined()
    expect((await journal.head()).offset).toBe(recorder.head)
  })

  it.each(SYNCHRONOUS)('ends every call (%s)', async (_, call) => {
    const { recorder } = await held()
    await recorder.close()
    const { position } = recorder
    expect(() => call(recorder)).toThrow('CLOSED')
    expect(recorder.position).toBe(position)
  })

  it('ends what waits for room, but not what waits for an append', async () => {
    const { recorder, journal } = await held()
    recorder.write(1, 0, DATA)
    const barrier = recorder.barrier()
    const waiting = recorder.room(recorder.queueBytesMax)
    const closing = recorder.close()
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(recorder.room(1)).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(recorder.hints()).rejects.toMatchObject({ code: 'CLOSED' })
    await settled()
    journal.held[0]?.commit()
    await Promise.all([barrier, closing])
    await recorder.barrier()
  })

  it('may be called again, by anybody', async () => {
    const { recorder, journal } = await held()
    recorder.write(1, 0, DATA)
    const first = recorder.close()
    const second = recorder.close()
    await settled()
    journal.held[0]?.fail(CAUSE)
    await expect(first).rejects.toBe(CAUSE)
    await second
    await recorder.close()
    await recorder[Symbol.asyncDispose]()
  })

  it('tells a failure that nobody has been told', async () => {
    const recorder = await failed()
    await expect(recorder.close()).rejects.toBe(CAUSE)
    await recorder.close()
  })

  it('does not tell a failure again', async () => {
    const recorder = await failed()
    expect(() => recorder.create('/dir/b')).toThrow(CAUSE)
    await recorder.close()
  })

  it('leaves the journal open', async () => {
    const { recorder, journal } = await openRecorder(new HeldJournal(), { author: AUTHOR })
    await recorder.close()
    await journal.append({ content: DATA })
  })
})
