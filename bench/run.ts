/**
 * `npm run bench [-- --json] [-- NAME]`: every question of this folder in a process of its own, one after the other. They
 * are built first as the package is, so that what is measured is what is shipped.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'tsup'
import { BUILD } from '../scripts/build-options.ts'
import { NO_ROWS, parseOptions } from './harness.ts'

const NOT_QUESTIONS = new Set(['harness.ts', 'run.ts', 'workloads.ts'])
/** Run beside a question, in a process of its own. */
const ARCHIVIST = 'support/archivist-process'

const root = dirname(import.meta.dirname)
const built = join(root, '.tmp', `bench-${String(process.pid)}`)

const args = process.argv.slice(2)
const { name } = parseOptions(args)
const questions = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !NOT_QUESTIONS.has(file))
  .map((file) => file.replace(/\.ts$/, ''))
  .sort()

let answered = 0
let failed = 0
try {
  await build({
    ...BUILD,
    entry: Object.fromEntries([...questions, ARCHIVIST].map((output) => [output, `bench/${output}.ts`])),
    outDir: built,
    skipNodeModulesBundle: true,
    config: false,
    silent: true,
  })
  for (const question of questions) {
    const { status } = spawnSync(
      process.execPath,
      ['--expose-gc', '--max-old-space-size=8192', join(built, `${question}.js`), ...args],
      { stdio: 'inherit', cwd: root },
    )
    if (status === 0) answered++
    else if (status !== NO_ROWS) {
      failed++
      console.error(`bench/${question}.ts failed with status ${String(status)}`)
    }
  }
} finally {
  rmSync(built, { recursive: true, force: true })
}
if (answered + failed === 0) {
  console.error(name === '' ? 'no questions found' : `no row has ${name} in its name`)
}
process.exitCode = failed === 0 && answered > 0 ? 0 : 1
