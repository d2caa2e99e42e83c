import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../../src/errors/index.ts'
import { FileJournal } from '../../../src/journal/file/index.ts'
import type { JournalFileSystem } from '../../../src/journal/file/index.ts'
import { History } from './history.ts'
import { chances, SimulatedDisk, systemError } from './simulated-disk.ts'

const DIR = '/journal'
const AUTHOR = 'author'

function open(fs: JournalFileSystem, bootId: string, segmentBytes = 1_000): Promise<FileJournal> {
  return FileJournal.open({ dir: DIR, name: 'test/faults', fs, bootId, segmentBytes, pollMs: 1e9 })
}

/** Everything an appender does: batches, segments, registers, a synchronous append, a take-over and one back. */
async function live(fs: JournalFileSystem, history: History): Promise<void> {
  const first = await open(fs, 'boot')
  const union = (value: string): { union: { name: string; value: string }[] } => ({
    union: [{ name: AUTHOR, value }],
  })
  await history.append(first, 20, union('a'))
  await Promise.all([history.append(first, 70_000), history.append(first, 30), history.append(first, 400)])
  const before = [history.append(first, 50), history.append(first, 900, union('b'))]
  history.appendSync(first, 60)
  await Promise.all(before)
  const flying = history.append(first, 80)
  for (let turn = 0; turn < 3; turn++) await Promise.resolve()
  history.appendSync(first, 90) // while the one before it is being synced
  await flying
  const second = await open(fs, 'boot')
  await history.append(second, 40, union('c'))
  await Promise.all([history.append(first, 25), history.append(first, 35)])
  await history.append(first, 45)
  await history.append(second, 55)
  await Promise.all([first.close(), second.close()])
}

/** The same with appends that are written in the background: alone, together, and overtaken by what is not. */
async function liveInBackground(fs: JournalFileSystem, history: History): Promise<void> {
  const first = await open(fs, 'boot', 300_000)
  await history.append(first, 67_000)
  await history.append(first, 70_000)
  await Promise.all([history.append(first, 66_000), history.append(first, 30)])
  const flying = [history.append(first, 80_000), history.append(first, 40)]
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  history.appendSync(first, 90) // while those before it are being written
  history.appendSync(first, 70_000)
  await Promise.all(flying)
  const overtaken = history.append(first, 90_000) // fills the segment
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  history.appendSync(first, 50)
  history.appendSync(first, 60)
  const behind = history.append(first, 35)
  await Promise.all([overtaken, behind])
  const second = await open(fs, 'boot', 300_000)
  await history.append(first, 71_000)
  const late = history.append(first, 72_000)
  for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  await Promise.all([history.append(second, 45), late])
  await Promise.all([first.close(), second.close()])
}

/** How many calls of the file system a life without faults makes. */
async function countCalls(life: Life): Promise<number> {
  let count = 0
  const history = new History()
  const disk = new SimulatedDisk()
  await life.live(
    disk.view(() => count++),
    history,
  )
  expect(history.counts).toEqual({ ...life.counts, unknown: 0, 'under way': 0 })
  expect(disk.openFiles).toEqual([])
  return count
}

interface Life {
  readonly name: string
  readonly live: typeof live
  readonly counts: { readonly acknowledged: number; readonly refused: number }
}

const LIVES: readonly Life[] = [
  { name: 'small appends', live, counts: { acknowledged: 11, refused: 3 } },
  { name: 'appends in the background', live: liveInBackground, counts: { acknowledged: 14, refused: 1 } },
]

describe.each(LIVES)('file journal, $name: one call of the file system fails', async (life) => {
  const { live } = life
  const calls = await countCalls(life)

  it.each(['EIO', 'ENOSPC'])(
    'each in turn, with %s: what was told holds, and the next append is taken',
    async (code) => {
      const outcomes = new Set<string>()
      for (let failing = 0; failing < calls; failing++) {
        const disk = new SimulatedDisk()
        const history = new History()
        let count = 0
        const fs = disk.view((name, path) => {
          if (count++ === failing) throw systemError(code, `${name} ${path}`)
        })
        try {
          await live(fs, history)
        } catch (error) {
          // Only what has no append to answer: opening.
          expect(error).toBeInstanceOf(RecoveryLogError)
          outcomes.add((error as RecoveryLogError).code)
        }
        for (const [fate, number] of Object.entries(history.counts)) if (number > 0) outcomes.add(fate)
        const again = await open(disk.view(), 'boot')
        await history.append(again, 33)
        await history.check(again)
        expect(history.counts['under way']).toBe(0)
        await again.close()
      }
      expect(outcomes).toContain('acknowledged')
      expect(outcomes).toContain('refused')
    },
  )

  it('and all calls behind it too: what cannot be known is told as that', async () => {
    let unknown = 0
    for (let failing = 0; failing < calls; failing++) {
      const disk = new SimulatedDisk()
      const history = new History()
      let count = 0
      const fs = disk.view((name, path) => {
        if (count++ >= failing) throw systemError('EIO', `${name} ${path}`)
      })
      await live(fs, history).catch((error: unknown) => expect(error).toBeInstanceOf(RecoveryLogError))
      unknown += history.counts.unknown
      const again = await open(disk.view(), 'boot')
      await history.append(again, 33)
      await history.check(again)
      await again.close()
    }
    expect(unknown).toBeGreaterThan(0)
  })
})

