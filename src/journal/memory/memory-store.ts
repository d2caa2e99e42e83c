/**
 * The bytes of a memory journal: fragments in order, each a run of blocks that never move. Content is copied in once;
 * what is in a block never changes (J2).
 */
import { RecoveryLogError } from '../../errors/index.ts'
import { assertOffset, validateAppend } from '../append-rules.ts'
import type { AppendRequest, Commit, Fragment, Label } from '../journal.ts'
import { lowerBound } from '../lower-bound.ts'
import { changeRegisters, checkRegisters } from '../registers.ts'

/** Content from this size on gets a block of its own; what is smaller shares blocks. */
const OWN_BLOCK_BYTES = 64 * 1024
/** Shared blocks double from the first to the second, so that a journal with little in it is small. */
const BLOCK_BYTES_MIN = 4 * 1024
const BLOCK_BYTES_MAX = 1024 * 1024

interface Block {
  readonly begin: number
  readonly bytes: Uint8Array
  /** How much of `bytes` is filled. */
  length: number
}

interface StoredFragment {
  readonly begin: number
  end: number
  readonly blocks: Block[]
}

/** Bytes that a journal begins with: at `begin`, above whatever came before. Holes between pieces are jumps. */
export interface MemoryContent {
  readonly begin: number
  /** Becomes the journal's own: not copied, do not change it afterwards. */
  readonly bytes: Uint8Array
}

export class MemoryStore {
  readonly name: string
  readonly id: string
  readonly maxAppendBytes: number
  readonly #fragmentBytes: number
  readonly #fragments: StoredFragment[] = []
  readonly #waiting = new Set<() => void>()
  #head = 0
  #registers: readonly Label[]

  constructor(
    names: { readonly name: string; readonly id: string },
    sizes: { readonly maxAppendBytes: number; readonly fragmentBytes: number },
    registers: readonly Label[],
  ) {
    this.name = names.name
    this.id = names.id
    this.maxAppendBytes = sizes.maxAppendBytes
    this.#fragmentBytes = sizes.fragmentBytes
    this.#registers = changeRegisters([], { union: registers })
  }

  get head(): number {
    return this.#head
  }

  get registers(): readonly Label[] {
    return this.#registers
  }

  /** Puts down what the journal begins with: each piece becomes a fragment. */
  load({ begin, bytes }: MemoryContent): void {
    if (assertOffset(begin, 'begin') < this.#head) {
      throw new RangeError(`content at ${String(begin)} begins below the head ${String(this.#head)}`)
    }
    this.#head = begin + bytes.length
    if (bytes.length === 0) return
    this.#fragments.push({ begin, end: this.#head, blocks: [{ begin, bytes, length: bytes.length }] })
  }

  /** Moves the head up, leaving a hole. */
  jump(head: number): void {
    if (assertOffset(head, 'head') < this.#head) {
      throw new RangeError(`head ${String(head)} lies below ${String(this.#head)}`)
    }
    this.#head = head
  }

  append(request: AppendRequest): Commit {
    validateAppend(this, request)
    checkRegisters(this.name, this.#registers, request.check)
    const registers = changeRegisters(this.#registers, request)
    const begin = this.#head
    if (request.content.length > 0) {
      this.#put(request.content)
      this.#registers = registers
      for (const wake of this.#waiting) wake()
    }
    return { begin, end: this.#head, registers }
  }

  fragments(): readonly Fragment[] {
    return this.#fragments.map(({ begin, end }) => ({ begin, end }))
  }

  /** Frees one fragment, as listed. One that is gone already is fine; a stale or made-up span is `INVALID`. */
  remove({ begin, end }: Fragment): void {
    const index = this.#fragments.findIndex((stored) => stored.begin < end && stored.end > begin)
    const stored = this.#fragments[index]
    if (stored === undefined) return
    if (stored.begin !== begin || stored.end !== end || end === this.#head) {
      const why = end === this.#head ? 'the fragment at the head stays' : 'not a fragment of this journal'
      throw new RecoveryLogError('INVALID', why, { journal: this.name, begin, end, head: this.#head })
    }
    this.#fragments.splice(index, 1)
  }

  /** Where the first byte at or after `offset` lies that is still there; the head when there is none. */
  seek(offset: number): number {
    const fragment = this.#fragments[this.#fragmentIndex(offset)]
    return fragment === undefined ? Math.max(offset, this.#head) : Math.max(offset, fragment.begin)
  }

  /** Copies contiguous bytes from `offset` on into `target`; answers how many. */
  read(offset: number, target: Uint8Array): number {
    let filled = 0
    for (let index = this.#fragmentIndex(offset); index < this.#fragments.length; index++) {
      const fragment = this.#fragments[index] as StoredFragment
      if (fragment.begin > offset + filled) break // a hole: the next chunk begins behind it
      filled = readBlocks(fragment.blocks, offset, target, filled)
      if (filled === target.length) break
    }
    return filled
  }

  /** Calls `wake` after each append, until the answer is called. */
  watch(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => this.#waiting.delete(wake)
  }

  /** The first fragment that ends above `offset`. */
  #fragmentIndex(offset: number): number {
    return lowerBound(this.#fragments.length, (i) => (this.#fragments[i] as StoredFragment).end > offset)
  }

  #put(content: Uint8Array): void {
    let fragment = this.#fragments.at(-1)
    if (fragment?.end !== this.#head || fragment.end - fragment.begin >= this.#fragmentBytes) {
      fragment = { begin: this.#head, end: this.#head, blocks: [] }
      this.#fragments.push(fragment)
    }
    putBlocks(fragment, content)
    fragment.end += content.length
    this.#head = fragment.end
  }
}

function putBlocks(fragment: StoredFragment, content: Uint8Array): void {
  const { blocks, end } = fragment
  if (content.length >= OWN_BLOCK_BYTES) {
    blocks.push({ begin: end, bytes: content.slice(), length: content.length })
    return
  }
  let done = 0
  while (done < content.length) {
    let block = blocks.at(-1)
    if (block === undefined || block.length === block.bytes.length) {
      const capacity = Math.min(BLOCK_BYTES_MAX, Math.max(BLOCK_BYTES_MIN, end - fragment.begin))
      block = { begin: end + done, bytes: new Uint8Array(capacity), length: 0 }
      blocks.push(block)
    }
    const count = Math.min(content.length - done, block.bytes.length - block.length)
    block.bytes.set(count === content.length ? content : content.subarray(done, done + count), block.length)
    block.length += count
    done += count
  }
}

function readBlocks(blocks: readonly Block[], offset: number, target: Uint8Array, filled: number): number {
  const from = offset + filled
  let index = lowerBound(blocks.length, (i) => {
    const block = blocks[i] as Block
    return block.begin + block.length > from
  })
  for (; index < blocks.length && filled < target.length; index++) {
    const block = blocks[index] as Block
    const start = offset + filled - block.begin
    const count = Math.min(block.length - start, target.length - filled)
    target.set(block.bytes.subarray(start, start + count), filled)
    filled += count
  }
  return filled
}
