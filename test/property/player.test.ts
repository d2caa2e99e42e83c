import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FSM } from '../../src/fsm/index.ts'
import type { FSMHints } from '../../src/fsm/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { Player } from '../../src/player/index.ts'
import { chunked, memory, NO_HINTS, playThrough, treeOf } from '../player/doubles.ts'
import { LOG, LogBuilder, journalOf } from '../player/log-builder.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const RUNS = Number(process.env['RUNS'] ?? 60)
const settings = { seed: SEED, numRuns: RUNS }

type Step =
  | { readonly kind: 'create' | 'link' | 'unlink' | 'property'; readonly name: number; readonly file: number }
  | {
      readonly kind: 'write'
      readonly file: number
      readonly offset: number
      readonly content: string
      readonly sum: boolean
    }
  | { readonly kind: 'hand off' }
  | { readonly kind: 'dead branch' }

/** Beyond all authors that a history of this length can have. */
const DEAD = 1000

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('create' as const, 'link' as const, 'unlink' as const, 'property' as const),
      name: fc.nat(8),
      file: fc.nat(5),
    }),
    fc.record({
      kind: fc.constant('write' as const),
      file: fc.nat(5),
      offset: fc.nat(40),
      content: fc.string({ maxLength: 60 }),
      sum: fc.boolean(),
    }),
    fc.record({ kind: fc.constantFrom('hand off' as const, 'dead branch' as const) }),
  ),
  { maxLength: 40 },
)

/** A history, and what is left of it after each of its steps: the tree, and where the log ended. */
interface History {
  readonly log: LogBuilder
  readonly moments: readonly { readonly tree: Readonly<Record<string, string>>; readonly end: number }[]
}

function historyOf(all: readonly Step[]): History {
  const log = new LogBuilder()
  const links = new Map<string, number>()
  const contents = new Map<number, Buffer>()
  const properties = new Map<string, string>()
  const moments: { tree: Record<string, string>; end: number }[] = []
  const pick = (file: number): number | undefined => {
    const live = [...new Set(links.values())]
    return live[file % Math.max(1, live.length)]
  }
  const apply = (step: Step): void => {
    if (step.kind === 'hand off') {
      log.author++ // an author names one process, and never comes back
      log.noop()
    } else if (step.kind === 'dead branch') {
      if (log.nextSeqNo === 1) return // nothing has been applied that it could be older than
      const other = log.fork(log.author + DEAD)
      other.nextSeqNo = Math.max(1, other.nextSeqNo - 1)
      log.raw(other.write(pick(0) ?? 1, 0, 'dead').bytes)
    } else if (step.kind === 'write') {
      const fnode = pick(step.file)
      if (fnode === undefined) return
      const content = Buffer.from(step.content)
      log.write(fnode, step.offset, content, ...(step.sum ? [content] : []))
      const before = contents.get(fnode) ?? Buffer.alloc(0)
      const after = Buffer.alloc(
        Math.max(before.length, content.length === 0 ? 0 : step.offset + content.length),
      )
      before.copy(after)
      content.copy(after, step.offset)
      contents.set(fnode, after)
    } else {
      applyName(step.kind, `/d${step.name % 3}/f${step.name}`, pick(step.file))
    }
  }
  const applyName = (
    kind: 'create' | 'link' | 'unlink' | 'property',
    path: string,
    fnode: number | undefined,
  ): void => {
    if (kind === 'property') {
      log.property(`/p${path.at(-1) ?? ''}`, path)
      properties.set(`/p${path.at(-1) ?? ''}`, path)
    } else if (kind === 'create' && !links.has(path)) {
      const created = log.create(path)
      links.set(path, created)
      contents.set(created, Buffer.alloc(0))
    } else if (kind === 'link' && fnode !== undefined && !links.has(path)) {
      log.link(fnode, path)
      links.set(path, fnode)
    } else if (kind === 'unlink' && links.has(path)) {
      log.unlink(links.get(path) ?? 0, path)
      links.delete(path)
    }
  }
  const note = (): void => {
    const tree = Object.fromEntries([
      ...Array.from(links, ([path, fnode]) => [path, contents.get(fnode)?.toString('latin1') ?? ''] as const),
      ...Array.from(properties, ([path, content]) => [path, content] as const),
    ])
    moments.push({ tree, end: log.offset })
  }
  note()
  for (const step of all) {
    apply(step)
    note()
  }
  return { log, moments }
}

const chunkSizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 })

describe.each([
  { files: 'few', ahead: false },
  { files: 'many', ahead: true }, // or taken for many: then operations are decoded ahead
])(`player ($files files, SEED=${SEED}, RUNS=${RUNS})`, ({ ahead }) => {
  beforeEach(() => void vi.spyOn(FSM.prototype, 'wantsPrefetch', 'get').mockReturnValue(ahead))
  afterEach(() => void vi.restoreAllMocks())

  it('plays any history, in chunks of any size, to what was recorded', async () => {
    await fc.assert(
      fc.asyncProperty(steps, chunkSizes, async (all, sizes) => {
        const { log, moments } = historyOf(all)
        const { tree, played } = await playThrough(chunked(log.journal(), ...sizes))
        expect(tree).toEqual(moments.at(-1)?.tree)
        expect([played.missed, played.leftOver, played.desyncs]).toEqual([[], undefined, []])
      }),
      settings,
    )
  })

  it('ends at any point in time with what had been recorded whole before it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), chunkSizes, async (all, at, sizes) => {
        const { log, moments } = historyOf(all)
        const end = at % (log.offset + 1)
        const { volume, fs } = memory()
        const journals = { [LOG]: chunked(log.journal(), ...sizes) }
        const player = new Player({ hints: NO_HINTS, journals, dir: '/target', fs })
        player.finishAt({ log: LOG, end })
        await player.play()
        expect(treeOf(volume, '/target')).toEqual(moments.findLast((moment) => moment.end <= end)?.tree)
      }),
      settings,
    )
  })

  it('from hints of any moment, it plays to the same end', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), chunkSizes, async (all, at, sizes) => {
        const { log, moments } = historyOf(all)
        const moment = moments[at % moments.length]
        const volumeless = { hints: NO_HINTS, journals: { [LOG]: log.journal() } }
        const { fs } = memory()
        const first = new Player({ ...volumeless, dir: '/first', fs })
        first.finishAt({ log: LOG, end: moment?.end ?? 0 })
        const { fsm } = await first.play()
        const hints: FSMHints = fsm.buildHints()
        const { tree } = await playThrough(chunked(log.journal(), ...sizes), { hints })
        // A history without a live file at that moment has nothing to begin from: it is read from its beginning.
        expect(tree).toEqual(moments.at(-1)?.tree)
      }),
      settings,
    )
  })

  it('whatever is damaged: a typed error and nothing left, or a tree; never a crash, never for ever', async () => {
    const damage = fc.oneof(
      fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), by: fc.integer({ min: 1, max: 255 }) }),
      fc.record({
        kind: fc.constant('hole' as const),
        at: fc.nat(),
        length: fc.integer({ min: 1, max: 100 }),
      }),
      fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
      fc.record({
        kind: fc.constant('insert' as const),
        at: fc.nat(),
        bytes: fc.uint8Array({ maxLength: 30 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(steps, damage, chunkSizes, async (all, fault, sizes) => {
        const { log } = historyOf(all)
        const bytes = Buffer.from(log.bytes)
        const at = fault.at % (bytes.length + 1)
        let content = [{ begin: 0, bytes: bytes as Uint8Array }]
        if (fault.kind === 'flip') bytes[at] = (bytes[at] ?? 0) ^ fault.by
        if (fault.kind === 'cut') content = [{ begin: 0, bytes: bytes.subarray(0, at) }]
        if (fault.kind === 'insert') {
          content = [
            { begin: 0, bytes: Buffer.concat([bytes.subarray(0, at), fault.bytes, bytes.subarray(at)]) },
          ]
        }
        if (fault.kind === 'hole') {
          const rest = { begin: at + fault.length, bytes: bytes.subarray(at + fault.length) }
          content = [{ begin: 0, bytes: bytes.subarray(0, at) }, rest]
        }
        const head = Math.max(...content.map((piece) => piece.begin + piece.bytes.length))
        const { volume, fs } = memory()
        const journals = { [LOG]: chunked(journalOf(content, { head }), ...sizes) }
        const player = new Player({ hints: NO_HINTS, journals, dir: '/target', fs })
        player.finishAtWriteHead()
        try {
          await player.play()
        } catch (error) {
          expect(error).toBeInstanceOf(RecoveryLogError)
          expect(volume.toJSON()).toEqual({})
        }
      }),
      { ...settings, numRuns: 4 * RUNS },
    )
  })
})