describe.each(LIVES)('file journal, $name: the process ends in the middle of any call', async (life) => {
  const liveUntil = liveUntilCall.bind(undefined, life)
  const calls = await countCalls(life)

  it('each in turn: nothing acknowledged is lost, no append is there in part (same boot)', async () => {
    for (let last = 0; last < calls; last++) {
      const { disk, history } = await liveUntil(last)
      const again = await open(disk.view(), 'boot')
      await history.append(again, 33)
      await history.check(again)
      await again.close()
    }
  })

  it('each in turn, and then the power goes too: the same (2 seeds)', async () => {
    for (let seed = 1; seed <= 2; seed++) {
      for (let last = 0; last < calls; last++) {
        const { disk, history } = await liveUntil(last)
        disk.losePower(chances(seed * 1_000 + last))
        const again = await open(disk.view(), 'another boot')
        const reader = await open(disk.view(), 'another boot')
        await history.check(reader).catch((error: unknown) => {
          throw new Error(`seed ${seed}, call ${last}`, { cause: error })
        })
        await history.append(again, 33)
        await history.check(again)
        await history.check(reader)
        await Promise.all([again.close(), reader.close()])
      }
    }
  })

  it('each in turn, then a take-over, and then the power goes: what the new owner built on is there', async () => {
    for (let last = 0; last < calls; last++) {
      const { disk, history } = await liveUntil(last)
      const owner = await open(disk.view(), 'boot')
      await history.append(owner, 33)
      await history.append(owner, 44)
      history.crash()
      disk.losePower(chances(last))
      const again = await open(disk.view(), 'another boot')
      await history.check(again)
      await again.close()
    }
  })
})

describe('file journal: the power goes at an unlucky moment (100 seeds each)', () => {
  it('a synchronous append behind a batch that is being synced: what is torn of the two is not damage', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const disk = new SimulatedDisk()
      const history = new History()
      let isOff = false
      const journal = await open(
        disk.view((name, path) => {
          if (name === 'fdatasyncSync') {
            history.crash()
            disk.losePower(chances(seed))
            isOff = true
          }
          if (isOff) throw systemError('EIO', path)
        }),
        'boot',
      )
      await history.append(journal, 20)
      const flying = history.append(journal, 80)
      for (let turn = 0; turn < 3; turn++) await Promise.resolve()
      history.appendSync(journal, 90)
      expect(isOff).toBe(true)
      await flying
      const again = await open(disk.view(), 'another boot')
      await history.check(again)
      await again.close()
    }
  })

  it('a seal has been linked and not yet synced: who is told to be replaced is, for good', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const disk = new SimulatedDisk()
      const history = new History()
      const old = await open(disk.view(), 'boot')
      await history.append(old, 20)
      let isLinked = false
      const claimant = await open(
        disk.view((name, path) => {
          if (isLinked) {
            isLinked = false
            expect(history.appendSync(old, 50)).toMatchObject({ code: 'APPENDER_REPLACED' })
            throw systemError('EIO', 'the claimant dies here')
          }
          isLinked = name === 'linkSync' && path.includes('.seal')
        }),
        'boot',
      )
      await claimant.append({ content: new Uint8Array(9) }).catch(() => undefined)
      history.crash()
      disk.losePower(chances(seed))
      const again = await open(disk.view(), 'another boot')
      await history.check(again)
      await again.close()
    }
  })
})

async function liveUntilCall(life: Life, last: number): Promise<{ disk: SimulatedDisk; history: History }> {
  const disk = new SimulatedDisk()
  const history = new History()
  let count = 0
  const fs = disk.view((name, path) => {
    if (count === last) history.crash()
    if (count++ >= last) throw systemError('EIO', `${name} ${path}`)
  })
  await life.live(fs, history).catch(() => undefined)
  return { disk, history }
}
