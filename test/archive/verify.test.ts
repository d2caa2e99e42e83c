import { describe, expect, it } from 'vitest'
import { encodeManifest, verifyArchive } from '../../src/archive/index.ts'
import type { VerifyReport } from '../../src/archive/index.ts'
import { readBlob } from '../../src/blob/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import { encodeRecord } from '../../src/wire/index.ts'
import { decodeLogIndex, encodeLogEntry, encodeLogIndex } from '../../src/wire/logdog/index.ts'
import { archiveOf, descriptor, entriesAt, entryAt, FOLDER, sha256, upTo } from './archive-fixture.ts'

const ENTRIES = `${FOLDER}/logstream.entries`
const INDEX = `${FOLDER}/logstream.index`
const META = `${FOLDER}/logstream.meta`
const DATA = `${FOLDER}/data.txt`

async function good(): Promise<MemoryBlobStore> {
  const settings = { renderData: true, streamIndexRange: 3 }
  return (await archiveOf(entriesAt(...upTo(20)), { terminalIndex: 19, settings })).blobs
}

async function verify(blobs: MemoryBlobStore): Promise<VerifyReport> {
  return verifyArchive({ blobs, sha256, folder: FOLDER })
}

function filesOf({ faults }: VerifyReport): string[] {
  return [...new Set(faults.map(({ file }) => file))].sort()
}

describe('verify: an archive against its manifest and itself', () => {
  it('a good one: no faults', async () => {
    const report = await verify(await good())
    expect(report).toMatchObject({ isGood: true, faults: [], faultCount: 0, entryCount: 20 })
    expect(report.manifest?.complete).toBe(true)
    expect((await verify((await archiveOf([])).blobs)).faults).toEqual([])
  })

  it('a byte changed anywhere in any file: told, with the file', async () => {
    for (const key of [ENTRIES, INDEX, DATA]) {
      const blobs = await good()
      const whole = await readBlob(blobs, key)
      for (let at = 0; at < whole.length; at += 7) {
        await blobs.put(
          key,
          Uint8Array.from(whole, (byte, i) => (i === at ? byte ^ 0x11 : byte)),
        )
        const report = await verify(blobs)
        expect(report.isGood).toBe(false)
        expect(filesOf(report)).toContain(key.slice(FOLDER.length + 1))
      }
    }
  })

  it('a file cut anywhere: told, with the file', async () => {
    const blobs = await good()
    for (const key of [ENTRIES, INDEX, META, DATA]) {
      const whole = await readBlob(blobs, key)
      for (let length = 0; length < whole.length - 1; length += 11) {
        await blobs.put(key, whole.subarray(0, length))
        const report = await verify(blobs)
        expect(filesOf(report)).toContain(key.slice(FOLDER.length + 1))
      }
      await blobs.put(key, whole)
    }
    expect((await verify(blobs)).isGood).toBe(true)
  })

  it.each([ENTRIES, INDEX, META, DATA])('a file that is missing: %s', async (key) => {
    const blobs = await good()
    await blobs.remove(key)
    const report = await verify(blobs)
    expect(filesOf(report)).toContain(key.slice(FOLDER.length + 1))
    expect(report.manifest === undefined).toBe(key === META)
  })

  it('without a manifest: what the files say of one another is judged still', async () => {
    const blobs = await good()
    await blobs.remove(META)
    const index = decodeLogIndex(await readBlob(blobs, INDEX))
    const entries = index.entries.map((entry, i) =>
      i === 2 ? { ...entry, offset: entry.offset + 1 } : entry,
    )
    await blobs.put(INDEX, encodeLogIndex({ ...index, entries, logEntryCount: 21, lastPrefixIndex: 7 }))
    const report = await verify(blobs)
    const what = report.faults.filter(({ file }) => file === 'logstream.index').map((fault) => fault.what)
    expect(what).toContain('its count of entries')
    expect(what).toContain('its last prefix index')
    expect(what.some((text) => text.startsWith('where entry'))).toBe(true)
  })

  it('index entries behind the end of the entries file are told', async () => {
    const blobs = await good()
    const index = decodeLogIndex(await readBlob(blobs, INDEX))
    const far = { offset: 99_999, sequence: 20, prefixIndex: 20, streamIndex: 20 }
    await blobs.put(INDEX, encodeLogIndex({ ...index, entries: [...index.entries, far] }))
    const { faults } = await verify(blobs)
    expect(faults).toContainEqual({
      file: 'logstream.index',
      what: 'entry 20 is not where it says',
      offset: 99_999,
    })
  })

  it('entries that fall back are told, each with its place', async () => {
    const { blobs, manifest } = await archiveOf(entriesAt(0, 1))
    const frames = [
      descriptor,
      encodeLogEntry(entryAt(5)),
      encodeLogEntry({ ...entryAt(6), prefixIndex: 1, sequence: 2 }),
    ]
    await blobs.put(ENTRIES, Buffer.concat(frames.map((frame) => encodeRecord(frame))))
    await blobs.put(META, encodeManifest(manifest))
    const { faults } = await verify(blobs)
    const falls = faults.filter(({ what }) => what.endsWith('falls'))
    expect(falls).toMatchObject([
      { what: 'the prefixIndex falls', expected: 5, actual: 1 },
      { what: 'the sequence falls', expected: 5, actual: 2 },
    ])
    expect(falls[0]?.offset).toBeGreaterThan(0)
  })

  it('more than 100 faults are counted', async () => {
    const { blobs } = await archiveOf(entriesAt(...upTo(200)))
    const frames = upTo(200).map((i) => encodeRecord(encodeLogEntry(entryAt(200 - i))))
    await blobs.put(ENTRIES, Buffer.concat([encodeRecord(descriptor), ...frames]))
    const report = await verify(blobs)
    expect(report.faults).toHaveLength(100)
    expect(report.faultCount).toBeGreaterThan(500)
  })

  it('a store that cannot be read: its error comes out', async () => {
    const blobs = new MemoryBlobStore()
    blobs.get = () => {
      throw new RecoveryLogError('UNAVAILABLE', 'later')
    }
    await expect(verify(blobs)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
