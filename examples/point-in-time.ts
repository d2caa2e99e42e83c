import { DurableDirectory } from 'recoverylog/node'

const source = { journal: 'journal', hints: 'hints' }
const state = await DurableDirectory.open({ dir: 'state', ...source })
state.fs.writeFileSync('/a.txt', 'before')
const at = await state.sync()
state.fs.writeFileSync('/a.txt', 'after')
await state.sync()

// #region copies
const plan = await DurableDirectory.plan(source) // what a recovery would read
console.log(`${String(plan.bytes)} bytes, from the hints ${String(plan.key)}`)

await DurableDirectory.verify(source) // plays without writing: frames, checksums, paths
await DurableDirectory.recover({ dir: 'copy', ...source, at }) // a copy as of then; it owns nothing

const report = await state.prune({ dryRun: true }) // what no stored hints and no reader need
for (const { log, removedBytes, keptBytes } of report.logs) console.log(log, removedBytes, keptBytes)
// #endregion
await state.close()
