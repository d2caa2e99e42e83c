import { expect } from 'vitest'
import { RecoveryLogError } from '../../../src/errors/index.ts'
import type { AppendRequest, Commit, Journal } from '../../../src/journal/index.ts'

const HEAD_BYTES = 8

type Fate = 'under way' | 'acknowledged' | 'refused' | 'unknown'

interface Recorded {
  readonly id: number
  readonly bytes: number
  fate: Fate
  commit: Commit | undefined
}

/**
 * What several objects were told of their appends, to be held against what the journal holds in the end. Each content
 * names itself, so that a journal can be taken apart again.
 */
export class History {
  readonly #appends: Recorded[] = []
  #isCrashed = false

  /** Appends and records the answer. Never rejects; answers the error. */
  async append(journal: Journal, bytes: number, more: Partial<AppendRequest> = {}): Promise<unknown> {
    const record = this.#begin(bytes)
    try {
      this.#acknowledge(record, await journal.append({ content: contentOf(record), ...more }))
      return undefined
    } catch (error) {
      this.#fail(record, error)
      return error
    }
  }

  appendSync(journal: Journal, bytes: number, more: Partial<AppendRequest> = {}): unknown {
    const record = this.#begin(bytes)
    try {
      const commit = journal.appendSync?.({ content: contentOf(record), ...more })
      if (commit !== undefined) this.#acknowledge(record, commit)
      return undefined
    } catch (error) {
      this.#fail(record, error)
      return error
    }
  }

  /** The processes are gone: what they are told from now on reaches nobody, and what was under way may have landed. */
  crash(): void {
    this.#isCrashed = true
    for (const record of this.#appends) if (record.fate === 'under way') record.fate = 'unknown'
  }

  get counts(): Record<Fate, number> {
    const counts = { 'under way': 0, acknowledged: 0, refused: 0, unknown: 0 }
    for (const { fate } of this.#appends) counts[fate]++
    return counts
  }

  /** Nothing acknowledged is lost, nothing refused is there, nothing is there twice or in part. */
  async check(journal: Journal): Promise<void> {
    const found = await takeApart(journal)
    for (const record of this.#appends) {
      const at = found.get(record.id)
      if (record.fate === 'acknowledged') expect([record.id, at]).toEqual([record.id, record.commit?.begin])
      if (record.fate === 'refused') expect([record.id, at]).toEqual([record.id, undefined])
    }
  }

  #begin(bytes: number): Recorded {
    const record: Recorded = { id: this.#appends.length, bytes, fate: 'under way', commit: undefined }
    this.#appends.push(record)
    return record
  }

  #acknowledge(record: Recorded, commit: Commit): void {
    if (this.#isCrashed) return
    expect(commit.end - commit.begin).toBe(record.bytes)
    record.fate = 'acknowledged'
    record.commit = commit
  }

  #fail(record: Recorded, error: unknown): void {
    if (this.#isCrashed) return
    if (!(error instanceof RecoveryLogError)) throw error
    record.fate = error.code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'refused'
  }
}

function contentOf({ id, bytes }: Recorded): Uint8Array {
  const content = new Uint8Array(bytes)
  const view = new DataView(content.buffer)
  view.setUint32(0, id)
  view.setUint32(4, bytes)
  for (let at = HEAD_BYTES; at < bytes; at++) content[at] = id * 31 + at
  return content
}

/** The appends that a journal holds, by id: where each begins. Fails on anything that is not a whole one. */
async function takeApart(journal: Journal): Promise<Map<number, number>> {
  const chunks: Uint8Array[] = []
  let end = 0
  for await (const { offset, bytes } of journal.read({ offset: 0 })) {
    expect(offset).toBe(end)
    chunks.push(bytes.slice())
    end += bytes.length
  }
  expect((await journal.head()).offset).toBe(end)
  const all = Buffer.concat(chunks)
  const found = new Map<number, number>()
  for (let at = 0; at < all.length;) {
    const [id, bytes] = [all.readUInt32BE(at), all.readUInt32BE(at + 4)]
    const expected = contentOf({ id, bytes, fate: 'unknown', commit: undefined })
    expect(all.subarray(at, at + bytes).equals(expected)).toBe(true)
    expect(found.has(id)).toBe(false)
    found.set(id, at)
    at += bytes
  }
  return found
}
