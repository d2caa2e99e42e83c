import assert from 'node:assert/strict'
import { renderEntries } from '../../src/archive/index.ts'
import { decodeLogEntry } from '../../src/wire/logdog/index.ts'
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
      await run.check(FILE, vector.name, 'equal to Go', () => {
        expectKeys(vector, 'name', 'entries', 'raw', 'line_prefix', 'output_hex')
        const { entries, raw, line_prefix } = vector
        assert(
          [undefined, '[stream index] '].includes(line_prefix),
          `an unknown prefix: ${line_prefix ?? ''}`,
        )
        const pieces = renderEntries(
          entries.map(({ hex }) => decodeLogEntry(fromHex(hex))),
          {
            raw,
            ...(line_prefix === undefined
              ? {}
              : {
                  linePrefix: ({ streamIndex }) => line_prefix.replace('stream index', String(streamIndex)),
                }),
          },
        )
        assert.equal(Buffer.concat([...pieces]).toString('hex'), vector.output_hex)
      })
    }
  },
}
