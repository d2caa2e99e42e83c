import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { pathOfKey } from '../../src/blob/file/key-path.ts'
import { FileBlobStore } from '../../src/blob/file/index.ts'
import { readBlob } from '../../src/blob/index.ts'
import { blobStoreSuite } from '../../src/testing/index.ts'

const root = mkdtempSync(join(tmpdir(), 'file-blob-store-'))
let stores = 0

afterAll(() => {
  rmSync(root, { recursive: true })
})

function newDir(): string {
  stores++
  return join(root, String(stores))
}

function fileOf(dir: string, key: string): string {
  return join(dir, 'blobs', pathOfKey(key))
}

/** Every file under `dir`, by its path in it. */
function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
}

blobStoreSuite({
  runner: { describe, it },
  name: 'FileBlobStore',
  factory: async () => {
    const dir = newDir()
    const store = await FileBlobStore.open({ dir, openFilesMax: 8 })
    return {
      store,
      damage: async (key) => {
        const bytes = readFileSync(fileOf(dir, key))
        bytes[17] = (bytes[17] as number) ^ 1
        writeFileSync(fileOf(dir, key), bytes)
      },
      dispose: async () => {
        // Whatever a test did, nothing is left aside, and nothing lies elsewhere.
        expect(readdirSync(join(dir, 'tmp'))).toEqual([])
        expect(readdirSync(dir).sort()).toEqual(['blobs', 'tmp'])
      },
    }
  },
  supports: { conditionalPut: true, damage: true },
})

