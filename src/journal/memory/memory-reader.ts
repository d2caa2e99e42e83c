import type { JournalChunk } from '../journal.ts'
import { closedError } from '../append-rules.ts'
import type { ChunkSource } from '../chunk-iterator.ts'
import type { MemoryStore } from './memory-store.ts'

/** A chunk is copied out, since it belongs to the reader: into one buffer that stays in the processor's cache. */
const CHUNK_BYTES_MAX = 256 * 1024
const CHUNK_BYTES_MIN = 4 * 1024

export class MemoryReader implements ChunkSource {
  readonly #store: MemoryStore
  readonly #isBlocking: boolean
  readonly #onClose: () => void
  #offset: number
  #buffer = new Uint8Array(0)
  #state: 'open' | 'closed' | 'journal closed' = 'open'
  #wake: (() => void) | undefined

  constructor(store: MemoryStore, offset: number, isBlocking: boolean, onClose: () => void) {
    this.#store = store
    this.#offset = offset
    this.#isBlocking = isBlocking
    this.#onClose = onClose
  }

  async next(): Promise<JournalChunk | undefined> {
    for (;;) {
      if (this.#state === 'closed') return undefined
      if (this.#state === 'journal closed') throw closedError(this.#store.name)
      const offset = this.#store.seek(this.#offset)
      if (offset < this.#store.head) return this.#chunkAt(offset)
      if (!this.#isBlocking) return undefined
      await this.#change()
    }
  }

  close(): Promise<void> {
    this.#end('closed')
    this.#onClose()
    return Promise.resolve()
  }

  /** The journal object was closed under this reader: it gets `CLOSED`. */
  closeJournal(): void {
    this.#end('journal closed')
  }

  #chunkAt(offset: number): JournalChunk {
    const wanted = Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, this.#store.head - offset))
    if (this.#buffer.length < wanted) this.#buffer = new Uint8Array(wanted)
    const length = this.#store.read(offset, this.#buffer)
    this.#offset = offset + length
    return { offset, bytes: this.#buffer.subarray(0, length) }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const unwatch = this.#store.watch(() => this.#wake?.())
      this.#wake = () => {
        unwatch()
        this.#wake = undefined
        resolve()
      }
    })
  }

  #end(state: 'closed' | 'journal closed'): void {
    this.#state = state
    this.#wake?.()
  }
}
