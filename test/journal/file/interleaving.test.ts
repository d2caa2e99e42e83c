import { describe, expect, it } from 'vitest'
import { CommittedView } from '../../../src/journal/file/committed-view.ts'
import { EpochWriter } from '../../../src/journal/file/epoch-writer.ts'
import { Epochs } from '../../../src/journal/file/epochs.ts'
import { FileJournal } from '../../../src/journal/file/index.ts'
import type { JournalFileSystem } from '../../../src/journal/file/index.ts'
import { JournalFolder } from '../../../src/journal/file/journal-folder.ts'
import { History } from './history.ts'
import { SimulatedDisk } from './simulated-disk.ts'

/**
 * Two processes, step by step: before each call of the file system that one makes, in turn, and before some more, the
 * other one gets to append. Whatever the step, both must be told what holds.
 */

function open(fs: JournalFileSystem): Promise<FileJournal> {
  return FileJournal.open({
    dir: '/journal',
    name: 'test/steps',
    fs,
    bootId: 'boot',
    segmentBytes: 500,
    pollMs: 1e9,
  })
}

/** How often the other one gets its turn, before one call each. */
const TURNS = 12

interface Scene {
  readonly one: FileJournal
  readonly other: FileJournal
  readonly history: History
}

/** Runs `act` of one process as often as it makes calls, with the other one at work before another call each time. */
async function atEachStep(
  prepare: (scene: Scene) => Promise<void>,
  interfere: (scene: Scene, turn: number) => void,
  act: (scene: Scene, hasInterfered: () => boolean) => Promise<void>,
): Promise<number> {
  for (let step = 0; ; step++) {
    const disk = new SimulatedDisk()
    let count = -Infinity
    let hasInterfered = false
    const onCall = (): void => {
      const turn = count++ - step
      if (turn < 0 || turn >= TURNS) return
      hasInterfered = true
      interfere(scene, turn)
    }
    const one = await open(disk.view(onCall))
    const scene: Scene = { one, other: await open(disk.view()), history: new History() }
    await prepare(scene)
    count = 0
    await act(scene, () => hasInterfered)
    const calls = count
    count = -Infinity
    const reader = await open(disk.view())
    await scene.history.check(reader)
    await Promise.all([one.close(), scene.other.close(), reader.close()])
    expect(disk.openFiles).toEqual([])
    if (calls <= step) return step
  }
}

/** In its first turn the other one begins an epoch, fills a segment and begins the next; then it appends a little. */
function appendSome({ other, history }: Scene, turn: number): void {
  for (const bytes of turn === 0 ? [30, 200, 300, 40] : [30]) history.appendSync(other, bytes)
}

const PREPARATIONS: [string, (scene: Scene) => Promise<void>][] = [
  ['an empty journal', async () => undefined],
  [
    'its own epoch',
    async ({ one, history }) => {
      await history.append(one, 100)
    },
  ],
  [
    'an epoch of the other',
    async ({ other, history }) => {
      await history.append(other, 100)
    },
  ],
  [
    'a taken over epoch',
    async ({ one, other, history }) => {
      await history.append(one, 450)
      await history.append(other, 100)
    },
  ],
]

