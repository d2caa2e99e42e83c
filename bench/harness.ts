/**
 * How the bench measures. One file in this folder answers one question, in one or several rows:
 *
 * ```ts
 * await question('How fast is a log decoded, checked and applied?', [
 *   {
 *     name: 'fsm/churn-1k',                       // NAME of `npm run bench -- NAME` is a part of it
 *     goals: [{ of: 'ratio', atLeast: 15 }],
 *     prepare() {                                 // only called when the row is asked for; may be async
 *       const input = churn(1_000)
 *       return {
 *         unit: 'M/s',
 *         subject: { operations: 2_000_000, run: () => applyAll(input.bytes) },
 *         floor: { operations: 2_000_000, run: () => plainApplyAll(input.bytes) },
 *       }
 *     },
 *   },
 *   growth('fsm/churn-1k/growth', { atMost: 2.5, prepare: () => ({ unit: 'ns', small: {...}, large: {...} }) }),
 * ])
 * ```
 *
 * - A *round* runs the subject once and the floor once, in turn first. A first round warms up and is not counted; the
 *   figure is the median of the others (`rounds`, default 5, less for rows that move gigabytes).
 * - `before` and `after` of a variant are run around each of its runs and not timed; garbage is collected in between.
 * - A run is timed from its call to its end, unless it answers milliseconds itself (a percentile, a part of the work).
 * - The unit says what is computed from time and `operations`: a rate (`M/s`, `GB/s` with bytes for operations; more is
 *   better) or a cost of one operation (`ns`, `us`, `ms`; less is better). The ratio is value to floor, in that unit.
 * - `growth` holds the cost at a large size against the cost at a small one: its floor is the small one.
 * - Each file runs in a process of its own (bench/run.ts), so that heaps do not disturb each other, with gc exposed.
 *   Pieces that several questions share lie in bench/support/.
 * - `--json` prints one object a line, `{ name, value, unit, floor, ratio }` (null without a floor), else a table for
 *   people, with goals. `--rounds N` overrides the number of rounds: 1 is a quick look, not a figure.
 */

/** Each unit as seconds or operations: `value = operations / seconds / scale`, or for costs its inverse. */
const UNITS = {
  '/s': { rate: true, scale: 1 },
  'k/s': { rate: true, scale: 1e3 },
  'M/s': { rate: true, scale: 1e6 },
  'MB/s': { rate: true, scale: 1e6 },
  'GB/s': { rate: true, scale: 1e9 },
  ns: { rate: false, scale: 1e-9 },
  us: { rate: false, scale: 1e-6 },
  ms: { rate: false, scale: 1e-3 },
} as const

export type Unit = keyof typeof UNITS

export interface Variant {
  /** How many operations, or bytes, one run does. */
  readonly operations: number
  readonly before?: () => void | Promise<void>
  /** Answers milliseconds when it has taken the time itself. */
  readonly run: () => unknown
  readonly after?: () => void | Promise<void>
}

export interface Setup {
  readonly unit: Unit
  readonly subject: Variant
  /** What the subject is held against, measured in the same rounds. */
  readonly floor?: Variant
  readonly rounds?: number
  /** Printed behind the row, for people: Go's figure, say. */
  readonly note?: string
  /** Frees what `prepare` took. */
  readonly close?: () => void | Promise<void>
}

/** A bound on the ratio to the floor, or on the value itself. */
export type Goal =
  | { readonly of: 'ratio' | 'value'; readonly atLeast: number }
  | { readonly of: 'ratio' | 'value'; readonly atMost: number }

export interface Row {
  readonly name: string
  readonly goals: readonly Goal[]
  readonly prepare: () => Setup | Promise<Setup>
}

export interface Result {
  readonly name: string
  readonly value: number
  readonly unit: Unit
  readonly floor: number | null
  readonly ratio: number | null
}

export interface BenchOptions {
  readonly json: boolean
  /** Part of the names of the rows to run; all when empty. */
  readonly name: string
  /** Overrides what the rows ask for. */
  readonly rounds: number | undefined
}

/** The exit status of a question none of whose rows was asked for. */
export const NO_ROWS = 3

const DEFAULT_ROUNDS = 5

/**
 * For rows that only compute: it takes several rounds until V8 has compiled what they do for good, and in a service it
 * has.
 */
export const WARM_ROUNDS = 13

/** Measures and prints those of `rows` that the command line asks for. */
export async function question(text: string, rows: readonly Row[]): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  const chosen = rows.filter((row) => row.name.includes(options.name))
  // A file may ask several questions: one that is answered is enough.
  process.exitCode ??= NO_ROWS
  if (chosen.length === 0) return
  process.exitCode = 0
  if (!options.json) console.log(`\n${text}`)
  for (const row of chosen) {
    const setup = await row.prepare()
    try {
      const result = await measure(row.name, setup, options.rounds)
      console.log(options.json ? JSON.stringify(result) : describeResult(result, row.goals, setup.note))
    } finally {
      await setup.close?.()
    }
  }
}