describe('file blob store: files', () => {
  it('get: a range goes into the memory that is handed in, also when the file was replaced', async () => {
    const dir = newDir()
    await using store = await FileBlobStore.open({ dir })
    await using other = await FileBlobStore.open({ dir })
    const into = new Uint8Array(8)
    for (const content of ['abcdef', 'ghijkl']) {
      await other.put('a', new TextEncoder().encode(content))
      const bytes = await store.get('a', { offset: 1, length: 8, into })
      expect(new TextDecoder().decode(bytes)).toBe(content.slice(1))
      expect([bytes.buffer, bytes.byteOffset]).toEqual([into.buffer, 0])
    }
  })

  it('descriptors: at most openFilesMax stay open, the least recently used goes first', async () => {
    await using store = await FileBlobStore.open({ dir: newDir(), openFilesMax: 3 })
    for (let i = 0; i < 10; i++) await store.put(`k${i}`, Uint8Array.of(i))
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 10; i++) {
        expect(await store.get(`k${i}`, { offset: 0, length: 1 })).toEqual(Uint8Array.of(i))
        expect(store.openFiles).toBe(Math.min(3, round * 10 + i + 1))
      }
    }
    await Promise.all(Array.from({ length: 40 }, (_, i) => store.get(`k${i % 10}`, { offset: 0, length: 1 })))
    expect(store.openFiles).toBe(3)
  })

  it('descriptors: put, move, remove and close drop them, and none is leaked', async () => {
    const dir = newDir()
    const before = readdirSync('/proc/self/fd').length
    const store = await FileBlobStore.open({ dir })
    await store.put('a', Uint8Array.of(1))
    await store.get('a', { offset: 0, length: 1 })
    expect(store.openFiles).toBe(1)
    await store.put('a', Uint8Array.of(2))
    expect(store.openFiles).toBe(0)
    expect(await store.get('a', { offset: 0, length: 1 })).toEqual(Uint8Array.of(2))
    await store.move('a', 'b')
    expect(store.openFiles).toBe(0)
    await store.get('b', { offset: 0, length: 1 })
    await store.remove('b')
    expect(store.openFiles).toBe(0)
    await store.put('c', Uint8Array.of(3))
    await store.get('c', { offset: 0, length: 1 })
    await store.close()
    await new Promise((resolve) => setImmediate(resolve)) // descriptors are closed in the background
    await new Promise((resolve) => setImmediate(resolve))
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 1)
  })

  it('another process: a blob that it has replaced is read anew, one that it removed is gone', async () => {
    const dir = newDir()
    await using mine = await FileBlobStore.open({ dir })
    await using other = await FileBlobStore.open({ dir })
    await mine.put('a', Uint8Array.of(1))
    await mine.get('a', { offset: 0, length: 1 })
    await other.put('a', Uint8Array.of(2))
    expect(await mine.get('a', { offset: 0, length: 1 })).toEqual(Uint8Array.of(2))
    await other.remove('a')
    await expect(mine.get('a', { offset: 0, length: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('leftovers: what a dead writer left is removed on opening, what is young is not', async () => {
    const dir = newDir()
    await (await FileBlobStore.open({ dir })).close()
    const longAgo = new Date(Date.now() - 25 * 3600 * 1000)
    const made = (path: string, isOld: boolean): void => {
      if (path.includes('/')) writeFileSync(join(dir, 'tmp', path), 'x')
      else mkdirSync(join(dir, 'tmp', path))
      if (isOld) utimesSync(join(dir, 'tmp', path), longAgo, longAgo)
    }
    for (const folder of ['dead', 'slow', 'idle', 'young']) made(folder, false)
    for (const file of ['dead/old', 'slow/old', 'young/old']) made(file, true)
    for (const file of ['slow/young', 'young/young']) made(file, false)
    for (const folder of ['dead', 'slow', 'idle']) utimesSync(join(dir, 'tmp', folder), longAgo, longAgo)
    await (await FileBlobStore.open({ dir })).close()
    expect(filesIn(join(dir, 'tmp')).sort()).toEqual(['slow/young', 'young/young'])
    expect(readdirSync(join(dir, 'tmp')).sort()).toEqual(['slow', 'young'])
  })

  it('leftovers: a writer whose folder was taken for a dead one’s makes it anew', async () => {
    const dir = newDir()
    await using store = await FileBlobStore.open({ dir })
    await store.put('a', Uint8Array.of(1))
    for (const folder of readdirSync(join(dir, 'tmp'))) rmSync(join(dir, 'tmp', folder), { recursive: true })
    await store.put('b', Uint8Array.of(2))
    expect(await readBlob(store, 'b')).toEqual(Uint8Array.of(2))
  })

  it('folders: empty ones are removed with the last blob in them', async () => {
    const dir = newDir()
    await using store = await FileBlobStore.open({ dir })
    await store.put('a/b/1/2/3', Uint8Array.of(1))
    await store.put('a/1/2/3', Uint8Array.of(1))
    await store.move('a/b/1/2/3', 'x/1/2/3')
    expect(readdirSync(join(dir, 'blobs')).sort()).toEqual(['a', 'x'])
    expect(readdirSync(join(dir, 'blobs/a'))).toEqual(['1,2,3.blob'])
    await store.remove('a/1/2/3')
    await store.remove('x/1/2/3')
    expect(readdirSync(join(dir, 'blobs'))).toEqual([])
  })

  it('folders: puts and removals that race for one folder all hold', async () => {
    await using store = await FileBlobStore.open({ dir: newDir() })
    const work = Array.from({ length: 40 }, async (_, i) => {
      const key = `race/in/one/folder/${i}`
      for (let round = 0; round < 10; round++) {
        await store.put(key, Uint8Array.of(i))
        expect(await readBlob(store, key)).toEqual(Uint8Array.of(i))
        await store.remove(key)
      }
    })
    await Promise.all(work)
    expect(await store.list('').next()).toEqual({ done: true, value: undefined })
  })

  it('damage: a file that is cut, anywhere, is CORRUPT', async () => {
    const dir = newDir()
    await using store = await FileBlobStore.open({ dir })
    const content = Uint8Array.from({ length: 50 }, (_, i) => i)
    await store.put('a', content)
    const file = readFileSync(fileOf(dir, 'a'))
    for (let length = 0; length < file.length; length++) {
      writeFileSync(fileOf(dir, 'a'), file.subarray(0, length))
      await expect(readBlob(store, 'a')).rejects.toMatchObject({ code: 'CORRUPT' })
    }
    for (let at = 0; at < file.length; at++) {
      const turned = Uint8Array.from(file, (byte, i) => (i === at ? byte ^ 0x10 : byte))
      writeFileSync(fileOf(dir, 'a'), turned)
      await expect(readBlob(store, 'a')).rejects.toMatchObject({ code: 'CORRUPT', data: { key: 'a' } })
    }
  })

  it('damage: a file that is cut while it is open is CORRUPT, not zeros', async () => {
    const dir = newDir()
    await using store = await FileBlobStore.open({ dir })
    await store.put('a', new Uint8Array(1000))
    await store.get('a', { offset: 0, length: 1 })
    writeFileSync(fileOf(dir, 'a'), new Uint8Array(100), { flag: 'r+' })
    const { truncateSync } = await import('node:fs')
    truncateSync(fileOf(dir, 'a'), 100)
    await expect(store.get('a', { offset: 50, length: 100 })).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  it('a long stream: is synced on the way, and stored whole', async () => {
    const dir = newDir()
    await using store = await FileBlobStore.open({ dir })
    const chunk = new Uint8Array(1024 * 1024).fill(7)
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 40; i++) yield chunk
    }
    await store.put('long', body())
    expect((await store.stat('long')).size).toBe(40 * chunk.length)
    expect(statSync(fileOf(dir, 'long')).size).toBe(40 * chunk.length + 16)
  })

  it('errors: the system’s say what they mean, with the key', async () => {
    const file = join(root, 'a-file')
    writeFileSync(file, '')
    await expect(FileBlobStore.open({ dir: join(file, 'below') })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(FileBlobStore.open({ dir: newDir(), openFilesMax: 0 })).rejects.toThrow(RangeError)
    const dir = newDir()
    await using store = await FileBlobStore.open({ dir })
    rmSync(join(dir, 'tmp'), { recursive: true })
    await expect(store.put('a', new Uint8Array(1))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      data: { key: 'a' },
    })
  })

  it('paths: nothing but what was put lies in the folder', async () => {
    const dir = newDir()
    await using store = await FileBlobStore.open({ dir })
    await store.put('../../../../Up', Uint8Array.of(1))
    expect(filesIn(dir)).toEqual(['blobs/%2e%2e/%2e%2e/..,..,%55p.blob'])
  })
})
