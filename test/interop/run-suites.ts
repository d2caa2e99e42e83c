import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { VectorRun } from './vector-run.ts'
import type { Failure, VectorSuite } from './vector-run.ts'

/** Lies beside the vectors, and is none. */
const NOT_VECTORS = new Set(['README.md', 'SHA256SUMS'])

/**
 * Runs every suite whose half is in `folder`, and fails what nobody knows: a file that no suite has read, an empty
 * folder, a suite without cases, a folder with no vectors. `folder` holds the halves, or is one of them. What is
 * `later` has no suites yet, and is passed over.
 */
export async function runSuites(
  folder: string,
  suites: readonly VectorSuite[],
  later: readonly string[] = [],
): Promise<VectorRun> {
  const halves = [...new Set(suites.map((suite) => halfOf(suite.file)))]
  const present = halves.filter((half) => existsSync(join(folder, half)))
  const itself = suites.find((suite) => existsSync(join(folder, suite.file.slice(halfOf(suite.file).length))))
  const half = present.length === 0 && itself !== undefined ? halfOf(itself.file) : undefined
  const run = new VectorRun(folder, half)
  const chosen = suites.filter((suite) => half === halfOf(suite.file) || present.includes(halfOf(suite.file)))
  if (chosen.length === 0) fail(run, '.', `holds no ${halves.join(' and no ')}`)
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
  failTheUnknown(run, half === undefined ? '' : `${half}/`, [...broken, ...later])
  return run
}

/** A file that belongs to a suite that broke off is not unknown: it may not have been reached. */
function failTheUnknown(run: VectorRun, prefix: string, broken: readonly string[]): void {
  const visit = (folder: string): void => {
    const entries = readdirSync(run.locate(folder), { withFileTypes: true })
    if (entries.length === 0) fail(run, folder, 'the folder is empty')
    for (const entry of entries) {
      const path = folder + entry.name
      if (entry.isDirectory()) visit(`${path}/`)
      else if (folder === prefix && NOT_VECTORS.has(entry.name)) continue
      else if (run.filesRead.has(path) || broken.some((file) => `${path}/`.startsWith(`${file}/`))) continue
      else fail(run, path, 'no suite knows this file')
    }
  }
  visit(prefix)
}

function fail(run: VectorRun, file: string, message: string): void {
  run.failures.push({ file, name: 'the folder of vectors', error: new Error(message) })
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
