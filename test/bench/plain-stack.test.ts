import { describe, expect, it } from 'vitest'
import { plainApplyAll, PlainRecorder } from '../../bench/support/plain-stack.ts'
import { makeChurn } from '../../bench/workloads.ts'

describe('plain stack: does the whole of the work that it is held against', () => {
  it('applies the beginning of churn-1k, to its checksum and live files', () => {
    const log = makeChurn(1_000, 50_000)
    const fsm = plainApplyAll(log.bytes)
    expect(fsm.nextChecksum >>> 0).toBe(log.nextChecksum)
    expect(fsm.links.size).toBe(1_000)
    expect(fsm.liveNodes.size).toBe(1_000)
  })

  it('what it records can be applied', () => {
    const recorder = new PlainRecorder()
    const fnode = recorder.create('/a')
    recorder.write(fnode, 0, Buffer.from('hello'))
    const fsm = plainApplyAll(recorder.take())
    expect(fsm.links.get('/a')).toBe(fnode)
    expect(fsm.nextSeqNo).toBe(3)
    expect(recorder.take().length).toBe(0)
  })
})
