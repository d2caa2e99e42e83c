import assert from 'node:assert/strict'
import { knownKeys } from './known-keys.ts'
import { expectTree, playFolder, readHints, readLogFolder, withTarget } from './log-folder.ts'
import type { TreeEntry } from './log-folder.ts'
import type { VectorRun, VectorSuite } from './vector-run.ts'

const FILE = 'recovery-log/ghost.json'

interface GhostCase {
  readonly name: string
  readonly folder: string
  readonly hints: string
  readonly ghost: boolean
  readonly goOutcome: string
  readonly goTree: readonly TreeEntry[]
}

const KEYS = ['name', 'folder', 'hints', 'ghost', 'goOutcome', 'goTree', 'rightTree', 'note']

/** Files that come back in Go: with us they do not. `rightTree` and `note` are for reading. */
export const suite: VectorSuite = {
  file: FILE,
  async run(run: VectorRun) {
    const { cases, ...head } = run.json<{ about: string; cases: readonly GhostCase[] }>(FILE)
    knownKeys(head, ['about'])
    for (const one of cases) {
      await run.check(FILE, one.name, one.ghost ? 'no ghosts' : 'equal to Go', () => runCase(run, one))
    }
  },
}

async function runCase(run: VectorRun, one: GhostCase): Promise<void> {
  knownKeys(one, KEYS)
  const path = `recovery-log/${one.folder}`
  const folder = readLogFolder(run, path)
  const play = folder.plays.find(({ hints }) => hints === one.hints)
  assert.ok(play, `no playback of ${one.hints}`)
  assert.deepEqual([play.outcome, play.tree], [one.goOutcome, one.goTree])
  assert.equal(play.noGhosts !== undefined, one.ghost)
  const { hints } = readHints(run, `${path}/${one.hints}`)
  await withTarget(async (dir) => {
    await playFolder(folder, hints, dir)
    expectTree(dir, play.noGhosts?.tree ?? one.goTree)
  })
}
