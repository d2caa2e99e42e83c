/**
 * A child of the log archive's kill tests: goes on with a stream and tells how far it is stored, until it is killed. With
 * a number of lines it ends the stream behind the last one, and archives it. Arguments: dir, path, lines.
 */
import { LogArchive } from '../../src/node/index.ts'

const [dir = '', path = '', lines = ''] = process.argv.slice(2)

function tell(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

const archive = await LogArchive.open({ dir, settings: { archiveDelayMs: 0, storageCleanupDelayMs: 0 } })
const stream = await archive.openStream({ path })
let { sequence } = stream.resumedAt
let rest = stream.resumedAt.lineBytes
tell({ found: sequence })
const end = lines === '' ? Infinity : Number(lines)
while (sequence < end) {
  for (let i = 0; i < 37 && sequence < end; i++, sequence++) {
    const line = `line ${String(sequence)} ${'x'.repeat(sequence % 100)}\n`
    await stream.write(line.slice(rest))
    rest = 0
  }
  await stream.flush()
  tell({ stored: sequence })
}
await stream.close()
while ((await archive.archiveDue()).done > 0);
await archive.close()
