import type { AppendRequest, Commit, Head, Journal, JournalChunk } from '../../src/journal/index.ts'

/** A journal that takes and discards: what is measured on it is the recorder alone. */
export class DiscardJournal implements Journal {
  readonly name = 'bench/discard'
  readonly id = 'discard'
  readonly maxAppendBytes = 16 << 20
  readonly durability = 'memory'
  readonly supports = { prune: false, appendSync: false } as const
  #head = 0

  append({ content }: AppendRequest): Promise<Commit> {
    const begin = this.#head
    this.#head += content.length
    return Promise.resolve({ begin, end: this.#head, registers: [] })
  }

  head(): Promise<Head> {
    return Promise.resolve({ offset: this.#head, registers: [] })
  }

  read(): AsyncIterable<JournalChunk> {
    throw new Error('what was appended has been discarded')
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
