import { describe, expect, it } from 'vitest'
import { describeResult, growth, measure, median, parseOptions, verdict } from '../../bench/harness.ts'
import type { Setup, Variant } from '../../bench/harness.ts'

/** A clock that only moves when a variant says so. */
function fakeTime(): { now: () => number; variant: (operations: number, times: number[]) => Variant } {
  let time = 0
  return {
    now: () => time,
    variant(operations, times) {
      let run = 0
      return {
        operations,
        run() {
          time += times[run++] ?? 0
        },
      }
    },
  }
}

describe('bench harness: what is measured', () => {
  it('rate: median of the rounds behind the warm-up, ratio to the floor', async () => {
    const { now, variant } = fakeTime()
    const setup: Setup = {
      unit: 'k/s',
      subject: variant(1000, [999, 10, 30, 20]),
      floor: variant(1000, [999, 80, 60, 100]),
    }
    expect(await measure('a/row', setup, 3, now)).toEqual({
      name: 'a/row',
      value: 50,
      unit: 'k/s',
      floor: 12.5,
      ratio: 4,
    })
  })

  it('cost: time by operation, without a floor', async () => {
    const { now, variant } = fakeTime()
    const result = await measure('b', { unit: 'us', subject: variant(100, [5, 2]) }, 1, now)
    expect(result).toEqual({ name: 'b', value: 20, unit: 'us', floor: null, ratio: null })
  })

  it('a run that answers milliseconds has taken the time itself', async () => {
    const setup: Setup = { unit: 'ms', subject: { operations: 1, run: () => Promise.resolve(7) } }
    expect((await measure('c', setup, 2)).value).toBe(7)
  })

  it('rounds: interleaved, each variant first in turn, before and after around every run', async () => {
    const calls: string[] = []
    const variant = (name: string): Variant => ({
      operations: 1,
      before: () => void calls.push(`${name}<`),
      run: () => void calls.push(name),
      after: () => void calls.push(`${name}>`),
    })
    await measure('d', { unit: 'ms', subject: variant('s'), floor: variant('f') }, 1)
    expect(calls.join(' ')).toBe('s< s s> f< f f> f< f f> s< s s>')
  })

  it('growth: the cost at the large size against that at the small one', async () => {
    const { now, variant } = fakeTime()
    const row = growth('e/growth', {
      atMost: 1.3,
      prepare: () => ({ unit: 'ns', small: variant(10, [0, 1]), large: variant(100, [0, 12]) }),
    })
    const result = await measure(row.name, await row.prepare(), 1, now)
    expect(result.ratio).toBe(1.2)
    expect(verdict(result, row.goals)).toBe('met')
  })

  it('median: of an odd and an even number of values, of none', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(() => median([])).toThrow(RangeError)
  })
})

describe('bench harness: what is said', () => {
  const result = { name: 'f/row', value: 13.12, unit: 'M/s', floor: 0.61, ratio: 21.5 } as const

  it.each([
    { goal: { of: 'ratio', atLeast: 21.5 }, said: 'met' },
    { goal: { of: 'ratio', atLeast: 22 }, said: 'missed' },
    { goal: { of: 'ratio', atMost: 21 }, said: 'missed' },
    { goal: { of: 'value', atMost: 14 }, said: 'met' },
  ] as const)('goals: $goal is $said', ({ goal, said }) => {
    expect(verdict(result, [goal])).toBe(said)
    expect(describeResult(result, [goal])).toContain(said)
  })

  it('goals: all of several; none says nothing; a ratio without a floor is a mistake', () => {
    expect(
      verdict(result, [
        { of: 'ratio', atLeast: 1 },
        { of: 'value', atLeast: 14 },
      ]),
    ).toBe('missed')
    expect(verdict(result, [])).toBe('')
    expect(() => verdict({ ...result, ratio: null }, [{ of: 'ratio', atLeast: 1 }])).toThrow('f/row')
  })

  it('a row for people has value, floor, ratio, goal and note', () => {
    const line = describeResult(result, [{ of: 'ratio', atLeast: 15 }], 'Go 5.3')
    expect(line.replace(/ +/g, ' ')).toBe('f/row 13.1 M/s floor 0.61 M/s ratio 21.5 goal >= 15 met (Go 5.3)')
  })

  it('options: --json, a name and rounds in any order; others are refused', () => {
    expect(parseOptions([])).toEqual({ json: false, name: '', rounds: undefined })
    expect(parseOptions(['--json', 'fsm', '--rounds', '2'])).toEqual({ json: true, name: 'fsm', rounds: 2 })
    expect(() => parseOptions(['--jsn'])).toThrow('--jsn')
    expect(() => parseOptions(['--rounds', '0'])).toThrow(RangeError)
  })
})
