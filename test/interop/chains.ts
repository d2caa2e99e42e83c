import assert from 'node:assert/strict'
import { crc32c } from '../../src/wire/index.ts'
import { knownKeys } from './known-keys.ts'
import { fromHex } from './operations.ts'
import type { VectorSuite } from './vector-run.ts'

const FILE = 'recovery-log/chains.json'

interface Case {
  readonly name: string
  readonly start: number
  readonly steps: readonly { readonly messageHex: string; readonly nextChecksum: number }[]
}

/** The checksum chain, message by message. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run) {
    const { cases, ...head } = run.json<{ cases: readonly Case[] }>(FILE)
    knownKeys(head, ['about'])
    for (const { name, start, steps, ...rest } of cases) {
      await run.check(FILE, name, 'equal to Go', () => {
        knownKeys(rest, [])
        let checksum = start
        for (const step of steps) {
          knownKeys(step, ['messageHex', 'nextChecksum'])
          checksum = crc32c(checksum, fromHex(step.messageHex))
          assert.equal(checksum >>> 0, step.nextChecksum)
        }
      })
    }
  },
}
