import assert from 'node:assert/strict'
import { renderEntries } from '../../src/archive/index.ts'
import { decodeLogEntry } from '../../src/wire/logdog/index.ts'
import type { LogEntry } from '../../src/wire/logdog/index.ts'
import { casesOf, expectKeys, fromHex } from './archive-cases.ts'
import type { VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'archive/renderer.json'

interface Case {
  readonly name: string
  readonly entries: readonly { readonly hex: string }[]
  readonly raw: boolean
  readonly line_prefix?: string
  readonly output_hex: string
}

/** Entries to bytes, raw and pretty. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    for (const vector of casesOf<Case>(run, FILE)) {
      const ours = rendered(vector, vector.entries)
      // Go's reader loses what the last entry renders to behind the buffer that it fills: see `isLostByGo`.
      const isLost = ours !== vector.output_hex && isLostByGo(vector, ours)
      await run.check(FILE, vector.name, isLost ? 'doubtful' : 'equal to Go', () => {
        expectKeys(vector, 'name', 'entries', 'raw', 'line_prefix', 'output_hex')
        if (!isLost) assert.equal(ours, vector.output_hex)
      })
    }
  },
}

/** io.ReadAll reads into a buffer of this many bytes first. */
const READ_ALL_BYTES = 512

/**
 * Whether Go's output is the beginning of ours, as long as the buffer that it was read into, and what it lacks is of the
 * last entry: its source answers that one together with the end, and what does not fit the buffer then is lost.
 */
function isLostByGo(vector: Case, ours: string): boolean {
  const withoutLast = rendered(vector, vector.entries.slice(0, -1))
  const isCut = vector.output_hex.length === 2 * READ_ALL_BYTES && ours.startsWith(vector.output_hex)
  return isCut && vector.output_hex.startsWith(withoutLast)
}

function rendered({ raw, line_prefix }: Case, entries: Case['entries']): string {
  assert([undefined, '[stream index] '].includes(line_prefix), `an unknown prefix: ${line_prefix ?? ''}`)
  const linePrefix = ({ streamIndex }: LogEntry): string =>
    line_prefix?.replace('stream index', String(streamIndex)) ?? ''
  const decoded = entries.map(({ hex }) => decodeLogEntry(fromHex(hex)))
  return Buffer.concat([...renderEntries(decoded, { raw, linePrefix })]).toString('hex')
}
