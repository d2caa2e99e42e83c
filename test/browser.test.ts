import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

/** What a browser's worker has of what the core uses; nothing of Node. */
const WEB = {
  ...{ AbortController, AbortSignal, TextDecoder, TextEncoder, DOMException, ReadableStream, WritableStream },
  ...{ atob, btoa, Uint8Array }, // of the same world as what a TextEncoder makes
}

/** The core and the memory journal as a page would get them. */
async function bundle(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    alias: { recoverylog: join(root, 'src') },
    bundle: true,
    format: 'iife',
    globalName: 'answer',
    platform: 'browser',
    target: 'es2022',
    write: false,
  })
  return (outputFiles[0] as { text: string }).text
}

describe('browser: the core needs nothing of Node', () => {
  it('bundles without any import, and records into a journal', async () => {
    const text = await bundle(`
      import { FSM, Recorder } from 'recoverylog/index.ts'
      import { MemoryJournal } from 'recoverylog/journal/memory/index.ts'
      export async function record() {
        const journal = new MemoryJournal({ name: 'a/log' })
        const fsm = new FSM({ log: 'a/log', liveNodes: [], properties: [] })
        const recorder = await Recorder.open({ journal, fsm, author: 7, dir: '/' })
        recorder.write(recorder.create('/a'), 0, Uint8Array.of(104, 101, 108, 108, 111))
        const { end } = await recorder.barrier()
        return end
      }
    `)
    expect(text).not.toMatch(/\bnode:|\brequire\(|\bimport\(|\bprocess\.|\bBuffer\b/)
    const context = createContext({ ...WEB })
    runInContext(text, context)
    expect(await runInContext('answer.record()', context)).toBe(52)
  })

  it('bundles the log archive without any import, and takes a stream to its archive', async () => {
    const text = await bundle(`
      import { LogArchive, renderEntries } from 'recoverylog/index.ts'
      import { MemoryBlobStore } from 'recoverylog/blob/memory/index.ts'
      import { MemoryStreamStore, MemoryTaskQueue } from 'recoverylog/coordinator/memory/index.ts'
      import { MemoryStorage } from 'recoverylog/storage/memory/index.ts'
      export async function archive() {
        const clock = { now: () => 1_700_000_000_000, sleep: (_, signal) => new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('aborted')))
        }) }
        let count = 0
        const random = (bytes) => new Uint8Array(bytes).fill(++count)
        // Enough of a sum to tell names and files apart here.
        const sha256 = () => {
          const sum = new Uint8Array(32)
          let at = 0
          return { update: (bytes) => bytes.forEach((byte) => (sum[at++ % 32] += byte + at)), digest: () => sum }
        }
        const archive = await LogArchive.open({
          clock, random, sha256,
          blobs: new MemoryBlobStore({ clock }),
          storage: new MemoryStorage({ clock }),
          coordinator: { streamStore: new MemoryStreamStore(), taskQueue: new MemoryTaskQueue({ clock }) },
          settings: { archiveDelayMs: 0, storageCleanupDelayMs: 0 },
        })
        const stream = await archive.openStream({ path: 'a/+/b' })
        const writer = stream.writable().getWriter()
        await writer.write('hello, wor')
        await writer.write('ld\\n')
        await writer.close()
        await archive.archiveDue()
        const { isGood } = await archive.verify('a/+/b')
        let read = ''
        for await (const entries of archive.read('a/+/b')) {
          for (const bytes of renderEntries(entries)) read += new TextDecoder().decode(bytes)
        }
        await archive.close()
        return [isGood, read].join()
      }
    `)
    expect(text).not.toMatch(/\bnode:|\bimport\(/) // protobufjs asks for a Buffer, and does without
    const context = createContext({ ...WEB })
    runInContext(text, context)
    expect(await runInContext('answer.archive()', context)).toBe('true,hello, world\n')
  })
})
