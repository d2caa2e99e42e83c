import fc from 'fast-check'
import type { CallFault } from '../testing/index.ts'

export interface CallFaultsOptions {
  /** How many calls there may be: a fault has the number of one of them. Default 50. */
  readonly calls?: number
  /** How many of them meet a fault at most. Default 5. */
  readonly faultsMax?: number
}

/** What happens to some of the calls of a store, by their numbers: for `callFaultsAt` of `recoverylog/testing`. */
export function callFaults(options: CallFaultsOptions = {}): fc.Arbitrary<ReadonlyMap<number, CallFault>> {
  const { calls = 50, faultsMax = 5 } = options
  const soon = (): Promise<void> => Promise.resolve()
  const fault: fc.Arbitrary<CallFault> = fc.oneof(
    fc.constantFrom<CallFault>({ fails: 'before' }, { fails: 'after' }),
    fc.constantFrom<CallFault>({ before: soon }, { after: soon }, { before: soon, fails: 'after' }),
  )
  const index = fc.nat({ max: calls - 1 })
  return fc.array(fc.tuple(index, fault), { maxLength: faultsMax }).map((faults) => new Map(faults))
}
