import { throwIfAborted } from '../../async/index.ts'
import { assertOffset, closedError, failedBehind, MAX_APPEND_BYTES } from '../append-rules.ts'
import { ChunkIterator } from '../chunk-iterator.ts'
import type {
  AppendRequest,
  Commit,
  Fragment,
  Head,
  Journal,
  JournalChunk,
  Label,
  ReadRequest,
} from '../journal.ts'
import { validateRegisterRequest } from '../registers.ts'
import { MemoryReader } from './memory-reader.ts'
import { MemoryStore } from './memory-store.ts'
import type { MemoryContent } from './memory-store.ts'

/** From this size on the next append begins a new fragment. */
export const MEMORY_FRAGMENT_BYTES = 1024 * 1024

export interface MemoryJournalOptions {
  readonly name: string
  /** Default: one of its own for each journal of this process. Hand one in where ids outlive the process. */
  readonly id?: string
  /** The unit of pruning: an append that finds this much in the last fragment begins a new one. Default 1 MiB. */
  readonly fragmentBytes?: number
  /** J7. Default and maximum 16 MiB. */
  readonly maxAppendBytes?: number
  /** What the journal begins with, upwards; a hole is a jump, a first `begin` above 0 a pruned start. */
  readonly content?: readonly MemoryContent[]
  /** Where the next append lands. Default: the end of the last content. */
  readonly head?: number
  readonly registers?: readonly Label[]
}

let journalCount = 0

/**
 * A journal in memory: for tests, for simulations, and for whatever need not outlive its process. Everything is done
 * in the call; answers are promises all the same, and promise J10 holds to the letter.
 */
export class MemoryJournal implements Journal {
  readonly durability = 'memory'
  readonly supports = { prune: true, appendSync: true } as const
  readonly #store: MemoryStore
  readonly #readers = new Set<MemoryReader>()
  /** An append that failed and whose answer has not been delivered yet: those called meanwhile fail too. */
  #failed: { readonly error: unknown } | undefined
  #isClosed = false

  /** A new journal; or, from `share`, another object on an old one. */
  constructor(options: MemoryJournalOptions | MemoryStore) {
    this.#store = options instanceof MemoryStore ? options : makeStore(options)
  }

  get name(): string {
    return this.#store.name
  }

  get id(): string {
    return this.#store.id
  }

  get maxAppendBytes(): number {
    return this.#store.maxAppendBytes
  }

  /** Another object on the same journal, as a second process would have it, also after this one was closed. */
  share(): MemoryJournal {
    return new MemoryJournal(this.#store)
  }

  /** Moves the write head up to `head`, as when a part of the journal was lost and the rest goes on behind it. */
  jump(head: number): void {
    this.#store.jump(head)
  }

  async head(options: { readonly signal?: AbortSignal } = {}): Promise<Head> {
    this.#assertOpen()
    throwIfAborted(options.signal)
    return { offset: this.#store.head, registers: this.#store.registers }
  }

  async append(request: AppendRequest): Promise<Commit> {
    throwIfAborted(request.signal)
    try {
      return this.appendSync(request)
    } catch (error) {
      if (this.#failed === undefined && !this.#isClosed) {
        this.#failed = { error }
        // This runs before whatever waits for the answer: that is when the answer is given.
        queueMicrotask(() => (this.#failed = undefined))
      }
      throw error
    }
  }

  appendSync(request: AppendRequest): Commit {
    this.#assertOpen()
    if (this.#failed !== undefined) throw failedBehind(this.#failed.error, this.name)
    return this.#store.append(request)
  }

  read({ offset, block = false, signal }: ReadRequest): AsyncIterable<JournalChunk> {
    this.#assertOpen()
    const reader = new MemoryReader(this.#store, assertOffset(offset, 'offset'), block, () =>
      this.#readers.delete(reader),
    )
    this.#readers.add(reader)
    return new ChunkIterator(reader, signal)
  }

  async fragments(): Promise<readonly Fragment[]> {
    this.#assertOpen()
    return this.#store.fragments()
  }

  async remove(fragment: Fragment): Promise<void> {
    this.#assertOpen()
    this.#store.remove(fragment)
  }

  /** Ends this object, not the journal: `share` gives another one. Readers of this object get `CLOSED`. */
  close(): Promise<void> {
    this.#isClosed = true
    for (const reader of this.#readers) reader.closeJournal()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #assertOpen(): void {
    if (this.#isClosed) throw closedError(this.name)
  }
}

function makeStore(options: MemoryJournalOptions): MemoryStore {
  const {
    name,
    fragmentBytes = MEMORY_FRAGMENT_BYTES,
    maxAppendBytes = MAX_APPEND_BYTES,
    registers = [],
  } = options
  assertSize(fragmentBytes, 'fragmentBytes', Number.MAX_SAFE_INTEGER)
  assertSize(maxAppendBytes, 'maxAppendBytes', MAX_APPEND_BYTES)
  validateRegisterRequest({ union: registers }, 1)
  journalCount++
  const id = options.id ?? `memory-${String(journalCount)}`
  const store = new MemoryStore({ name, id }, { maxAppendBytes, fragmentBytes }, registers)
  for (const content of options.content ?? []) store.load(content)
  if (options.head !== undefined) store.jump(options.head)
  return store
}

function assertSize(size: number, title: string, max: number): void {
  if (!Number.isSafeInteger(size) || size < 1 || size > max) {
    throw new RangeError(`${title} is not an integer from 1 to ${String(max)}: ${String(size)}`)
  }
}
