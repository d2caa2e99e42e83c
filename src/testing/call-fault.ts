import { RecoveryLogError } from '../errors/index.ts'

/**
 * What happens to one call of a store. The fault model:
 *
 * | fault | what is done | the answer |
 * | --- | --- | --- |
 * | `fails: 'before'` | nothing | `UNAVAILABLE` |
 * | `fails: 'after'` | all of it | `UNAVAILABLE`: the caller is left in doubt |
 * | `before` | all of it, once that has resolved: others come first | then |
 * | `after` | all of it | once that has resolved: others come in between |
 *
 * They can be had together. A `before` or `after` that never resolves is a caller who has died: before the call had any
 * effect, or before it learned of it. No store's promise is broken by any of them, so whoever works on a store has to bear
 * them without losing anything that was acknowledged.
 */
export interface CallFault {
  /** Is waited for before the store is called. */
  readonly before?: () => Promise<unknown>
  readonly fails?: 'before' | 'after'
  /** Is waited for once the store has done its work, or failed, and before the caller is told. */
  readonly after?: () => Promise<unknown>
}

/** One call, or one step of what is iterated: a batch, a name of a list, a chunk of a blob. */
export interface StoreCall {
  /** Calls and steps count from 0. */
  readonly index: number
  /** As the interface names it. */
  readonly method: string
  /** As it was called; borrowed. */
  readonly args: readonly unknown[]
}

/** Asked once for each call and each step, in their order. */
export type CallFaultPlan = (call: StoreCall) => CallFault | undefined

/** A plan from a list: the fault of each call by its index, as a generator makes them. */
export function callFaultsAt(faults: ReadonlyMap<number, CallFault>): CallFaultPlan {
  return ({ index }) => faults.get(index)
}

/** Makes the calls of one store meet the faults of a plan. */
export class FaultyCalls {
  readonly #plan: CallFaultPlan
  #count = 0

  constructor(plan: CallFaultPlan) {
    this.#plan = plan
  }

  /** Without a fault it is as if nobody stood in between. */
  call<Result>(method: string, args: readonly unknown[], begin: () => Promise<Result>): Promise<Result> {
    const fault = this.#plan({ index: this.#count++, method, args })
    return fault === undefined ? begin() : meet(fault, method, begin)
  }

  /** Each step is a call. Leaving early leaves the store's iterator too. */
  async *iterate<Item>(
    method: string,
    args: readonly unknown[],
    begin: () => AsyncIterable<Item>,
  ): AsyncGenerator<Item, void, undefined> {
    const iterator = begin()[Symbol.asyncIterator]()
    let isOver = false
    try {
      for (;;) {
        const step = await this.call(method, args, () => iterator.next())
        isOver = step.done === true
        if (step.done === true) return
        yield step.value
      }
    } finally {
      if (!isOver) await iterator.return?.()
    }
  }
}

async function meet<Result>(
  { before, fails, after }: CallFault,
  method: string,
  begin: () => Promise<Result>,
): Promise<Result> {
  await before?.()
  if (fails === 'before') throw injected(method, fails)
  const [settled] = await Promise.allSettled([begin()])
  await after?.()
  if (settled.status === 'rejected') throw settled.reason
  if (fails === 'after') throw injected(method, fails)
  return settled.value
}

function injected(method: string, fails: 'before' | 'after'): RecoveryLogError {
  return new RecoveryLogError('UNAVAILABLE', 'an injected fault', { method, fails })
}
