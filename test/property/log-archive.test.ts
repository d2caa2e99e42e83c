import fc from 'fast-check'
import { describe, it } from 'vitest'
import type { LogEntry } from '../../src/wire/logdog/index.ts'
import { contentOf, entriesOf, lineOf, LogWorld, PATH } from '../log-archive/log-world.ts'

/** Bytes in which lines end often, in both ways and in none. */
const text = fc
  .array(fc.constantFrom('\n', '\r\n', '\r', 'a', 'bcd', 'x'.repeat(9), 'é', '\0'), { maxLength: 60 })
  .map((pieces) => Buffer.from(pieces.join('')))

/** The same bytes in chunks, as a writer might bring them, empty ones too. */
function chunked(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : (ends[i - 1] as number), end))
}

const cuts = fc.array(fc.nat(), { maxLength: 20 })

async function written(
  type: 'text' | 'binary',
  chunks: readonly Uint8Array[],
  flushes: boolean,
): Promise<{ entries: LogEntry[]; content: Uint8Array; archived: Uint8Array }> {
  const world = new LogWorld()
  await using archive = await world.open({
    writer: { entryBytesMax: 8, batchEntriesMax: 5, prefixIndexBlock: 7 },
  })
  const stream = await archive.openStream({ path: PATH, type })
  for (const chunk of chunks) {
    await stream.write(chunk)
    if (flushes) await stream.flush()
  }
  await stream.close()
  const entries = await entriesOf(archive)
  const content = await contentOf(archive)
  await archive.archiveDue()
  return { entries, content, archived: await contentOf(archive) }
}

function whole(
  name: string,
  { entries, content, archived }: Awaited<ReturnType<typeof written>>,
  bytes: Uint8Array,
): void {
  const expected = Buffer.from(bytes)
  if (!expected.equals(content) || !expected.equals(archived)) throw new Error(`${name}: other content`)
  for (const [i, { streamIndex }] of entries.entries()) {
    if (streamIndex !== i) throw new Error(`${name}: a gap at ${i}`)
  }
}

describe('log archive: laws', () => {
  it('any chunking of the same text gives the same lines and the same content', async () => {
    await fc.assert(
      fc.asyncProperty(text, cuts, async (bytes, places) => {
        const [one, many] = [
          await written('text', [bytes], false),
          await written('text', chunked(bytes, places), false),
        ]
        whole('one', one, bytes)
        whole('many', many, bytes)
        const shown = (entries: readonly LogEntry[]): string[] =>
          entries.map((entry) => `${entry.sequence} ${entry.prefixIndex} ${lineOf(entry)}`)
        if (shown(one.entries).join('|') !== shown(many.entries).join('|')) throw new Error('other lines')
      }),
      { numRuns: Number(process.env['RECOVERYLOG_RUNS'] ?? 40) },
    )
  })

  it('flushing anywhere changes no content, and no line but where it is split', async () => {
    await fc.assert(
      fc.asyncProperty(text, cuts, async (bytes, places) => {
        const result = await written('text', chunked(bytes, places), true)
        whole('flushed', result, bytes)
        const lines: string[] = []
        for (const entry of result.entries) {
          lines[entry.sequence] = (lines[entry.sequence] ?? '') + lineOf(entry)
        }
        const expected = bytes.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? []
        if (lines.join('|') !== expected.join('|')) throw new Error(JSON.stringify([lines, expected]))
      }),
      { numRuns: Number(process.env['RECOVERYLOG_RUNS'] ?? 40) },
    )
  })

  it('any chunking of the same bytes gives the same binary content', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), cuts, async (bytes, places) => {
        whole('binary', await written('binary', chunked(bytes, places), false), bytes)
      }),
      { numRuns: Number(process.env['RECOVERYLOG_RUNS'] ?? 40) },
    )
  })
})
