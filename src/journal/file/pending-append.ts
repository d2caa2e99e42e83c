import { validateAppend } from '../append-rules.ts'
import type { AppendRequest, Commit, Journal, Label } from '../journal.ts'
import { contentChecksum } from './content-checksum.ts'
import type { ContentChecksum } from './content-checksum.ts'
import { OWN_GROUP_BYTES } from './epoch-writer.ts'

/** Who is told how an append ended. */
export interface Answer {
  readonly resolve: (commit: Commit) => void
  readonly reject: (error: unknown) => void
}

/** An append that has been called and not yet answered. */
export class PendingAppend {
  readonly request: AppendRequest
  /** What is wrong with the request itself: told in its turn, since it fails those behind it (J10). */
  readonly refusal: Error | undefined
  /** Computed in the call: while an earlier one is being synced, this costs nothing. */
  readonly ownChecksum: ContentChecksum | undefined
  /** None of a request that is refused. */
  readonly content: Uint8Array
  readonly #answer: Answer
  /** What it will be answered with once it has committed. */
  commit: Commit | undefined

  constructor(journal: Pick<Journal, 'name' | 'maxAppendBytes'>, request: AppendRequest, answer: Answer) {
    this.request = request
    this.refusal = refusalOf(journal, request)
    this.content = this.refusal === undefined ? request.content : new Uint8Array(0)
    this.ownChecksum = this.content.length >= OWN_GROUP_BYTES ? contentChecksum(this.content) : undefined
    this.#answer = answer
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

function refusalOf(
  journal: Pick<Journal, 'name' | 'maxAppendBytes'>,
  request: AppendRequest,
): Error | undefined {
  try {
    validateAppend(journal, request)
    return undefined
  } catch (error) {
    return error as Error
  }
}
