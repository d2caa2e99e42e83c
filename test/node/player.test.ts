import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Player } from '../../src/node/index.ts'
import type { PlayProgress } from '../../src/node/index.ts'
import { memory, NO_HINTS, treeOf } from '../player/doubles.ts'
import { LOG, LogBuilder } from '../player/log-builder.ts'

it('player for Node: plays onto node:fs, with a rate, unless another file system is handed in', async () => {
  const log = new LogBuilder()
  log.write(log.create('/a/b'), 0, 'content')
  const journals = { [LOG]: log.journal() }
  const base = mkdtempSync(join(tmpdir(), 'recoverylog-node-'))
  try {
    const dir = join(base, 'played')
    const told: PlayProgress[] = []
    const player = new Player({
      hints: NO_HINTS,
      journals,
      dir,
      onProgress: (progress) => told.push(progress),
    })
    player.finishAtWriteHead()
    await player.play()
    expect(readFileSync(join(dir, 'a/b'), 'utf8')).toBe('content')
    expect(told.at(-1)).toMatchObject({ bytesDone: log.offset, bytesTotal: log.offset })
  } finally {
    rmSync(base, { recursive: true })
  }
  const { volume, fs } = memory()
  const other = new Player({ hints: NO_HINTS, journals, dir: '/target', fs })
  other.finishAtWriteHead()
  await other.play()
  expect(treeOf(volume, '/target')).toEqual({ '/a/b': 'content' })
})
