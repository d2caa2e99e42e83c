import { describe, expect, it } from 'vitest'
import {
  accountOf,
  archiveSettings,
  decodeManifest,
  encodeManifest,
  LIBRARY_VERSION,
  manifestFrom,
  writeArchive,
} from '../../src/archive/index.ts'
import type { ArchiveManifest, DamagedEntry, EntrySource } from '../../src/archive/index.ts'
import { readBlob } from '../../src/blob/index.ts'
import type { BlobBody } from '../../src/blob/index.ts'
import { MemoryBlobStore } from '../../src/blob/memory/index.ts'
import { RecoveryLogError } from '../../src/errors/index.ts'
import packageJson from '../../package.json' with { type: 'json' }
import {
  archiveOf,
  descriptor,
  entriesAt,
  entryAt,
  FOLDER,
  sha256,
  sourceOf,
  upTo,
} from './archive-fixture.ts'

async function keysOf(blobs: MemoryBlobStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of blobs.list('')) keys.push(key)
  return keys
}

describe('archive: what is written', () => {
  it('files: entries, index and manifest; the data file when asked for, with the extension of the stream', async () => {
    const plain = await archiveOf(entriesAt(0, 1))
    expect(await keysOf(plain.blobs)).toEqual([
      `${FOLDER}/logstream.entries`,
      `${FOLDER}/logstream.index`,
      `${FOLDER}/logstream.meta`,
    ])
    const rendered = await archiveOf(entriesAt(0, 1), { settings: { renderData: true } })
    expect(Buffer.from(await readBlob(rendered.blobs, `${FOLDER}/data.txt`)).toString()).toBe(
      'line 0\nline 1\n',
    )
    expect(Object.keys(rendered.manifest.files)).toEqual(['logstream.entries', 'logstream.index', 'data.txt'])
  })

  it('manifest: says what the files are', async () => {
    const { blobs, manifest } = await archiveOf(entriesAt(...upTo(3000)))
    for (const [name, { size, sha256: sum }] of Object.entries(manifest.files)) {
      const bytes = await readBlob(blobs, `${FOLDER}/${name}`)
      const hash = sha256()
      hash.update(bytes)
      expect([size, sum]).toEqual([bytes.length, Buffer.from(hash.digest()).toString('hex')])
    }
    expect(decodeManifest(await readBlob(blobs, `${FOLDER}/logstream.meta`))).toEqual(manifest)
    expect(manifest.library).toBe(`recoverylog ${packageJson.version}`)
    expect(LIBRARY_VERSION).toBe(packageJson.version)
  })

  it.each([
    { what: 'whole', indexes: [0, 1, 2], terminalIndex: 2, complete: true, gaps: [], missing: 0 },
    {
      what: 'no terminal index',
      indexes: [0, 1, 2],
      terminalIndex: -1,
      complete: false,
      gaps: [],
      missing: 0,
    },
    { what: 'a late start', indexes: [2, 3], terminalIndex: 3, complete: false, gaps: [[0, 1]], missing: 2 },
    { what: 'a hole', indexes: [0, 5, 6], terminalIndex: 6, complete: false, gaps: [[1, 4]], missing: 4 },
    {
      what: 'an end that is missing',
      indexes: [0],
      terminalIndex: 3,
      complete: false,
      gaps: [[1, 3]],
      missing: 3,
    },
    { what: 'nothing at all', indexes: [], terminalIndex: 1, complete: false, gaps: [[0, 1]], missing: 2 },
    { what: 'nothing known', indexes: [], terminalIndex: -1, complete: false, gaps: [], missing: 0 },
    {
      what: 'entries behind the end',
      indexes: [0, 1, 2, 3],
      terminalIndex: 1,
      complete: true,
      gaps: [],
      missing: 0,
    },
  ])('gaps: $what', async ({ indexes, terminalIndex, complete, gaps, missing }) => {
    const { manifest } = await archiveOf(entriesAt(...indexes), { terminalIndex })
    expect(manifest).toMatchObject({
      complete,
      missingCount: missing,
      readCount: indexes.length,
      terminalIndex,
    })
    expect(manifest.gaps.listed).toEqual(gaps)
    expect(manifest.beyondTerminalCount).toBe(
      indexes.filter((index) => terminalIndex >= 0 && index > terminalIndex).length,
    )
  })

  it('gaps: 10,000 are listed, the rest are counted', async () => {
    const { manifest } = await archiveOf(entriesAt(...upTo(10_100).map((i) => 2 * i)))
    expect(manifest.gaps.listed).toHaveLength(10_000)
    expect(manifest.gaps).toMatchObject({ ranges: 10_099, indexes: 10_099 })
    expect(accountOf(manifest, 1)).toBe('missing')
    expect(accountOf(manifest, 2)).toBe('archived')
    expect(accountOf(manifest, 20_100)).toBe('unknown')
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest)
  })

  it('order: what falls back is dropped, explained, and no gap that is missing', async () => {
    const odd = { ...entryAt(2), prefixIndex: 0 }
    const { manifest } = await archiveOf([entryAt(0), entryAt(1), odd, entryAt(3), entryAt(1)], {
      terminalIndex: 3,
    })
    expect(manifest).toMatchObject({ entryCount: 3, missingCount: 0, complete: false })
    expect(manifest.gaps.listed).toEqual([[2, 2]])
    expect(manifest.dropped).toEqual({
      listed: [
        [2, 2],
        [1, 1],
      ],
      ranges: 2,
      indexes: 2,
    })
    expect(accountOf(manifest, 2)).toBe('dropped')
  })

  it('damage: an index that is left out on purpose is a named gap', async () => {
    async function* entries(): EntrySource {
      const damaged: DamagedEntry = { damaged: true, streamIndex: 1 }
      yield [entryAt(0), damaged, entryAt(2)]
    }
    const { manifest } = await archiveOf([], { entries: entries(), terminalIndex: 2 })
    expect(manifest).toMatchObject({ complete: false, missingCount: 0, entryCount: 2, readCount: 3 })
    expect(manifest.damaged.listed).toEqual([[1, 1]])
    expect(accountOf(manifest, 1)).toBe('dropped')
  })

  it('time: an offset that falls back is raised and counted', async () => {
    const late = { ...entryAt(1), timeOffset: { seconds: -5, nanos: 0 } }
    const none = { ...entryAt(2), timeOffset: undefined }
    const { manifest } = await archiveOf([entryAt(0), late, none, entryAt(3)])
    expect(manifest.raisedCount).toBe(1)
  })

  it('size limit: the archive ends after the entry that passes it, and says so', async () => {
    const { manifest } = await archiveOf(entriesAt(...upTo(10)), {
      terminalIndex: 9,
      settings: { sizeLimitBytes: 50 },
    })
    expect(manifest.truncated).toEqual({
      atBytes: expect.any(Number) as number,
      sizeLimitBytes: 50,
      lastIndex: 2,
      entriesLeftOut: 7,
    })
    expect(manifest).toMatchObject({ complete: false, missingCount: 0, entryCount: 3, lastIndex: 2 })
    expect(manifest.truncated?.atBytes).toBeGreaterThan(50)
    expect(accountOf(manifest, 2)).toBe('archived')
    expect(accountOf(manifest, 3)).toBe('truncated')
    expect(accountOf(manifest, 10)).toBe('beyond terminal')
  })

  it('size limit: passed by the very last entry, nothing is missing', async () => {
    const settings = { sizeLimitBytes: 1 }
    const { manifest } = await archiveOf(entriesAt(0), { terminalIndex: 0, settings })
    expect(manifest.truncated).toMatchObject({ lastIndex: 0, entriesLeftOut: 0 })
    expect(manifest.complete).toBe(true)
    const cut = await archiveOf(entriesAt(0, 1), { terminalIndex: 1, settings })
    expect(cut.manifest).toMatchObject({ complete: false, lastIndex: 0 })
  })

  it('accounts: an index behind the last one is missing when nothing says otherwise', async () => {
    const { manifest } = await archiveOf(entriesAt(0, 1))
    expect(accountOf(manifest, 2)).toBe('missing')
    const uncounted: ArchiveManifest = { ...manifest, dropped: { listed: [], ranges: 1, indexes: 1 } }
    expect(accountOf(uncounted, 2)).toBe('unknown')
  })
})

