import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  DurableDirectory,
  FileHintsStore,
  FileJournal,
  systemDeflate,
  systemInflate,
  systemProcessIdentity,
  systemRandom,
  systemSha256,
} from '../../src/node/index.ts'
import * as fs from 'node:fs'

let place: string
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'node-'))
})
afterEach(() => {
  rmSync(place, { recursive: true })
})

describe('the parts of the system', () => {
  it('random: as many bytes as asked for, never the same', () => {
    expect(systemRandom(16)).toHaveLength(16)
    expect(systemRandom(16)).not.toEqual(systemRandom(16))
  })

  it('sha256: takes what comes in pieces, and answers bytes of its own', () => {
    const hash = systemSha256()
    for (const piece of ['a', 'b', 'c']) hash.update(new TextEncoder().encode(piece))
    const sum = hash.digest()
    expect(Buffer.from(sum).toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
    expect(sum.buffer.byteLength).toBe(32)
  })

  it('zlib: inflates what it deflates, up to the limit and not a byte beyond, whatever lies behind', () => {
    const bytes = new Uint8Array(100_000).fill(7)
    const deflated = systemDeflate(bytes)
    expect(deflated.length).toBeLessThan(1000)
    expect(systemInflate(deflated, 100_000)).toEqual(bytes)
    expect(systemInflate(Uint8Array.of(...deflated, 1, 2, 3), 100_000)).toEqual(bytes)
    expect(() => systemInflate(deflated, 99_999)).toThrow()
    expect(() => systemInflate(Uint8Array.of(1, 2, 3), 100)).toThrow()
  })

  it('identity: this process has one, its parent another, and pid 2^30 none', () => {
    const { self } = systemProcessIdentity
    expect(self.pid).toBe(process.pid)
    expect(self.machine === '' ? hostname() : self.machine).not.toBe('')
    expect(systemProcessIdentity.startTimeOf(process.pid)).toBe(self.startTime)
    expect(systemProcessIdentity.startTimeOf(2 ** 30)).toBeUndefined()
    if (process.platform === 'linux') {
      expect(self.startTime).toMatch(/^\d+$/)
      expect(self.boot).not.toBe('')
      expect(self.pidNamespace).toMatch(/^pid:/)
      expect(systemProcessIdentity.startTimeOf(process.ppid)).not.toBe(self.startTime)
    }
  })
})

describe('durable directories with paths', () => {
  const paths = () => ({ journal: join(place, 'journal'), hints: join(place, 'hints') })

  it('paths: open, follow, recover, plan, verify and prune find the same log', async () => {
    const state = await DurableDirectory.open({ dir: join(place, 'one'), ...paths() })
    state.fs.writeFileSync('/a', '1')
    const at = await state.sync()
    const standby = await DurableDirectory.follow({ dir: join(place, 'two'), ...paths() })
    await standby.caughtUp
    const copy = await DurableDirectory.recover({ dir: join(place, 'copy'), ...paths(), at })
    expect(readdirSync(copy.dir)).toEqual(['a'])
    expect((await DurableDirectory.plan(paths())).bytes).toBeGreaterThan(0)
    expect((await DurableDirectory.verify(paths())).files).toBe(1)
    expect((await DurableDirectory.prune({ ...paths(), dryRun: true })).logs[0]?.skipped).toBeUndefined()
    const next = await standby.promote()
    expect(readdirSync(join(place, 'two'))).toEqual(['a'])
    await state.close().catch(() => undefined)
    await next.close()
    const kept = new FileHintsStore({ dir: paths().hints, fs, random: systemRandom })
    expect(await kept.pins()).toEqual([])
  })

  it('paths: objects that are handed in are used, and stay open', async () => {
    const journal = await FileJournal.open({ dir: paths().journal })
    const hints = new FileHintsStore({ dir: paths().hints, fs, random: systemRandom })
    await (await DurableDirectory.open({ dir: join(place, 'one'), journal, hints })).close()
    expect((await journal.head()).offset).toBeGreaterThan(0)
    expect(
      await DurableDirectory.prune({ journal, hints, journals: () => undefined, dryRun: true }),
    ).toMatchObject({
      removedSets: [],
    })
    await journal.close()
  })

  it('paths: what was opened for a call that fails is closed', async () => {
    writeFileSync(join(place, 'file'), '')
    await expect(DurableDirectory.open({ dir: join(place, 'file'), ...paths() })).rejects.toMatchObject({
      code: 'TARGET_NOT_EMPTY',
    })
    await expect(DurableDirectory.follow({ dir: join(place, 'file'), ...paths() })).rejects.toMatchObject({
      code: 'TARGET_NOT_EMPTY',
    })
    await (await DurableDirectory.open({ dir: join(place, 'one'), ...paths() })).close()
  })
})