describe('file journal: another process appends before any call', () => {
  it.each(PREPARATIONS)(
    'of head(): it answers a head that was one at some time (%s)',
    async (_name, prepare) => {
      const steps = await atEachStep(prepare, appendSome, async ({ one, other }) => {
        const before = (await other.head()).offset
        const { offset } = await one.head()
        const after = (await other.head()).offset
        expect(offset).toBeGreaterThanOrEqual(before)
        expect(offset).toBeLessThanOrEqual(after)
      })
      expect(steps).toBeGreaterThan(1)
    },
  )

  it.each(PREPARATIONS)('of a read: it yields whole appends, in order (%s)', async (_name, prepare) => {
    await atEachStep(prepare, appendSome, async ({ one, other }) => {
      const before = (await other.head()).offset
      let at = 0
      for await (const { offset, bytes } of one.read({ offset: 0 })) {
        expect(offset).toBe(at)
        at += bytes.length
      }
      expect(at).toBeGreaterThanOrEqual(before)
    })
  })

  it.each(PREPARATIONS)(
    'of an append: it lands whole, or is told to be replaced (%s)',
    async (_name, prepare) => {
      const outcomes = new Set<unknown>()
      await atEachStep(prepare, appendSome, async ({ one, history }) => {
        const errors = await Promise.all([
          history.append(one, 70),
          history.append(one, 66_000),
          history.append(one, 20),
        ])
        for (const error of errors) {
          outcomes.add(error === undefined ? 'OK' : (error as { code: string }).code)
        }
        // The other may have come between just now: then this one tells of it, and the next one is taken.
        if (await history.append(one, 25)) expect(await history.append(one, 26)).toBe(undefined)
      })
      expect(outcomes).toContain('APPENDER_REPLACED')
      for (const outcome of outcomes) expect(['OK', 'APPENDER_REPLACED']).toContain(outcome)
    },
  )

  it('of an append with a check: the loser of the register is told so, never both win', async () => {
    const check = { include: [{ name: 'author', value: 'old' }] }
    const union = (value: string): { name: string; value: string }[] => [{ name: 'author', value }]
    const winners = new Set<string>()
    await atEachStep(
      async ({ one, history }) => {
        await history.append(one, 10, { union: union('old') })
      },
      ({ other, history }, turn) => {
        if (turn === 0) history.appendSync(other, 20, { check, union: union('other') })
      },
      async ({ one, other, history }, hasInterfered) => {
        const error = await history.append(one, 30, { check, union: union('one') })
        const [register] = (await other.head()).registers
        winners.add(String(register?.value))
        if (!hasInterfered()) return
        expect(register?.value).toBe(error === undefined ? 'one' : 'other')
      },
    )
    expect([...winners].sort()).toEqual(['one', 'other'])
  })
})

describe('file journal: an epoch is being begun by another process while this one looks', () => {
  it('head() sees neither damage nor what is not synced (before any call, for one to twelve turns)', () => {
    for (let turns = 1; turns <= TURNS; turns++) {
      let step = 0
      while (lookWhileBegun(step, turns)) step++
      expect(step).toBeGreaterThan(5)
    }
  })
})

/** An epoch is claimed; before call `step` of a look, and some more, its appender writes, and syncs every second time. */
function lookWhileBegun(step: number, turns: number): boolean {
  const disk = new SimulatedDisk()
  const wanted = { name: 'test/steps', durability: undefined }
  const other = JournalFolder.open(disk.view(), '/journal', wanted)
  const seal = new Epochs(other, 'boot', () => undefined).claim()
  let writer: EpochWriter | undefined
  let count = -Infinity
  const append = (): void => {
    const turn = count++ - step
    if (turn < 0 || turn >= turns) return
    writer ??= new EpochWriter(other, seal, 'boot', 1_000)
    writer.write([{ content: new Uint8Array(50), ownChecksum: undefined, registers: [] }])
    if (turn % 2 === 0) return
    writer.syncNow()
    writer.publishHead(writer.written)
  }
  const folder = JournalFolder.open(disk.view(append), '/journal', wanted)
  const epochs = new Epochs(folder, 'boot', () => undefined)
  count = 0
  const { offset, damage } = new CommittedView(folder, epochs, 'boot').now()
  expect(damage).toBe(undefined)
  expect(offset).toBeLessThanOrEqual(writer?.synced.offset ?? 0)
  return writer !== undefined
}

describe('file journal: a replaced appender that does not know it yet still syncs and writes its head', () => {
  it('nobody is told of what lies above the seal (before any call of a look)', () => {
    let step = 0
    while (lookWhileReplaced(step)) step++
    expect(step).toBeGreaterThan(5)
  })
})

/** Before call `step` of a look, an appender is replaced, and goes on with its batch as far as the head. */
function lookWhileReplaced(step: number): boolean {
  const disk = new SimulatedDisk()
  const wanted = { name: 'test/steps', durability: undefined }
  const owner = JournalFolder.open(disk.view(), '/journal', wanted)
  const write = (writer: EpochWriter): void => {
    writer.write([{ content: new Uint8Array(50), ownChecksum: undefined, registers: [] }])
    writer.syncNow()
    writer.publishHead(writer.written)
  }
  const writer = new EpochWriter(owner, new Epochs(owner, 'boot', () => undefined).claim(), 'boot', 1_000)
  write(writer)
  const claimant = new Epochs(JournalFolder.open(disk.view(), '/journal', wanted), 'boot', () => undefined)
  let count = -Infinity
  const replace = (): void => {
    if (count++ !== step) return
    expect(claimant.claim().begin).toBe(50)
    write(writer)
  }
  const folder = JournalFolder.open(disk.view(replace), '/journal', wanted)
  const view = new CommittedView(folder, new Epochs(folder, 'boot', () => undefined), 'boot')
  count = 0
  expect(view.now().offset).toBe(50)
  return count > step
}
