import { fdatasync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type * as NodeFs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { FileBlobStore } from '../../src/blob/file/index.ts'
import { pathOfKey } from '../../src/blob/file/key-path.ts'
import { readBlob } from '../../src/blob/index.ts'
import type { BlobInfo } from '../../src/blob/index.ts'

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof NodeFs>()
  return { ...fs, fdatasync: vi.fn(fs.fdatasync) }
})

const dir = mkdtempSync(join(tmpdir(), 'file-drafts-'))
const content = Uint8Array.from({ length: 50 }, (_, i) => i)
const syncs = vi.mocked(fdatasync)

beforeEach(() => {
  syncs.mockClear()
})

afterAll(() => {
  rmSync(dir, { recursive: true })
})

function fileOf(key: string): string {
  return join(dir, 'blobs', pathOfKey(key))
}

async function keysOf(list: AsyncIterable<BlobInfo>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of list) keys.push(key)
  return keys
}

describe('file blob store: drafts', () => {
  it('a draft is synced when it is moved, by whichever process, and not before', async () => {
    await using store = await FileBlobStore.open({ dir })
    await using other = await FileBlobStore.open({ dir })
    await store.put('draft', content, { draft: true })
    expect(await readBlob(other, 'draft')).toEqual(content)
    expect(syncs).toHaveBeenCalledTimes(0)
    await other.move('draft', 'moved')
    expect(syncs).toHaveBeenCalledTimes(1)
    expect(await readBlob(store, 'moved')).toEqual(content)
  })

  it('what is no draft is synced when it is put, and not again', async () => {
    await using store = await FileBlobStore.open({ dir })
    await store.put('whole', content)
    expect(syncs).toHaveBeenCalledTimes(1)
    await store.move('whole', 'moved')
    expect(syncs).toHaveBeenCalledTimes(1)
  })

  it('damage: a draft that is cut or changed, anywhere, is CORRUPT, also when it was moved', async () => {
    await using store = await FileBlobStore.open({ dir })
    await store.put('a', content, { draft: true })
    const file = readFileSync(fileOf('a'))
    for (let at = 0; at < file.length; at++) {
      const turned = Uint8Array.from(file, (byte, i) => (i === at ? byte ^ 0x10 : byte))
      for (const left of [file.subarray(0, at), turned]) {
        writeFileSync(fileOf('a'), left)
        await expect(readBlob(store, 'a')).rejects.toMatchObject({ code: 'CORRUPT' })
        await store.move('a', 'b')
        await expect(readBlob(store, 'b')).rejects.toMatchObject({ code: 'CORRUPT' })
        await store.move('b', 'a')
      }
    }
  })
})

describe('file blob store: order', () => {
  it('list: keys that share a name lie in order among those in folders (all short keys of three characters)', async () => {
    await using store = await FileBlobStore.open({ dir: join(dir, 'order') })
    const keys: string[] = []
    for (let level = ['']; level[0] !== undefined && level[0].length < 6;) {
      level = level.flatMap((key) => ['/', 'a', '-'].map((character) => key + character))
      keys.push(...level)
    }
    for (const key of keys) await store.put(key, Uint8Array.of(), { draft: true })
    keys.sort()
    expect(await keysOf(store.list(''))).toEqual(keys)
    for (const prefix of ['a', 'a/', '/', 'a/-', 'a/a/a', 'a/a/a/', 'a-/-']) {
      for (const after of [undefined, 'a', 'a/a/a', 'a/a/a/', 'a/a/a/a', '//-']) {
        const found = await keysOf(store.list(prefix, after === undefined ? {} : { after }))
        const expected = keys.filter((key) => key.startsWith(prefix) && (after === undefined || key > after))
        expect(found).toEqual(expected)
      }
    }
  })
})
