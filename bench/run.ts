/** `npm run bench [-- --json] [-- NAME]`: every question of this folder in a process of its own, one after the other. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { NO_ROWS, parseOptions } from './harness.ts'

const NOT_QUESTIONS = new Set(['harness.ts', 'run.ts', 'workloads.ts'])

const args = process.argv.slice(2)
const { name } = parseOptions(args)
const questions = readdirSync(import.meta.dirname).filter(
  (file) => file.endsWith('.ts') && !NOT_QUESTIONS.has(file),
)

let answered = 0
let failed = 0
for (const file of questions.sort()) {
  const { status } = spawnSync(
    process.execPath,
    [
      '--expose-gc',
      '--max-old-space-size=8192',
      '--import',
      'tsx',
      `${import.meta.dirname}/${file}`,
      ...args,
    ],
    { stdio: 'inherit' },
  )
  if (status === 0) answered++
  else if (status !== NO_ROWS) {
    failed++
    console.error(`bench/${file} failed with status ${String(status)}`)
  }
}
if (answered + failed === 0) {
  console.error(name === '' ? 'no questions found' : `no row has ${name} in its name`)
}
process.exitCode = failed === 0 && answered > 0 ? 0 : 1
