import type { Readable } from 'node:stream'

/** As `readline` has them. A lone CR at the end of a chunk may be half of a CRLF. */
const LINE_END = /\r?\n|\r(?!\n|$)/

/** The lines of a stream of text. Leaving the loop early closes it. */
export class FileLines {
  readonly #stream: Readable

  constructor(stream: Readable) {
    this.#stream = stream
  }

  close(): void {
    this.#stream.destroy()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void> {
    let rest = ''
    for await (const chunk of this.#stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split(LINE_END)
      rest = lines.pop() as string
      yield* lines
    }
    if (rest !== '') yield rest.endsWith('\r') ? rest.slice(0, -1) : rest
  }
}
