/**
 * `npm run test:vectors`: every case that the two Go originals left us, by the rules of test/vectors/README.md.
 * `RECOVERYLOG_VECTORS=DIR` names another folder of the same layout. Exit status 1 when any case fails, and when
 * anything is in the folder that nobody knows, is missing, or is not what its checksum says.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describeCounts, describeFailure, runSuites } from '../test/interop/run-suites.ts'
import { later, suites } from '../test/interop/suites.ts'

const own = join(import.meta.dirname, '../test/vectors')
const named = process.env['RECOVERYLOG_VECTORS']
const folder = named === undefined || named === '' ? own : resolve(named)

const changed = folder === own ? changedFiles() : []
const run = await runSuites(folder, suites, later)
for (const line of describeCounts(run)) console.log(line)
for (const file of changed) console.error(`FAILED ${file}: not the bytes of SHA256SUMS`)
for (const failure of run.failures) console.error(`FAILED ${describeFailure(failure)}`)

const cases = [...run.counts.values()].flatMap((rules) => [...rules.values()]).reduce((sum, n) => sum + n, 0)
const failed = run.failures.length + changed.length
console.log(`vectors: ${String(cases)} cases, ${String(failed)} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** Our copy carries its checksums, so that no byte of it changes unnoticed. */
function changedFiles(): string[] {
  const lines = readFileSync(join(own, 'SHA256SUMS'), 'utf8').trimEnd().split('\n')
  return lines.flatMap((line) => {
    const [sum = '', file = ''] = line.split('  ')
    const found = createHash('sha256')
      .update(readFileSync(join(own, file)))
      .digest('hex')
    return found === sum ? [] : [file]
  })
}
