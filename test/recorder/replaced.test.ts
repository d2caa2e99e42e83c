import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { fenceOf } from '../../src/fsm/index.ts'
import type { AppendRequest, Commit } from '../../src/journal/index.ts'
import { AUTHOR, bytes, HeldJournal, LOG, openRecorder } from './recorders.ts'
import { replay } from './replay.ts'

/** Another process becomes the appender, `times` times, each before an append that has content. */
class Replacing extends HeldJournal {
  times = 0
  empty = 0
  /** What the other process does. */
  onReplaced: () => void = () => undefined

  override appendSync(request: AppendRequest): Commit {
    if (request.content.length === 0) this.empty++
    else if (this.times > 0) {
      this.times--
      this.onReplaced()
      throw new RecoveryLogError('APPENDER_REPLACED', 'another process', { journal: LOG })
    }
    return super.appendSync(request)
  }

  /** Sets the fence of another owner, as its hand-off does. */
  takeOver(): void {
    super.appendSync({ content: bytes('x'), union: [fenceOf(7)] })
  }
}

async function opened(): Promise<{
  record: () => void
  flush: (isSync: boolean) => Promise<unknown>
  journal: Replacing
}> {
  const { recorder, journal } = await openRecorder(new Replacing({ registers: [fenceOf(AUTHOR)] }))
  journal.empty = 0
  return {
    journal,
    record: () => recorder.create('/dir/a'),
    flush: async (isSync) => (isSync ? recorder.flushSync() : recorder.barrier()),
  }
}

describe.each([false, true])('a replaced appender (synchronous: %s)', (isSync) => {
  it('goes on when the fence is still its own', async () => {
    const { record, flush, journal } = await opened()
    journal.times = 3
    record()
    await flush(isSync)
    expect(journal.empty).toBe(3)
    expect([...(await replay(journal)).tree.keys()]).toEqual(['/a'])
  })

  it('is FENCED when it is not', async () => {
    const { record, flush, journal } = await opened()
    journal.times = 1
    journal.onReplaced = () => {
      journal.takeOver()
    }
    record()
    await expect(flush(isSync)).rejects.toMatchObject({ code: 'FENCED' })
    expect([...(await replay(journal)).tree.keys()]).toEqual([])
  })

  it('gives up when others append again and again without owning the log', async () => {
    const { record, flush, journal } = await opened()
    journal.times = Infinity
    record()
    await expect(flush(isSync)).rejects.toMatchObject({ code: 'APPENDER_REPLACED' })
    expect(journal.empty).toBeLessThan(20)
  })
})
