/**
 * A process that appends to a file journal for as long as it lives. It tells on its standard output what was
 * acknowledged, a line each: id, begin, end. Run: node --import tsx appending-process.ts DIR NAME
 */
import { FileJournal } from '../../../src/journal/file/index.ts'
import { RecoveryLogError } from '../../../src/errors/index.ts'
import { contentNamed, sizeOf } from './named-content.ts'

const [dir = '', name = ''] = process.argv.slice(2)
const journal = await FileJournal.open({ dir, segmentBytes: 300_000 })
process.stdout.write('ready\n')

/** Four at a time, so that groups are committed together and some are always under way. */
await Promise.all(
  [0, 1, 2, 3].map(async (lane) => {
    for (let i = lane; ; i += 4) {
      const id = `${name}-${i}`
      try {
        const { begin, end } = await journal.append({ content: contentNamed(id, sizeOf(i)) })
        process.stdout.write(`${id} ${begin} ${end}\n`)
      } catch (error) {
        if (!(error instanceof RecoveryLogError)) throw error
        process.stdout.write(`${error.code} ${id}\n`)
        if (error.code !== 'APPENDER_REPLACED') return
      }
    }
  }),
)