describe('archive: what goes wrong while it is written', () => {
  it('source: what it throws comes out, and no file is left half', async () => {
    const blobs = new MemoryBlobStore()
    async function* entries(): EntrySource {
      yield entriesAt(0, 1)
      throw new Error('the storage is gone')
    }
    await expect(
      writeArchive({ blobs, sha256, folder: FOLDER, descriptor, entries: entries() }),
    ).rejects.toThrow('the storage is gone')
    expect(await keysOf(blobs)).toEqual([])
  })

  it.each(['logstream.entries', 'logstream.index', 'data.txt', 'logstream.meta'])(
    'store: what a put of %s throws comes out, at once or in the middle',
    async (file) => {
      for (const after of [0, 1]) {
        class Failing extends MemoryBlobStore {
          override async put(key: string, body: BlobBody): Promise<void> {
            if (!key.endsWith(file)) return super.put(key, body)
            let left = after
            if (!(body instanceof Uint8Array)) {
              for await (const chunk of body) if (chunk.length > 0 && left-- === 0) break
            }
            throw new RecoveryLogError('UNAVAILABLE', `no room for ${file}`)
          }
        }
        const entries = sourceOf(
          ...upTo(30).map((i) => upTo(500).map((j) => entryAt(500 * i + j, 'x'.repeat(300)))),
        )
        const options = {
          sha256,
          folder: FOLDER,
          descriptor,
          entries,
          settings: { renderData: true, streamIndexRange: 1 },
        }
        await expect(writeArchive({ blobs: new Failing(), ...options })).rejects.toMatchObject({
          code: 'UNAVAILABLE',
          message: `UNAVAILABLE: no room for ${file}`,
        })
      }
    },
  )

  it('abort: ends it, and the puts with it', async () => {
    const abort = new AbortController()
    const blobs = new MemoryBlobStore()
    async function* entries(): EntrySource {
      yield entriesAt(0)
      abort.abort()
      yield entriesAt(1)
    }
    const options = { blobs, sha256, folder: FOLDER, descriptor, entries: entries(), signal: abort.signal }
    await expect(writeArchive(options)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await keysOf(blobs)).toEqual([])
  })

  it('entries: what cannot be encoded is told, with its value', async () => {
    await expect(archiveOf([{ ...entryAt(0), prefixIndex: 0.5 }])).rejects.toThrow(RangeError)
    await expect(archiveOf([{ ...entryAt(0), timeOffset: { seconds: 2 ** 53, nanos: 0 } }])).rejects.toThrow(
      RangeError,
    )
    await expect(archiveOf([{ ...entryAt(0), timeOffset: { seconds: 0, nanos: 2 ** 31 } }])).rejects.toThrow(
      RangeError,
    )
    const half = {
      ...entryAt(0),
      content: { kind: 'text' as const, lines: [{ value: new Uint8Array(1), delimiter: '\ud800' }] },
    }
    await expect(archiveOf([half])).rejects.toMatchObject({ code: 'ENTRY_INVALID' })
    const part = { index: 2 ** 32, size: 1, last: false }
    const datagram = { kind: 'datagram' as const, data: new Uint8Array(1), partial: part }
    await expect(archiveOf([{ ...entryAt(0), content: datagram }])).rejects.toThrow(RangeError)
  })

  it('settings: numbers that are none are the caller’s mistake', () => {
    expect(() => archiveSettings({ byteRange: 0.5 })).toThrow(RangeError)
    expect(() => archiveSettings({ sizeLimitBytes: -1 })).toThrow(RangeError)
    expect(archiveSettings().byteRange).toBe(64 * 1024)
  })
})

