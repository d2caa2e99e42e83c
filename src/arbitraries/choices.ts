import fc from 'fast-check'

/** Answers an integer from 0 up to, but not including, `below`. */
export type Choose = (below: number) => number

/** For what makes many small choices while it walks over something: choices that repeat after a while, and shrink. */
export function choices(): fc.Arbitrary<Choose> {
  return fc.array(fc.nat({ max: 0xffff }), { minLength: 1, maxLength: 200 }).map((tape) => {
    let next = 0
    return (below) => (tape[next++ % tape.length] as number) % below
  })
}

/** One of several. */
export function pick<T>(choose: Choose, list: readonly T[]): T {
  return list[choose(list.length)] as T
}
