import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileJournal } from '../../../src/journal/file/index.ts'
import type { JournalChunk } from '../../../src/journal/index.ts'

/** Longer than half of what is read at once: each is read into memory of its own. */
const BYTES = 3 * 1024 * 1024
const APPENDS = 6

let dir: string
let journal: FileJournal

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'recoverylog-kept-'))
  journal = await FileJournal.open({ dir, durability: 'process' })
  for (let i = 0; i < APPENDS; i++) await journal.append({ content: Buffer.alloc(BYTES, i + 1) })
})

afterEach(async () => {
  await journal.close()
  rmSync(dir, { recursive: true })
})

describe('file journal: chunks that are kept', () => {
  it('stay what they are until they are released, also when the reader has gone', async () => {
    const chunks: JournalChunk[] = []
    for await (const chunk of journal.read({ offset: 0, keep: true })) chunks.push(chunk)
    expect(chunks).toHaveLength(APPENDS)
    for (const [i, { offset, bytes }] of chunks.entries()) {
      expect(offset).toBe(i * BYTES)
      expect(Buffer.alloc(BYTES, i + 1).equals(bytes)).toBe(true)
    }
    for (const { release } of chunks) release?.()
  })

  it('are memory that is used again once all of it has been released, and not before', async () => {
    const buffers: ArrayBufferLike[] = []
    let kept: JournalChunk | undefined
    for await (const chunk of journal.read({ offset: 0, keep: true })) {
      buffers.push(chunk.bytes.buffer)
      if (kept === undefined) {
        kept = chunk
        continue
      }
      chunk.release?.()
      chunk.release?.() // twice is once
    }
    expect(buffers.filter((buffer) => buffer === kept?.bytes.buffer)).toHaveLength(1)
    expect(new Set(buffers).size).toBe(3) // the one that is kept, the one at hand, the one read ahead
  })

  it('are given to those alone who ask for them', async () => {
    for await (const chunk of journal.read({ offset: 0 })) expect(chunk.release).toBeUndefined()
  })
})