describe('archive: manifests that somebody else has written', () => {
  it('fields: each one that is wrong is named', async () => {
    const { manifest } = await archiveOf(entriesAt(0), { settings: { sizeLimitBytes: 0 } })
    const wrong: readonly [string, object][] = [
      ['library', { library: 7 }],
      ['files', { files: null }],
      ['files.x', { files: { x: 1 } }],
      ['files.x.size', { files: { x: { size: -1, sha256: '' } } }],
      ['files.x.sha256', { files: { x: { size: 1, sha256: 'short' } } }],
      ['entryCount', { entryCount: 2 ** 53 }],
      ['lastIndex', { lastIndex: -2 }],
      ['complete', { complete: 'yes' }],
      ['gaps.listed', { gaps: { listed: [[2, 1]], ranges: 1, indexes: 1 } }],
      ['gaps.listed', { gaps: { listed: [1], ranges: 1, indexes: 1 } }],
      ['dropped.ranges', { dropped: { listed: [], indexes: 1 } }],
      ['truncated', { truncated: undefined }],
      ['truncated.atBytes', { truncated: {} }],
    ]
    for (const [field, change] of wrong) {
      const bytes = new TextEncoder().encode(JSON.stringify({ ...manifest, ...change }))
      expect(() => decodeManifest(bytes), field).toThrow(
        expect.objectContaining({
          code: 'MANIFEST_INVALID',
          data: expect.objectContaining({ field }) as object,
        }) as Error,
      )
    }
    expect(manifestFrom(JSON.parse(JSON.stringify(manifest)))).toEqual(manifest)
  })

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['no object', '7'],
    ['no UTF-8', '\u00ff'],
  ])('%s', (_, text) => {
    expect(() => decodeManifest(Buffer.from(text, 'latin1'))).toThrow(/^MANIFEST_INVALID/)
  })
})
