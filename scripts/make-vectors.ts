/**
 * `npm run vectors:make -- --seed N --out DIR [--count N]`: logs recorded by our Recorder, in DIR/logs, in the layout of
 * test/vectors/recovery-log/logs, and archives written by our writer, in DIR/archives, in that of
 * test/vectors/archive/archives, so that another player, and another reader, can be run on them. DIR/made.json says that
 * nothing else is there: `RECOVERYLOG_VECTORS=DIR npm run test:vectors` passes. The same seed makes the same bytes.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { makeArchive, writeArchiveList } from '../test/interop/make-archives.ts'
import { makeLog } from '../test/interop/make-logs.ts'
import { MADE_FILE } from '../test/interop/run-suites.ts'
import type { Made } from '../test/interop/run-suites.ts'

const { values } = parseArgs({
  options: { seed: { type: 'string' }, out: { type: 'string' }, count: { type: 'string', default: '10' } },
})
const seed = Number(values.seed)
const count = Number(values.count)
if (values.out === undefined || !Number.isSafeInteger(seed) || !Number.isSafeInteger(count) || count < 1) {
  console.error('usage: npm run vectors:make -- --seed N --out DIR [--count N]')
  process.exit(1)
}
const out = resolve(values.out)
const names = Array.from({ length: count }, (_, i) => `made-${seed}-${i}`)
const list = []
for (const [i, name] of names.entries()) {
  const log = join(out, 'logs', name)
  const archive = join(out, 'archives', name)
  for (const folder of [log, archive]) if (existsSync(folder)) throw new Error(`${folder} is there already`)
  await makeLog(log, name, seed * 1000 + i)
  list.push({ name, dir: name, cases: await makeArchive(archive, name, seed * 1000 + i) })
}
writeArchiveList(join(out, 'archives'), list)
const made: Made = {
  about: `made by npm run vectors:make -- --seed ${seed} --count ${count}`,
  suites: ['recovery-log/logs', 'archive/archives'],
}
writeFileSync(join(out, MADE_FILE), `${JSON.stringify(made)}\n`)
console.log(`${count} logs and ${count} archives of seed ${seed} in ${out}`)
