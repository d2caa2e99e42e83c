import fc from 'fast-check'
import type { AppendFault } from '../testing/index.ts'

export interface JournalFaultsOptions {
  /** How many appends there may be: a fault has the number of one of them. Default 50. */
  readonly appends?: number
  /** Whether there are those too that no journal may have (torn, doubled): they must be noticed. Default false. */
  readonly withBroken?: boolean
}

/** What happens to some of the appends of a journal, by their numbers: for `faultsAt` of `recoverylog/testing`. */
export function journalFaults(
  options: JournalFaultsOptions = {},
): fc.Arbitrary<ReadonlyMap<number, AppendFault>> {
  const { appends = 50, withBroken = false } = options
  const soon = fc.constant(null).map(() => Promise.resolve())
  const kept: fc.Arbitrary<AppendFault>[] = [
    fc.constant({ kind: 'lost' }),
    fc.boolean().map((landed) => ({ kind: 'unknown', landed })),
    soon.map((until) => ({ kind: 'late', until })),
    soon.map((until) => ({ kind: 'late answer', until })),
  ]
  const broken: fc.Arbitrary<AppendFault>[] = [
    fc.nat({ max: 200 }).map((bytes) => ({ kind: 'torn', bytes })),
    fc.constant({ kind: 'duplicate' }),
  ]
  const fault = fc.oneof(...kept, ...(withBroken ? broken : []))
  const index = fc.nat({ max: appends - 1 })
  return fc.array(fc.tuple(index, fault), { maxLength: 5 }).map((faults) => new Map(faults))
}
