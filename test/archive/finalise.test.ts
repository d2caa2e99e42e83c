import { describe, expect, it } from 'vitest'
import {
  archiveLocation,
  attemptFolder,
  dataFileName,
  decodeManifest,
  finaliseArchive,
  takeOverArchive,
  verifyArchive,
  writeArchive,
} from '../../src/archive/index.ts'
import type { ArchiveClaim, ArchiveClaims, ClaimOutcome, FinaliseParts } from '../../src/archive/index.ts'
import { readBlob } from '../../src/blob/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { descriptor, entriesAt, sha256, sourceOf, upTo } from './archive-fixture.ts'

const location = archiveLocation(
  { project: 'proj', prefix: 'foo', name: 'bar' },
  { base: 'bucket/base', staging: 'bucket/staging' },
  sha256,
)

/** The claim on one stream, with what a coordinator keeps of it. */
class Coordinator implements ArchiveClaims {
  holder: ArchiveClaim | undefined
  lapsed = false
  isEverythingAccounted = true
  readonly abandoned: string[] = []

  async claim(claim: ArchiveClaim): Promise<ClaimOutcome> {
    if (this.holder === undefined) {
      this.holder = claim
      return { kind: 'won' }
    }
    return this.lapsed ? { kind: 'taken over', claim: this.holder } : { kind: 'lost' }
  }

  async isAccounted(): Promise<boolean> {
    return this.isEverythingAccounted
  }

  async abandon({ attempt }: ArchiveClaim): Promise<void> {
    this.abandoned.push(attempt)
    this.holder = undefined
  }
}

async function staged(
  blobs: MemoryBlobStore,
  attempt: string,
  count = 5,
  terminalIndex = count - 1,
): Promise<ArchiveClaim> {
  const folder = attemptFolder(location, attempt)
  const entries = sourceOf(entriesAt(...upTo(count)))
  return {
    attempt,
    manifest: await writeArchive({ blobs, sha256, folder, descriptor, entries, terminalIndex }),
  }
}

async function keysOf(blobs: MemoryBlobStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of blobs.list('')) keys.push(key)
  return keys
}

const FINAL = ['entries', 'index', 'meta'].map((file) => `bucket/base/proj/foo/+/bar/logstream.${file}`)

function setup(): { blobs: MemoryBlobStore; parts: FinaliseParts; coordinator: Coordinator } {
  const blobs = new MemoryBlobStore()
  return { blobs, parts: { blobs, sha256, location }, coordinator: new Coordinator() }
}

async function isGood(blobs: MemoryBlobStore): Promise<boolean> {
  return (await verifyArchive({ blobs, sha256, folder: location.final })).isGood
}

