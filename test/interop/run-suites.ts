import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { VectorRun } from './vector-run.ts'
import type { Failure, VectorSuite } from './vector-run.ts'

/** Lies beside the vectors, and is none. */
const NOT_VECTORS = new Set(['README.md', 'SHA256SUMS', 'made.json'])

/** Stands in a folder that was made, and says what of the vectors is in it: the rest is not missing. */
export const MADE_FILE = 'made.json'

/** What `made.json` says. */
export interface Made {
  readonly about: string
  /** The `file` of each suite that has cases here. */
  readonly suites: readonly string[]
}

/**
 * Runs every suite whose half is in `folder`, and fails what nobody knows: a file that no suite has read, an empty
 * folder, a suite without cases, a folder with no vectors. `folder` holds the halves, or is one of them, or was made and
 * says itself which suites are to be run. What is `later` has no suites yet, and is passed over.
 */
export async function runSuites(
  folder: string,
  suites: readonly VectorSuite[],
  later: readonly string[] = [],
): Promise<VectorRun> {
  const { chosen, isFlat } = choose(folder, suites)
  const run = new VectorRun(folder, isFlat)
  if (chosen.length === 0) fail(run, '.', `holds no ${halvesOf(suites).join(' and no ')}`)
  const broken: string[] = []
  for (const suite of chosen) {
    try {
      await suite.run(run)
      if (casesOf(run, suite.file) === 0) fail(run, suite.file, 'no case was run')
    } catch (error) {
      broken.push(suite.file)
      run.failures.push({ file: suite.file, name: 'the file as a whole', error })
    }
  }
  failTheUnknown(run, [...broken, ...later])
  return run
}

function choose(
  folder: string,
  suites: readonly VectorSuite[],
): { readonly chosen: readonly VectorSuite[]; readonly isFlat: boolean } {
  const isThere = (path: string): boolean => existsSync(join(folder, path))
  if (isThere(MADE_FILE)) {
    const made = JSON.parse(readFileSync(join(folder, MADE_FILE), 'utf8')) as Made
    return { chosen: suites.filter(({ file }) => made.suites.includes(file)), isFlat: true }
  }
  const present = halvesOf(suites).filter(isThere)
  const itself = suites.find(({ file }) => isThere(file.slice(halfOf(file).length)))
  const isFlat = present.length === 0 && itself !== undefined
  const halves = isFlat ? [halfOf(itself.file)] : present
  return { chosen: suites.filter(({ file }) => halves.includes(halfOf(file))), isFlat }
}

/** A file that belongs to a suite that broke off is not unknown: it may not have been reached. */
function failTheUnknown(run: VectorRun, broken: readonly string[]): void {
  const passedOver = broken.map((file) => run.locate(file))
  const visit = (folder: string): void => {
    const entries = readdirSync(folder, { withFileTypes: true })
    if (entries.length === 0) fail(run, relative(run.root, folder), 'the folder is empty')
    for (const entry of entries) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) visit(path)
      else if (folder === run.root && NOT_VECTORS.has(entry.name)) continue
      else if (run.filesRead.has(path) || passedOver.some((file) => `${path}/`.startsWith(`${file}/`))) {
        continue
      } else fail(run, relative(run.root, path), 'no suite knows this file')
    }
  }
  visit(run.root)
}

function fail(run: VectorRun, file: string, message: string): void {
  run.failures.push({ file, name: 'the folder of vectors', error: new Error(message) })
}

function halvesOf(suites: readonly VectorSuite[]): string[] {
  return [...new Set(suites.map(({ file }) => halfOf(file)))]
}

function halfOf(file: string): string {
  return file.split('/', 1)[0] as string
}

function casesOf(run: VectorRun, file: string): number {
  let cases = 0
  for (const [counted, rules] of run.counts) {
    if (!`${counted}/`.startsWith(`${file}/`)) continue
    for (const count of rules.values()) cases += count
  }
  return cases
}

/** How many cases of each file ran, and by which rules. */
export function describeCounts(run: VectorRun): string[] {
  return [...run.counts].map(([file, rules]) => {
    const byRule = [...rules].map(([rule, count]) => `${String(count)} ${rule}`)
    return `${file.padEnd(34)} ${String(casesOf(run, file)).padStart(5)}  ${byRule.join(', ')}`
  })
}

export function describeFailure({ file, name, error }: Failure): string {
  const told = error instanceof Error ? error.message : String(error)
  return `${file}: ${name}\n    ${told.split('\n').slice(0, 12).join('\n    ')}`
}
