/** The output of a program as two streams of one prefix, archived at once and checked. */
import { spawn } from 'node:child_process'
import { pipeline } from 'node:stream/promises'
import { LogArchive, nodeWritable } from 'recoverylog/node'

const settings = { archiveDelayMs: 0, renderData: true }
const archive = await LogArchive.open({ dir: 'logs', project: 'ci', settings })
// #region process
const stdout = await archive.openStream({ path: 'build/17/+/stdout' })
const stderr = await archive.openStream({ path: 'build/17/+/stderr' })
const program = spawn(process.execPath, ['--version']) // only now: Node drops what nobody reads before it ends
await Promise.all([
  pipeline(program.stdout, nodeWritable(stdout)), // closed at its end, left open when it breaks
  pipeline(program.stderr, nodeWritable(stderr)),
])

await archive.archiveDue() // what the archivist does by itself, now
const { isGood, manifest } = await archive.verify('build/17/+/stdout')
console.log(isGood, manifest?.entryCount, manifest?.files)
// #endregion
await archive.close()