describe('finalise: from staged files to the archive', () => {
  it('the same entries, and an end known by now: the manifest of the attempt before gives way', async () => {
    const { blobs, parts, coordinator } = setup()
    await finaliseArchive(parts, coordinator, await staged(blobs, 'one', 5, -1))
    await coordinator.abandon({ attempt: 'one' } as ArchiveClaim)
    const claim = await staged(blobs, 'two', 5, 8)
    expect(await finaliseArchive(parts, coordinator, claim)).toEqual({ kind: 'archived', claim })
    const meta = await readBlob(blobs, FINAL[2] as string)
    expect(decodeManifest(meta)).toEqual(claim.manifest)
    expect(claim.manifest.gaps.listed).toEqual([[5, 8]])
  })

  it('the winner: moves its files, reads them back, and leaves nothing staged', async () => {
    const { blobs, parts, coordinator } = setup()
    const claim = await staged(blobs, 'one')
    expect(await finaliseArchive(parts, coordinator, claim)).toEqual({ kind: 'archived', claim })
    expect(await keysOf(blobs)).toEqual(FINAL)
    expect(await isGood(blobs)).toBe(true)
  })

  it('who loses: removes its own staging, and touches nothing else', async () => {
    const { blobs, parts, coordinator } = setup()
    const first = await staged(blobs, 'one')
    const empty = await staged(blobs, 'two', 0)
    expect(await finaliseArchive(parts, coordinator, first)).toMatchObject({ kind: 'archived' })
    expect(await finaliseArchive(parts, coordinator, empty)).toEqual({ kind: 'lost' })
    expect(await keysOf(blobs)).toEqual(FINAL)
    expect(await isGood(blobs)).toBe(true)
  })

  it.each([0, 1, 2, 3])('taken over: redoes the moves of the other, of which %i are done', async (moved) => {
    const { blobs, parts, coordinator } = setup()
    const first = await staged(blobs, 'one')
    await coordinator.claim(first)
    coordinator.lapsed = true
    for (const key of FINAL.slice(0, moved)) {
      await blobs.move(`${attemptFolder(location, 'one')}/${key.split('/').at(-1) ?? ''}`, key)
    }
    const second = await staged(blobs, 'two', 3)
    expect(await finaliseArchive(parts, coordinator, second)).toEqual({ kind: 'archived', claim: first })
    expect(await keysOf(blobs)).toEqual(FINAL)
    expect(await isGood(blobs)).toBe(true)
  })

  it.each(['cut', 'gone', 'manifest'])(
    'taken over: staged files that differ void the claim (%s)',
    async (how) => {
      const { blobs, parts, coordinator } = setup()
      const first = await staged(blobs, 'one')
      await coordinator.claim(first)
      coordinator.lapsed = true
      const folder = attemptFolder(location, 'one')
      if (how === 'cut') {
        await blobs.put(
          `${folder}/logstream.entries`,
          new Uint8Array(first.manifest.files['logstream.entries']?.size ?? 0),
        )
      }
      if (how === 'gone') await blobs.remove(`${folder}/logstream.index`)
      if (how === 'manifest') await blobs.put(`${folder}/logstream.meta`, Uint8Array.of(0x7b))
      const second = await staged(blobs, 'two')
      expect(await finaliseArchive(parts, coordinator, second)).toEqual({
        kind: 'again',
        reason: 'staged files differ',
      })
      expect(coordinator.abandoned).toEqual(['one'])
      expect(await keysOf(blobs)).toEqual([])
    },
  )

  it('taken over with nothing staged: the moves are redone, unless somebody else is faster', async () => {
    const { blobs, parts, coordinator } = setup()
    const claim = await staged(blobs, 'one')
    await coordinator.claim(claim)
    expect(await takeOverArchive(parts, coordinator, claim)).toEqual({ kind: 'lost' })
    expect(await keysOf(blobs)).toHaveLength(3)
    coordinator.lapsed = true
    expect(await takeOverArchive(parts, coordinator, claim)).toEqual({ kind: 'archived', claim })
    expect(await keysOf(blobs)).toEqual(FINAL)
  })

  it('taken over: an entry that came while nobody looked voids the claim, as the holder may not have asked', async () => {
    const { blobs, parts, coordinator } = setup()
    const claim = await staged(blobs, 'one')
    await coordinator.claim(claim)
    coordinator.lapsed = true
    coordinator.isEverythingAccounted = false
    expect(await takeOverArchive(parts, coordinator, claim)).toEqual({
      kind: 'again',
      reason: 'not accounted',
    })
    expect(await keysOf(blobs)).toEqual([])
  })

  it('given up: the folder goes before the claim', async () => {
    const { blobs, parts, coordinator } = setup()
    coordinator.isEverythingAccounted = false
    let keysWhenAbandoned: string[] | undefined
    coordinator.abandon = async () => {
      keysWhenAbandoned = await keysOf(blobs)
    }
    await finaliseArchive(parts, coordinator, await staged(blobs, 'one'))
    expect(keysWhenAbandoned).toEqual([])
  })

  it('not accounted: the winner gives its claim up before anything is moved', async () => {
    const { blobs, parts, coordinator } = setup()
    coordinator.isEverythingAccounted = false
    const outcome = await finaliseArchive(parts, coordinator, await staged(blobs, 'one'))
    expect(outcome).toEqual({ kind: 'again', reason: 'not accounted' })
    expect(coordinator.abandoned).toEqual(['one'])
    expect(await keysOf(blobs)).toEqual([])
  })

  it('a final file is replaced only when it differs', async () => {
    const { blobs, parts, coordinator } = setup()
    const claim = await staged(blobs, 'one')
    const folder = attemptFolder(location, 'one')
    await blobs.put(FINAL[0] as string, await readBlob(blobs, `${folder}/logstream.entries`))
    await blobs.put(FINAL[1] as string, Uint8Array.of(1, 2, 3))
    const moved: string[] = []
    const move = blobs.move.bind(blobs)
    blobs.move = async (from, to) => {
      moved.push(to)
      await move(from, to)
    }
    expect(await finaliseArchive(parts, coordinator, claim)).toMatchObject({ kind: 'archived' })
    expect(moved).toEqual(FINAL.slice(1))
    expect(await keysOf(blobs)).toEqual(FINAL)
    expect(await isGood(blobs)).toBe(true)
  })

  it('read back: what the store has changed is not reported', async () => {
    const { blobs, parts, coordinator } = setup()
    const claim = await staged(blobs, 'one')
    const move = blobs.move.bind(blobs)
    blobs.move = async (from, to) => {
      await move(from, to)
      if (to === FINAL[0]) blobs.damage(to, 3)
    }
    expect(await finaliseArchive(parts, coordinator, claim)).toEqual({
      kind: 'again',
      reason: 'final files differ',
    })
    expect(coordinator.abandoned).toEqual(['one'])
  })

  it('a staged file that is gone when it is to be moved: a new attempt', async () => {
    const { blobs, parts, coordinator } = setup()
    const claim = await staged(blobs, 'one')
    await blobs.remove(`${attemptFolder(location, 'one')}/logstream.index`)
    expect(await finaliseArchive(parts, coordinator, claim)).toEqual({
      kind: 'again',
      reason: 'staged files differ',
    })
  })

  it('a store that fails: its error comes out, and the claim stands', async () => {
    const { blobs, parts, coordinator } = setup()
    const claim = await staged(blobs, 'one')
    blobs.move = async () => {
      throw new RecoveryLogError('UNAVAILABLE', 'later')
    }
    await expect(finaliseArchive(parts, coordinator, claim)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(coordinator.holder).toBe(claim)
    blobs.stat = async () => {
      throw new RecoveryLogError('UNAVAILABLE', 'later')
    }
    coordinator.holder = undefined
    await expect(finaliseArchive(parts, coordinator, claim)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('abort: nothing is moved', async () => {
    const { blobs, parts, coordinator } = setup()
    const claim = await staged(blobs, 'one')
    const signal = AbortSignal.abort()
    await expect(finaliseArchive({ ...parts, signal }, coordinator, claim)).rejects.toMatchObject({
      code: 'ABORTED',
    })
    expect((await keysOf(blobs)).some((key) => key.startsWith('bucket/base'))).toBe(false)
  })
})

describe('locations: the data file', () => {
  it.each([
    ['', 'data.bin'],
    ['png', 'data.png'],
    ['tar.gz', 'data.tar.gz'],
    ['twelve-bytes', 'data.twelve-bytes'],
    ['thirteen-byte', 'data.bin'],
    ['../../x', 'data.bin'],
    ['é', 'data.bin'],
  ])('%j is %s', (extension, file) => {
    expect(dataFileName(extension)).toBe(file)
  })
})
