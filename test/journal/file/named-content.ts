/** Content that names itself, so that a journal can be taken apart again: `<id> <bytes>\n`, and a pattern of the id. */
import type { Journal } from '../../../src/journal/index.ts'

const HEAD_BYTES = 40

/** Mostly small, now and then a group of its own. */
export function sizeOf(i: number): number {
  return i % 23 === 5 ? 70_000 + i : HEAD_BYTES + ((i * 37) % 700)
}

export function contentNamed(id: string, bytes: number): Uint8Array {
  const content = Buffer.alloc(bytes, id)
  content.write(`${id} ${bytes}`.padEnd(HEAD_BYTES - 1), 0)
  content[HEAD_BYTES - 1] = 10
  return content
}

/** Where each append lies that the journal holds. Throws on whatever is not a whole one, and on one that is there twice. */
export async function takeApart(journal: Journal): Promise<Map<string, { begin: number; end: number }>> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const { offset, bytes } of journal.read({ offset: 0 })) {
    if (offset !== length) throw new Error(`a chunk at ${offset} after ${length}`)
    parts.push(bytes.slice())
    length += bytes.length
  }
  const all = Buffer.concat(parts)
  const found = new Map<string, { begin: number; end: number }>()
  for (let begin = 0; begin < length;) {
    const [id = '', bytes = ''] = all
      .toString('latin1', begin, begin + HEAD_BYTES)
      .trimEnd()
      .split(' ')
    const end = begin + Number(bytes)
    if (found.has(id)) throw new Error(`${id} is there twice`)
    if (!all.subarray(begin, end).equals(contentNamed(id, Number(bytes)))) {
      throw new Error(`${id} is not whole`)
    }
    found.set(id, { begin, end })
    begin = end
  }
  return found
}
