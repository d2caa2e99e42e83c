import type { Rule, VectorSuite } from './vector-run.ts'
import { VectorRun } from './vector-run.ts'

/** The way from the root of a JSON file to one of its values. */
export type Place = readonly (string | number)[]

/** Every leaf of a JSON value; an empty list or object is one too. */
export function* leavesOf(value: unknown, place: Place = []): Generator<Place> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  if (entries.length === 0) yield place
  for (const [key, inner] of entries) {
    yield* leavesOf(inner, [...place, Array.isArray(value) ? Number(key) : key])
  }
}

/** What two places of the same kind share: `cases.*.steps.*.outcome`. */
export function shapeOf(place: Place): string {
  return place.map((step) => (typeof step === 'number' ? '*' : step)).join('.')
}

/**
 * Another value of the same type; of errors the opposite, since their texts are not compared. Undefined takes the key
 * away.
 */
export function mutated(value: unknown, key: string | number = ''): unknown {
  if (/^(outcome|outcomes|newFsm|validate)$/.test(String(key))) return value === 'OK' ? 'FAILS' : 'OK'
  if (/error|panic/i.test(String(key))) return value === null || value === '' ? 'fails' : undefined
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  if (value === null) return 'no longer null'
  if (typeof value === 'string') return value === '' ? '00' : mutatedText(value)
  return Array.isArray(value) ? ['no longer empty'] : { no: 'longer empty' }
}

/** Hex stays hex and words stay words, so that what is noticed is the value and not its syntax. */
function mutatedText(text: string): string {
  const last = text.slice(-1)
  return text.slice(0, -1) + (last === '0' ? '1' : /[1-9a-f]/.test(last) ? '0' : last === 'X' ? 'Y' : 'X')
}

type Change = (value: unknown, key: string | number | undefined) => unknown

/** Hands out one file with one value changed, and of its list and its folder only the case that holds the value. */
export class MutatedRun extends VectorRun {
  readonly #file: string
  readonly #place: Place
  readonly #change: Change

  constructor(root: string, file: string, place: Place, change: Change) {
    super(root)
    this.#file = file
    this.#place = place
    this.#change = change
  }

  override json<T>(path: string): T {
    const read = super.json<T>(path)
    return path === this.#file
      ? (changedAt(onlyCase(read, this.#place), this.#place, this.#change) as T)
      : read
  }

  override list(path: string): string[] {
    const inside = this.#file.startsWith(`${path}/`) ? this.#file.slice(path.length + 1).split('/') : []
    return inside.length > 1 ? super.list(path).filter((name) => name === inside[0]) : super.list(path)
  }
}

/** Takes the other cases out of the list that holds `place`, but for the one that its case goes on from. */
function onlyCase(root: unknown, place: Place): unknown {
  const [list, index] = place
  if (typeof root !== 'object' || root === null || typeof index !== 'number') return root
  const cases = (root as Readonly<Record<string, unknown>>)[String(list)]
  if (!Array.isArray(cases)) return root
  const one = cases[index] as { readonly given?: { readonly as?: string } | null } | null
  const before = one?.given?.as
  const others = (cases as { readonly name?: string }[]).filter(
    ({ name }) => name !== undefined && name === before,
  )
  return { ...root, [String(list)]: [one, ...others] }
}

function changedAt(root: unknown, place: Place, change: Change): unknown {
  // The case that is left is the first of its list.
  const [list, index, ...rest] = place
  const path = typeof index === 'number' ? [list as string, 0, ...rest] : place
  const changed = structuredClone(root)
  let parent = changed as Record<string | number, unknown>
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<string | number, unknown>
  const last = path.at(-1) as string | number
  parent[last] = change(parent[last], typeof last === 'number' ? path.at(-2) : last)
  if (parent[last] === undefined) Reflect.deleteProperty(parent, last)
  return changed
}

const rules = new Map<string, Rule>()

/** By which rule the case at `place` is judged, as it is. Throws when it fails unchanged, alone in its file. */
export async function ruleAt(root: string, suite: VectorSuite, file: string, place: Place): Promise<Rule> {
  const one = [file, ...place.slice(0, 2)].join(' ')
  const known = rules.get(one)
  if (known !== undefined) return known
  const run = new MutatedRun(root, file, place, (value) => value)
  if (await fails(suite, run)) throw new Error(`${one} fails unchanged, alone in its file`)
  const rule = [...run.counts.values()].flatMap((counts) => [...counts.keys()])[0]
  if (rule === undefined) throw new Error(`${one} holds no case`)
  rules.set(one, rule)
  return rule
}

/** Whether `suite` notices that the value at `place` of `file` is another. */
export async function notices(
  root: string,
  suite: VectorSuite,
  file: string,
  place: Place,
): Promise<boolean> {
  return fails(suite, new MutatedRun(root, file, place, mutated))
}

async function fails(suite: VectorSuite, run: VectorRun): Promise<boolean> {
  try {
    await suite.run(run)
  } catch {
    return true
  }
  return run.failures.length > 0
}