/** A row for the cost of one operation at a large size against that at a small one. */
export function growth(
  name: string,
  options: {
    readonly atMost: number
    readonly prepare: () => GrowthSetup | Promise<GrowthSetup>
  },
): Row {
  return {
    name,
    goals: [{ of: 'ratio', atMost: options.atMost }],
    async prepare() {
      const { small, large, ...rest } = await options.prepare()
      return { ...rest, subject: large, floor: small }
    },
  }
}

export type GrowthSetup = Omit<Setup, 'unit' | 'subject' | 'floor'> & {
  readonly unit: 'ns' | 'us' | 'ms'
  readonly small: Variant
  readonly large: Variant
}

export function parseOptions(args: readonly string[]): BenchOptions {
  let json = false
  let name = ''
  let rounds: number | undefined
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string
    if (arg === '--json') json = true
    else if (arg === '--rounds') rounds = positive(args[++i])
    else if (arg.startsWith('-')) {
      throw new TypeError(`unknown option ${arg}: only --json, --rounds N and a name`)
    } else name = arg
  }
  return { json, name, rounds }
}

/** `now` answers milliseconds. */
export async function measure(
  name: string,
  setup: Setup,
  rounds = setup.rounds ?? DEFAULT_ROUNDS,
  now: () => number = () => performance.now(),
): Promise<Result> {
  const { unit, subject, floor } = setup
  const times: Record<'subject' | 'floor', number[]> = { subject: [], floor: [] }
  for (let round = 0; round <= rounds; round++) {
    const pair = [['subject', subject] as const, ['floor', floor] as const]
    for (const [which, variant] of round % 2 === 0 ? pair : pair.reverse()) {
      if (variant !== undefined) times[which].push(await timeOf(variant, now))
    }
  }
  const value = inUnit(unit, subject.operations, median(times.subject.slice(1)))
  if (floor === undefined) return { name, value: rounded(value), unit, floor: null, ratio: null }
  const floorValue = inUnit(unit, floor.operations, median(times.floor.slice(1)))
  return { name, value: rounded(value), unit, floor: rounded(floorValue), ratio: rounded(value / floorValue) }
}

async function timeOf(variant: Variant, now: () => number): Promise<number> {
  await variant.before?.()
  globalThis.gc?.()
  const begin = now()
  const answer = await variant.run()
  const elapsed = now() - begin
  await variant.after?.()
  return typeof answer === 'number' ? answer : elapsed
}

function inUnit(unit: Unit, operations: number, milliseconds: number): number {
  const { rate, scale } = UNITS[unit]
  const seconds = milliseconds / 1000
  return (rate ? operations / seconds : seconds / operations) / scale
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values: at least one round is needed')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2
}

/** `met` when the result is within every goal, `missed` when not, empty when there is none. */
export function verdict(result: Result, goals: readonly Goal[]): 'met' | 'missed' | '' {
  if (goals.length === 0) return ''
  return goals.every((goal) => isMet(result, goal)) ? 'met' : 'missed'
}

function isMet(result: Result, goal: Goal): boolean {
  const figure = goal.of === 'ratio' ? result.ratio : result.value
  if (figure === null) throw new TypeError(`${result.name} has a goal for its ratio, but no floor`)
  return 'atLeast' in goal ? figure >= goal.atLeast : figure <= goal.atMost
}

/** One row for people. */
export function describeResult(result: Result, goals: readonly Goal[], note = ''): string {
  const { name, value, unit, floor, ratio } = result
  const held =
    floor === null ? '' : `${`floor ${figure(floor)} ${unit}`.padEnd(19)} ratio ${figure(ratio ?? 0)}`
  const wanted = goals.map((goal) => describeGoal(goal, unit)).join(', ')
  return [
    name.padEnd(34),
    `${figure(value).padStart(8)} ${unit}`.padEnd(14),
    held.padEnd(33),
    (wanted && `goal ${wanted}`).padEnd(18),
    verdict(result, goals),
    note && `(${note})`,
  ]
    .join(' ')
    .trimEnd()
}

function describeGoal(goal: Goal, unit: Unit): string {
  const bound = 'atLeast' in goal ? `>= ${String(goal.atLeast)}` : `<= ${String(goal.atMost)}`
  return goal.of === 'ratio' ? bound : `${bound} ${unit}`
}

/** Three digits that mean something. */
function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

function positive(text: string | undefined): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`--rounds takes a count from 1, got ${String(text)}`)
  }
  return value
}
