/**
 * A process that puts into a file storage for as long as it lives, into streams of its own and into one that all share.
 * It tells on its standard output what was acknowledged, a line each: stream, first index, count. Run:
 * node --import tsx putting-process.ts DIR NAME
 */
import { RecoveryLogError } from '../../src/errors/index.ts'
import { FileStorage } from '../../src/storage/file/index.ts'
import { entryOf } from './named-entries.ts'

const [dir = '', name = ''] = process.argv.slice(2)
const storage = await FileStorage.open({ dir, segmentBytes: 200_000, orderBytes: 6400 })

/** Four lanes, so that groups are committed together and some are always under way. */
await Promise.all(
  ['shared', `${name}-a`, `${name}-b`, `${name}-c`].map(async (path) => {
    const stream = { project: 'project', path }
    for (let from = 0; ;) {
      const count = 1 + ((from * 7) % 23)
      const entries = Array.from({ length: count }, (_, i) => entryOf(path, from + i))
      try {
        await storage.put({ stream, from, entries })
        process.stdout.write(`${path} ${from} ${count}\n`)
        from += count
      } catch (error) {
        if (!RecoveryLogError.is(error, 'SEALED')) throw error
        process.stdout.write(`${path} SEALED\n`)
        return
      }
    }
  }),
)
