import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lives, LinkLedger } from '../../src/fsm/link-ledger.ts'

/** Each step creates (an even number) or changes one of the files before. */
const steps = fc.array(fc.nat(1000), { minLength: 1, maxLength: 400 })

test('link ledger: the newest change of any range of creates is that of a naive list, through growth and forgetting', () => {
  fc.assert(
    fc.property(steps, fc.array(fc.tuple(fc.nat(500), fc.nat(500))), (numbers, ranges) => {
      const ledger = new LinkLedger()
      let naive: { create: number; change: number }[] = []
      for (const [index, number] of numbers.entries()) {
        const seqNo = index + 1
        const entry = naive[number % (naive.length + 1)]
        if (number % 2 === 0 || entry === undefined) {
          if (ledger.isFull) {
            naive = naive.filter(({ create }) => create % 3 !== 0)
            ledger.retain((create) => create % 3 !== 0)
          }
          ledger.create(seqNo)
          naive.push({ create: seqNo, change: 0 })
        } else {
          ledger.change(entry.create, seqNo, -seqNo)
          entry.change = seqNo
        }
        ledger.change(seqNo + 0.5, seqNo, 0) // nobody's
      }
      for (const [first, length] of ranges) {
        const within = naive.filter(({ create }) => first <= create && create <= first + length)
        const newest = ledger.newestChange(first, first + length)
        expect(ledger.changeOf(newest)).toBe(Math.max(0, ...within.map(({ change }) => change)))
        if (ledger.changeOf(newest) > 0) expect(ledger.extentOf(newest)).toBe(-ledger.changeOf(newest))
      }
      const lives = ledger.livesAbove(10)
      for (const [from] of ranges) {
        let end = from
        for (;;) {
          const later = naive.find(({ create, change }) => create > 10 && create <= end && change > end)
          if (later === undefined) break
          end = later.change
        }
        expect(lives.endOf({ seqNo: from, extent: 0 }).seqNo).toBe(end)
      }
    }),
  )
})

test('lives: spans that overlap are one, spans that touch are two', () => {
  const lives = new Lives()
  lives.add(1, 5, -5)
  lives.add(2, 3, -3)
  lives.add(5, 7, -7)
  lives.add(8, 9, -9)
  const endOf = (seqNo: number) => lives.endOf({ seqNo, extent: 0 })
  expect([endOf(0), endOf(1), endOf(4), endOf(7), endOf(8), endOf(20)]).toEqual([
    { seqNo: 0, extent: 0 },
    { seqNo: 7, extent: -7 },
    { seqNo: 7, extent: -7 },
    { seqNo: 7, extent: 0 },
    { seqNo: 9, extent: -9 },
    { seqNo: 20, extent: 0 },
  ])
})
