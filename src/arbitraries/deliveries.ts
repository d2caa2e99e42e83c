import fc from 'fast-check'

export interface DeliveriesOptions {
  /** How many messages there are. */
  readonly messages: number
  /** Whether some may never come. Default false. */
  readonly withLost?: boolean
}

/**
 * In which order a transport delivers messages, by their numbers: each at least once, some again, in any order; with
 * `withLost` some not at all.
 */
export function deliveries(options: DeliveriesOptions): fc.Arbitrary<readonly number[]> {
  const { messages, withLost = false } = options
  const all = Array.from({ length: messages }, (_, number) => number)
  const once = withLost ? fc.subarray(all) : fc.constant(all)
  return once
    .chain((sent) => fc.tuple(fc.constant(sent), fc.subarray(sent)))
    .chain(([sent, again]) => {
      const numbers = [...sent, ...again]
      return fc.shuffledSubarray(numbers, { minLength: numbers.length, maxLength: numbers.length })
    })
}

/**
 * In which order parts that work side by side take their steps: numbers of parts, one for each step, until `steps` are
 * over. For a scheduler that lets one go on at a time.
 */
export function interleavings(options: {
  readonly parts: number
  /** Default 200. */
  readonly steps?: number
}): fc.Arbitrary<readonly number[]> {
  const { parts, steps = 200 } = options
  return fc.array(fc.nat({ max: parts - 1 }), { minLength: steps, maxLength: steps })
}
