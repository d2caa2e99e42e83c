import { Archivist } from '../../src/archivist/index.ts'
import { openFileParts } from './archivist-parts.ts'

/**
 * One archivist of several on one folder: does the tasks of a folder of its own first, until it is warm, says when it is
 * ready, is told to begin, and says how many tasks it has done.
 */

const [dir, ownDir] = process.argv.slice(2)
const ownParts = await openFileParts(ownDir as string)
await new Archivist(ownParts).runDue()
await ownParts.close()
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
