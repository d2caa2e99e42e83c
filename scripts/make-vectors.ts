/**
 * `npm run vectors:make -- --seed N --out DIR [--count N]`: logs recorded by our Recorder, in DIR/logs, in the layout of
 * test/vectors/recovery-log/logs, so that another player can be run on them. The same seed makes the same bytes.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { makeLog } from '../test/interop/make-logs.ts'

const { values } = parseArgs({
  options: { seed: { type: 'string' }, out: { type: 'string' }, count: { type: 'string', default: '10' } },
})
const seed = Number(values.seed)
const count = Number(values.count)
if (values.out === undefined || !Number.isSafeInteger(seed) || !Number.isSafeInteger(count) || count < 1) {
  console.error('usage: npm run vectors:make -- --seed N --out DIR [--count N]')
  process.exit(1)
}
const logs = join(resolve(values.out), 'logs')
for (let i = 0; i < count; i++) {
  const name = `made-${seed}-${i}`
  const folder = join(logs, name)
  if (existsSync(folder)) throw new Error(`${folder} is there already`)
  await makeLog(folder, name, seed * 1000 + i)
}
console.log(`${count} logs of seed ${seed} in ${logs}`)
