import assert from 'node:assert/strict'
import { authorOf, fenceOf } from '../../src/fsm/index.ts'
import { knownKeys } from './known-keys.ts'
import type { VectorSuite } from './vector-run.ts'

const FILE = 'recovery-log/authors.json'

interface AuthorCase {
  readonly name: string
  readonly author: number
  readonly fence: readonly { readonly name: string; readonly value: string }[]
}

/** Authors and the registers that fence a log for them. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run) {
    const { cases, ...head } = run.json<{ about: string; cases: AuthorCase[] }>(FILE)
    knownKeys(head, ['about'])
    for (const one of cases) {
      await run.check(FILE, one.name, 'equal to Go', () => {
        knownKeys(one, ['name', 'author', 'fence'])
        assert.deepEqual([fenceOf(one.author)], one.fence)
        assert.deepEqual(one.fence.map(authorOf), [one.author])
      })
    }
  },
}
