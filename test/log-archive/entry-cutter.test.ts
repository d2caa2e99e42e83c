import { describe, expect, it } from 'vitest'
import type { CutEntry } from '../../src/log-archive/cut-entry.ts'
import { entryCutter } from '../../src/log-archive/entry-cutter.ts'
import { StreamType } from '../../src/wire/logdog/index.ts'

const BEGIN = { sequence: 0, lineBytes: 0 }

/** `sequence:line`, as it was when it was given: what is given is borrowed. */
function shown({ content, sequence }: CutEntry): string {
  if (content.kind !== 'text') throw new Error('no text')
  const line = content.lines.map(({ value, delimiter }) => Buffer.from(value).toString('latin1') + delimiter)
  return `${sequence}:${line.join('')}`
}

function cutText(chunks: readonly string[], bytesMax: number, flushes = false): string[] {
  const cutter = entryCutter(StreamType.text, BEGIN, bytesMax)
  const entries: string[] = []
  for (const chunk of chunks) {
    for (const entry of cutter.cut(Buffer.from(chunk, 'latin1'))) entries.push(shown(entry))
    if (flushes) for (const entry of cutter.rest()) entries.push(shown(entry))
  }
  for (const entry of cutter.rest()) entries.push(shown(entry))
  return entries
}

describe('entry cutter: text', () => {
  it.each([
    ['', []],
    ['\n', ['0:\n']],
    ['\r\n', ['0:\r\n']],
    ['a', ['0:a']],
    ['\r', ['0:\r']],
    ['a\n\nb\r\nc', ['0:a\n', '1:\n', '2:b\r\n', '3:c']],
    ['a\rb\n', ['0:a\rb\n']],
    ['abcd\n', ['0:abcd\n']],
    ['abcd\r\n', ['0:abcd\r\n']],
    ['abcde\n', ['0:abcd', '0:e\n']],
    ['abcde\r\n', ['0:abcd', '0:e\r\n']],
    ['abcd\re\n', ['0:abcd', '0:\re\n']],
    ['abcdefgh\n', ['0:abcd', '0:efgh\n']],
    ['abcdefghi', ['0:abcd', '0:efgh', '0:i']],
    ['abcd', ['0:abcd']],
    ['abcde', ['0:abcd', '0:e']],
  ])(
    '%j becomes %j at most four bytes an entry, in one piece, byte by byte and split anywhere',
    (text, lines) => {
      expect(cutText([text], 4)).toEqual(lines)
      expect(cutText(Array.from(text), 4)).toEqual(lines)
      for (let at = 1; at < text.length; at++) {
        expect(cutText([text.slice(0, at), text.slice(at)], 4), `split at ${at}`).toEqual(lines)
      }
    },
  )

  it('a line that was given away goes on where it was, with the same sequence', () => {
    expect(cutText(['ab', 'cdefg\nh', '\n'], 4, true)).toEqual(['0:ab', '0:cdef', '0:g\n', '1:h', '1:\n'])
  })

  it('lineBytes tells how much of a line is in entries', () => {
    const cutter = entryCutter(StreamType.text, { sequence: 7, lineBytes: 3 }, 4)
    const seen: string[] = []
    for (const chunk of ['abcdef', 'gh', '\n']) {
      for (const entry of cutter.cut(Buffer.from(chunk))) seen.push(shown(entry))
      seen.push(`${cutter.sequence} ${cutter.lineBytes}`)
    }
    expect(seen).toEqual(['7:abcd', '7 7', '7 7', '7:efgh\n', '8 0'])
  })

  it('a long piece without an end holds no more than one entry', () => {
    const cutter = entryCutter(StreamType.text, BEGIN, 1000)
    let bytes = 0
    for (const { content } of cutter.cut(new Uint8Array(1_000_000))) {
      if (content.kind === 'text') bytes += content.lines[0]?.value.length ?? 0
    }
    expect(bytes).toBeGreaterThan(998_000)
  })
})
