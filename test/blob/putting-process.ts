/**
 * A process that puts blobs for as long as it lives, some of them streams and some moved afterwards, and tells which are
 * there, a line each. Run: node --import tsx putting-process.ts DIR NAME
 */
import { FileBlobStore } from '../../src/blob/file/index.ts'
import { contentOf } from './named-blobs.ts'

const [dir = '', name = ''] = process.argv.slice(2)
const store = await FileBlobStore.open({ dir })

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000)
}

await Promise.all(
  [0, 1, 2].map(async (lane) => {
    for (let i = lane; ; i += 3) {
      const key = `${name}/${lane}/${i}`
      const bytes = contentOf(key, i)
      if (lane === 0) await store.put(key, bytes, { ifAbsent: true })
      else if (lane === 1) await store.put(key, inPieces(bytes))
      else {
        await store.put(`staging/${key}`, bytes)
        await store.move(`staging/${key}`, key)
      }
      process.stdout.write(`${key}\n`)
    }
  }),
)
