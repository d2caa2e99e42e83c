import { describe, expect, it } from 'vitest'
import { RecoveryLogError } from '../../../src/errors/index.ts'
import { FileJournal } from '../../../src/journal/file/index.ts'
import type { JournalFileSystem } from '../../../src/journal/file/index.ts'
import { History } from './history.ts'
import { chances, SimulatedDisk, systemError } from './simulated-disk.ts'

const DIR = '/journal'
const AUTHOR = 'author'

function open(fs: JournalFileSystem, bootId: string): Promise<FileJournal> {
  return FileJournal.open({ dir: DIR, name: 'test/faults', fs, bootId, segmentBytes: 1_000, pollMs: 1e9 })
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

/** How many calls of the file system a life without faults makes. */
async function countCalls(): Promise<number> {
  let count = 0
  const history = new History()
  const disk = new SimulatedDisk()
  await live(
    disk.view(() => count++),
    history,
  )
  expect(history.counts).toEqual({ acknowledged: 11, refused: 3, unknown: 0, 'under way': 0 })
  expect(disk.openFiles).toEqual([])
  return count
}

describe('file journal: one call of the file system fails', async () => {
  const calls = await countCalls()

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

describe('file journal: the process ends in the middle of any call', async () => {
  const calls = await countCalls()

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

async function liveUntil(last: number): Promise<{ disk: SimulatedDisk; history: History }> {
  const disk = new SimulatedDisk()
  const history = new History()
  let count = 0
  const fs = disk.view((name, path) => {
    if (count === last) history.crash()
    if (count++ >= last) throw systemError('EIO', `${name} ${path}`)
  })
  await live(fs, history).catch(() => undefined)
  return { disk, history }
}
