import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

/** What a browser's worker has of what the core uses; nothing of Node. */
const WEB = { AbortController, AbortSignal, TextDecoder, TextEncoder, DOMException, ReadableStream }

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
})
