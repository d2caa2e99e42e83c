import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  archiveChunks,
  archiveEntry,
  churn,
  PLAY,
  playChunks,
  playContent,
  segmentAt,
  shuffled,
} from '../../bench/workloads.ts'

describe('workloads: inputs of the bench are those on which Go was measured', () => {
  it.each([
    { live: 1_000, checksum: 235_211_990, bytes: 73_543_524, counts: [400_400, 399_400, 1_200_200] },
    { live: 200_000, checksum: 474_319_110, bytes: 74_541_508, counts: [559_595, 359_595, 1_080_810] },
  ] as const)('churn: checksum, size and counts ($live live files)', ({ live, checksum, bytes, counts }) => {
    const log = churn(live)
    expect(log.nextSeqNo).toBe(2_000_001)
    expect(log.nextChecksum).toBe(checksum)
    expect(log.bytes.length).toBe(bytes)
    expect([log.creates, log.unlinks, log.writes]).toEqual(counts)
    expect(churn(live), 'it is made once').toBe(log)
  })

  it.each(Object.entries(PLAY))('play: size of the log (%s)', (_, input) => {
    let bytes = 0
    for (const chunk of playChunks(input)) bytes += chunk.length
    expect(bytes).toBe(input.logBytes)
  })

  it('play: a write takes its content from where its file points', () => {
    const data = playContent(64)
    expect(data.length).toBe(164)
    const [chunk = data] = playChunks({ size: 64, writes: 1000, logBytes: 0 })
    const log = Buffer.from(chunk)
    const secondWrite = log.indexOf(Buffer.from(data.subarray(1, 65)))
    expect(secondWrite).toBeGreaterThan(log.indexOf(Buffer.from(data.subarray(0, 64))))
  })

  it('segments: apart by one number, or adjacent', () => {
    const apart = segmentAt(5)
    expect(apart).toEqual({
      author: 7,
      firstSeqNo: 16,
      firstOffset: 500,
      firstChecksum: 5,
      lastSeqNo: 17,
      lastOffset: 590,
      log: 'a/log',
    })
    expect(segmentAt(5, { adjacent: true })).toEqual({ ...apart, lastSeqNo: 18 })
  })

  it('segments: the shuffled order holds each number once, the same each time', () => {
    const order = shuffled(1000)
    expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(Array.from(order)).not.toEqual(Array.from(order).sort((a, b) => a - b))
    expect(shuffled(1000)).toEqual(order)
  })

  it('archive: size and sha256 of the entries file', () => {
    const hash = createHash('sha256')
    let bytes = 0
    for (const chunk of archiveChunks()) {
      hash.update(chunk)
      bytes += chunk.length
    }
    expect(bytes).toBe(112_544_507)
    expect(hash.digest('hex')).toBe('afd8c4074c191215d643a6074ed87574a7bbf0cc15dafd82e5dd163ebc461e79')
  })

  it('archive: the first entry has a time offset that is present and empty', () => {
    expect(Array.from(archiveEntry(0).subarray(0, 3))).toEqual([0x0a, 0, 0x52])
  })
})
