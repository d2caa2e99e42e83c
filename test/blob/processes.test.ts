import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileBlobStore } from '../../src/blob/file/index.ts'
import { readBlob } from '../../src/blob/index.ts'
import { TalkingProcess } from '../support/talking-process.ts'
import { contentOf } from './named-blobs.ts'

const SCRIPT = fileURLToPath(new URL('putting-process.ts', import.meta.url))
const SEED = Number(process.env['SEED'] ?? 20261121)
const GENERATIONS = Number(process.env['GENERATIONS'] ?? 2)

let dir: string
let children: TalkingProcess[]

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'blob-processes-'))
  children = []
})

afterEach(async () => {
  for (const child of children) await child.kill()
  rmSync(dir, { recursive: true })
})

describe(`file blob store: several processes (seed ${SEED})`, () => {
  it(`SIGKILL at random points: nothing acknowledged is lost, nothing torn is seen (${GENERATIONS} generations)`, async () => {
    let random = SEED
    for (let generation = 0; generation < GENERATIONS; generation++) {
      random = (random * 1_103_515_245 + 12_345) % 2 ** 31
      const child = new TalkingProcess(SCRIPT, [dir, `g${generation}`])
      children.push(child)
      const wanted = 1 + (random % 60)
      await child.until(() => child.lines.length >= wanted)
      await child.kill()
      await using store = await FileBlobStore.open({ dir, leftoverMs: 0 })
      const there = new Set<string>()
      for await (const { key } of store.list('')) {
        const name = key.replace(/^staging\//, '')
        const content = contentOf(name, Number(name.split('/')[2]))
        if (!Buffer.from(await readBlob(store, key)).equals(content)) throw new Error(`${key} is torn`)
        there.add(key)
      }
      const told = children.flatMap(({ lines }) => lines)
      expect(told.filter((key) => !there.has(key))).toEqual([])
    }
  }, 60_000)
})
