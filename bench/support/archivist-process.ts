import { Archivist } from '../../src/archivist/index.ts'
import { openFileParts } from './archivist-parts.ts'

/** One archivist of several on one folder: says when it is ready, is told to begin, and says how many tasks it has done. */

const [dir] = process.argv.slice(2)
const parts = await openFileParts(dir as string)
const archivist = new Archivist(parts)
process.send?.('ready')
process.once('message', () => {
  void (async () => {
    const count = await archivist.runDue()
    await parts.close()
    process.send?.(count)
    process.disconnect()
  })()
})
