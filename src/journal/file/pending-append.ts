import { crc32 } from 'node:zlib'
import { validateAppend } from '../append-rules.ts'
import type { AppendRequest, Commit, Journal, Label } from '../journal.ts'
import { OWN_GROUP_BYTES } from './epoch-writer.ts'

/** Who is told how an append ended. */
export interface Answer {
  resolve(commit: Commit): void
  reject(error: unknown): void
}

/** An append that has been called and not yet answered. */
export class PendingAppend {
  readonly request: AppendRequest
  /** What is wrong with the request itself: told in its turn, since it fails those behind it (J10). */
  readonly refusal: unknown
  /** Computed in the call: while an earlier one is being synced, this costs nothing. */
  readonly contentCrc: number
  readonly #answer: Answer
  /** What it will be answered with once it has committed. */
  commit: Commit | undefined

  constructor(journal: Pick<Journal, 'name' | 'maxAppendBytes'>, request: AppendRequest, answer: Answer) {
    this.request = request
    this.refusal = refusalOf(journal, request)
    const { content } = request
    this.contentCrc = this.refusal === undefined && content.length >= OWN_GROUP_BYTES ? crc32(content) : 0
    this.#answer = answer
  }

  get content(): Uint8Array {
    return this.request.content
  }

  get registers(): readonly Label[] {
    return this.#committed().registers
  }

  resolve(): void {
    this.#answer.resolve(this.#committed())
  }

  reject(error: unknown): void {
    this.#answer.reject(error)
  }

  #committed(): Commit {
    if (this.commit === undefined) throw new Error('an append is answered before it was written')
    return this.commit
  }
}

function refusalOf(journal: Pick<Journal, 'name' | 'maxAppendBytes'>, request: AppendRequest): unknown {
  try {
    validateAppend(journal, request)
    return undefined
  } catch (error) {
    return error
  }
}
