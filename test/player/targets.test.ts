/** The real file system, memfs, and none: they take the same logs, and refuse the same. */
import * as nodeFs from 'node:fs'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nullTarget, Player } from '../../src/player/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import type { PlayerFileSystem, PlayerOptions, Played } from '../../src/player/index.ts'
import { StagingTarget } from '../../src/player/staging-target.ts'
import { DecoratedJournal } from '../../src/testing/decorated-journal.ts'
import { chunked, memory, NO_HINTS, treeOf } from './doubles.ts'
import { LOG, LogBuilder } from './log-builder.ts'

const failing = (code: string, data: object = {}): unknown =>
  expect.objectContaining({ code, data: expect.objectContaining(data) as unknown })

const failWith = (code: string) => (): never => {
  throw Object.assign(new Error('failed'), { code })
}

let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'recoverylog-player-'))
})
afterEach(() => {
  rmSync(base, { recursive: true })
})

function play(journal: Journal, place: Partial<PlayerOptions>): Promise<Played> {
  const player = new Player({ hints: NO_HINTS, journals: { [LOG]: journal }, ...place })
  player.finishAtWriteHead()
  return player.play()
}

function realTree(dir: string): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    tree[path.slice(dir.length)] = readFileSync(path, 'latin1')
  }
  return Object.fromEntries(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function manyKinds(): LogBuilder {
  const log = new LogBuilder()
  const a = log.create('/a/b/c')
  log
    .write(a, 0, Buffer.alloc(100_000, 'abc'))
    .write(a, 10, 'small')
    .write(a, 200_000, Buffer.alloc(30_000, 'd'))
  log.write(a, 50_000, Buffer.alloc(20_000, 'over')).link(a, '/a/again')
  const gone = log.create('/gone')
  log.write(gone, 0, Buffer.alloc(70_000, 'x')).unlink(gone, '/gone')
  log.create('/empty')
  log.property('/IDENTITY', 'me\u00e9')
  for (let i = 0; i < 300; i++) log.write(log.create(`/many/${i}`), 0, `content of ${i}`)
  return log
}

describe('targets', () => {
  it('node:fs, memfs, either without asynchronous writes, and none agree', async () => {
    const log = manyKinds()
    const expected = { ...(await play(log.journal(), { target: nullTarget() })), dir: undefined }
    const trees: Record<string, string>[] = []
    for (const size of [1 << 20, 7919]) {
      const { volume, fs } = memory()
      const dir = join(base, `async-${size}`)
      const sync = join(base, `sync-${size}`)
      const nodeSync = { ...nodeFs, write: undefined as never }
      const runs = [
        await play(chunked(log.journal(), size), { dir, fs: nodeFs }),
        await play(chunked(log.journal(), size), { dir: sync, fs: nodeSync }),
        await play(chunked(log.journal(), size), { dir: '/target', fs }),
      ]
      trees.push(realTree(dir), realTree(sync), treeOf(volume, '/target'))
      for (const { fsm, ...played } of runs) {
        expect(fsm.buildHints()).toEqual(expected.fsm.buildHints())
        expect({ ...played, dir: undefined, fsm: undefined }).toEqual({ ...expected, fsm: undefined })
      }
      expect(statSync(join(dir, 'a/b/c')).ino).toBe(statSync(join(dir, 'a/again')).ino)
    }
    for (const tree of trees) expect(tree).toEqual(trees[0])
    expect(Object.keys(trees[0] ?? {})).toHaveLength(304)
    expect(trees[0]?.['/a/again']).toHaveLength(230_000)
  })

  it('a symbolic link that somebody puts in the way is not followed', async () => {
    const log = new LogBuilder()
    log.write(log.create('/sub/file'), 0, 'x')
    const dir = join(base, 'target')
    const outside = join(base, 'outside')
    mkdirSync(outside)
    const planting = new (class extends DecoratedJournal {
      override read(request: Parameters<Journal['read']>[0]): ReturnType<Journal['read']> {
        symlinkSync(outside, join(dir, 'sub'))
        return super.read(request)
      }
    })(log.journal())
    await expect(play(planting, { dir, fs: nodeFs })).rejects.toEqual(
      failing('PATH_REFUSED', { path: `${dir}/sub` }),
    )
    expect(readdirSync(outside)).toEqual([])
  })

  it.each(['/file', '/prop'])("somebody else's file is neither written nor removed (%s)", async (path) => {
    const log = new LogBuilder()
    log.create('/first')
    log.create('/file')
    log.property('/prop', 'ours')
    const dir = join(base, 'target')
    const planting = new (class extends DecoratedJournal {
      override read(request: Parameters<Journal['read']>[0]): ReturnType<Journal['read']> {
        writeFileSync(join(dir, path), 'theirs')
        return super.read(request)
      }
    })(log.journal())
    const told: unknown[] = []
    const onEvent = (event: { type: string }): void => void told.push(event.type)
    await expect(play(planting, { dir, fs: nodeFs, onEvent })).rejects.toEqual(failing('PATH_REFUSED'))
    expect(realTree(dir)).toEqual({ [path]: 'theirs' })
    expect(told.at(-1)).toBe('cleanup_failed') // the directory cannot be removed: it is not empty
  })

  it('names that are one to the file system are found out by trying', () => {
    const { volume, fs } = memory()
    const ignoringCase: PlayerFileSystem = {
      ...fs,
      openSync: (path, flags, mode) => fs.openSync(path.toLowerCase(), flags, mode),
      lstatSync: (path) => fs.lstatSync(path.toLowerCase()),
    }
    const target = new StagingTarget(ignoringCase, '/target', false)
    target.prepare()
    expect(target.sameName(['A', 'b', 'B'])).toEqual(['b', 'B'])
    expect(target.sameName(['A', 'b'])).toBeUndefined()
    expect(new StagingTarget(fs, '/other', false)).toBeDefined()
    expect(volume.readdirSync('/target/.fnodes')).toEqual([])
  })

  it('and refused before the first one is made', async () => {
    const log = new LogBuilder()
    log.create('/dir/Name')
    log.create('/dir/name')
    const { volume, fs } = memory()
    const ignoringCase: PlayerFileSystem = {
      ...fs,
      openSync: (path, flags, mode) => fs.openSync(path.toLowerCase(), flags, mode),
      lstatSync: (path) => fs.lstatSync(path.toLowerCase()),
    }
    await expect(play(log.journal(), { dir: '/target', fs: ignoringCase })).rejects.toEqual(
      failing('PATH_REFUSED', { path: '/dir/name', other: '/dir/Name' }),
    )
    expect(volume.toJSON()).toEqual({})
    expect((await play(log.journal(), { dir: '/target', fs })).fsm.liveCount).toBe(2)
  })

  it('of two names that are one, some file system or other cannot tell which', () => {
    const { fs } = memory()
    const vague: PlayerFileSystem = {
      ...fs,
      openSync: (path, flags, mode) => fs.openSync(path.toLowerCase(), flags, mode),
      lstatSync: (path) => Object.assign(fs.lstatSync(path.toLowerCase()), { ino: Number.NaN }),
    }
    const target = new StagingTarget(vague, '/target', false)
    target.prepare()
    expect(target.sameName(['a', 'b', 'B'])).toEqual(['a', 'B']) // no number tells: the first is named
  })

  it('a probe that fails is no answer', () => {
    const { fs } = memory()
    const target = new StagingTarget({ ...fs, closeSync: failWith('EIO') }, '/target', false)
    target.prepare()
    expect(() => target.sameName(['a', 'A'])).toThrow(failing('UNAVAILABLE', { errno: 'EIO' }))
  })

  const calls = [
    'mkdirSync',
    'linkSync',
    'rmdirSync',
    'openSync',
    'closeSync',
    'writeSync',
    'readdirSync',
  ] as const
  it.each(calls)('any call of the file system may fail: nothing is left (%s)', async (name) => {
    const log = new LogBuilder()
    log.write(log.create('/a/b'), 0, 'x').property('/p/q', 'r')
    for (let count = 0; count < 30; count++) {
      const { volume, fs } = memory()
      let left = count
      const faults = { told: 0 }
      const call = fs[name].bind(fs) as (...args: unknown[]) => unknown
      const failingFs: PlayerFileSystem = {
        ...fs,
        write: undefined as never,
        [name]: (...args: unknown[]) => {
          if (faults.told > 0 || left-- > 0) return call(...args)
          faults.told++
          throw Object.assign(new Error('i/o error'), { code: 'EIO' })
        },
      }
      const outcome = await play(log.journal(), { dir: '/target', fs: failingFs }).catch(
        (error: unknown) => error,
      )
      if (faults.told === 0) {
        expect(treeOf(volume, '/target')).toEqual({ '/a/b': 'x', '/p/q': 'r' })
        expect(count).toBeGreaterThan(0)
        return
      }
      expect(outcome).toEqual(failing('UNAVAILABLE', { errno: 'EIO' }))
      expect(volume.toJSON()).toEqual({})
    }
    throw new Error('it never came to an end')
  })

  it('descriptors are bounded, and none is left open', async () => {
    const log = new LogBuilder()
    const files = Array.from({ length: 400 }, (_, i) => log.create(`/f/${i}`))
    for (const file of files) log.write(file, 0, Buffer.alloc(17_000, 'x'))
    let [open, most] = [0, 0]
    const counting: PlayerFileSystem = {
      ...nodeFs,
      openSync: (...args) => {
        most = Math.max(most, ++open)
        return nodeFs.openSync(...args)
      },
      closeSync: (fd) => {
        open--
        nodeFs.closeSync(fd)
      },
    }
    await play(log.journal(), { dir: join(base, 'target'), fs: counting })
    expect(most).toBeLessThanOrEqual(128)
    expect(open).toBe(0)
    expect(Object.keys(realTree(join(base, 'target')))).toHaveLength(400)
  })
})
