import type { RecordedOp } from '../wire/index.ts'

/**
 * Where operations come from: pairs of author and log as small numbers, because a segment goes on only while both stay
 * the same, and comparing one number is cheap. There are few: one for each recorder that worked in a log.
 */
export class Sources {
  readonly #authors: number[] = []
  readonly #logs: string[] = []
  readonly #bySpelling = new Map<string, number>()
  // The pair that was asked for last: most operations come from where the one before came from.
  #author = 0
  #log: string | undefined
  #source = 0

  /** The number of the pair that an operation comes from. */
  numberOf({ author, log }: RecordedOp): number {
    if (author !== this.#author || log !== this.#log) {
      this.#source = this.#lookUp(author, log)
      this.#author = author
      this.#log = log
    }
    return this.#source
  }

  #lookUp(author: number, log: string): number {
    const spelling = `${String(author)} ${log}`
    const known = this.#bySpelling.get(spelling)
    if (known !== undefined) return known
    const source = this.#authors.push(author >>> 0) - 1
    this.#logs.push(log)
    this.#bySpelling.set(spelling, source)
    return source
  }

  /** As uint32. */
  authorOf(source: number): number {
    return this.#authors[source] as number
  }

  logOf(source: number): string {
    return this.#logs[source] as string
  }
}
