import { RecoveryLogError } from '../../../src/errors/index.ts'
import type { Clock } from '../../../src/parts/index.ts'
import type { CallFaultPlan } from '../../../src/testing/index.ts'
import type { ManualClock } from '../../support/directory.ts'

/** Choices of one seed. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = Math.imul(seed, 2654435761) | 1
    for (let i = 0; i < 8; i++) this.below(2)
  }

  below(count: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % count
  }

  chance(share: number): boolean {
    return this.below(10_000) < share * 10_000
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }
}

/** One process: what it calls waits for its turn, twice for each call, and fails now and then. */
export interface Process {
  readonly name: string
  /** None of its calls has any effect from here on, and no answer reaches it. */
  isDead: boolean
  /** It stands still for a while; its leases do not. */
  isFrozen: boolean
  /** It dies when so many of its steps are over. */
  stepsLeft?: number
}

interface Waiting {
  readonly process: Process
  readonly what: string
  readonly go: () => void
}

const NEVER = new Promise<never>(() => undefined)

/** The steps of all processes, of which one at a time is taken. */
export class Steps {
  /** How many of the calls fail. */
  faultShare: number
  readonly trace: string[] = []
  readonly #dice: Dice
  readonly #clock: ManualClock
  #waiting: Waiting[] = []

  constructor(dice: Dice, clock: ManualClock, faultShare: number) {
    this.#dice = dice
    this.#clock = clock
    this.faultShare = faultShare
  }

  get isIdle(): boolean {
    return this.#ready.length === 0
  }

  /** Those that wait for their turn, and are not standing still. */
  get busy(): Process[] {
    return [...new Set(this.#ready.map(({ process }) => process))]
  }

  get #ready(): Waiting[] {
    return this.#waiting.filter(({ process }) => !process.isFrozen)
  }

  /** What befalls the calls that `process` makes of `part`. */
  faults(process: Process, part: string): CallFaultPlan {
    return ({ method }) => {
      const fails = this.#fails(method)
      return {
        before: async () => this.#turn(process, `${part}.${method}${fails === 'before' ? ' fails' : ''}`),
        ...(fails === undefined ? {} : { fails }),
        after: async () =>
          this.#turn(process, `${part}.${method} answers${fails === 'after' ? ' nothing' : ''}`),
      }
    }
  }

  /** The clock as `process` has it. */
  clock(process: Process): Clock {
    return {
      now: () => this.#clock.now(),
      sleep: async (ms, signal) => {
        await this.#clock.sleep(ms, signal)
        if (process.isDead) await NEVER
      },
    }
  }

  /** Lets some process go on by one step, any of those that it waits for. */
  async take(): Promise<void> {
    const { busy } = this
    if (busy.length === 0) return
    const process = this.#dice.pick(busy)
    const step = this.#dice.pick(this.#ready.filter((other) => other.process === process))
    this.#waiting = this.#waiting.filter((other) => other !== step)
    this.trace.push(`${process.name} ${step.what}`)
    step.go()
    await quiet()
  }

  kill(process: Process): void {
    process.isDead = true
    this.#waiting = this.#waiting.filter((step) => step.process !== process)
    this.trace.push(`${process.name} dies`)
  }

  async #turn(process: Process, what: string): Promise<void> {
    if (process.stepsLeft !== undefined && process.stepsLeft-- === 0) this.kill(process)
    if (process.isDead) await NEVER
    await new Promise<void>((go) => this.#waiting.push({ process, what, go }))
  }

  #fails(method: string): 'before' | 'after' | undefined {
    if (!this.#dice.chance(this.faultShare)) return undefined
    // A step of a listing changes nothing: whether it fails before or after is the same.
    return method === 'list' || this.#dice.chance(0.5) ? 'before' : 'after'
  }
}

/** Lets everything run that can, until all processes wait for their turn or for the time. */
export async function quiet(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** Fails unless the error is one that faults, or other processes, lead to. */
export function tolerate(error: unknown, ...codes: readonly string[]): void {
  if (error instanceof RecoveryLogError && codes.includes(error.code)) return
  throw error
}
